"""Names and ages survive what people do to `release.yaml` and the files below it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import umbrella
from moving import POLICIES, SOAK, Moving
from origin import git

ORDERS = ["together", "files first", "configuration first"]

MOVES = {
    "the directory": ({"environments": "envs"}, {"template": "envs/{environment}"}, ()),
    "an environment": (
        {"environments/devel": "environments/dev"},
        {"policies": {"dev": POLICIES["devel"], "staging": "{promote_from: dev, default: promoted}"}},
        (),
    ),
    "one service becomes two": (
        {f"environments/{one}": f"environments/{one}/engine" for one in POLICIES},
        {
            "services": ("engine", "web"),
            "template": "environments/{environment}/{service}",
            "branch": "release/{service}/{environment}",
        },
        ("--service", "engine"),
    ),
    "the key": ({}, {"key": umbrella.KEY, "chart": umbrella.CHART}, ()),
    "the key and the directory": (
        {"environments": "envs"},
        {"key": umbrella.KEY, "chart": umbrella.CHART, "template": "envs/{environment}"},
        (),
    ),
    "the files alone": (
        {f"environments/{one}/image_tag.yaml": f"live/{one}/image_tag.yaml" for one in POLICIES},
        {"template": "live/{environment}"},
        (),
    ),
}


@pytest.fixture
def world(tmp_path: Path) -> Moving:
    return Moving.begin(tmp_path)


def entry(world: Moving) -> str:
    return next(iter(world.policies))


def moved(world: Moving, what: str, order: str = "together") -> tuple[str, ...]:
    """People move something; how the entry is called in commands then."""
    moves, fields, more = MOVES[what]
    world.move(dict(moves), order, **fields)
    return (entry(world), *more)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("what", MOVES)
def test_a_name_that_was_reverted_stays_taken_wherever_files_move(world: Moving, what: str, order: str) -> None:
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.revert()
    (change,) = [one for one in world.json("bump", "devel", "v1.0.4", "--dry-run")["changes"] if one["action"] == "add"]
    assert change["version"] == "v4", "a revert frees no name"
    environment, *more = moved(world, what, order)
    outcome = world.json("bump", environment, "v1.0.4", "--direct", *more)
    added = [(one["version"], one["tag"]) for one in outcome["changes"] if one["action"] == "add"]
    assert added == [("v4", "v1.0.4")]
    again = world.json("bump", environment, "v1.0.3", "--direct", *more)
    assert [one["version"] for one in again["changes"] if one["action"] == "add"] == ["v3"], "a tag keeps its name"


@pytest.mark.parametrize("kind", ["shallow", "partial", "URL"])
def test_names_before_a_move_are_known_without_a_full_clone(world: Moving, tmp_path: Path, kind: str) -> None:
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.revert()
    moved(world, "the directory")
    for number in range(60):
        world.git("commit", "-q", "--allow-empty", "-m", f"{number}")
    world.git("push", "-q", "origin", "main")
    url, work = f"file://{world.origin}", tmp_path / "work"
    if kind != "URL":
        git("config", "uploadpack.allowFilter", "true", cwd=world.origin)
        git("clone", "-q", "--depth=1" if kind == "shallow" else "--filter=blob:none", url, work)
    where = ("--repo", url) if kind == "URL" else ("-C", str(work))
    assert ("add", "v4") in world.changes("bump", "devel", "v1.0.4", "--dry-run", *where)


def test_a_new_service_begins_with_names_of_its_own(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3", "--direct")
    moved(world, "one service becomes two")
    files = {f"environments/{one}/web/image_tag.yaml": "image:\n  tag: {}\n" for one in POLICIES}
    world.commit(dict(files), "The new service")
    assert ("add", "v1") in world.changes("bump", "devel", "w1", "--service", "web", "--dry-run")


def test_names_of_an_environment_that_is_gone_stay_taken(world: Moving) -> None:
    world.release("bump", "staging", "v1.0.7", "--force", "--reason", "hotfix", "--direct")
    world.pull()
    world.git("rm", "-rq", "environments/staging")
    world.policies.pop("staging")
    world.commit({"release.yaml": world.layout()}, "No staging")
    assert ("add", "v4") in world.changes("bump", "devel", "v1.0.8", "--direct")
    assert world.known["v3"] == "v1.0.7"


@pytest.mark.parametrize("what", ["the directory", "the key and the directory"])
def test_a_name_stays_taken_for_operations_in_a_working_tree(world: Moving, what: str) -> None:
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.revert()
    moved(world, what)
    assert ("add", "v4") in world.changes("bump", "devel", "v1.0.4", "--local")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("what", MOVES)
def test_an_age_counts_from_landing_and_not_from_a_move(world: Moving, what: str, order: str) -> None:
    world.release("bump", "devel", "v1.0.3", "--direct")
    landed = world.now
    world.now += timedelta(days=3)
    environment, *more = moved(world, what, order)
    world.now += timedelta(hours=1)
    status = world.json("status", environment, *more)
    (found,) = status["environments"]
    assert found["default_since"] == landed.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_age_goes_on_where_the_configuration_was_broken_before_the_move(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3", "--direct")
    landed = world.now
    world.now += timedelta(days=3)
    world.commit({"release.yaml": "version: 1\nenvironments: [\n"}, "A mistake")
    moved(world, "the directory")
    (found,) = world.json("status", "devel")["environments"]
    assert found["default_since"] == landed.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_soak_that_has_passed_stays_passed(world: Moving) -> None:
    world.move({}, policies={**POLICIES, "staging": SOAK})
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.now += timedelta(days=2)
    moved(world, "the directory")
    world.release("promote", "devel", "staging", "--dry-run")


def test_the_ages_of_a_copied_environment_count_from_the_copy(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.now += timedelta(days=3)
    world.pull()
    shared = {"canary": "{promote_from: devel, default: promoted}", **POLICIES}
    ordered = {name: shared[name] for name in ("devel", "canary", "staging")}
    files = {f"environments/canary/{one}": world.file(f"environments/devel/{one}") for one in FILES}
    world.policies = ordered
    world.commit({"release.yaml": world.layout(), **files}, "A canary like devel")
    copied = world.now
    (found,) = world.json("status", "canary")["environments"]
    assert found["default_since"] == copied.strftime("%Y-%m-%dT%H:%M:%SZ")


FILES = ("image_tag.yaml", "history.jsonl")

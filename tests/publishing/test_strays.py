"""Release branches that the configuration doesn't reach any more: carried over, closed with a true sentence, or named."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from moving import POLICIES, Moving
from origin import git

from release_tool.git.repository import Repository
from release_tool.model import history
from release_tool.model.records import RefUpdate

RENAMED = {"dev": POLICIES["devel"], "staging": "{promote_from: dev, default: promoted}"}


@pytest.fixture
def world(tmp_path: Path) -> Moving:
    return Moving.begin(tmp_path)


def waiting(world: Moving, branch: str, path: str) -> list[str]:
    """The tags of the lines on a branch that the base doesn't hold."""
    base = world.file(path)
    lines = history.parse(world.file(path, branch), path)
    return [line.intent.tag for line in lines if line.id not in base]


def comment(world: Moving, number: int) -> str:
    (pull,) = [one for one in world.pulls("all") if one["number"] == number]
    assert pull["state"] == "closed"
    return str(world.json("pulls", "show", str(number))["comments"][-1])


def rename_devel(world: Moving, order: str = "together") -> None:
    world.move({"environments/devel": "environments/dev"}, order, policies=dict(RENAMED))


@pytest.mark.parametrize("order", ["together", "files first", "configuration first"])
def test_what_waits_survives_a_renamed_directory(world: Moving, order: str) -> None:
    world.release("bump", "devel", "v1.0.3")
    world.move({"environments": "envs"}, order, template="envs/{environment}")
    world.release("sync")
    assert waiting(world, "release/devel", "envs/devel/history.jsonl") == ["v1.0.3"]
    assert world.open_branches() == ["release/devel"]
    world.release("bump", "devel", "v1.0.4")
    assert waiting(world, "release/devel", "envs/devel/history.jsonl") == ["v1.0.3", "v1.0.4"]
    world.merge(1)
    assert list(world.known) == ["v1", "v2", "v3", "v4"]


@pytest.mark.parametrize("landed", [True, False])
def test_what_waits_goes_on_under_the_new_name_of_its_environment(world: Moving, landed: bool) -> None:
    if landed:
        world.release("bump", "devel", "v1.0.3", "--direct")
    world.release("bump", "devel", "v1.0.4")
    rename_devel(world)
    said = world.release("sync").out
    assert waiting(world, "release/dev", "environments/dev/history.jsonl") == ["v1.0.4"]
    assert world.open_branches() == ["release/dev"]
    assert "pull request #1 is closed, and branch release/devel is deleted" in said
    assert "all of this went to pull request #2 (`release/dev`)" in comment(world, 1)
    assert "refs/heads/release/devel" not in world.refs()
    assert world.release("sync").out == "", "nothing is left to do"
    world.merge(2)


@pytest.mark.parametrize("branch", ["bot/{environment}", "{environment}/release", "deploy-{environment}"])
def test_what_waits_goes_on_where_branches_get_other_names(world: Moving, branch: str) -> None:
    world.release("bump", "devel", "v1.0.3")
    world.release("promote", "devel", "staging", "--version", "v2")
    world.move({}, branch=branch)
    world.release("sync")
    heads = [branch.replace("{environment}", one) for one in ("devel", "staging")]
    assert world.open_branches() == sorted(heads)
    assert waiting(world, heads[0], "environments/devel/history.jsonl") == ["v1.0.3"]
    world.move({}, branch="release/{environment}")  # and back
    world.release("sync")
    assert world.open_branches() == ["release/devel", "release/staging"]


def test_what_waits_goes_on_where_everything_has_another_name(world: Moving) -> None:
    world.move({}, branch="x/{environment}")
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.release("bump", "devel", "v1.0.4")
    policies = {"qa": POLICIES["devel"], "live": "{promote_from: qa, default: promoted}"}
    moves = {"environments/devel": "y/qa", "environments/staging": "y/live"}
    world.move(moves, policies=policies, template="y/{environment}", branch="z-{environment}")
    world.release("sync")
    assert world.open_branches() == ["z-qa"]
    assert waiting(world, "z-qa", "y/qa/history.jsonl") == ["v1.0.4"]


def test_what_waits_goes_on_where_one_service_becomes_two(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    moves = {f"environments/{one}": f"environments/{one}/engine" for one in POLICIES}
    layout = {"template": "environments/{environment}/{service}", "branch": "release/{service}/{environment}"}
    world.move(moves, services=("engine", "web"), **layout)
    files = {f"environments/{one}/web/image_tag.yaml": "image:\n  tag: {}\n" for one in POLICIES}
    world.commit(dict(files), "The new service")
    # git has no branch `release/devel/…` beside `release/devel`, but `release/engine/devel`
    world.release("sync")
    assert world.open_branches() == ["release/engine/devel"]
    assert waiting(world, "release/engine/devel", "environments/devel/engine/history.jsonl") == ["v1.0.3"]


def test_what_waits_goes_on_where_a_service_gets_another_name(world: Moving) -> None:
    layout = {"template": "environments/{environment}/{service}", "branch": "release/{service}/{environment}"}
    moves = {f"environments/{one}": f"environments/{one}/engine" for one in POLICIES}
    world.move(moves, services=("engine", "web"), **layout)
    for one in POLICIES:  # another service with the very same versions
        text = world.file(f"environments/{one}/engine/image_tag.yaml")
        world.commit({f"environments/{one}/web/image_tag.yaml": text}, "The other service")
    world.release("bump", "devel", "v1.0.3", "--direct", "--service", "engine")
    world.revert()
    world.release("bump", "devel", "v1.0.4", "--service", "engine")
    world.release("bump", "devel", "w3", "--service", "web")
    moves = {f"environments/{one}/engine": f"environments/{one}/motor" for one in POLICIES}
    world.move(moves, services=("motor", "web"))
    world.release("sync")
    assert world.open_branches() == ["release/motor/devel", "release/web/devel"]
    assert waiting(world, "release/motor/devel", "environments/devel/motor/history.jsonl") == ["v1.0.4"]
    changes = world.json("bump", "devel", "v1.0.5", "--service", "motor", "--direct")["changes"]
    assert changes[0]["version"] == "v5", "v3 was given and reverted, and v4 waits"


def test_what_waits_joins_what_came_under_the_new_name_before(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    rename_devel(world)
    world.release("bump", "dev", "v1.0.4")
    world.release("sync")
    assert waiting(world, "release/dev", "environments/dev/history.jsonl") == ["v1.0.3", "v1.0.4"]
    assert world.open_branches() == ["release/dev"]
    world.merge(2)
    assert sorted(world.known.values()) == ["v1.0.1", "v1.0.2", "v1.0.3", "v1.0.4"]


def test_what_waits_under_several_older_names_goes_on_in_its_order(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    rename_devel(world)
    world.release("bump", "dev", "v1.0.4")
    policies = {"a": POLICIES["devel"], "staging": "{promote_from: a, default: promoted}"}
    world.move({"environments/dev": "environments/a"}, policies=policies)
    world.release("bump", "a", "v1.0.5")
    world.release("sync")
    assert world.open_branches() == ["release/a"]
    assert waiting(world, "release/a", "environments/a/history.jsonl") == ["v1.0.3", "v1.0.4", "v1.0.5"]
    world.merge(3)
    assert sorted(world.known.values()) == [f"v1.0.{number}" for number in range(1, 6)]


def test_what_waits_goes_on_without_a_forge(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    rename_devel(world)
    world.commit({"release.yaml": world.layout() + "forge: {kind: none}\n"}, "No forge")
    world.release("sync")
    assert waiting(world, "release/dev", "environments/dev/history.jsonl") == ["v1.0.3"]
    assert "refs/heads/release/devel" not in world.refs()
    assert world.release("sync").out == ""


def test_a_downgrade_that_waits_goes_on_too(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.release("downgrade", "devel", "--reason", "errors")
    rename_devel(world)
    world.release("sync")
    assert world.open_branches() == ["release/dev-downgrade"]


def test_a_crash_between_the_new_pull_request_and_the_end_of_the_old_one(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    tip = world.refs()["refs/heads/release/devel"]
    rename_devel(world)
    world.release("sync")
    world.git("update-ref", "refs/heads/release/devel", tip, cwd=world.origin)
    world.release("sync")
    assert "refs/heads/release/devel" not in world.refs()
    assert waiting(world, "release/dev", "environments/dev/history.jsonl") == ["v1.0.3"]


@pytest.mark.parametrize("last", range(1, 6))
def test_a_sync_that_ends_behind_any_push_is_finished_by_the_next(
    world: Moving, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    world.release("bump", "devel", "v1.0.3")
    rename_devel(world)
    pushes, push = itertools.count(1), Repository.push

    def cut_off(self: Repository, updates: Sequence[RefUpdate], options: Sequence[str] = ()) -> None:
        push(self, updates, options)
        if next(pushes) == last:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Repository, "push", cut_off)
        world.release("sync", code=130)
    world.release("sync")
    assert world.release("sync").out == ""
    assert world.open_branches() == ["release/dev"]
    assert "refs/heads/release/devel" not in world.refs()
    assert waiting(world, "release/dev", "environments/dev/history.jsonl") == ["v1.0.3"]
    assert "all of this went to" in comment(world, 1)


def take_the_base_in(world: Moving, how: str) -> None:
    """As the button "update branch" does."""
    world.git("fetch", "-q", "origin")
    world.git("checkout", "-q", "-B", "u", "origin/release/devel")
    world.git(*(("merge", "-q", "--no-edit") if how == "merge" else ("rebase", "-q")), "origin/main")
    world.git("push", "-qf", "origin", "HEAD:release/devel")
    world.git("checkout", "-q", "main")


@pytest.mark.parametrize("how", ["merge", "rebase"])
def test_a_branch_that_took_the_new_configuration_in_is_no_other_one(world: Moving, how: str) -> None:
    world.release("bump", "devel", "v1.0.3")
    world.move({}, branch="deploy/{environment}")
    take_the_base_in(world, how)
    assert "which has the branch deploy/devel today" in world.release("status").out
    world.release("sync")
    assert world.open_branches() == ["deploy/devel"]
    assert waiting(world, "deploy/devel", "environments/devel/history.jsonl") == ["v1.0.3"]
    assert "all of this went to pull request #2" in comment(world, 1)


def test_what_was_closed_is_not_carried_over(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    world.release("pulls", "close", "1")
    rename_devel(world)
    world.release("sync")
    assert world.open_branches() == []
    assert "refs/heads/release/dev" not in world.refs()


def test_what_is_in_the_base_already_is_closed_with_that_sentence(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    line = world.record(ref="release/devel")
    tags = world.tags(ref="release/devel")
    world.commit({"environments/devel/image_tag.yaml": tags, "environments/devel/history.jsonl": line}, "By hand")
    rename_devel(world)
    world.release("sync")
    assert "`main` holds all of this already" in comment(world, 1)
    assert world.open_branches() == []


@pytest.mark.parametrize("kind", ["shallow", "URL"])
def test_what_waits_goes_on_without_a_full_clone(world: Moving, tmp_path: Path, kind: str) -> None:
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.release("bump", "devel", "v1.0.4")
    moves = {"environments/devel": "environments/dev"}
    world.move(moves, policies=dict(RENAMED), branch="to-{environment}")
    url, work = f"file://{world.origin}", tmp_path / "work"
    if kind == "shallow":
        git("clone", "-q", "--depth=1", url, work)
    world.release("sync", *(("-C", str(work)) if kind == "shallow" else ("--repo", url)))
    assert world.open_branches() == ["to-dev"]
    assert waiting(world, "to-dev", "environments/dev/history.jsonl") == ["v1.0.4"]


# -- what a person must decide ----------------------------------------------------------------------------------------


def everybody_says(world: Moving, branch: str, *words: str) -> None:
    """Status, check, doctor, sync and cleanup name a branch, with words about it and the command that mends it."""
    before = world.refs()
    status = world.json("status")
    (one,) = status["left_over"]
    said = [
        world.release("sync", code=1).err,
        world.release("cleanup", code=1).err,
        world.release("sync", "--dry-run", code=1).err,
        world.release("check", "--repo", str(world.origin), code=None).out,
        world.release("status").out,
        world.release("doctor", code=None).out,
        str(one["error"]),
    ]
    assert one["branch"] == branch
    assert world.refs() == before, "nothing that waits is lost"
    for text in said:
        for word in (branch, "git push origin", *words):
            assert word in text or (word == "git push origin" and "git push" in text), (word, text)


def test_what_waits_for_an_environment_that_is_gone_is_named(world: Moving) -> None:
    world.release("promote", "devel", "staging", "--version", "v2")
    world.pull()
    world.git("rm", "-rq", "environments/staging")
    world.policies.pop("staging")
    world.commit({"release.yaml": world.layout()}, "No staging")
    everybody_says(world, "release/staging", "made for staging, which release.yaml names no more")
    world.git("push", "-q", "origin", "--delete", "release/staging")  # the hint
    world.release("sync")
    assert world.json("status")["left_over"] == []


def test_commits_of_a_person_are_never_thrown_away(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    world.commit({"environments/devel/values.yaml": "replicaCount: 3\n"}, "More pods", "release/devel")
    rename_devel(world)
    everybody_says(world, "release/devel", "commits of a person are on it")
    world.git("fetch", "-q", "origin", "release/devel")  # the hint
    world.git("push", "-q", "origin", "FETCH_HEAD:refs/heads/release/dev", ":refs/heads/release/devel")
    assert "merging main into it conflicts" in world.release("sync", code=1).err
    status = world.json("status")
    assert status["left_over"] == []
    assert [one["subject"] for one in status["environments"][0]["operations"]] == ["bump v1.0.3"]


def test_an_environment_with_two_heirs_is_for_a_person(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.release("bump", "devel", "v1.0.4")
    world.pull()
    files = {
        f"environments/devel/{service}/{name}": world.file(f"environments/devel/{name}")
        for service in ("engine", "web")
        for name in ("image_tag.yaml", "history.jsonl")
    }
    world.git("rm", "-rq", "environments")
    staging = {f"environments/staging/{one}/image_tag.yaml": "image:\n  tag: {}\n" for one in ("engine", "web")}
    world.services, world.template = ("engine", "web"), "environments/{environment}/{service}"
    world.branch = "release/{service}/{environment}"
    world.commit({"release.yaml": world.layout(), **files, **staging}, "Two copies")
    everybody_says(world, "release/devel", "engine/devel, web/devel")


def test_a_name_that_went_to_another_environment(world: Moving) -> None:
    """`devel` becomes `dev`, and `staging` becomes `devel`: the branch of then is another environment's today."""
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.release("promote", "devel", "staging", "--direct")
    world.release("bump", "devel", "v1.0.4")
    policies = {"dev": POLICIES["devel"], "devel": "{promote_from: dev, default: promoted}"}
    moves = {"environments/devel": "environments/dev", "environments/staging": "environments/devel"}
    world.move(moves, policies=policies)
    refused = world.release("promote", "dev", "devel", "--version", "v2", "--force", "--reason", "x", code=None)
    assert refused.code == 1
    assert "was made for devel" in refused.err
    world.release("sync", code=None)
    world.release("sync")
    assert world.open_branches() == ["release/dev"]
    assert waiting(world, "release/dev", "environments/dev/history.jsonl") == ["v1.0.4"]


def test_branches_that_people_made_are_left_alone(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    tip = world.refs()["refs/heads/release/devel"]
    for name in ("mine", "release/old", "devel-copy", "feature/devel"):
        world.git("update-ref", f"refs/heads/{name}", tip, cwd=world.origin)
    world.commit({"README.md": "mine\n"}, "Mine", "release/other")
    rename_devel(world)
    world.release("sync")
    names = {ref.removeprefix("refs/heads/") for ref in world.refs() if ref.startswith("refs/heads/")}
    assert names == {"main", "mine", "release/old", "devel-copy", "feature/devel", "release/other", "release/dev"}
    assert world.json("status")["left_over"] == []


def test_a_dry_run_of_sync_writes_nothing(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    rename_devel(world)
    with world.unchanged():
        said = world.release("sync", "--dry-run").out
    assert said == "dev: would make the release branch again\n"


def test_sync_of_another_environment_leaves_it_alone(world: Moving) -> None:
    world.release("bump", "devel", "v1.0.3")
    rename_devel(world)
    with world.unchanged():
        world.release("sync", "staging")
    world.release("sync", "dev")
    assert world.open_branches() == ["release/dev"]

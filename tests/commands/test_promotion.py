"""`release promote`: gates, what travels, what waits, what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from world import CONFIG, WITH_DEFAULT, World, pairs

SOAKING = CONFIG.format(default="newest", keep=8).replace(
    "    promote_from: staging\n    default: promoted\n",
    "    promote_from: staging\n    default: promoted\n    soak: 1d\n    retention: {keep: 4, drain: 1h}\n",
)


pytestmark = pytest.mark.world(config=SOAKING)


def gates(outcome: dict[str, object]) -> dict[str, str]:
    return {gate["gate"]: gate["verdict"] for gate in outcome["gates"]}  # type: ignore[attr-defined,index]


def to_staging(world: World, tag: str = "v1.0.5") -> None:
    world.release("bump", "devel", tag, "--direct")
    world.release("promote", "devel", "staging", "--direct")


def test_the_default_goes_on_with_its_name_and_becomes_the_default(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("bump", "devel", "v1.0.6", "--direct")
    outcome = world.json("promote", "devel", "staging")
    assert [(change["action"], change["version"], change["tag"]) for change in outcome["changes"]] == [
        ("add", "v6", "v1.0.6"), ("set-default", "v6", "v1.0.6")
    ]  # fmt: skip
    world.merge(1)
    assert world.state("staging").versions["v6"] == "v1.0.6"
    (line,) = world.lines("staging")
    assert [gate.name for gate in line.intent.gates] == ["order", "quarantine", "soak", "image", "health"]
    assert line.intent.written == {"from": "devel", "of": "default", "version": "v6", "tag": "v1.0.6"}


def test_another_version_can_be_named_and_an_older_one_moves_no_default(world: World) -> None:
    for tag in ("v1.0.5", "v1.0.6"):
        world.release("bump", "devel", tag, "--direct")
    world.release("promote", "devel", "staging", "--direct")
    outcome = world.json("promote", "devel", "staging", "--version", "v5")
    assert pairs(outcome["changes"])[:1] == [("add", "v5")]
    assert "set-default" not in str(outcome["changes"])
    assert outcome["notes"] == [
        "v1.0.5 is not newer than the default v6 (v1.0.6): the default stays; `release default staging v5` moves it"
    ]


def test_it_reads_what_has_landed_and_notes_what_waits(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    outcome = world.json("promote", "devel", "staging")
    assert (outcome["changed"], outcome["changes"]) == (False, [])
    assert "devel: changes that have not landed (pull request #1); not part of this" in outcome["notes"]


def test_soak_counts_from_landing_as_the_default(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("promote", "devel", "staging")
    world.now += timedelta(days=3)
    world.merge(1)
    refused = world.json("promote", "staging", "production", code=1)
    assert gates(refused)["soak"] == "refused"
    assert "24 " not in str(refused), "the words don't count down"
    assert refused["changed"] is False
    assert "1d are over at 2026-11-27 12:03 UTC" in refused["refused"]
    world.now += timedelta(hours=23)
    world.json("promote", "staging", "production", code=1)
    world.now += timedelta(hours=2)
    outcome = world.json("promote", "staging", "production")
    assert gates(outcome)["soak"] == "passed"
    assert outcome["changed"] is True


def test_the_soak_of_a_default_that_left_and_came_back_begins_again(world: World) -> None:
    to_staging(world)
    world.now += timedelta(days=2)
    world.release("default", "staging", "v4", "--direct")
    world.release("default", "staging", "v5", "--direct")
    assert gates(world.json("promote", "staging", "production", code=1))["soak"] == "refused"
    assert gates(world.json("promote", "staging", "production", "--version", "v4", code=1))["soak"] == "refused"


def test_force_opens_gates_and_is_recorded_with_its_reason(world: World) -> None:
    to_staging(world)
    outcome = world.json("promote", "staging", "production", "--force", "--reason", "hotfix for #12")
    assert gates(outcome)["soak"] == "forced"
    world.merge(1)
    (line,) = world.lines("production")
    assert line.intent.written["force"] is True
    assert line.intent.written["reason"] == "hotfix for #12"
    body = world.json("pulls", "show", "1")["body"]
    assert "| forced |" in body
    assert "hotfix for" in body


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("devel", "production", "production takes promotions from staging, not from devel"),
        ("devel", "production", "  next:  `release promote staging production`, or add --force --reason 'why'"),
        ("staging", "devel", "devel is the entry: it takes bumps, no promotions"),
        ("staging", "devel", "  next:  `release bump devel TAG`, or add --force --reason 'why'"),
        ("production", "staging", "that is backwards; staging takes promotions from devel"),
        ("staging", "staging", "staging can't be promoted to itself"),
    ],
)
def test_backwards_and_past_an_environment_is_refused(world: World, source: str, target: str, words: str) -> None:
    with world.unchanged():
        result = world.release("promote", source, target, code=1)
    assert words in result.err
    assert "gate order       refused" in result.out


def test_a_version_that_is_quarantined_anywhere_goes_nowhere_not_even_by_force(world: World) -> None:
    to_staging(world)
    world.release("downgrade", "devel", "--reason", "slow", "--direct")
    world.now += timedelta(days=2)
    outcome = world.json("promote", "staging", "production", "--force", "--reason", "now", code=1)
    assert gates(outcome)["quarantine"] == "refused"
    assert "quarantined in devel: slow" in outcome["refused"]
    said = world.release("promote", "staging", "production", code=1).err
    assert "next:  promote a version with a fix; `release clear devel v5` where v5 turned out to be good" in said


def test_a_pending_promotion_is_dropped_when_its_version_is_quarantined(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("promote", "devel", "staging")
    world.release("downgrade", "devel", "--reason", "slow", "--direct")
    world.release("sync")
    assert world.pulls() == []
    assert "v1.0.5 is quarantined in devel: slow" in world.json("pulls", "show", "1")["comments"][-1]
    world.release("bump", "devel", "v1.0.6", "--direct")
    world.release("default", "devel", "v6", "--direct")
    world.release("promote", "devel", "staging")
    world.merge(world.pulls()[0]["number"])
    assert set(world.state("staging").versions) == {"v1", "v2", "v3", "v4", "v6"}


def test_a_later_promotion_of_the_default_takes_the_place_of_the_pending_one(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("promote", "devel", "staging")
    tip = world.refs()["refs/heads/release/staging"]
    world.release("promote", "devel", "staging")
    assert world.refs()["refs/heads/release/staging"] == tip, "the same again changes nothing: approvals survive"
    world.release("bump", "devel", "v1.0.6", "--direct")
    world.release("promote", "devel", "staging")
    world.merge(1)
    assert set(world.state("staging").versions) == {"v1", "v2", "v3", "v4", "v6"}
    assert len(world.lines("staging")) == 1


def test_a_pending_promotion_keeps_the_verdicts_of_its_gates(world: World) -> None:
    to_staging(world)
    world.now += timedelta(days=2)
    world.release("promote", "staging", "production")
    before = world.lines("production", "release/production")[-1].intent.gates
    world.release("default", "staging", "v4", "--direct")
    world.release("pin", "production", "v1", "--reason", "why")
    assert world.lines("production", "release/production")[0].intent.gates == before
    world.merge(world.pulls()[0]["number"])
    assert world.state("production").default == "v5"


def test_a_retired_version_moves_back_with_its_name(world: World) -> None:
    to_staging(world)
    world.release("default", "staging", "v4", "--direct")
    world.release("retire", "staging", "v5", "--direct")
    assert world.changes("promote", "devel", "staging") == [("restore", "v5"), ("set-default", "v5")]


def test_a_version_that_retention_would_take_at_once_is_not_added_unless_pinned(world: World) -> None:
    for number in range(5, 11):
        world.release("bump", "devel", f"v1.0.{number}", "--direct")
    for number in range(6, 11):
        world.release("promote", "devel", "staging", "--version", f"v{number}", "--direct")
    assert set(world.state("staging").live) == {"v6", "v7", "v8", "v9", "v10"}
    again = ("promote", "devel", "staging", "--version", "v5")
    outcome = world.json(*again)
    assert outcome["changed"] is False
    assert "`release promote devel staging --version v1.0.5 --pin` adds it pinned" in outcome["notes"][-1]
    assert world.json(*again, "--pin")["changed"] is True


def test_a_name_that_is_taken_by_another_tag_is_refused(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    taken = WITH_DEFAULT + "  - v9.9.9\n"
    world.commit({"environments/staging/image_tag.yaml": taken}, "Another fifth")
    with world.unchanged():
        said = world.release("promote", "devel", "staging", code=1).err
    assert "v5" in said
    assert "v9.9.9" in said


def test_unknown_versions_and_environments_are_refused(world: World) -> None:
    assert "did you mean 'staging'" in world.release("promote", "devel", "stagin", code=1).err
    assert "no version 'v77' in devel" in world.release("promote", "devel", "staging", "--version", "v77", code=1).err
    world.release("retire", "devel", "v1", "--direct")
    assert "is retired in devel" in world.release("promote", "devel", "staging", "--version", "v1", code=1).err


def test_what_is_the_implied_default_already_is_nothing_to_do(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags="image:\n  default: v1\n  tag: {v1: v1.0.1}\n")
    world.commit({"environments/staging/image_tag.yaml": "image:\n  tag: {v1: v1.0.1}\n"}, "By hand")
    outcome = world.json("promote", "devel", "staging", "--force", "--reason", "x")
    assert (outcome["changed"], outcome["changes"]) == (False, [])
    assert "v1.0.1 is the default already, as v1" in outcome["notes"]

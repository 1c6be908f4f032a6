"""`release cleanup`: the sweep on a schedule, a "no" that holds, branches that go."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from world import CONFIG, World, pairs

DAY = timedelta(days=1)


pytestmark = pytest.mark.world(keep=3)


def swept(world: World, *more: str) -> dict[str, list[tuple[str, str]]]:
    outcomes = world.json("cleanup", *more)
    return {
        one["environment"]: pairs(one["changes"])
        for one in outcomes
        if one["changes"] and one["operation"] == "cleanup"
    }


def calm(world: World) -> None:
    """Let everything that the policy asks for happen."""
    world.release("cleanup", "--direct")
    world.now += timedelta(hours=2)
    world.release("cleanup", "--direct")


def test_nothing_to_do_is_silent_and_shown_on_request(world: World) -> None:
    calm(world)
    with world.unchanged():
        result = world.release("cleanup")
        assert (result.out, result.err) == ("", "")
        assert "keep  v4  v1.0.4  default" in world.release("cleanup", "--dry-run").out


def test_retention_retires_and_what_has_drained_is_removed(world: World) -> None:
    assert swept(world) == {"devel": [("retire", "v1")]}
    world.now += 3 * DAY
    world.merge(1)
    assert swept(world) == {}, "it drains from landing"
    world.now += timedelta(hours=1)
    assert swept(world) == {"devel": [("remove", "v1")]}
    world.merge(2)
    assert [line.intent.operation for line in world.lines()] == ["cleanup", "cleanup"]


def test_a_dry_run_says_whose_policy_it_uses_and_previews_another(world: World) -> None:
    calm(world)
    policy = world.clone / "release.yaml"
    policy.write_text(policy.read_text() + "# a comment is no policy\n")
    assert "policy" not in world.release("cleanup", "--dry-run").out
    policy.write_text(policy.read_text().replace("keep: 3", "keep: 2"))
    with world.unchanged():
        devel, staging, _ = world.json("cleanup", "--dry-run")
        assert (devel["changed"], staging["notes"]) == (False, [])
        (note,) = devel["notes"]
        assert note.startswith("the policy of main is used; that of this checkout is another one: ")
        command = note.split("`")[1].split()
        assert command == ["release", "cleanup", "--dry-run", "--policy", "release.yaml"]
        devel, _, _ = json.loads(world.release(*command[1:], "--output", "json").out)
        assert (pairs(devel["changes"]), devel["notes"]) == ([("retire", "v2")], [])
        assert "--policy is for --dry-run" in world.release("cleanup", "--policy", "release.yaml", code=2).err
        assert "there is no such file" in world.release("cleanup", "--dry-run", "--policy", "x", code=1).err


def test_every_version_has_its_reason(world: World) -> None:
    world.release("quarantine", "devel", "v3", "--reason", "slow", "--direct")
    world.release("retire", "devel", "v1", "--direct")
    out = world.release("cleanup", "devel", "--dry-run").out
    assert "keep  v2  v1.0.2  fallback target" in out
    assert "keep  v4  v1.0.4  default" in out
    assert "wait  v3  v1.0.3  quarantined: slow" in out
    assert "wait  v1  v1.0.1  retired for 1h, then removed" in out


def test_expired_pins_are_lifted_and_shown_for_a_week_before(world: World) -> None:
    world.release("pin", "devel", "v1", "--reason", "mobile", "--until", "2026-11-30", "--direct")
    world.release("bump", "devel", "v1.0.5")
    assert "The pin of v1 `v1.0.1` ends: its last day is 2026-11-30" in world.json("pulls", "show", "1")["body"]
    world.release("pulls", "close", "1")
    world.now += 7 * DAY
    assert swept(world) == {}
    world.now += DAY
    assert swept(world) == {"devel": [("unpin", "v1"), ("retire", "v1")]}


def test_long_quarantined_versions_retire(world: World) -> None:
    world.release("quarantine", "devel", "v3", "--reason", "slow", "--direct")
    world.now += 13 * DAY
    assert swept(world) == {}
    world.now += DAY
    assert swept(world) == {"devel": [("retire", "v3")]}


def test_it_goes_over_all_environments_and_one_that_is_broken_stops_no_other(world: World) -> None:
    world.broken.add("production")
    config = CONFIG.format(default="newest", keep=3)
    config = config.replace("    promote_from: devel\n", "    promote_from: devel\n    retention: {keep: 2}\n")
    world.commit({"release.yaml": config, "environments/production/history.jsonl": "{half\n"}, "Break one")
    result = world.release("cleanup", "--output", "json", code=1)
    done = {one["environment"]: pairs(one["changes"]) for one in json.loads(result.out) if one["changed"]}
    assert done == {"devel": [("retire", "v1")], "staging": [("retire", "v1"), ("retire", "v2")]}
    assert "production: this line of the record is not JSON" in result.err
    assert "environments/production/history.jsonl:1" in result.err


def test_a_no_holds_until_file_or_policy_change(world: World) -> None:
    assert swept(world) == {"devel": [("retire", "v1")]}
    world.release("pulls", "close", "1")
    for _ in range(3):
        world.now += DAY
        result = world.release("cleanup")
        assert "pull request #1 proposed just that and was closed; nothing has changed since" in result.out
    assert world.pulls() == []
    config = CONFIG.format(default="newest", keep=3)
    world.commit({"release.yaml": "# a comment\n" + config}, "Comment")
    assert swept(world) == {}
    world.commit({"release.yaml": config.replace("keep: 3", "keep: 2")}, "Keep two")
    assert swept(world) == {"devel": [("retire", "v1"), ("retire", "v2")]}
    world.release("pulls", "close", "2")
    assert swept(world) == {}


def test_a_no_to_a_cleanup_is_no_no_to_a_person(world: World) -> None:
    assert swept(world) == {"devel": [("retire", "v1")]}
    world.release("pulls", "close", "1")
    assert world.json("retire", "devel", "v1")["changed"] is True


def test_it_joins_what_waits_and_a_second_one_changes_nothing(world: World) -> None:
    world.release("quarantine", "devel", "v3", "--reason", "slow")
    tip = world.refs()["refs/heads/release/devel"]
    assert swept(world) == {}
    assert world.refs()["refs/heads/release/devel"] == tip, "approvals survive"
    world.release("clear", "devel", "v3")
    assert swept(world) == {}


def test_an_open_pull_request_is_planned_anew(world: World) -> None:
    world.release("retire", "devel", "v2", "--direct")
    world.release("bump", "devel", "v1.0.5")
    world.now += 2 * DAY
    assert swept(world) == {"devel": [("retire", "v1"), ("remove", "v2")]} or swept(world) == {}
    world.merge(1)
    assert "v1.0.2" not in world.tags()


def test_branches_with_nothing_pending_are_deleted(world: World) -> None:
    calm(world)
    world.release("bump", "devel", "v1.0.5")
    branch = world.refs()["refs/heads/release/devel"]
    world.merge(1)
    world.git("update-ref", "refs/heads/release/devel", branch, cwd=world.origin)
    world.release("downgrade", "devel")
    world.release("pulls", "close", "2")
    assert {"refs/heads/release/devel", "refs/heads/release/devel-downgrade"} <= set(world.refs())
    out = world.release("cleanup").out
    assert "branch release/devel is deleted: nothing was pending on it" in out
    assert "branch release/devel-downgrade is deleted" in out
    assert not {ref for ref in world.refs() if ref.startswith("refs/heads/release/")}


def test_branches_with_something_pending_or_a_persons_commits_stay(world: World) -> None:
    calm(world)
    world.release("bump", "devel", "v1.0.5")
    world.release("bump", "staging", "v1.0.6", "--force", "--reason", "x")
    world.release("pulls", "close", "2")
    world.commit({"notes.md": "mine\n"}, "Mine", "release/staging")
    world.release("cleanup")
    assert {"refs/heads/release/devel", "refs/heads/release/staging"} <= set(world.refs())


def test_old_lines_move_to_the_archive_of_their_year(world: World) -> None:
    for number in range(5, 12):
        world.release("bump", "devel", f"v1.0.{number}", "--direct")
        world.now += timedelta(hours=2)
    world.release("cleanup", "devel", "--direct")
    before = world.record().splitlines()
    world.now += 400 * DAY
    world.landed.clear()
    for number in range(20, 24):
        world.release("bump", "devel", f"v1.0.{number}", "--direct")
        world.now += timedelta(hours=2)
    world.release("cleanup", "devel", "--direct")
    moved = world.file("environments/devel/history/2026.jsonl").splitlines()
    assert moved
    kept = world.record().splitlines()
    assert [line for line in [*moved, *kept] if line in before] == [line for line in before if line in moved] + [
        line for line in before if line not in moved
    ]
    assert sorted(line for line in [*moved, *kept] if line in before) == sorted(before), "none is dropped"
    outcome = world.json("bump", "devel", "v1.0.5", "--pin", "--reason", "again")
    assert ("add", "v5") in pairs(outcome["changes"]), "an archived tag keeps its name"
    assert ("deploy", "v6") in world.changes("restore", "devel", "v6"), "its lines are archived"
    world.release("check", "--ref", "main")


def test_wrong_environments_are_refused_before_anything_is_done(world: World) -> None:
    with world.unchanged():
        assert "did you mean 'devel'" in world.release("cleanup", "devle", code=1).err


def test_a_file_that_is_no_text_stops_no_other_environment(world: World) -> None:
    world.broken.add("staging")
    path = world.clone / "environments/staging/image_tag.yaml"
    path.write_bytes(b"image:\n  tag:\n  - v1 # caf\xe9\n")
    world.git("commit", "-qam", "Latin 1")
    world.git("push", "-q", "origin", "main")
    result = world.release("cleanup", "--output", "json", code=1)
    assert [one["environment"] for one in json.loads(result.out) if one["changed"]] == ["devel"]
    assert "staging: the file is not UTF-8: byte 0xe9" in result.err
    assert "environments/staging/image_tag.yaml:3:13" in result.err

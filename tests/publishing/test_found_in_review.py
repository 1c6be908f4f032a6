"""Stories that once went wrong, each as it must go."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from world import CONFIG, WITH_DEFAULT, World

DAY = timedelta(days=1)
DIRECT = CONFIG + "publish: {{mode: direct}}\n"


pytestmark = pytest.mark.world(config=DIRECT.format(default="newest", keep=8))


def test_undoing_a_restore_clears_no_quarantine(world: World) -> None:
    world.release("quarantine", "devel", "v2", "--reason", "bad")
    world.release("retire", "devel", "v2")
    world.release("restore", "devel", "v2")
    world.release("undo", "devel")
    assert "v2" in world.state().retired
    world.release("restore", "devel", "v2")
    assert world.state().quarantined["v2"].reason == "bad"


def test_undo_brings_back_what_people_had_written(world: World) -> None:
    world.commit({"environments/devel/image_tag.yaml": WITH_DEFAULT + "  pinned:\n    v1: {reason: mobile}\n"}, "Pin")
    world.release("pin", "devel", "v1", "--reason", "other")
    world.release("undo", "devel")
    assert world.state().pinned["v1"].reason == "mobile"


def test_undoing_a_clear_of_a_removed_version_quarantines_its_tag_again(world: World) -> None:
    world.release("quarantine", "devel", "v2", "--reason", "bad")
    world.release("retire", "devel", "v2")
    world.now += timedelta(hours=2)
    world.release("cleanup", "devel")
    world.release("clear", "devel", "v2")
    world.release("undo", "devel")
    assert "v1.0.2" not in world.tags()
    assert "was quarantined" in world.json("bump", "devel", "v1.0.2")["notes"][0]


def test_undoing_a_cleanup_that_lifted_a_pin_brings_the_version_back(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, config=DIRECT.format(default="newest", keep=2))
    world.release("pin", "devel", "v1", "--reason", "x", "--until", "1d")
    world.now += 3 * DAY
    world.release("cleanup", "devel")
    assert "v1" in world.state().retired
    outcome = world.json("undo", "devel")
    assert "v1" in world.state().live, outcome
    assert world.state().pinned["v1"].until is not None


def test_the_same_id_locally_is_written_once(world: World) -> None:
    world.release("bump", "devel", "v1.0.9", "--local", "--id", "L1")
    said = world.release("pin", "devel", "v2", "--reason", "x", "--local", "--id", "L1", code=1).err
    assert "the id L1 belongs to another operation: bump v1.0.9" in said
    again = world.json("bump", "devel", "v1.0.9", "--local", "--id", "L1")
    assert again["notes"] == ["this operation stands in the record already, as L1"]
    world.release("check")


def test_a_working_tree_gives_no_name_twice(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.git("pull", "-q", "origin", "main")
    world.git("revert", "--no-edit", "HEAD")
    outcome = world.json("bump", "devel", "v1.0.6", "--local")
    assert [change["version"] for change in outcome["changes"] if change["action"] == "add"] == ["v6"]


def test_the_same_id_is_the_same_operation_on_another_day(world: World) -> None:
    world.release("retire", "devel", "v1")
    world.release("restore", "devel", "v1", "--id", "abc")
    world.now += 2 * DAY
    outcome = world.json("restore", "devel", "v1", "--id", "abc")
    assert (outcome["changed"], outcome["notes"]) == (False, ["this operation has landed already, as abc"])


def test_one_broken_branch_does_not_silence_a_cleanup(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=2)
    world.release("bump", "staging", "v1.0.7", "--force", "--reason", "x")
    record = world.record("staging", "release/staging")
    newer = record + '{"schema": 2}\n'
    world.commit({"environments/staging/history.jsonl": newer}, "From the future", "release/staging")
    result = world.release("cleanup", "--output", "json", code=1)
    done = {one["environment"]: one["changed"] for one in json.loads(result.out)}
    assert done["devel"] is True
    assert "staging: this line of the record has schema 2" in result.err


def test_an_open_branch_of_the_source_is_a_note_and_never_a_refusal(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT)
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("downgrade", "devel", "--reason", "burning")
    outcome = world.json("promote", "devel", "staging")
    assert "devel: a downgrade waits to land (pull request #1); not part of this" in outcome["notes"]
    world.release("bump", "devel", "v1.0.6")
    newer = world.record("devel", "release/devel") + '{"schema": 2}\n'
    world.commit({"environments/devel/history.jsonl": newer}, "From the future", "release/devel")
    outcome = world.json("promote", "devel", "staging", "--version", "v4")
    assert any("what waits on release/devel can't be read" in note for note in outcome["notes"])


def test_soak_is_told_by_the_landing(tmp_path: Path) -> None:
    config = CONFIG.format(default="newest", keep=8).replace("promote_from: devel", "promote_from: devel\n    soak: 2d")
    world = World.make(tmp_path, tags=WITH_DEFAULT, config=config)
    world.release("bump", "devel", "v1.0.5")
    world.now += DAY
    world.merge(1)
    refused = world.json("promote", "devel", "staging", code=1)
    assert "the default of devel since 2026-11-24 12:02 UTC; 2d are over at 2026-11-26 12:02 UTC" in refused["refused"]
    world.release("pin", "devel", "v1", "--reason", "x", "--direct")
    world.now += 10 * DAY
    outcome = world.json("promote", "devel", "staging")
    (soak,) = [gate for gate in outcome["gates"] if gate["gate"] == "soak"]
    assert "since 2026-11-24 12:02 UTC" in soak["reason"]


def test_a_second_downgrade_says_what_it_adopts(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT)
    world.release("downgrade", "devel", "--no-quarantine", "--id", "first")
    outcome = world.json("downgrade", "devel", "--to", "v1", "--reason", "b")
    (note,) = outcome["notes"]
    assert note.startswith("v4 is left already by the downgrade first, which waits: to the fallback target, without")
    assert note.endswith("close its pull request first to ask for something else")
    assert "name the same version" in world.release("downgrade", "devel", "--from", "v4", "--to", "v4", code=2).err


def test_a_run_may_ask_for_more_the_second_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example.com/jobs/1")
    world.release("bump", "devel", "v1.0.5")
    world.release("promote", "devel", "staging")
    assert world.json("promote", "devel", "staging")["notes"][0].startswith("this operation has landed already")
    world.release("promote", "devel", "staging", "--pin")
    assert "v5" in world.state("staging").pinned


def test_what_waits_is_told_by_a_dry_run_of_cleanup(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=2)
    world.release("cleanup", "devel")
    out = world.release("cleanup", "devel", "--dry-run").out
    for name in ("v1", "v2", "v3", "v4"):
        assert f"  {name}  v1.0." in out
    assert "retire  v1  v1.0.1  keep 2: four live (proposed)" in out


def test_a_pending_restore_whose_pin_has_ended_waits_with_its_reason(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=2)
    world.release("retire", "devel", "v1", "--direct")
    world.release("restore", "devel", "v1", "--until", "2d")
    world.release("pin", "devel", "v4", "--reason", "x")
    world.now += 5 * DAY
    world.release("cleanup", "devel")
    body = world.json("pulls", "show", "1")["body"]
    assert "v1.0.1 would be retired at once by the retention policy" in body


def test_a_decision_that_can_not_be_applied_waits_in_the_pull_request_until_it_can(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT)
    world.release("retire", "devel", "v2", "--reason", "done", "--id", "mine")
    world.release("pin", "devel", "v2", "--reason", "mobile", "--direct")
    (said,) = world.json("sync", "devel")
    waits = "without effect for now: retire v1.0.2 (mine): v2 (v1.0.2) is pinned in devel: mobile"
    assert waits in said["notes"]
    assert "<summary>Without effect for now</summary>" in world.json("pulls", "show", "1")["body"]
    assert waits in world.json("bump", "devel", "v1.0.5")["notes"]
    assert "without effect for now: v2 (v1.0.2) is pinned in devel: mobile" in world.release("status").out
    assert not world.json("sync", "devel")[0]["changed"], "planned again it is the same"
    world.release("unpin", "devel", "v2", "--direct")
    world.release("sync")
    assert "without effect" not in world.json("pulls", "show", "1")["body"]
    world.merge(1)
    assert "v2" in world.state().retired


def test_a_decision_that_was_merged_without_effect_says_so_for_ever(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT)
    world.release("retire", "devel", "v2", "--reason", "done", "--id", "mine")
    world.release("pin", "devel", "v2", "--reason", "mobile", "--direct")
    world.release("sync")
    world.merge(1)
    assert "v2" in world.state().live
    assert [line.no_effect for line in world.lines()][-1] == "v2 (v1.0.2) is pinned in devel: mobile"
    assert "v2 (v1.0.2) is pinned in devel: mobile" in world.release("history", "devel").out
    world.release("unpin", "devel", "v2", "--direct")
    world.release("retire", "devel", "v2", "--reason", "done", "--direct")
    assert "v2" in world.state().retired


def test_a_hostile_line_stops_nothing_else(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT)
    world.release("pin", "devel", "v2", "--reason", "x")
    line = json.loads(world.record("devel", "release/devel").splitlines()[-1])
    line |= {"id": "evil", "arguments": {"version": "v1", "tag": "\ud800"}, "changes": []}
    text = world.record("devel", "release/devel") + json.dumps(line) + "\n"
    world.commit({"environments/devel/history.jsonl": text}, "Evil", "release/devel")
    for command in (("bump", "devel", "v1.0.5"), ("cleanup",), ("status",), ("pin", "devel", "v3", "--reason", "y")):
        assert world.release(*command, code=None).code in {0, 1}

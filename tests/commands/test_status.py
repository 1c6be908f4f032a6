"""`release status`: the matrix, and what stands, waits and comes in each environment."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from world import CONFIG, ROOT, WITH_DEFAULT, World, pairs

from release_tool import wiring
from release_tool.commands import status
from release_tool.model.times import moment_of
from release_tool.report.status import status_text

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ONE, OTHER = "sha256:" + "0123456789abcdef" * 4, "sha256:" + "fedcba9876543210" * 4


pytestmark = pytest.mark.world(keep=4)


def seen(world: World, environment: str = "devel", code: int = 0, *more: str) -> dict[str, Any]:
    found = world.json("status", *more, code=code)["environments"]
    return next(one for one in found if one["environment"] == environment)


def version(world: World, name: str, *more: str) -> dict[str, Any]:
    return next(one for one in seen(world, "devel", 0, *more)["versions"] if one["version"] == name)


def at_width(world: World, width: int | None) -> str:
    with contextlib.closing(wiring.make_tool(str(world.clone), None, "release.yaml", lambda: world.now)) as tool:
        return status_text(status.run(tool, ()), width)


def busy(world: World) -> None:
    """Everything at once: pinned, quarantined, retired, held, waiting."""
    world.release("bump", "devel", "v1.0.5", "--direct")
    reason = "mobile clients of the 2.x line that customers still run on old phones, see the agreement"
    world.release("pin", "devel", "v2", "--reason", reason, "--until", "14d", "--direct")
    world.release("quarantine", "devel", "v3", "--reason", "slow", "--direct")
    world.release("downgrade", "devel", "--reason", "error rate 0.12 > 0.05", "--direct")
    world.release("bump", "devel", "v1.0.6")
    world.release("downgrade", "devel")


# -- the matrix
def test_the_matrix_shows_every_version_in_every_environment(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("pin", "devel", "v2", "--reason", "x", "--direct")
    lines = world.release("status").out.splitlines()
    assert [line.split() for line in lines[:6]] == [
        ["version", "tag", "devel", "staging", "production"],
        ["v5", "v1.0.5", "default", "-", "-"],
        ["v4", "v1.0.4", "live", "default", "default"],
        ["v3", "v1.0.3", "live", "live", "live"],
        ["v2", "v1.0.2", "live,", "pinned", "live", "live"],
        ["v1", "v1.0.1", "retired", "live", "live"],
    ]


def test_environments_that_are_named_come_alone_and_unknown_ones_are_refused(world: World) -> None:
    out = world.release("status", "staging", "staging").out
    assert out.count("staging") == 2, "once in the matrix, once below it"
    assert "devel" not in out
    assert "did you mean 'devel'" in world.release("status", "devle", code=1).err


def test_a_missing_file_is_said_and_is_no_failure(world: World) -> None:
    world.commit({"environments/staging/image_tag.yaml": None}, "Remove")
    assert "staging\n  no image_tag.yaml in main" in world.release("status").out
    one = seen(world, "staging")
    assert (one["default"], one["versions"], one["sweep"], one["errors"]) == (None, [], None, [])


# -- ages
def test_ages_count_from_landing(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.now += 3 * DAY
    world.merge(1)
    world.now += 5 * HOUR
    landed = "2026-11-26T12:02:00Z"
    assert (version(world, "v5")["since"], version(world, "v4")["since"]) == (landed, "2026-11-23T12:00:00Z")
    assert seen(world)["default_since"] == landed
    out = world.release("status", "devel").out
    assert "v5  v1.0.5  default  2026-11-26 12:02  5h  default since 2026-11-26 12:02 (5h)" in out
    assert "v4  v1.0.4  live     2026-11-23 12:00  3d  fallback target" in out
    assert seen(world)["fallback"] == "v4"


def test_a_clock_that_went_back_gives_no_negative_age(world: World) -> None:
    world.now -= 3 * DAY
    assert "v4  v1.0.4  default  2026-11-23 12:00  <1m" in world.release("status", "devel").out


# -- pins, quarantines, drains
def test_pins_come_with_reason_and_end(world: World) -> None:
    world.release("pin", "devel", "v2", "--reason", "mobile", "--until", "14d", "--direct")
    world.release("pin", "devel", "v3", "--reason", "web", "--direct")
    assert version(world, "v2")["pinned"] is True
    assert version(world, "v2")["pin"] == {"reason": "mobile", "until": "2026-12-07"}
    assert version(world, "v3")["pin"] == {"reason": "web", "until": None}
    assert (version(world, "v1")["pinned"], version(world, "v1")["pin"]) == (False, None)
    out = world.release("status", "devel").out
    assert "pinned until 2026-12-07 (14d left): mobile" in out
    assert "pinned: web" in out
    world.now += 14 * DAY
    assert "pinned until 2026-12-07 (the last day): mobile" in world.release("status", "devel").out
    world.now += DAY
    out = world.release("status", "devel").out
    assert "pinned until 2026-12-07 (over): mobile" in out
    assert "sweep  now: unpin v2 (v1.0.2): pinned until 2026-12-07" in out


def test_quarantines_come_with_reason_and_begin_and_hold_the_default(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("downgrade", "devel", "--reason", "errors", "--direct")
    one = version(world, "v5")
    assert one["state"] == "quarantined"
    assert one["quarantine"] == {"reason": "errors", "since": "2026-11-23T12:02:00Z"}
    assert seen(world)["default_held_by"] == ["v5"]
    out = world.release("status").out
    assert "since 2026-11-23 12:02: errors" in out
    assert "held   v5 is quarantined and newer: a bump moves no default" in out
    world.release("clear", "devel", "v5", "--direct")
    assert seen(world)["default_held_by"] == []


def test_only_where_bumps_move_the_default_a_quarantine_holds_it(world: World) -> None:
    world.release("promote", "devel", "staging", "--direct")
    world.release("default", "staging", "v3", "--direct")
    world.release("quarantine", "staging", "v4", "--reason", "x", "--direct")
    assert seen(world, "staging")["default_held_by"] == []


def test_drains_tell_the_time_left(world: World) -> None:
    world.release("retire", "devel", "v1", "--direct")
    assert version(world, "v1")["drained_at"] == "2026-11-23T13:01:00Z"
    assert version(world, "v2")["drained_at"] is None
    world.now += timedelta(minutes=20)
    assert "drains until 2026-11-23 13:01 (37m left)" in world.release("status", "devel").out
    world.now += HOUR
    assert "drained 2026-11-23 13:01" in world.release("status", "devel").out


# -- what comes
def test_it_tells_what_a_cleanup_would_do_now_and_later_ones(world: World) -> None:
    world.release("pin", "devel", "v2", "--reason", "x", "--until", "2026-11-30", "--direct")
    world.commit({"release.yaml": CONFIG.format(default="newest", keep=2)}, "Keep two")
    one = seen(world)
    assert pairs(one["sweep"]) == [("retire", "v1")]
    assert [(change["at"], change["action"], change["version"]) for change in one["coming"]] == [
        (one["coming"][0]["at"], "remove", "v1"),
        ("2026-12-01T00:00:00Z", "unpin", "v2"),
        ("2026-12-01T00:00:00Z", "retire", "v2"),
        ("2026-12-01T01:00:00Z", "remove", "v2"),
    ]
    assert one["sweep"][0]["reason"] == "keep 2: four live"
    out = world.release("status", "devel").out
    assert "  sweep  now: retire v1 (v1.0.1): keep 2: four live\n         2026-11-23 13:" in out
    assert "2026-12-01 00:00 (in 7d): unpin v2 (v1.0.2): pinned until 2026-11-30" in out
    assert "and 1 more until 2026-12-01 01:00" in out
    assert pairs(world.json("cleanup", "devel", "--dry-run")[0]["changes"]) == [("retire", "v1")], "as it was told"
    assert "  sweep  nothing to do\n" in world.release("status", "staging").out


def test_what_comes_does_come(world: World) -> None:
    busy(world)
    world.release("pulls", "close", "1")
    world.release("pulls", "close", "2")
    for _ in range(10):
        one = seen(world)
        if not one["sweep"] and not one["coming"]:
            break
        if not one["sweep"]:
            world.now = max(world.now, moment_of(one["coming"][0]["at"]))
            continue
        due = pairs(one["sweep"])
        done = world.release("cleanup", "devel", "--direct", "--output", "json").data[0]
        assert pairs(done["changes"]) == due
    else:
        raise AssertionError("it never ends")
    assert [one["version"] for one in seen(world)["versions"]] == ["v2", "v4"], "v1, v3 and v5 went"


def test_what_is_proposed_already_is_marked(world: World) -> None:
    world.commit({"release.yaml": CONFIG.format(default="newest", keep=2)}, "Keep two")
    assert "now: retire v1" in world.release("status", "devel").out
    world.release("cleanup", "devel")
    out = world.release("status", "devel").out
    assert "now, proposed: retire v1 (v1.0.1)" in out
    assert "now, proposed: retire v2 (v1.0.2)" in out


# -- what waits
def test_what_waits_comes_with_its_pull_request_also_on_the_branch_of_downgrades(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.release("downgrade", "devel")
    one = seen(world)
    assert one["branch"] == "release/devel"
    assert [operation["subject"] for operation in one["operations"]] == ["bump v1.0.5"]
    assert one["pending"] == [operation["id"] for operation in one["operations"]]
    assert one["pull_request"]["number"] == 1
    down = one["downgrade"]
    assert (down["branch"], down["pull_request"]["number"]) == ("release/devel-downgrade", 2)
    assert [operation["operation"] for operation in down["operations"]] == ["downgrade"]
    out = world.release("status", "devel").out
    assert "bump v1.0.5 by " in out
    assert ": release/devel, pull request #1\n" in out
    assert ": release/devel-downgrade, pull request #2\n" in out


def test_nothing_waits_without_a_branch(world: World) -> None:
    one = seen(world)
    assert (one["branch"], one["pending"], one["pull_request"], one["downgrade"]) == (None, [], None, None)
    assert "waits" not in world.release("status").out


# -- images that differ
def test_one_tag_with_different_digests_is_found(world: World) -> None:
    digests = {"devel": ONE, "staging": OTHER}
    for name, digest in digests.items():
        text = world.tags(name).replace("- v1.0.4", f"- v1.0.4@{digest}")
        world.commit({f"environments/{name}/image_tag.yaml": text}, "A digest")
    assert world.json("status")["differences"] == [{"version": "v4", "tag": "v1.0.4", "digests": digests}]
    out = world.release("status").out
    assert f"different images  v4 (v1.0.4)  devel {ONE}, staging {OTHER}" in out
    assert out.splitlines()[1].split() == ["v4", "v1.0.4", "default", "default", "default"]
    assert "devel 0123456789ab…, staging fedcba987654…" in at_width(world, 80)
    assert world.json("status", "devel")["differences"] == []


def test_the_same_digest_or_none_is_no_difference(world: World) -> None:
    text = world.tags().replace("- v1.0.4", f"- v1.0.4@{ONE}")
    world.commit({f"environments/{name}/image_tag.yaml": text for name in ("devel", "staging")}, "Digests")
    assert world.json("status")["differences"] == []


# -- who calls
def test_who_calls_is_only_asked_on_request(world: World) -> None:
    policy = "in_use: {prometheus: 'http://127.0.0.1:1', timeout: 1s}"
    config = CONFIG.format(default="newest", keep=2).replace("keep: 2,", f"keep: 2, {policy},")
    world.commit({"release.yaml": config}, "Ask")
    assert "in_use" not in version(world, "v4")
    out = world.release("status", "devel").out
    assert "use unknown" not in out
    assert "a version that is in use stays: --in-use asks who calls" in out
    assert "use unknown" in version(world, "v4", "--in-use")["in_use"]
    out = world.release("status", "devel", "--in-use").out
    assert "use unknown" in out
    assert "sweep  nothing to do" in out, "unknown keeps"
    assert "in_use" not in seen(world, "staging", 0, "--in-use")["versions"][0], "nothing is configured there"


# -- what is broken
@pytest.mark.parametrize(
    ("file", "text", "said", "where"),
    [
        (
            "image_tag.yaml",
            "image: {tag: {v1: a, v1: b}}\n",
            "image.tag.v1: this key stands twice",
            "image_tag.yaml:1:22",
        ),
        ("history.jsonl", '{"schema": 1, "id"', "this line of the record is not JSON", "history.jsonl:1"),
        ("history.jsonl", '{"schema": 9}\n', "schema 9; this tool reads 1", "history.jsonl:1"),
    ],
)
def test_what_is_broken_hides_no_other_environment(world: World, file: str, text: str, said: str, where: str) -> None:
    world.broken.add("staging")
    world.commit({f"environments/staging/{file}": text}, "Break")
    result = world.release("status", code=1)
    blocks = result.out.split("\n\n")
    assert [block.partition("\n")[0] for block in blocks[1:]] == ["devel", "staging", "production"]
    assert said in blocks[2]
    assert f"where  environments/staging/{where}" in blocks[2]
    assert result.err.startswith(f"release: staging: environments/staging/{where}: ")
    assert result.err.count("\n") == 1
    found = {one["environment"]: one for one in world.json("status", code=1)["environments"]}
    assert said in found["staging"]["errors"][0]["what"]
    assert len(found["staging"]["errors"]) == 1
    assert found["production"]["errors"] == []
    assert found["production"]["versions"]
    world.release("status", "devel")


def test_a_broken_record_leaves_the_versions(world: World) -> None:
    world.broken.add("staging")
    world.commit({"environments/staging/history.jsonl": "half\n"}, "Break")
    one = seen(world, "staging", 1)
    assert (one["versions"][0]["version"], one["versions"][0]["since"]) == ("v1", "2026-11-23T12:00:00Z")
    assert (one["sweep"], one["coming"], one["fallback"]) == (None, None, None)
    world.commit({"environments/staging/history.jsonl": "", "environments/staging/image_tag.yaml": "- x\n"}, "Break")
    assert world.release("status", code=1).out.splitlines()[1].split() == ["v4", "v1.0.4", "default", "?", "default"]


def test_all_problems_of_a_file_are_told(world: World) -> None:
    world.broken.add("staging")
    bad = "image:\n  default: v9\n  tag: {v1: v1.0.1}\n  retired: {v1: v1.0.1}\n"
    world.commit({"environments/staging/image_tag.yaml": bad}, "Break")
    out = world.release("status", "staging", code=1).out
    assert "error  2 problems" in out
    assert "environments/staging/image_tag.yaml:2:12" in out
    assert "environments/staging/image_tag.yaml:4:17" in out


def test_a_release_branch_with_a_broken_record_is_said_in_its_place(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.commit({"environments/devel/history.jsonl": "half\n"}, "Break", "release/devel")
    result = world.release("status", code=1)
    assert "this line of the record is not JSON" in result.out
    assert "v4  v1.0.4  default  2026-11-23 12:00" in result.out


def test_texts_from_outside_do_nothing_to_a_terminal(world: World) -> None:
    evil = '"\\e[31mred\\u202e"'
    text = WITH_DEFAULT.rstrip() + f"\n  pinned:\n    v2: {{reason: {evil}}}\n"
    world.commit({"environments/devel/image_tag.yaml": text}, "Evil")
    out = world.release("status").out
    assert "red" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


# -- services
def test_every_service_has_its_own_matrix(world: World) -> None:
    config = CONFIG.format(default="newest", keep=4).replace("release_name: engine\nnamespace: engine\n", "")
    tags = {"engine": WITH_DEFAULT, "search": WITH_DEFAULT}
    world.hold_services(config + "services: {engine: {}, search: {}}\n", tags)
    world.commit({"environments/devel/search/image_tag.yaml": WITH_DEFAULT + "  - v2.0.0\n"}, "One more")
    out = world.release("status").out
    blocks = out.split("\n\n")
    assert [block.partition("\n")[0] for block in blocks] == [
        "engine:", "engine/devel", "engine/staging", "engine/production",
        "search:", "search/devel", "search/staging", "search/production",
    ]  # fmt: skip
    assert "v2.0.0" not in blocks[0]
    assert "v2.0.0" in blocks[4]
    found = world.json("status", "devel")["environments"]
    assert [(one["service"], one["environment"]) for one in found] == [("engine", "devel"), ("search", "devel")]
    only = world.json("status", "--service", "search")["environments"]
    assert [one["service"] for one in only] == ["search"] * 3


# -- width
@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_the_terminal(world: World, width: int) -> None:
    busy(world)
    text = at_width(world, width)
    assert max(map(len, text.splitlines())) <= width
    assert " ".join(text.split()).count("customers still run on old phones, see the agreement") == 1, "nothing is cut"


def test_what_is_too_wide_for_a_matrix_is_told_below_each_other(world: World) -> None:
    assert "version  tag" in at_width(world, 60)
    text = at_width(world, 40)
    assert "version  tag" not in text
    assert text.startswith("devel\n")
    assert text.count("v1.0.4") == 3


def test_what_is_piped_keeps_one_line_for_one_thing(world: World) -> None:
    busy(world)
    out = world.release("status", "devel").out
    assert "agreement; fallback target\n" in out
    assert len([line for line in out.splitlines() if line.startswith("  v2 ")]) == 1


@pytest.mark.parametrize("command", ["status", "history"])
def test_a_real_terminal_of_60_columns_shows_it_folded_and_without_colour_where_none_is_wanted(
    world: World, command: str
) -> None:
    busy(world)
    end, terminal = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "release_tool", command, "-C", str(world.clone)],
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "60", "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "PAGER": "cat"},
        timeout=60,
        check=False,
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed and all is read
        while piece := os.read(end, 65536):
            shown += piece
    os.close(end)
    assert done.returncode == 0, done.stderr
    lines = shown.decode("utf-8").splitlines()
    assert len(lines) > 10
    assert max(map(len, lines)) <= 60
    assert b"\x1b" not in shown

"""`release history`: who moved what, when, why, with which run."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from world import CONFIG, WITH_DEFAULT, World

from release_tool import wiring
from release_tool.commands import history
from release_tool.report.history import history_text

DAY = timedelta(days=1)


pytestmark = pytest.mark.world(keep=4)


def told(world: World, *more: str) -> list[tuple[str, str]]:
    """Environment and operation of what is told, newest first."""
    return [(one["environment"], one["operation"]) for one in world.json("history", *more)]


def at_width(world: World, width: int | None) -> str:
    with closing(wiring.make_tool(str(world.clone), None, "release.yaml", lambda: world.now)) as tool:
        return history_text(history.run(tool, history.HistoryFilter(pending=True)).entries, width)


def lived(world: World) -> None:
    """Some operations, a day apart: bump and pin in devel, a promotion to staging, a default in production."""
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("pin", "devel", "v2", "--reason", "mobile", "--until", "14d", "--direct", later=DAY)
    world.release("promote", "devel", "staging", "--direct", later=DAY)
    world.release("default", "production", "v3", "--reason", "back", "--direct", later=DAY)


# -- what is told
def test_all_environments_are_merged_by_time_newest_first(world: World) -> None:
    lived(world)
    assert told(world) == [("production", "default"), ("staging", "promote"), ("devel", "pin"), ("devel", "bump")]


def test_json_is_the_records_own_form_and_where_it_stands(world: World) -> None:
    lived(world)
    found = world.json("history", "devel")
    lines = [json.loads(text) for text in world.record().splitlines()]
    assert found == [{"environment": "devel", **line} for line in reversed(lines)]


def test_text_tells_when_where_what_who_why_and_with_which_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "octo")
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/app")
    world.release("bump", "devel", "v1.0.5", "--direct", "--commit", "abc", "--build-url", "https://build.example/9")
    line = world.lines()[0]
    assert world.release("history").out == (
        "2026-11-23 12:01  devel  bump v1.0.5  by octo\n"
        f"  id      {line.id}\n"
        "  run     https://github.com/team/app/actions/runs/7\n"
        "  commit  abc\n"
        "  build   https://build.example/9\n"
        "  by hand  add          v1  v1.0.1\n"
        "  by hand  add          v2  v1.0.2\n"
        "  by hand  add          v3  v1.0.3\n"
        "  by hand  add          v4  v1.0.4\n"
        "  by hand  set-default  v4  v1.0.4\n"
        "           add          v5  v1.0.5  bump\n"
        "           set-default  v5  v1.0.5  default: newest (was v4)\n"
        "  sweep    retire       v1  v1.0.1  keep 4: five live\n"
    )


def test_reasons_and_ends_of_pins_are_told(world: World) -> None:
    lived(world)
    out = world.release("history").out
    assert "2026-11-24 12:01  devel  pin v1.0.2" in out
    assert "reason  mobile\n" in out
    assert "pin     v2  v1.0.2  until 2026-12-08: mobile\n" in out


def test_gates_that_were_overruled_are_told(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("promote", "devel", "production", "--force", "--reason", "hotfix", "--direct")
    out = world.release("history", "production").out
    assert "gate    order forced: " in out
    assert "reason  hotfix" in out
    assert "passed" not in out, "only what stands out"


def test_an_empty_record_and_filters_without_a_hit_say_so_beside_the_output(world: World) -> None:
    result = world.release("history")
    assert (result.out, result.err) == ("", "release: no such operation is recorded\n")
    assert world.json("history") == []


# -- archives
def test_archives_are_read_too(world: World) -> None:
    lived(world)
    first, second = world.record().splitlines(keepends=True)
    files: dict[str, str | None] = {"environments/devel/history.jsonl": second}
    files["environments/devel/history/2026.jsonl"] = first
    files["environments/devel/history/notes.md"] = "not a record\n"
    before = told(world)
    world.landed.clear()
    world.commit(files, "Move")
    assert (told(world), told(world, "--version", "v1.0.5", "devel")) == (before, [("devel", "bump")])


def test_a_line_that_stands_in_two_files_is_told_once(world: World) -> None:
    lived(world)
    world.commit({"environments/devel/history/2026.jsonl": world.record()}, "Copy")
    assert told(world, "devel") == [("devel", "pin"), ("devel", "bump")]


def test_lines_of_one_time_keep_their_order(world: World) -> None:
    for number in range(5, 9):
        world.release("bump", "devel", f"v1.0.{number}", "--direct", later=timedelta(0))
    tags = [one["arguments"]["tag"] for one in world.json("history")]
    assert tags == ["v1.0.8", "v1.0.7", "v1.0.6", "v1.0.5"]


# -- filters
def test_filters(world: World) -> None:
    lived(world)
    every = ["default", "promote", "pin", "bump"]
    for arguments, expected in {
        "staging production": ["default", "promote"],
        "--operation pin": ["pin"],
        "--operation pin --operation bump": ["pin", "bump"],
        "--version v5": ["promote", "bump"],
        "--version v1.0.5": ["promote", "bump"],
        f"--version v1.0.5@sha256:{'0' * 64}": ["promote", "bump"],
        "--version v3": ["default", "promote", "bump"],  # each first operation adopts what people had written
        "--version v99": [],
        "--since 2026-11-25": ["default", "promote"],
        "--until 2026-11-24": ["pin", "bump"],
        "--since 2026-11-24 --until 2026-11-24": ["pin"],
        "--since 2026-11-24T12:01:00Z --until 2026-11-24T13:01:00+01:00": ["pin"],
        "--since 2026-11-24T12:01:01Z": ["default", "promote"],
        "--since 23h": ["default"],
        "--since 25h": ["default", "promote"],
        "--until 47h": ["pin", "bump"],
        "--since 9w": every,
        "--since 99999w": every,
        "--limit 2": ["default", "promote"],
        "--limit 1 --operation bump": ["bump"],
        "devel --limit 99": ["pin", "bump"],
    }.items():
        assert [operation for _, operation in told(world, *arguments.split())] == expected, arguments


def test_an_argument_can_be_about_a_version_too(world: World) -> None:
    lived(world)
    world.release("downgrade", "devel", "--to", "v3", "--direct")
    assert told(world, "--version", "v3", "devel")[0] == ("devel", "downgrade")
    assert told(world, "--version", "v1.0.5", "devel")[0] == ("devel", "downgrade")


def test_wrong_usage_is_told(world: World) -> None:
    for arguments, said in {
        "--operation bmup": "did you mean `bump`?",
        "--operation sync": "there are: bump, promote",
        "--since yesterday": "--since yesterday: that is no time",
        "--until 2026-02-30": "--until 2026-02-30: that is no time",
        "--until 2026-11-23T12:00:00": "that is no time",
        "--since 2026-11-24 --until 2026-11-23": "is after --until",
        "--limit 0": "that shows nothing",
        "--limit many": "--limit",
    }.items():
        assert said in world.release("history", *arguments.split(), code=2).err


def test_unknown_environments_are_refused(world: World) -> None:
    assert "did you mean 'devel'" in world.release("history", "devle", code=1).err


# -- what waits
def test_what_waits_is_told_on_request_and_marked(world: World) -> None:
    lived(world)
    world.release("bump", "devel", "v1.0.6")
    world.release("downgrade", "devel")
    assert told(world, "devel") == [("devel", "pin"), ("devel", "bump")]
    found: list[dict[str, Any]] = world.json("history", "devel", "--pending")
    assert [one["operation"] for one in found] == ["downgrade", "bump", "pin", "bump"]
    branches = [one.get("pending", {}).get("branch") for one in found]
    assert branches == ["release/devel-downgrade", "release/devel", None, None]
    assert found[0]["pending"]["pull_request"]["number"] == 2
    out = world.release("history", "devel", "--pending", "--limit", "1").out
    assert "  pending  release/devel-downgrade, pull request #2\n" in out


# -- several services
def test_services_are_told_apart(world: World) -> None:
    config = CONFIG.format(default="newest", keep=4).replace("release_name: engine\nnamespace: engine\n", "")
    tags = {"engine": WITH_DEFAULT, "search": WITH_DEFAULT}
    world.hold_services(config + "services: {engine: {}, search: {}}\n", tags)
    world.release("bump", "devel", "v1.0.5", "--service", "engine", "--direct")
    world.release("bump", "devel", "v1.0.6", "--service", "search", "--direct")
    found = world.json("history")
    assert [(one["service"], one["environment"]) for one in found] == [("search", "devel"), ("engine", "devel")]
    assert [one["service"] for one in world.json("history", "--service", "engine")] == ["engine"]
    assert "  search/devel  bump v1.0.6" in world.release("history").out


# -- what is broken
@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("history.jsonl", '{"schema": 1, "id"', "this line of the record is not JSON"),
        ("history.jsonl", '{"schema": 9}\n', "has schema 9; this tool reads 1"),
        ("history/2025.jsonl", '{"schema": 9}\n', "has schema 9; this tool reads 1"),
    ],
)
def test_a_broken_line_is_told_with_its_place(world: World, file: str, text: str, said: str) -> None:
    lived(world)
    whole = world.file(f"environments/staging/{file}")
    if file == "history.jsonl":
        world.broken.add("staging")
    world.commit({f"environments/staging/{file}": whole + text}, "Break")
    world.landed.clear()
    result = world.release("history", code=1)
    assert said in result.err
    assert f"environments/staging/{file}:{whole.count(chr(10)) + 1}" in result.err
    assert result.out == world.release("history", "devel", "production").out  # the others are told


def test_unknown_keys_are_kept_and_hide_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outputs.NEWER", {"history"})
    lived(world)
    line = {**json.loads(world.record("staging")), "id": "X1", "environment": "lies", "later": [1]}
    world.commit({"environments/staging/history.jsonl": world.record("staging") + json.dumps(line) + "\n"}, "Add")
    found = world.json("history", "staging")[0]
    assert (found["environment"], found["later"]) == ("staging", [1])


def test_texts_from_outside_do_nothing_to_a_terminal(world: World) -> None:
    lived(world)
    line = json.loads(world.record("staging"))
    line |= {"id": "X1", "by": "\x1b[31mred\u202e", "run": "half \ud800", "arguments": {"reason": "a\nb"}}
    world.commit({"environments/staging/history.jsonl": world.record("staging") + json.dumps(line) + "\n"}, "Add")
    out = world.release("history", "staging").out
    assert "red" in out
    assert "\x1b" not in out
    assert "\u202e" not in out
    out.encode("utf-8")
    assert world.json("history", "staging")[0]["run"] == "half \ufffd"


# -- width
@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_the_terminal(world: World, width: int) -> None:
    lived(world)
    reason = "mobile clients of the 2.x line that customers still run on old phones, see the agreement"
    world.release("pin", "devel", "v3", "--reason", reason)
    text = at_width(world, width)
    assert max(map(len, text.splitlines())) <= width
    assert " ".join(text.split()).count(reason) == 2, "asked for, and done; nothing is cut"


def test_what_is_piped_is_not_folded(world: World) -> None:
    reason = "many words " * 30
    world.release("pin", "devel", "v3", "--reason", reason, "--direct")
    assert f"  pin          v3  v1.0.3  {reason.strip()}\n" in world.release("history").out

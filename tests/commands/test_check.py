"""`release check` and the life of a version: each finding is found, and what it says to do mends it."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from world import CONFIG, SEED, WITH_DEFAULT, World

from release_tool.checks import attributes

DEVEL = "environments/devel"
TAGS = f"{DEVEL}/image_tag.yaml"
RECORD = f"{DEVEL}/history.jsonl"
BRANCH = "release/devel"

# Marks stand above the versions, so that what people mark merges cleanly with what an operation moves.
MARKED = """\
image:
  default: v4
  pinned:
    v1: {reason: old clients}
  quarantined:
    v5: {reason: crashes}
  # the versions
  tag:
    v1: v1.0.1
    v2: v1.0.2
    v3: v1.0.3
    v4: v1.0.4
    v5: v1.0.5
"""


@pytest.fixture
def marked(tmp_path: Path) -> World:
    world = World.make(tmp_path, tags=MARKED, default="manual")
    world.release("default", "devel", "v4", "--direct", code=None)
    return world


def look(world: World, *arguments: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The findings and the warnings of the base branch, or of what the arguments say."""
    data = json.loads(world.release("check", *(arguments or ("--ref", "main")), "--output", "json", code=None).out)
    assert data.keys() == {"checked", "findings", "warnings", "charts"}
    for part in (data["findings"], data["warnings"]):
        assert len({json.dumps(one) for one in part}) == len(part), "each problem once"
        assert all(one["where"] and one["what"] and one["hint"] for one in part), part
    return data["findings"], data["warnings"]


def findings(world: World, *arguments: str) -> list[tuple[str, str]]:
    found, _ = look(world, *arguments)
    return [(one["where"], one["what"]) for one in found]


def warnings(world: World, *arguments: str) -> list[tuple[str, str]]:
    found, told = look(world, *arguments)
    assert found == []
    return [(one["where"], one["what"]) for one in told]


def healthy(world: World, *arguments: str) -> None:
    assert look(world, *arguments) == ([], [])


def edited(world: World, path: str, *edits: tuple[str, str], ref: str = "main") -> str:
    text = world.file(path, ref)
    for old, new in edits:
        assert old in text, f"{old!r} does not stand in {path}"
        text = text.replace(old, new, 1)
    return text


def by_hand(world: World, *edits: tuple[str, str], path: str = TAGS, branch: str = "main") -> None:
    """A person edits a file."""
    world.pull()
    ref = branch if f"refs/heads/{branch}" in world.refs() else "main"
    world.commit({path: edited(world, path, *edits, ref=ref)}, "By hand", branch)


def recorded(world: World, *bumps: str) -> None:
    """Bumps that landed, each with its line."""
    for tag in bumps:
        world.release("bump", "devel", tag, "--direct")


# -- what is right ----------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_the_life_of_a_version_has_no_finding(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=3)
    steps = [
        ("bump", "devel", "v1.0.5"),
        ("bump", "devel", "v1.0.6", "--pin", "--reason", "clients"),
        ("promote", "devel", "staging"),
        ("downgrade", "devel"),
        ("clear", "devel", "v6"),
        ("retire", "devel", "v4"),
        ("restore", "devel", "v4"),
        ("unpin", "devel", "v6"),
        ("undo", "devel"),
        ("promote", "staging", "production"),
    ]
    for number, step in enumerate(steps):
        outcome = world.json(*step)
        branch = outcome["branch"]
        assert outcome["changed"], step
        healthy(world, "--ref", branch)
        world.merge(outcome["pull_request"]["number"], ("merge", "squash", "rebase")[number % 3])
        healthy(world)
        world.now += timedelta(hours=2)
    world.release("cleanup", "--direct")
    assert findings(world) == []


def test_several_operations_in_one_pull_request_are_right(world: World) -> None:
    for step in (("bump", "devel", "v1.0.5"), ("pin", "devel", "v2", "--reason", "x"), ("unpin", "devel", "v2")):
        world.release(*step)
    world.release("retire", "devel", "v2")
    healthy(world, "--ref", BRANCH)
    world.release("bump", "staging", "v1.0.6", "--force", "--reason", "hotfix", "--direct")
    healthy(world, "--ref", BRANCH)


def test_an_environment_without_a_record_has_nothing_to_agree_with(world: World) -> None:
    by_hand(world, ("  - v1.0.4\n", "  - v1.0.4\n  - v1.0.5\n"))
    healthy(world)


# -- files and record -------------------------------------------------------------------------------------------------
def test_a_pin_by_hand_is_told_until_the_next_operation_adopts_it(world: World) -> None:
    recorded(world, "v1.0.5")
    by_hand(world, ("image:\n", "image:\n  pinned:\n    v2: {reason: clients}\n"))
    ((where, what),) = warnings(world)
    assert where == f"{TAGS}:3:5"
    assert what == (
        "v2 (v1.0.2) was changed by hand since the last operation: it was pinned; the next operation records it as adopted"
    )
    recorded(world, "v1.0.6")
    assert [change.action for change in world.lines()[-1].adopted] == ["pin"]
    healthy(world)


@pytest.mark.parametrize(
    ("edit", "line", "words"),
    [
        (("default: v5", "default: v3"), 2, "it was made the default"),
        (("  - v1.0.2\n", f"  - v1.0.2@sha256:{'0a' * 32}\n"), 5, "its tag was v1.0.2"),
        (("  - v1.0.5\n", "  - v1.0.5\n  quarantined:\n    v2: {reason: bad}\n"), 10, "it was quarantined"),
    ],
)  # fmt: skip
def test_other_edits_by_hand_are_told_with_their_line(
    edit: tuple[str, str], line: int, words: str, world: World
) -> None:
    recorded(world, "v1.0.5")
    by_hand(world, edit)
    ((where, what),) = warnings(world)
    assert where.startswith(f"{TAGS}:{line}:")
    assert f"by hand since the last operation: {words}; the next operation records it as adopted" in what


def test_a_version_taken_out_by_hand_is_one_warning(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=MARKED, default="manual")
    recorded(world, "v1.0.6")
    by_hand(world, ("  pinned:\n    v1: {reason: old clients}\n", ""), ("    v1: v1.0.1\n", ""))
    ((where, what),) = warnings(world)
    assert where == f"{TAGS}:6:3"
    assert what.startswith("v1 (v1.0.1) was changed by hand since the last operation: it was taken out; ")


def test_a_version_made_by_hand_is_told_with_the_next_free_name(world: World) -> None:
    recorded(world, "v1.0.5")
    by_hand(world, ("  tag:\n  - v1.0.1\n  - v1.0.2\n  - v1.0.3\n  - v1.0.4\n  - v1.0.5\n",
                    "  tag: {v1: v1.0.1, v2: v1.0.2, v3: v1.0.3, v4: v1.0.4, v5: v1.0.5, v9: v1.0.9}\n"))  # fmt: skip
    found, (told,) = look(world)
    assert found == []
    assert told["where"] == f"{TAGS}:3:73"
    assert told["what"].startswith("v9 (v1.0.9) was made by hand: no operation brought it; ")
    assert "the next free name is v6" in told["hint"]
    by_hand(world, ("v9: v1.0.9", "v6: v1.0.9"))
    assert "nothing is to be done" in look(world)[1][0]["hint"]
    recorded(world, "v1.0.10")
    healthy(world)


def test_what_people_wrote_on_the_branch_is_told_there(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    by_hand(world, ("image:\n", "image:\n  pinned:\n    v2: {reason: clients}\n"), branch=BRANCH)
    ((where, what),) = warnings(world, "--ref", BRANCH)
    assert (where, "it was pinned" in what) == (f"{TAGS}:3:5", True)
    world.release("bump", "devel", "v1.0.6")
    healthy(world, "--ref", BRANCH)


# -- names ------------------------------------------------------------------------------------------------------------
def test_a_tag_changed_under_its_name_is_wrong_by_the_record_alone(world: World) -> None:
    recorded(world, "v1.0.5")
    by_hand(world, ("  - v1.0.3\n", "  - v1.0.33\n"))
    world.git("pull", "-q", "origin", "main")
    assert findings(world, "-C", str(world.clone)) == [
        (f"{TAGS}:6:5", f"the name v3 is v1.0.33 here and v1.0.3 in {RECORD}:1")
    ]
    by_hand(world, ("  - v1.0.33\n", "  - v1.0.3\n"))
    healthy(world)


def test_a_name_of_a_version_long_gone_is_not_given_again(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=2)
    recorded(world, "v1.0.5", "v1.0.6")
    world.now += timedelta(hours=2)
    world.release("cleanup", "--direct")
    assert "v1" not in world.state().retired
    by_hand(world, ("    v5: v1.0.5\n", "    v5: v1.0.5\n    v1: v1.0.11\n"), branch="mine")
    ((where, what),) = findings(world, "--ref", "mine")
    assert where.startswith(f"{TAGS}:")
    assert f"the name v1 is v1.0.11 here and v1.0.1 in {RECORD}:1" == what
    by_hand(world, ("    v1: v1.0.11\n", "    v7: v1.0.11\n"), branch="mine")
    assert findings(world, "--ref", "mine") == []


def test_a_name_is_compared_with_the_records_of_the_other_environments(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=2)
    recorded(world, "v1.0.5", "v1.0.6")
    world.now += timedelta(hours=2)
    world.release("cleanup", "--direct")  # devel holds neither v1 nor v2 by now
    mapping = "  tag: {v1: v1.0.1, v3: v1.0.3, v4: v1.0.4, v7: v1.0.2}\n"
    world.commit({"environments/staging/image_tag.yaml": f"image:\n  default: v4\n{mapping}"}, "Another name")
    world.commit({"environments/production/image_tag.yaml": "image:\n  tag: {v4: v1.0.4, v3: v1.0.3}\n"}, "Less")
    ((where, what),) = findings(world)
    assert where == "environments/staging/image_tag.yaml:3:49"
    assert what == f"the tag v1.0.2 is v7 here and v2 in {RECORD}:1"


def test_a_tag_with_two_names_is_told_once(world: World) -> None:
    swapped = "image:\n  default: v4\n  tag: {v1: v1.0.2, v2: v1.0.1, v4: v1.0.4}\n"
    world.commit({"environments/staging/image_tag.yaml": swapped}, "Swap two")
    found = findings(world)
    assert [where for where, _ in found] == [f"environments/staging/image_tag.yaml:3:{column}" for column in (13, 25)]
    assert found[0][1] == f"the tag v1.0.2 is v1 here and v2 in {TAGS}"


# -- policy -----------------------------------------------------------------------------------------------------------
def test_as_many_pins_as_retention_keeps_are_told(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=2)
    world.release("pin", "devel", "v3", "--reason", "a", "--direct")
    healthy(world)
    world.release("pin", "devel", "v4", "--reason", "b", "--direct")
    found, (told,) = look(world)
    assert found == []
    assert told["where"].startswith(f"{TAGS}:")
    assert told["what"] == "retention has nothing to do: it keeps 2 live versions, and 2 are pinned (v3, v4)"
    assert "`release unpin devel NAME`" in told["hint"]
    world.release("unpin", "devel", "v4", "--direct")
    healthy(world)


def test_a_pin_that_ended_is_told_until_the_sweep_lifts_it(world: World) -> None:
    world.release("pin", "devel", "v2", "--reason", "a", "--until", "2d", "--direct")
    world.now += timedelta(days=2)
    healthy(world)
    world.now += timedelta(days=1)
    found, (told,) = look(world)
    assert found == []
    assert told["what"] == "the pin of v2 ended on 2026-11-25: the next sweep lifts it"
    assert world.tags().splitlines()[int(told["where"].split(":")[1]) - 1].strip().startswith("v2: {reason: a")
    assert "`release cleanup devel`" in told["hint"]
    world.release("cleanup", "devel", "--direct")
    healthy(world)


def test_a_live_tag_that_the_configuration_does_not_allow_is_told(tmp_path: Path) -> None:
    config = CONFIG.format(default="newest", keep=8) + "versions: {allow: 'v\\d+\\.\\d+\\.\\d+'}\n"
    tags = WITH_DEFAULT.replace("v1.0.2", "latest")
    world = World.make(tmp_path, tags=tags, config=config)
    both = {f"environments/{name}/image_tag.yaml": tags for name in ("staging", "production")}
    world.commit(both, "The same")
    words = "versions.allow (v\\d+\\.\\d+\\.\\d+) does not match latest of the live version v2"
    places = [f"environments/{name}/image_tag.yaml:5:5" for name in ("devel", "staging", "production")]
    assert warnings(world) == [(where, words) for where in places]
    world.release("retire", "devel", "v2", "--direct")
    assert all("devel" not in where for where, _ in warnings(world))


def test_no_version_to_fall_back_to_is_told(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=SEED)
    ((where, what),) = warnings(world)
    assert where == f"{TAGS}:3:5"
    words = "there is no version to fall back to when the default v1 turns bad"
    assert what == f"{words} (v2, v3, v4: newer, and never the default)"
    next_step = "next: the next bump moves the default to a newer version, and v1 is the fallback then"
    assert next_step in world.release("check").out
    recorded(world, "v1.0.5")
    healthy(world)
    world.commit({TAGS: "image:\n  tag: {v1: v1.0.1}\n", RECORD: None}, "One alone")
    world.landed.clear()
    assert "it is the only live version" in warnings(world)[0][1]


# -- landed lines -----------------------------------------------------------------------------------------------------
def with_lines(world: World, change: object, extra: dict[str, str | None] | None = None) -> None:
    """A person changes the lines of the record on a branch."""
    world.pull()
    lines = world.record().splitlines(keepends=True)
    world.commit({RECORD: "".join(change(lines)), **(extra or {})}, "The record by hand", "mine")


def base(world: World) -> str:
    return world.refs()["refs/heads/main"][:12]


@pytest.fixture
def three(world: World) -> World:
    recorded(world, "v1.0.5", "v1.0.6", "v1.0.7")
    return world


def test_a_landed_line_that_was_deleted_is_found(three: World) -> None:
    gone = three.lines()[1].id
    with_lines(three, lambda lines: [lines[0], lines[2]])
    (found,) = look(three, "--ref", "mine")[0]
    assert found["where"] == f"{RECORD}:2"
    words = f"the landed operation {gone} (line 2 at {base(three)}) was deleted: a landed line never changes"
    assert found["what"] == words
    assert f"`git show {base(three)}:{RECORD}`" in found["hint"]
    assert three.git("show", f"{base(three)}:{RECORD}", cwd=three.origin).splitlines() == three.record().splitlines()
    three.commit({RECORD: three.record()}, "Put it back", "mine")
    three.commit({"README.md": "more\n"}, "Something else", "mine")
    healthy(three, "--ref", "mine")


def test_a_revert_is_told_and_refused_by_nothing(three: World) -> None:
    three.release("default", "devel", "v5", "--direct")
    gone = three.lines()[3].id
    three.pull()
    three.git("checkout", "-q", "-B", "mine", "origin/main")
    three.git("revert", "--no-edit", "HEAD")
    three.git("push", "-q", "origin", "mine")
    found, warnings = look(three, "--ref", "mine")
    assert found == []
    (told,) = [one for one in warnings if "revert" in one["what"]]
    assert told["where"] == f"{RECORD}:4"
    assert f"({gone}); it is not proposed again" in told["what"]
    assert "`release undo devel`" in told["hint"]


def test_a_last_line_that_is_cut_off_while_its_change_stays_is_found(three: World) -> None:
    with_lines(three, lambda lines: lines[:2])
    ((where, what),) = findings(three, "--ref", "mine")
    assert where == f"{RECORD}:3"
    assert "was deleted: a landed line never changes" in what


@pytest.mark.parametrize("edit", [('"by": "', '"by": "not-'), ('"schema": 1', '"schema":  1'), ("}\n", "\n")])
def test_a_landed_line_that_was_altered_is_found_once(edit: tuple[str, str], three: World) -> None:
    with_lines(three, lambda lines: [lines[0], lines[1][::-1].replace(edit[0][::-1], edit[1][::-1], 1)[::-1], lines[2]])
    ((where, what),) = findings(three, "--ref", "mine")
    words = f"the landed operation {three.lines()[1].id} (line 2 at {base(three)}) was altered"
    assert (where, what) == (f"{RECORD}:2", f"{words}: a landed line never changes")


def test_a_line_that_git_writes_with_another_line_end_is_the_same(three: World) -> None:
    with_lines(three, lambda lines: [line.replace("\n", "\r\n") for line in lines])
    healthy(three, "--ref", "mine")


def test_landed_lines_in_another_order_are_found(three: World) -> None:
    with_lines(three, lambda lines: [lines[1], lines[0], lines[2]])
    found = findings(three, "--ref", "mine")
    assert [where for where, _ in found] == [f"{RECORD}:2"]
    assert "stands below one that landed after it" in found[0][1]


def test_a_new_line_among_landed_ones_is_found(three: World) -> None:
    new = three.record().splitlines(keepends=True)[2].replace(three.lines()[2].id, "new-1").replace("v1.0.7", "v1.0.8")
    new = new.replace('"v7"', '"v8"').replace('"v6"', '"v7"')
    with_lines(three, lambda lines: [*lines[:2], new, lines[2]])
    words = "the new operation new-1 stands above lines that have landed"
    assert (f"{RECORD}:3", words) in findings(three, "--ref", "mine")


def test_a_new_line_before_its_time_is_found_and_a_landed_one_only_told(three: World) -> None:
    early = three.record().splitlines(keepends=True)[2].replace(three.lines()[2].id, "early-1")
    early = early.replace('"at": "2026-', '"at": "2025-')
    with_lines(three, lambda lines: [*lines, early])
    words = "`at` of the operation early-1 is before that of the line above: the order of the lines is that of landing"
    assert findings(three, "--ref", "mine") == [(f"{RECORD}:4", words)]
    three.git("checkout", "-q", "mine")
    assert [where for where, what in warnings(three, "-C", str(three.clone)) if "`at`" in what] == [f"{RECORD}:4"]


def test_an_operation_that_stands_twice_is_found(three: World) -> None:
    with_lines(three, lambda lines: [*lines, lines[0]])
    found = findings(three, "--ref", "mine")
    assert found == [(f"{RECORD}:4", f"the operation {three.lines()[0].id} stands twice, here and at {RECORD}:1")]


def test_every_broken_line_is_found_in_one_run(three: World) -> None:
    broken = ["<<<<<<< ours\n", "half\n", "=======\n", '{"schema": 99}\n', ">>>>>>> theirs\n"]
    with_lines(three, lambda lines: [*lines, *broken])
    found = findings(three, "--ref", "mine")
    assert [where for where, _ in found] == [f"{RECORD}:{number}" for number in (4, 5, 7)]
    assert [what.partition(";")[0] for _, what in found] == [
        "a conflict marker was left behind",
        "this line of the record is not JSON",
        "this line of the record has schema 99",
    ]


def test_a_record_of_nothing_but_broken_lines_is_told_shortly(world: World) -> None:
    world.broken.add("devel")
    world.commit({RECORD: "half\n" * 20_000}, "Break it")
    found = findings(world)
    assert [where for where, _ in found] == [*(f"{RECORD}:{number}" for number in range(1, 21)), RECORD]
    assert found[-1][1] == "19980 more lines of this file can't be read"


ARCHIVE = f"{DEVEL}/history/2026.jsonl"


@pytest.fixture
def gone(tmp_path: Path) -> World:
    """A world whose v6 came, went and was removed, by lines of its own, and whose files say so."""
    world = World.make(tmp_path, tags=WITH_DEFAULT, default="manual")
    recorded(world, "v1.0.5", "v1.0.6", "v1.0.7")  # (the first one adopts what stood there)
    world.release("retire", "devel", "v6", "--direct")
    world.now += timedelta(hours=2)
    world.release("cleanup", "--direct")
    assert "v6" not in world.tags()
    return world


def about(world: World, *words: str) -> list[int]:
    """The numbers of the lines whose changes are about one version alone, counted from 0."""
    return [
        number
        for number, line in enumerate(world.lines())
        if {change.version for change in (*line.changes, *line.adopted)} <= set(words)
    ]


def moved(world: World, numbers: list[int]) -> None:
    world.pull()
    lines = world.record().splitlines(keepends=True)
    left = "".join(line for number, line in enumerate(lines) if number not in numbers)
    archive = "".join(lines[number] for number in numbers)
    world.commit({RECORD: left, ARCHIVE: archive}, "Move old lines", "mine")


def test_lines_of_versions_long_gone_may_move_to_an_archive(gone: World) -> None:
    moved(gone, about(gone, "v6"))
    healthy(gone, "--ref", "mine")
    gone.git("push", "-q", "origin", "origin/mine:main")
    gone.landed.clear()
    healthy(gone)
    by_hand(gone, ("  default: v4\n  tag:\n", "  default: v4\n  tag:\n    v6: v1.0.66\n"), branch="other")
    assert findings(gone, "--ref", "other") == [
        (f"{TAGS}:4:9", f"the name v6 is v1.0.66 here and v1.0.6 in {ARCHIVE}:1")
    ]


def test_an_archive_only_grows(gone: World) -> None:
    moved(gone, about(gone, "v6"))
    gone.git("push", "-q", "origin", "origin/mine:main")
    gone.landed.clear()
    gone.pull()
    lines = gone.file(ARCHIVE).splitlines(keepends=True)
    gone.commit({ARCHIVE: "".join(lines[1:])}, "Drop one", "less")
    ((where, what),) = findings(gone, "--ref", "less")
    assert where == f"{ARCHIVE}:1"
    assert "(line 1 at" in what
    assert "was deleted: a landed line never changes" in what


def test_a_line_that_moves_although_its_version_is_there_is_found(gone: World) -> None:
    numbers = about(gone, "v7")
    assert numbers
    moved(gone, numbers)
    words = f"the operation {gone.lines()[numbers[0]].id} was moved to an archive, and v7 (v1.0.7) is still there"
    assert findings(gone, "--ref", "mine") == [(f"{ARCHIVE}:1", words)]


def test_a_line_that_moves_although_its_quarantine_was_never_cleared_is_found(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, default="manual")
    recorded(world, "v1.0.5", "v1.0.6")
    world.release("quarantine", "devel", "v6", "--reason", "bad", "--direct")
    world.release("retire", "devel", "v6", "--direct")
    world.now += timedelta(hours=2)
    world.release("cleanup", "--direct")
    moved(world, about(world, "v6"))
    ours = findings(world, "--ref", "mine")
    assert {where for where, _ in ours} == {f"{ARCHIVE}:{number}" for number in range(1, len(ours) + 1)}
    assert all("v6 (v1.0.6) is quarantined without a later clear" in what for _, what in ours)


def test_a_moved_line_that_stayed_is_found(gone: World) -> None:
    lines = gone.record().splitlines(keepends=True)
    number = about(gone, "v6")[0]
    gone.pull()
    gone.commit({ARCHIVE: lines[number]}, "Copy it", "mine")
    ((where, what),) = findings(gone, "--ref", "mine")
    assert where == f"{RECORD}:{number + 1}"
    assert f"stands twice, here and at {ARCHIVE}:1" in what


# -- .gitattributes ---------------------------------------------------------------------------------------------------
PATTERNS = [
    "*.jsonl", "history.jsonl", "/history.jsonl", "environments/**", "environments/**/history.jsonl", "**/history.jsonl",
    "environments/*/history.jsonl", "environments/*", "**", "*", "environments/dev?l/*.jsonl", "/environments/*/*",
    "environments/[a-e]*/history.jsonl", "environments/[!d]*/history.jsonl", "history.[j]sonl", "environments/**/*/history.jsonl",
    "environments/", "!*.jsonl", "*.json", r"histor\y.jsonl", '"*.jsonl"', "environments/devel/**/history.jsonl",
    "devel/history.jsonl", "**/devel/*", "HISTORY.jsonl", "[", "environments/devel**", "environments/devel**/history.jsonl", "environments/d?vel**", "environments/devel**l", "environments***", "***/history.jsonl", "environments/***", "*/**", "*/**/history.jsonl", "environments/de**/**", "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
    "[[:alpha:]]*.jsonl", "histor[^y].jsonl", "histor[z-a].jsonl",
]  # fmt: skip


@pytest.mark.parametrize("words", ["merge=union", "merge=union -merge", "text merge=union", "merge=other"])
def test_attributes_are_read_as_git_reads_them(words: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for pattern in PATTERNS:
        text = f"# records\n{pattern} {words}\n"
        (tmp_path / ".gitattributes").write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["git", "check-attr", "merge", "--", RECORD], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        found = [one.where for one in attributes.union_merged([RECORD], {".gitattributes": text})]
        assert found == ([".gitattributes:2"] if done.stdout.endswith(": union\n") else []), pattern


def test_the_deepest_attribute_file_decides() -> None:
    files = {".gitattributes": "[attr]log merge=union\n*.jsonl log\n", f"{DEVEL}/.gitattributes": "*.jsonl -merge\n"}
    other = "environments/staging/history.jsonl"
    (found,) = attributes.union_merged([RECORD, other, "environments/production/history.jsonl"], files)
    assert (found.where, found.what.partition(" ")[0]) == (".gitattributes:2", other)


def test_a_record_that_merges_without_conflicts_is_found(world: World) -> None:
    world.commit({"environments/.gitattributes": "*.yaml text\n*.jsonl merge=union\n"}, "No more conflicts")
    ((where, what),) = findings(world)
    assert where == "environments/.gitattributes:2"
    assert f"{RECORD} is merged with `merge=union`" in what
    world.commit({"environments/.gitattributes": "*.yaml text\n*.jsonl text\n"}, "Conflicts again")
    healthy(world)


# -- the five keys ----------------------------------------------------------------------------------------------------
def test_the_five_keys_in_the_values_of_the_chart_are_found_once(world: World) -> None:
    path = "charts/grpc-manifest/values.yaml"
    by_hand(world, ("image:\n", "image:\n  tag: {}\n  retired:\n  pinned: {}\n"), path=path)
    healthy(world)
    line = 1 + world.file(path).splitlines().index("  tag: {}")
    by_hand(world, ("  tag: {}\n", "  tag: {v1: v1.0.1}\n"), path=path)
    ((where, what),) = findings(world)
    assert where == f"{path}:{line}:3"
    assert what.startswith("image.tag stands in image_tag.yaml only")


def test_the_five_keys_behind_an_alias_are_found(world: World) -> None:
    values = "x-set: &set {default: v1}\nimage:\n  <<: *set\n  repository: a/b\n"
    world.commit({f"{DEVEL}/values.yaml": values}, "An anchor")
    ours = [where for where, what in findings(world) if "stands in image_tag.yaml only" in what]
    assert ours == [f"{DEVEL}/values.yaml:2:1"]


# -- the merge result -------------------------------------------------------------------------------------------------
def refused(world: World, branch: str, where: str, words: str) -> None:
    """The merge is refused with one finding; sync mends the branch, or has nothing left of it."""
    ((place, what),) = findings(world, "--ref", branch)
    assert place == where
    assert words in what
    number = next(pull["number"] for pull in world.pulls() if pull["head"] == branch)
    with world.unchanged():
        assert words in world.release("pulls", "merge", str(number), code=1).err
    world.release("sync")
    still_open = [pull["head"] for pull in world.pulls()]
    assert findings(world, *(["--ref", branch] if branch in still_open else [])) == []


def test_pinned_here_and_retired_there(marked: World) -> None:
    marked.release("retire", "devel", "v2")
    by_hand(marked, ("    v1: {reason: old clients}\n", "    v1: {reason: old clients}\n    v2: {reason: more}\n"))
    line = len(marked.lines(ref=BRANCH))
    refused(marked, BRANCH, f"{RECORD}:{line}", "(retire) retires v2 (v1.0.2), which the base pins: more")


def test_the_default_here_and_retired_there(marked: World) -> None:
    marked.release("retire", "devel", "v3")
    by_hand(marked, ("default: v4", "default: v3"))
    line = len(marked.lines(ref=BRANCH))
    refused(marked, BRANCH, f"{RECORD}:{line}", "(retire) retires v3 (v1.0.3), which is the default of the base")


def test_quarantined_here_and_the_default_there(marked: World) -> None:
    marked.release("default", "devel", "v3")
    by_hand(marked, ("    v5: {reason: crashes}\n", "    v5: {reason: crashes}\n    v3: {reason: slow}\n"))
    line = len(marked.lines(ref=BRANCH))
    words = "(default) makes v3 (v1.0.3) the default, which the base quarantines: slow"
    refused(marked, BRANCH, f"{RECORD}:{line}", words)


def test_brought_back_here_and_removed_there(marked: World) -> None:
    marked.release("retire", "devel", "v2", "--direct")
    marked.now += timedelta(hours=2)
    marked.release("cleanup")
    by_hand(marked, ("    v1: v1.0.1\n", "    v1: v1.0.1\n    v2: v1.0.2\n"), ("  retired:\n    v2: v1.0.2\n", ""))
    line = len(marked.lines(ref=BRANCH))
    refused(marked, BRANCH, f"{RECORD}:{line}", "(cleanup) removes v2 (v1.0.2), which is not retired in the base")


def test_quarantined_here_and_promoted_there(world: World) -> None:
    recorded(world, "v1.0.5")
    world.release("promote", "devel", "staging")
    world.release("downgrade", "devel", "--reason", "crashes", "--direct")
    where = "environments/staging/history.jsonl:1"
    refused(world, "release/staging", where, "(promote) brings v5 (v1.0.5), which is quarantined in devel: ")


def test_what_the_branch_itself_unpinned_may_retire(marked: World) -> None:
    marked.release("unpin", "devel", "v1")
    marked.release("retire", "devel", "v1")
    by_hand(marked, ("    v4: v1.0.4\n", "    v4: v1.0.4  # the default\n"))
    assert findings(marked, "--ref", BRANCH) == []
    marked.merge(1)


def test_a_conflict_is_a_finding_and_sync_mends_it(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    recorded(world, "v1.0.6")
    (found,) = look(world, "--ref", BRANCH)[0]
    assert found["what"].startswith(f"{BRANCH} conflicts with main in ")
    assert RECORD in found["what"]
    assert "`release sync`" in found["hint"]
    world.release("sync")
    healthy(world, "--ref", BRANCH)


def test_a_conflict_hides_nothing_else(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.commit({"environments/staging/image_tag.yaml": "image:\n\ttag: []\n"}, "A tab", BRANCH)
    recorded(world, "v1.0.6")
    found = findings(world, "--ref", BRANCH)
    assert [where for where, _ in found] == [TAGS, "environments/staging/image_tag.yaml:2:1"] or len(found) == 2, found


def test_a_branch_is_judged_as_it_would_be_merged(world: World) -> None:
    world.commit({f"{DEVEL}/values.yaml": "replicaCount: 3\n"}, "More of them", "mine")
    world.commit({"environments/staging/image_tag.yaml": "image:\n  tag: {v9: v1.0.1}\n"}, "Wrong in the base")
    found = findings(world, "--ref", "mine")
    assert found == findings(world)
    assert [where for where, _ in found] == ["environments/staging/image_tag.yaml:2:13"]


# -- everything at once -----------------------------------------------------------------------------------------------
def test_all_environments_are_told_in_one_run(world: World) -> None:
    recorded(world, "v1.0.5")
    world.broken |= {"devel", "staging"}
    world.commit(
        {
            TAGS: "image:\n\ttag: []\n",
            "environments/staging/image_tag.yaml": "image:\n  default: v9\n  tag: {v1: v1.0.1, v2: v1.0.2}\n",
            "environments/production/values.yaml": "image: {default: v1}\n",
            ".gitattributes": "*.jsonl merge=union\n",
        },
        "All wrong",
    )
    assert [where for where, _ in findings(world)] == [
        f"{TAGS}:2:1",
        "environments/staging/image_tag.yaml:2:12",
        "environments/production/values.yaml:1:9",
        ".gitattributes:1",
    ]


SERVICES = """\
version: 1
chart: charts/grpc-manifest
services:
  engine: {}
  search: {}
environments:
  devel: {default: newest, retention: {keep: 2}}
  staging: {promote_from: devel, default: promoted}
"""


def test_names_are_one_to_one_within_a_service_and_commands_name_it(world: World) -> None:
    other = "image:\n  default: v2\n  tag: {v1: v1.0.2, v2: v1.0.3}\n  pinned: {v1: {reason: a}, v2: {reason: b}}\n"
    files = {"release.yaml": SERVICES}
    for environment in ("devel", "staging"):
        files[f"environments/{environment}/engine/image_tag.yaml"] = WITH_DEFAULT
        files[f"environments/{environment}/search/image_tag.yaml"] = other
    world.commit(files, "Two services")
    found, told = look(world)
    assert found == []
    assert [one["where"] for one in told] == ["environments/devel/search/image_tag.yaml:4:3"]
    assert "`release unpin devel NAME --service search`" in told[0]["hint"]
    files["environments/staging/engine/image_tag.yaml"] = other.partition("  pinned")[0]
    world.commit(files, "Another list")
    assert [where for where, _ in findings(world)] == [
        "environments/staging/engine/image_tag.yaml:3:13",
        "environments/staging/engine/image_tag.yaml:3:25",
    ]


# -- the proposal's chart --
def test_a_chart_that_takes_all_memory_is_told_once_for_all_environments(world: World) -> None:
    (world.clone / "charts/grpc-manifest/templates/more.yaml").write_text(
        '{{ repeat 100000000000 "x" }}', encoding="utf-8"
    )
    found = findings(world, "-C", str(world.clone))
    assert [where for where, _ in found] == ["charts/grpc-manifest"], found
    assert found[0][1].startswith("the rendering of devel needs more than ")

"""The record `history.jsonl`: lines in, lines out, and what the lines tell about versions."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import strategies as st
from model_builders import (
    DAY,
    DIGEST,
    HOUR,
    MOMENTS,
    NOW,
    TODAY,
    WRITTEN_TAGS,
    bump,
    change,
    intent,
    law,
    line,
    meaning,
    state,
    states,
    told,
)

from release_tool.errors import ReleaseError
from release_tool.model import history, times
from release_tool.model.history import append, format_line, parse, replay
from release_tool.model.records import Change, Line, Name, State, name_of
from release_tool.model.states import ACTIONS, apply, difference

PATH = "environments/devel/history.jsonl"


def text_of(*lines: Line) -> str:
    return append("", lines)


def error_of(text: str) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        parse(text, PATH)
    assert caught.value.exit_code == 1
    assert caught.value.hint
    return caught.value


# -- lines in, lines out ----------------------------------------------------------------------------------------------
def test_a_line_is_written_as_the_documentation_shows_it() -> None:
    provenance = {"image": "reg/engine", "build": "7"}
    one = intent("01KAMX3S5E0000000000000001", "bump", {"tag": "v1.0.5"}, "ci", "https://ci/1", provenance=provenance)
    changes = (
        change("add", "v5", "v1.0.5", "bump"),
        change("set-default", "v5", "v1.0.5", "default: newest", before=Name("v4")),
        change("pin", "v5", "v1.0.5", "demo", until=TODAY),
        change("quarantine", "v3", "v1.0.3", "slow", since=NOW),
    )
    adopted = (change("set-default", "v1", "v1.0.1", "by hand", before=None),)
    assert format_line(Line(one, NOW, changes, adopted)) == (
        '{"schema": 1, "id": "01KAMX3S5E0000000000000001", "at": "2026-11-23T12:00:00Z", "operation": "bump", '
        '"arguments": {"tag": "v1.0.5"}, "changes": ['
        '{"action": "add", "version": "v5", "tag": "v1.0.5", "reason": "bump"}, '
        '{"action": "set-default", "version": "v5", "tag": "v1.0.5", "before": "v4", "reason": "default: newest"}, '
        '{"action": "pin", "version": "v5", "tag": "v1.0.5", "reason": "demo", "until": "2026-11-23"}, '
        '{"action": "quarantine", "version": "v3", "tag": "v1.0.3", "reason": "slow", "since": "2026-11-23T12:00:00Z"}], '
        '"adopted": [{"action": "set-default", "version": "v1", "tag": "v1.0.1", "before": null, "reason": "by hand"}], '
        '"by": "ci", "run": "https://ci/1", "image": "reg/engine", "build": "7"}'
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
TEXTS = st.text(max_size=8)
NEWER_KEYS = st.dictionaries(st.sampled_from(["ticket", "später", "zeit", ""]), JSON, max_size=2)


@st.composite
def changes(draw: Any) -> Change:
    action = draw(st.sampled_from(sorted(ACTIONS)))
    return Change(
        action,
        name_of(draw(st.integers(1, 9))),
        draw(WRITTEN_TAGS),
        draw(TEXTS),
        before=draw(st.none() | st.just(Name("v1"))) if action == "set-default" else None,
        until=draw(st.none() | st.just(TODAY)),
        since=draw(st.none() | MOMENTS),
    )


@st.composite
def lines(draw: Any) -> list[Line]:
    ids = draw(st.lists(st.uuids().map(str), max_size=3, unique=True))
    found = []
    for line_id in ids:
        operation = draw(st.sampled_from(["bump", "later-operation"]))
        written = draw(st.dictionaries(st.text(max_size=3), JSON, max_size=2))
        provenance = {
            key: draw(TEXTS) for key in ("image", "digest", "commit", "build", "source") if draw(st.booleans())
        }
        made = intent(line_id, operation, written, draw(TEXTS), draw(TEXTS), provenance=provenance)
        two = [tuple(draw(st.lists(changes(), max_size=2))) for _ in range(2)]
        found.append(Line(made, draw(MOMENTS), *two, draw(NEWER_KEYS)))
    return found


@law(lines(), examples=150)
def test_what_is_written_is_read_again_with_the_keys_of_newer_tools(some: list[Line]) -> None:
    text = text_of(*some)
    assert list(parse(text, PATH)) == some
    assert text.count("\n") == len(some)
    assert text_of(*parse(text, PATH)) == text
    text.encode("utf-8")


@law(lines(), st.integers(0xD800, 0xDFFF), st.text(max_size=3), examples=80)
def test_half_a_surrogate_pair_is_written_and_read_as_no_character(some: list[Line], half: int, text: str) -> None:
    """A command line with bytes that aren't UTF-8 brings such halves; what is read of them can be shown anywhere."""
    reason = f"{text}{chr(half)}{text}"
    broken = [line._replace(intent=line.intent._replace(by=reason)) for line in some]
    written = text_of(*broken)
    written.encode("utf-8")
    assert [line.intent.by for line in parse(written, PATH)] == [f"{text}\ufffd{text}"] * len(some)


@law(lines(), lines(), st.sampled_from(["\n", "\r\n", "\n\n"]), st.booleans(), examples=80)
def test_landed_lines_keep_their_bytes_when_lines_are_added(
    landed: list[Line], added: list[Line], end: str, final_end: bool
) -> None:
    text = end.join(format_line(one) for one in landed) + (end if final_end and landed else "")
    after = append(text, added)
    assert after.startswith(text)
    assert list(parse(after, PATH)) == landed + added
    assert added or after == text


def test_a_line_is_added_on_a_line_of_its_own_where_the_final_line_end_is_missing() -> None:
    one, two = line("1"), line("2")
    assert append(format_line(one), [two]) == format_line(one) + "\n" + format_line(two) + "\n"


def test_an_empty_record_has_no_lines() -> None:
    assert parse("", PATH) == parse("\n", PATH) == ()


# -- what can't be read -----------------------------------------------------------------------------------------------
GOOD = format_line(line("1", change("add", "v1", "1.0.1")))


def with_key(key: str, value: object) -> str:
    return json.dumps({**json.loads(GOOD), key: value})


def with_change(**keys: object) -> str:
    return with_key("changes", [{**json.loads(GOOD)["changes"][0], **keys}])


@pytest.mark.parametrize(
    "bad",
    [
        GOOD[:-1], GOOD[:40], GOOD[40:], "<<<<<<< HEAD", "{}", "[]", "null", "1", '"schema"', "{" * 100_000, GOOD + GOOD,
        with_key("schema", 0), with_key("schema", "1"), with_key("schema", None), with_key("schema", 1.5),
        with_key("id", 1), with_key("id", ""), with_key("id", "a b"), with_key("id", "a\nRelease-Operation: b"),
        with_key("id", "é"), with_key("id", "x" * 129), with_key("operation", None), with_key("operation", "bump\nx"), with_key("by", 5), with_key("run", []), with_key("image", {}),
        with_key("arguments", []), with_key("arguments", "tag"), with_key("arguments", [["tag", "1"]]),
        with_key("changes", {}), with_key("changes", ""), with_key("changes", None), with_key("changes", ["add"]),
        with_key("adopted", {}), with_key("adopted", [{"action": "add"}]),
        with_key("at", "yesterday"), with_key("at", "2026-11-23"), with_key("at", "2026-11-23T12:00:00"),
        with_key("at", "0001-01-01T00:00:00+14:00"), with_key("at", "9999-12-31T23:59:59-14:00"), with_key("at", 0),
        with_change(action="explode"), with_change(version="v0"), with_change(version="../v1"), with_change(tag="a b"),
        with_change(tag=1), with_change(reason=None), with_change(before=1), with_change(until="soon"),
        with_change(until=None), with_change(since="2026-11-23"), with_change(since=0), with_change(action=[]),
    ],
)  # fmt: skip
def test_a_line_that_is_no_line_of_the_record_is_refused_with_its_place(bad: str) -> None:
    assert str(error_of(f"{format_line(line('0'))}\n\n{bad}\n")).startswith(f"{PATH}:3: ")


@pytest.mark.parametrize("missing", ["schema", "id", "at", "operation", "arguments", "changes"])
def test_a_line_without_a_key_that_it_needs_is_refused_and_the_key_named(missing: str) -> None:
    data = {key: value for key, value in json.loads(GOOD).items() if key != missing}
    assert missing in str(error_of(json.dumps(data)))


def test_a_cut_line_says_how_to_get_it_back() -> None:
    assert f"git log -p -- {PATH}" in error_of(GOOD[:40]).hint


def test_a_line_of_a_newer_schema_is_refused_whatever_else_it_holds() -> None:
    error = error_of(GOOD + "\n" + '{"schema": 2, "id": 7}\n')
    assert str(error) == f"{PATH}:2: this line of the record has schema 2; this tool reads 1"
    assert "newer" in error.cause


def test_an_operation_that_stands_twice_is_refused_with_both_places() -> None:
    error = error_of("\n".join([format_line(line("a")), format_line(line("b")), format_line(line("a"))]))
    assert str(error) == f"{PATH}:3: the record holds operation a twice, in lines 1 and 3"


# -- times ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T12:00:00Z", NOW),
        ("2026-11-23t12:00:00z", NOW),
        ("2026-11-23T13:30:00+01:30", NOW),
        ("2026-11-23T12:00:00-00:00", NOW),
        ("2026-11-23T12:00:00.9Z", NOW),
        ("2026-11-23T12:00:00.123456789Z", NOW),
        ("0099-01-01T00:00:00Z", datetime(99, 1, 1, tzinfo=timezone.utc)),
    ],
)
def test_times_are_read_to_the_second_in_utc(text: str, moment: datetime) -> None:
    assert (times.moment_of(text), times.moment_of(times.timestamp(moment))) == (moment, moment)


@pytest.mark.parametrize(
    "text",
    ["", "Z", "2026-11-23", "2026-11-23T12:00:00", "20261123T120000Z", "2026-W48-1T12:00:00Z", "2026-11-23T12Z",
     "2026-11-23T12:00Z", "2026-13-23T12:00:00Z", "2026-11-23T12:00:00+00:00Z", "2026-11-23T12:00:00,5Z",
     "２026-11-23T12:00:00Z", "2026-11-23T12:00:00Z\n", "0001-01-01T00:00:00+14:00"],
)  # fmt: skip
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        times.moment_of(text)


def test_a_time_is_written_in_utc_to_the_second() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9))) + timedelta(microseconds=5)
    assert times.timestamp(elsewhere) == "2026-11-23T12:00:00Z"


def test_the_time_of_a_line_is_raised_to_that_of_the_line_above_and_only_where_it_is_before_it() -> None:
    late, early, later = line("1", at=NOW), line("2", at=NOW - HOUR), line("3", at=NOW + HOUR)
    assert [one.at for one in history.raised([late, early, later], None)] == [NOW, NOW, NOW + HOUR]
    assert [one.at for one in history.raised([early], NOW + DAY)] == [NOW + DAY]
    assert history.raised([early, late], early.at) == (early, late)


@law(st.lists(MOMENTS, max_size=5), st.none() | MOMENTS)
def test_times_never_go_backwards(times: list[datetime], floor: datetime | None) -> None:
    before = [line(str(number), at=at) for number, at in enumerate(times)]
    after = history.raised(before, floor)
    expected = list(accumulate(times, max)) if floor is None else list(accumulate([floor, *times], max))[1:]
    assert after == tuple(one._replace(at=at) for one, at in zip(before, expected, strict=True))
    assert history.raised(after, floor) == after


# -- what the lines tell ----------------------------------------------------------------------------------------------
def test_the_record_gives_the_state_by_hand_first_then_the_changes_of_the_line() -> None:
    landed = [
        line("1", change("add", "v2", "1.0.2"), adopted=(change("add", "v1", "1.0.1"),)),
        line("2", change("retire", "v1", "1.0.1"), adopted=(change("set-default", "v2", "1.0.2", before=Name("v1")),)),
    ]
    assert replay(landed) == state(named={"v2": "1.0.2"}, default="v2", retired={"v1": "1.0.1"})


@law(states(), states(), states(), examples=80)
def test_adopting_what_people_did_makes_the_record_give_the_state_again(one: State, two: State, three: State) -> None:
    landed: list[Line] = []
    for number, here in enumerate([one, two, three]):
        adopted = history.by_hand(landed, here)
        landed.append(line(str(number), adopted=adopted))
        assert meaning(replay(landed)) == meaning(here)
        assert history.by_hand(landed, here) == ()


DEFAULTS = [
    line("1", change("set-default", "v2", "1.0.2", before=Name("v1"))),
    line("2", change("set-default", "v3", "1.0.3", before=Name("v2"))),
]


@pytest.mark.parametrize(
    ("landed", "present", "former"),
    [
        ([], None, []),
        ([], "v1", ["v1"]),
        (DEFAULTS, "v3", ["v1", "v2", "v3"]),
        # both in one pull request: v2 never stood in the base, so both record v1
        ([DEFAULTS[0], line("2", change("set-default", "v3", "1.0.3", before=Name("v1")))], "v3", ["v1", "v3"]),
        # back again: the present default is the latest
        ([*DEFAULTS, line("3", change("set-default", "v1", before=Name("v3")))], "v1", ["v1", "v2", "v3", "v1"]),
        # people moved it, and no operation has adopted that yet: v3 stood in the base
        (DEFAULTS, "v4", ["v1", "v2", "v3", "v4"]),
        # the first default of all has none before it
        ([line("1", change("set-default", "v1", before=None))], "v1", ["v1"]),
    ],
)
def test_former_defaults_are_those_that_stood_in_the_base(
    landed: list[Line], present: str | None, former: list[str]
) -> None:
    began = line("0", adopted=tuple(change("add", f"v{number}") for number in range(1, 5)))
    record = [began, *landed] if landed else []
    assert list(history.former_defaults(record, Name(present) if present else None)) == former


def test_a_default_that_people_moved_is_former_before_and_after_it_was_adopted() -> None:
    base = state("1.0.1", "1.0.2", "1.0.3", default="v1")
    landed = [line("1", adopted=history.by_hand([], base))]
    moved = base._replace(written_default=Name("v3"))
    seen = history.former_defaults(landed, Name("v3"))
    assert seen == ("v1", "v3")
    assert history.former_defaults([*landed, line("2", adopted=history.by_hand(landed, moved))], Name("v3")) == seen


def quarantined(*actions: str) -> dict[str, str]:
    changes = (change(action, "v1", tag, reason) for action, tag, reason in (one.split(" ", 2) for one in actions))
    return {part: found.reason for part, found in history.quarantines(changes).items()}


def test_a_tag_is_bad_while_its_last_quarantine_has_no_later_clear() -> None:
    assert (quarantined(), quarantined("quarantine 1.0.1 slow")) == ({}, {"1.0.1": "slow"})
    assert quarantined("quarantine 1.0.1 slow", "clear 1.0.1 fixed") == {}
    assert quarantined("clear 1.0.1 x", "quarantine 1.0.1 slow", "remove 1.0.1 x") == {"1.0.1": "slow"}
    assert quarantined("quarantine 1.0.1 slow", "clear 1.0.1 x", "quarantine 1.0.1 dead") == {"1.0.1": "dead"}
    assert quarantined("quarantine 1.0.1 slow", "clear 1.0.2 x") == {"1.0.1": "slow"}


def test_a_quarantine_is_about_the_tag_whatever_its_digest() -> None:
    assert quarantined(f"quarantine 1.0.1{DIGEST} slow") == {"1.0.1": "slow"}
    assert quarantined(f"quarantine 1.0.1{DIGEST} slow", "clear 1.0.1 fixed") == {}


def test_a_quarantine_that_people_remove_is_adopted_as_a_clear() -> None:
    landed = [line("1", adopted=history.by_hand([], state("1.0.1", "1.0.2", quarantined={"v2": "slow"})))]
    assert told(history.by_hand(landed, state("1.0.1", "1.0.2"))) == ["clear v2 1.0.2"]


@pytest.mark.parametrize("gone", ["retire", "remove"])
def test_a_tag_that_people_bring_back_without_its_quarantine_is_cleared(gone: str) -> None:
    before = state("1.0.1", "1.0.2", quarantined={"v2": "slow"})
    landed = [line("1", adopted=history.by_hand([], before)), line("2", change(gone, "v2", "1.0.2"))]
    assert history.quarantines(history.changes_of(landed)).keys() == {"1.0.2"}
    adopted = history.by_hand(landed, state("1.0.1", "1.0.2"))
    assert told(adopted)[-1] == "clear v2 1.0.2"
    landed.append(line("3", adopted=adopted))
    assert history.quarantines(history.changes_of(landed)) == {}
    assert history.by_hand(landed, state("1.0.1", "1.0.2")) == ()


def test_the_names_of_superseded_versions_are_known_too() -> None:
    landed = [line("1", change("add", "v1", f"1.0.1{DIGEST}"), change("supersede", "v2", "1.0.2"))]
    assert history.names_of(landed) == {"1.0.1": "v1", "1.0.2": "v2"}


def test_the_last_line_that_brought_a_version_where_it_is_says_when() -> None:
    landed = [
        line("1", change("add", "v1", "1.0.1"), at=NOW - 3 * DAY),
        line("2", change("retire", "v1", "1.0.1"), at=NOW - 2 * DAY),
        line("3", change("restore", "v1", "1.0.1"), at=NOW - DAY),
        line("4", change("quarantine", "v1", "1.0.1"), at=NOW),
    ]
    assert history.entered_at(landed, "versions", Name("v1"), WRITTEN) == NOW - DAY
    assert history.entered_at(landed[:1], "versions", Name("v1"), WRITTEN) == NOW - 3 * DAY
    assert history.entered_at(landed, "retired", Name("v1"), WRITTEN) == NOW - 2 * DAY
    assert history.entered_at(landed, "quarantined", Name("v1"), WRITTEN) == NOW
    assert history.entered_at(landed, "versions", Name("v2"), WRITTEN) is None
    assert history.entered_at(landed, "versions", Name("v1"), change("add", "v1", "1.0.9").tag) is None


WRITTEN = change("add", "v1", "1.0.1").tag


def test_the_same_id_is_the_same_operation() -> None:
    known = bump("1.0.5", line_id="a")
    assert history.same_operation([known], bump("1.0.6", line_id="a").intent) == known
    assert history.same_operation([known], bump("1.0.5", line_id="b").intent) is None


def test_the_same_intent_from_the_same_run_is_the_same_operation() -> None:
    known = line("a", tag="1.0.5", run="https://ci/1")
    assert history.same_operation([known], line("b", tag="1.0.5", run="https://ci/1").intent) == known
    assert history.same_operation([known], line("b", tag="1.0.6", run="https://ci/1").intent) is None
    assert history.same_operation([known], line("b", tag="1.0.5", run="https://ci/2").intent) is None
    assert history.same_operation([known], line("b", tag="1.0.5", run="https://ci/1", operation="pin").intent) is None


def test_two_people_without_a_run_never_do_the_same_operation() -> None:
    assert history.same_operation([line("a", run="")], line("b", run="").intent) is None


def test_an_operation_is_recognised_after_it_was_written_and_read() -> None:
    known = line("a", tag="1.0.5", run="https://ci/1", arguments={"pin": True})
    assert history.same_operation(parse(text_of(known), PATH), known.intent._replace(id="b")) == known


@law(states(), st.lists(changes(), max_size=4))
def test_applying_a_line_by_line_record_is_applying_all_its_changes(one: State, some: list[Change]) -> None:
    first = difference(State(), one)
    record = [line("0", adopted=first), *(line(str(number), each) for number, each in enumerate(some, start=1))]
    assert replay(record) == apply(State(), [*first, *some])

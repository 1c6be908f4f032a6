"""Lines of versions long gone: which may be moved out of the record, and how."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import strategies as st
from model_builders import DAY, NOW, bump, change, ground, law, line, meaning, state

from release_tool.errors import ReleaseError
from release_tool.model import history
from release_tool.model.archive import AFTER, joined, movable, split
from release_tool.model.records import Change, Line, Name, State, Tag, name_of
from release_tool.model.states import ACTIONS
from release_tool.model.versions import tag_part
from release_tool.rules.plan import plan

OLD = NOW - AFTER - DAY
LIVE = state(named={"v9": "1.0.9"}, default="v9")
HERE = line("here", change("add", "v9", "1.0.9"), tag="1.0.9", at=OLD)


def moved(*lines: Line, after: State = LIVE, now: datetime = NOW) -> list[str]:
    """The ids that may be moved, in the order of the lines; one line about a version that is there stands first."""
    every = [HERE, *lines]
    ids = movable(every, after, now)
    assert ids <= {one.id for one in every}
    return [one.id for one in every if one.id in ids]


def life(name: str, tag: str, at: datetime = OLD) -> list[Line]:
    """The three lines that bring a version, retire it and remove it."""
    return [
        line(f"{action}-{name}", change(action, name, tag), tag=tag, at=at) for action in ("add", "retire", "remove")
    ]


GONE = life("v1", "1.0.1")
IDS = [one.id for one in GONE]


# -- which lines ------------------------------------------------------------------------------------------------------
def test_the_lines_of_a_version_that_is_long_gone_may_be_moved() -> None:
    assert moved(*GONE) == IDS


def test_an_empty_record_has_nothing_to_move() -> None:
    assert movable([], State(), NOW) == frozenset()


def test_a_line_must_be_older_than_a_year() -> None:
    assert (moved(*GONE, now=OLD + AFTER), moved(*GONE, now=OLD + AFTER + timedelta(seconds=1))) == ([], IDS)
    assert movable(GONE, State(), OLD + 2 * DAY, after=DAY) == set(IDS)


def test_lines_stay_while_their_version_is_there() -> None:
    assert moved(*GONE[:1], after=state(named={"v1": "1.0.1", "v9": "1.0.9"}, default="v9")) == []
    assert moved(*GONE[:2], after=LIVE._replace(retired={Name("v1"): Tag("1.0.1")})) == []


def test_a_version_that_this_operation_brings_back_is_there() -> None:
    assert moved(*GONE, after=state(named={"v1": "1.0.1", "v9": "1.0.9"}, default="v9")) == []


def test_a_version_that_this_operation_removes_is_there_for_the_last_time() -> None:
    assert moved(*GONE[:2]) == []


def test_what_a_young_line_removes_need_not_have_been_added_in_the_record() -> None:
    young = GONE[2]._replace(at=NOW)
    assert moved(*GONE[:2], young) == IDS[:2]


def test_a_line_that_stays_and_adds_a_version_needs_the_line_that_removes_it() -> None:
    pair = line("pair", change("add", "v9", "1.0.9"), change("add", "v1", "1.0.1"), at=OLD)
    assert moved(pair, *GONE[1:]) == IDS[1:2]


def test_what_is_needed_needs_more() -> None:
    lines = [
        line("first", change("add", "v9", "1.0.9"), change("add", "v1", "1.0.1"), at=OLD),
        line("second", change("add", "v2", "1.0.2"), change("retire", "v1", "1.0.1"), at=OLD),
        line("third", change("add", "v3", "1.0.3"), change("remove", "v1", "1.0.1"), at=OLD),
        line("fourth", change("remove", "v2", "1.0.2"), at=OLD),
        line("fifth", change("remove", "v3", "1.0.3"), at=OLD),
    ]
    assert moved(*lines) == ["second", "fourth"]


def test_what_people_did_by_hand_counts_too() -> None:
    by_hand = line("adopts", at=OLD)._replace(adopted=(change("add", "v9", "1.0.9"), change("add", "v1", "1.0.1")))
    assert moved(by_hand, *GONE[1:]) == IDS[1:2]
    removed = line("removed", at=OLD)._replace(adopted=(change("remove", "v1", "1.0.1"),))
    assert moved(GONE[0], removed) == [IDS[0], "removed"]


def test_a_restored_version_needs_its_last_removal() -> None:
    again = line("again", change("restore", "v1", "1.0.1"), change("pin", "v9", "1.0.9"), at=OLD)
    last = line("last", change("remove", "v1", "1.0.1"), at=OLD)
    assert moved(*GONE, again, last) == IDS


def test_a_quarantine_that_was_not_cleared_stays_after_its_version() -> None:
    bad = line("bad", change("quarantine", "v1", "1.0.1", "slow"), at=OLD)
    assert moved(GONE[0], bad, *GONE[1:]) == []
    cleared = line("cleared", change("clear", "v1", "1.0.1"), at=OLD)
    assert moved(GONE[0], bad, cleared, *GONE[1:]) == [IDS[0], "bad", "cleared", *IDS[1:]]


def test_a_quarantine_of_another_digest_is_one_of_the_same_tag() -> None:
    bad = line("bad", change("quarantine", "v1", "1.0.1@sha256:" + "0" * 64, "slow"), at=OLD)
    assert moved(GONE[0], bad, *GONE[1:]) == []


def test_a_quarantine_that_stays_needs_its_clear() -> None:
    bad = line("bad", change("add", "v9", "1.0.9"), change("quarantine", "v1", "1.0.1", "slow"), at=OLD)
    cleared = line("cleared", change("clear", "v1", "1.0.1"), at=OLD)
    assert moved(GONE[0], bad, cleared, *GONE[1:]) == IDS


def test_the_default_that_stood_before_stays_known_while_it_is_there() -> None:
    up = line("up", change("set-default", "v1", "1.0.1", before=Name("v9")), at=OLD)
    down = line("down", change("set-default", "v9", "1.0.9", before=Name("v1")), at=OLD)
    assert moved(GONE[0], up, down, *GONE[1:]) == IDS


def test_the_default_that_was_set_last_stays_known_though_it_is_gone() -> None:
    first = line("first", change("set-default", "v9", "1.0.9"), at=OLD)
    last = line("last", change("set-default", "v1", "1.0.1"), at=OLD)
    assert moved(first, GONE[0], last, *GONE[1:]) == []


def test_a_default_that_was_set_while_it_was_not_there_never_becomes_one() -> None:
    lost = line("lost", change("set-default", "v1", "1.0.1"), change("add", "v8", "1.0.8"), at=OLD)
    late = line("late", change("add", "v1", "1.0.1"), change("remove", "v8", "1.0.8"), at=OLD)
    assert moved(*GONE, lost, late, line("end", change("remove", "v1", "1.0.1"), at=OLD)) == []


def test_the_digest_that_was_recorded_for_a_version_that_is_there_stays_known() -> None:
    asked = line("asked", change("remove", "v1", "1.0.1"), tag="1.0.9", at=OLD)
    assert moved(*GONE, asked) == IDS


def test_of_the_record_of_some_years_only_what_is_young_or_there_stays() -> None:
    lines: list[Line] = []
    one = State()
    start = NOW - 1000 * DAY
    for week in range(100):
        for number, asked in enumerate((bump(f"1.0.{week}"), line(f"sweep{week}", operation="cleanup"))):
            now = start + (7 * week + number) * DAY
            landed = {(section, name): start for section in ("versions", "retired") for name in _held(one)}
            made = plan(ground(one, lines=lines, keep=3, now=now, landed=landed), (), asked._replace(at=now))
            one, lines = made.after, [*lines, *made.lines]
    after_a_year = lines[-1].at + AFTER + DAY
    assert len(lines) > 190
    ids = movable(lines, one, after_a_year)
    stay = [old.id for old in lines if old.id not in ids]
    assert stay == ["bump-1.0.97", "bump-1.0.98", "bump-1.0.99"]


# -- the texts --------------------------------------------------------------------------------------------------------
def text_of(*lines: Line) -> str:
    return history.append("", lines)


def at(year: int, month: int = 6) -> datetime:
    return datetime(year, month, 1, tzinfo=timezone.utc)


def test_lines_are_cut_out_by_the_year_of_their_time() -> None:
    lines = [line("a", at=at(2023)), line("b", at=at(2024)), line("c", at=at(2024)), line("d", at=at(2025))]
    text, years = split(text_of(*lines), "history.jsonl", {"a", "b", "d"})
    assert text == text_of(lines[2])
    assert years == {2023: text_of(lines[0]), 2024: text_of(lines[1]), 2025: text_of(lines[3])}
    assert list(years) == [2023, 2024, 2025]


def test_the_year_is_that_of_utc() -> None:
    text = text_of(line("a", at=at(2024, 1))).replace("2024-01-01T00:00:00Z", "2024-01-01T00:30:00+01:00")
    assert list(split(text, "history.jsonl", {"a"})[1]) == [2023]


def test_all_other_bytes_stay_as_they_were() -> None:
    a, b, c = (text_of(line(one, at=at(2024))).strip() for one in "abc")
    odd = b.replace('{"schema": 1,', '{ "schema":1 , "später": "\u2028",')
    text, years = split(f"\r\n{a}\r\n  {odd}\t\r\n\n{c}", "history.jsonl", {"a"})
    assert text == f"\r\n  {odd}\t\r\n\n{c}"
    assert years == {2024: f"{a}\r\n"}


def test_a_last_line_without_an_end_gets_one_where_it_goes() -> None:
    a, b = (text_of(line(one, at=at(2024))).strip() for one in "ab")
    assert split(f"{a}\n{b}", "history.jsonl", {"b"}) == (f"{a}\n", {2024: f"{b}\n"})


def test_ids_that_are_not_there_cut_nothing() -> None:
    text = text_of(line("a"), line("b"))
    assert (split(text, "history.jsonl", {"c"}), split("", "history.jsonl", {"c"})) == ((text, {}), ("", {}))


def test_a_record_that_cannot_be_read_is_not_cut() -> None:
    with pytest.raises(ReleaseError) as caught:
        split(text_of(line("a")) + '{"schema": 1, "id"', "environments/devel/history.jsonl", {"a"})
    assert caught.value.where == "environments/devel/history.jsonl:2"


def test_lines_are_added_to_an_archive_once() -> None:
    a, b, c = (text_of(line(one)) for one in "abc")
    assert (joined("", a + b), joined(a, b + c), joined(a + b, b + c)) == (a + b, a + b + c, a + b + c)
    assert (joined(a + b, a + b), joined(a, "")) == (a + b, a)


def test_an_archive_keeps_its_bytes() -> None:
    a, b = (text_of(line(one)) for one in "ab")
    crlf = a.replace("\n", "\r\n")
    assert (joined(crlf, a + b), joined(a.strip(), b), joined(a.strip(), a)) == (crlf + b, a + b, a.strip())


# -- laws -------------------------------------------------------------------------------------------------------------

Record = tuple[list[Line], State]

NAMES = st.integers(1, 5).map(name_of)


@st.composite
def changes(draw: Any) -> Change:
    """Any change, sensible where it stands or not; the tag is that of the name, or another."""
    name = draw(NAMES)
    tag = draw(st.sampled_from([f"1.0.{name[1:]}", f"1.0.{name[1:]}", f"1.0.{name[1:]}@sha256:" + "0" * 64, "1.0.1"]))
    action = draw(st.sampled_from([*sorted(ACTIONS), "add", "remove", "remove"]))
    before = draw(st.none() | NAMES) if action == "set-default" else None
    return Change(action, name, Tag(tag), draw(st.sampled_from(["slow", "why"])), before=before)


@st.composite
def any_records(draw: Any) -> Record:
    """Lines that nobody planned, and the state that they give, or another one."""
    days = sorted(draw(st.lists(st.integers(0, 600), max_size=14)), reverse=True)
    lines = [
        line(f"id{number}", *draw(st.lists(changes(), max_size=3)), at=NOW - day * DAY, tag=f"1.0.{draw(st.integers(1, 6))}")
        ._replace(adopted=tuple(draw(st.lists(changes(), max_size=2))))
        for number, day in enumerate(days)
    ]  # fmt: skip
    if draw(st.booleans()):  # and at last nearly all goes
        going = draw(st.lists(NAMES, unique=True))
        lines.append(line("end", *(change("remove", name, f"1.0.{name[1:]}") for name in going), at=NOW))
    own = [line("own", *draw(st.lists(changes(), max_size=2)))]
    after = history.replay([*lines, *own])
    return lines, after


@st.composite
def planned_records(draw: Any) -> Record:
    """The record of an environment as operations wrote it over some years, with what people did by hand in between."""
    one = draw(
        st.sampled_from([State(), state("1.0.1", "1.0.2", "1.0.3", default="v1"), state("1.0.1", pinned={"v1": "x"})])
    )
    lines: list[Line] = []
    now = NOW - 900 * DAY
    keep = draw(st.integers(1, 3))
    for number in range(draw(st.integers(0, 14))):
        now += draw(st.integers(1, 90)) * DAY
        if draw(st.integers(0, 5)) == 0 and len(one.live) > 1:
            gone = draw(st.sampled_from(sorted(set(one.live) - {one.default})))
            one = history.replay([*lines, line("hand", *history.by_hand(lines, one), change("remove", gone))])
        landed = {(section, name): now - 2 * DAY for section in ("versions", "retired") for name in _held(one)}
        base = ground(one, lines=lines, keep=keep, now=now, landed=landed, drain=DAY)
        asked = (
            bump(f"1.1.{number}", now) if draw(st.booleans()) else line(f"sweep{number}", operation="cleanup", at=now)
        )
        made = plan(base, (), asked)
        one, lines = made.after, [*lines, *made.lines]
    return lines, one


def _held(one: State) -> list[Name]:
    return [*one.versions, *one.retired]


RECORDS = st.one_of(any_records(), planned_records())


def rest_of(record: Record) -> list[Line]:
    ids = movable(*record, NOW)
    return [one for one in record[0] if one.id not in ids]


def mentioned(one: Line) -> set[Name]:
    return {changed.version for changed in (*one.adopted, *one.changes)}


@law(RECORDS, examples=150)
def test_the_lines_that_stay_tell_the_same_of_the_present(record: Record) -> None:
    lines, after = record
    rest = rest_of(record)
    assert history.replay(rest) == history.replay(lines)
    assert meaning(history.replay(rest)) == meaning(history.replay(lines))
    assert history.quarantines(history.changes_of(rest)) == history.quarantines(history.changes_of(lines))
    assert history.quarantined_now(rest, after) == history.quarantined_now(lines, after)
    assert history.by_hand(rest, after) == history.by_hand(lines, after)


@law(RECORDS, examples=150)
def test_the_versions_that_are_there_keep_their_past(record: Record) -> None:
    lines, after = record
    rest = rest_of(record)
    assert former(rest, after) == former(lines, after)
    for section, entries in (("versions", after.versions), ("quarantined", after.versions), ("retired", after.retired)):
        for name, tag in entries.items():
            assert history.entered_at(rest, section, name, tag) == history.entered_at(lines, section, name, tag)
            assert history.recorded_digest(rest, tag_part(tag)) == history.recorded_digest(lines, tag_part(tag))


def former(lines: Sequence[Line], after: State) -> list[Name]:
    """The former defaults that are there; one that follows on itself, when those between are gone, tells nothing more."""
    names = [name for name in history.former_defaults(lines, after.default) if name in _held(after)]
    return [name for place, name in enumerate(names) if names[place - 1 : place] != [name]]


@law(RECORDS, examples=150)
def test_only_old_lines_of_versions_that_are_gone_are_moved(record: Record) -> None:
    lines, after = record
    bad = history.quarantines(history.changes_of(lines))
    for one in [one for one in lines if one.id in movable(lines, after, NOW)]:
        assert NOW - one.at > AFTER
        assert not mentioned(one) & {*_held(after), *_held(history.replay(lines))}
        assert not {tag_part(changed.tag) for changed in (*one.adopted, *one.changes)} & set(bad)


@law(RECORDS)
def test_moving_a_second_time_moves_nothing(record: Record) -> None:
    rest = rest_of(record)
    assert movable(rest, record[1], NOW) == frozenset()


@law(RECORDS, st.sampled_from(["\n", "\r\n", "\n\n", " \n"]), st.booleans())
def test_cut_and_joined_every_line_is_somewhere_once(record: Record, end: str, ended: bool) -> None:
    lines, after = record
    ids = movable(lines, after, NOW)
    text = history.append("", lines).replace("\n", end)
    text = text if ended else text.rstrip()
    stays, years = split(text, "history.jsonl", ids)
    assert [one.id for one in history.parse(stays, "")] == [one.id for one in lines if one.id not in ids]
    archives = {year: joined(joined("", cut), cut) for year, cut in years.items()}
    assert archives == years
    cut = [one for archive in archives.values() for one in history.parse(archive, "")]
    assert cut == [one for one in history.parse(text, "") if one.id in ids]
    assert sorted(_filled(stays) + _filled("".join(archives.values()))) == sorted(_filled(text))


def _filled(text: str) -> list[str]:
    return [raw for raw in text.split("\n") if raw.strip()]

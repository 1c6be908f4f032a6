"""Comments in `image_tag.yaml`: they stay, or go with the entry that they name or touch."""

from __future__ import annotations

import re
from datetime import date
from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st
from model_builders import change, law, states
from tag_cases import KEYS, PATH, edited, mark_text, possible, quoted
from umbrella import under

from release_tool import tagfile
from release_tool.model.records import State
from release_tool.model.states import apply

HEAD = "image:\n  default: v1\n  tag:\n    v1: a\n    v2: b\n    v3: c\n"
DAY = date(2027, 3, 31)


# -- a pin, a quarantine that is there already ------------------------------------------------------------------------
def test_a_pin_that_changes_changes_in_place() -> None:
    text = HEAD + (
        "  pinned:\n    # Pins are for incidents only: ask #ops\n    v2: {reason: slow, until: 2027-01-01}  # ask Anna\n"
        "    # mobile clients\n    v3:\n      # the wiki says more\n      reason: slow  # really\n"
        "      until: 2027-01-01  # or later\n"
    )
    after = edited(text, change("pin", "v2", "b", "new", until=DAY), change("pin", "v3", "c", "new", until=DAY))
    assert after == text.replace("reason: slow", "reason: new").replace("2027-01-01", DAY.isoformat())


def test_an_end_that_goes_leaves_its_comments_and_one_that_comes_stands_behind_the_reason() -> None:
    text = (
        HEAD + "  pinned:\n    v2:\n      until: 2027-01-01  # ask Anna\n      reason: slow\n    v3: {reason: x}  # c\n"
    )
    after = edited(text, change("pin", "v2", "b", "slow"), change("pin", "v3", "c", "x", until=DAY))
    expected = "      # ask Anna\n      reason: slow\n    v3: {reason: x, until: 2027-03-31}  # c\n"
    assert after == HEAD + "  pinned:\n    v2:\n" + expected


def test_a_quarantine_that_is_the_same_keeps_its_spelling() -> None:
    text = HEAD + "  quarantined:\n    v2: {since: '2026-11-23 05:40:00Z', reason: \"slow\"}  # c\n"
    was = tagfile.read(text, PATH).state.quarantined["v2"]  # type: ignore[index]
    assert edited(text, change("quarantine", "v2", "b", "slow", since=was.since)) == text
    assert edited(text, change("quarantine", "v2", "b", "bad", since=was.since)) == text.replace("slow", "bad")


# -- what a person wrote above an entry -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("section", "value", "action"),
    [
        ("pinned", "{reason: x}", "unpin"),
        ("quarantined", "{reason: x}", "clear"),
        ("retired", "b", "remove"),
        ("retired", "b", "restore"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_persons_comment_above_an_entry_stays_when_the_entry_goes(
    section: str, value: str, action: str, first: bool
) -> None:
    head = HEAD.replace("    v2: b\n", "") if section == "retired" else HEAD
    before = "" if first else f"    v4: {value if section != 'retired' else 'd'}\n"
    head = head + "    v4: d\n" if not first and section != "retired" else head
    text = f"{head}  {section}:\n{before}    # Incidents only: ask #ops\n    v2: {value}  # c\n"
    after = edited(text, change(action, "v2", "b"))
    assert f"  {section}:{' {}' if first else ''}\n{before}    # Incidents only: ask #ops\n" in after


def test_a_section_that_is_empty_goes_but_for_its_comments() -> None:
    text = HEAD + "  pinned:\n    # v2: see the wiki\n    v2: {reason: x}\n"
    assert edited(text, change("unpin", "v2", "b")) == HEAD
    for kept in ("  # ask #ops\n  pinned:", "  pinned:  # ask #ops"):
        after = edited(text.replace("  pinned:", kept), change("unpin", "v2", "b"))
        assert "# ask #ops" in after
        assert "pinned: {}" in after


def test_a_block_that_does_not_name_its_version_stays_when_the_version_moves() -> None:
    text = HEAD.replace("    v2", "    # ask before you touch it\n    v2")
    assert edited(text, change("retire", "v2", "b")) == text.replace("    v2: b\n", "") + "  retired:\n    v2: b\n"


def test_a_header_over_several_versions_stays_while_one_of_them_does() -> None:
    for header in ("# canaries", "# canaries: v2 and v3"):
        text = HEAD.replace("    v2", f"    {header}\n    v2")
        without = text.replace("    v2: b\n", "")
        assert edited(text, change("retire", "v2", "b")) == without + "  retired:\n    v2: b\n"
        assert header in edited(text, change("retire", "v2", "b"), change("retire", "v3", "c"))
        assert edited(text, change("retire", "v3", "c")) == text.replace("    v3: c\n", "") + "  retired:\n    v3: c\n"


# -- brackets over several lines --------------------------------------------------------------------------------------
@pytest.mark.parametrize("comma", [",", " ,", "\t,"])
def test_a_comment_behind_the_comma_travels(comma: str) -> None:
    text = f"image:\n  tag: {{\n    v1: a,  # one\n    # v2: see the wiki\n    v2: b{comma}  # ask Anna\n    v3: c }}\n"
    after = edited(text, change("retire", "v2", "b"))
    assert after == (
        "image:\n  tag: {\n    v1: a,  # one\n    v3: c }\n  retired:\n    # v2: see the wiki\n    v2: b  # ask Anna\n"
    )
    assert edited(after, change("remove", "v2", "b")) == "image:\n  tag: {\n    v1: a,  # one\n    v3: c }\n"


def test_the_comments_of_a_version_beside_the_closing_bracket_travel() -> None:
    text = "image:\n  tag: {\n    v1: a,  # one\n    # v2: see the wiki\n    v2: b }  # all\n"
    assert edited(text, change("retire", "v2", "b")) == (
        "image:\n  tag: {\n    v1: a  # one\n     }  # all\n  retired:\n    # v2: see the wiki\n    v2: b\n"
    )


def test_blank_lines_go_with_what_they_set_apart() -> None:
    text = "image:\n  tag:\n    v1: a\n\n    v2: b\n\n    v3: c\n\n  retired:\n    v4: d\n"
    assert edited(text, change("remove", "v4", "d")) == text.removesuffix("\n  retired:\n    v4: d\n")
    assert "\n\n\n" not in edited(text, change("remove", "v2", "b"))


# -- laws -------------------------------------------------------------------------------------------------------------
COMMENT = re.compile(r"# (?:person|head|about|behind|below) (?:v[0-9]+ )?[0-9]+\b")


@st.composite
def commented(draw: Any) -> tuple[State, str, str]:
    """A file with comments at all places, each with a number of its own: people's, and those that belong to an entry.

    With it what it says, and below which key.
    """
    one = draw(states(least=1))
    if one.default in one.quarantined:
        one = State(one.versions, one.retired, one.pinned)
    numbers = count()

    def maybe(indent: int, what: str) -> list[str]:
        return [f"{' ' * indent}# {what} {next(numbers)}"] if draw(st.integers(0, 2)) == 0 else []

    def entries(values: dict[str, str], comma: bool) -> list[str]:
        lines: list[str] = []
        for number, (name, value) in enumerate(values.items(), start=1):
            lines += [""] if lines and draw(st.integers(0, 4)) == 0 else []
            lines += maybe(4, "person") + maybe(4, f"about {name}")
            end = draw(st.sampled_from([",", " ,", ",  "])) if comma and number < len(values) else ""
            lines.append(f"    {name}: {value}{end}" + "".join("  " + row for row in maybe(0, f"behind {name}")))
            lines += maybe(6, f"below {name}")
        return lines

    lines = ["# head 1000", "image:", "  repository: x  # head 1001", *maybe(2, "person")]
    lines += [] if one.written_default is None else [f"  default: {one.written_default}  # head 1002"]
    sections: dict[str, dict[str, str]] = {
        "tag": {name: quoted(tag) for name, tag in one.versions.items()},
        "retired": {name: quoted(tag) for name, tag in one.retired.items()},
        "pinned": {name: mark_text(pin) for name, pin in one.pinned.items()},
        "quarantined": {name: mark_text(bad) for name, bad in one.quarantined.items()},
    }
    for section, values in sections.items():
        if not values:
            continue
        flow = draw(st.booleans())
        lines += maybe(2, "person")
        lines += [f"  {section}:" + (" {" if flow else ""), *maybe(4, "person"), *entries(values, flow)]
        if flow and draw(st.booleans()) and "#" not in lines[-1]:
            lines[-1] += " }"
        elif flow:
            lines.append("  }")
        lines += maybe(4, "person") + ([""] if draw(st.booleans()) else [])
    key = draw(KEYS)
    text = under(key, "\n".join([*lines, "replicas: 2  # head 1003", ""]))
    return one, text.replace("\n", "\r\n") if draw(st.booleans()) else text, key


def runs_of_blank_lines(text: str) -> int:
    return len(re.findall(r"(?=\n[ \t]*\n[ \t]*\n)", text.replace("\r", "")))


@law(commented(), st.data(), examples=120)
def test_comments_are_conserved_but_for_those_of_an_entry_that_is_gone_for_good(
    file: tuple[State, str, str], data: Any
) -> None:
    one, text, key = file
    for _ in range(data.draw(st.integers(1, 4))):
        made = data.draw(possible(one))
        if made is None:
            continue
        after = edited(text, made, key=key)
        was, now = COMMENT.findall(text), COMMENT.findall(after)
        assert len(now) == len(set(now))
        lost = set(was) - set(now)
        may_go = {"unpin", "clear", "remove", "retire", "deploy"}
        assert not lost or made.action in may_go
        assert all(re.match(rf"# (about|behind|below) {made.version} ", comment) for comment in lost)
        assert runs_of_blank_lines(after) <= runs_of_blank_lines(text)
        if made.action in {"retire", "deploy"}:  # the comments of its pin and its quarantine may go, its own may not
            section = text[text.index("  tag:") :]
            own = re.search(rf"    {made.version}: .*?(# behind {made.version} [0-9]+)?\r?\n", section)
            assert own is None or own.group(1) is None or own.group(1) in now
        for comment in re.finditer(r"^ +(v[0-9]+): .*# behind (v[0-9]+) ", after, re.MULTILINE):
            assert comment.group(1) == comment.group(2)
        one, text = apply(one, [made]), after

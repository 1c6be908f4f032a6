"""The words of commits and pull requests: what they tell, and that nothing from outside breaks out of its place."""

from __future__ import annotations

import re

import pytest
from hypothesis import strategies as st
from model_builders import add_line, change, ground, law, line, planned, state

from release_tool.actions import summary
from release_tool.model.records import Line
from release_tool.pull_request import markdown, messages

FOUR = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", default="v4")
EVIL = ["a | b", "`x`", "<b>x</b>", "@team", "[x](http://y)", "a\nb", "a\r\nb", "# x", "&x;", "\\|", "$x$", "*x* ~x~ !"]


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        ([add_line("1.0.5", "v5")], "devel: bump 1.0.5"),
        ([add_line("1.0.5", "v5"), add_line("1.0.6", "v6")], "devel: bump 1.0.5, 1.0.6"),
        (
            [add_line(f"1.{n}.0", f"v{n}") for n in range(1, 9)],
            "devel: bump 1.1.0, 1.2.0, 1.3.0, 1.4.0, 1.5.0 and 3 more",
        ),
        (
            [add_line("1.0.5", "v5"), line("2", change("retire", "v1", "1.0.1"), operation="retire")],
            "devel: bump 1.0.5, retire 1.0.1",
        ),
        (
            [
                line("1", change("pin", "v3", "1.0.3"), operation="pin"),
                line("2", change("retire", "v4", "1.0.4"), operation="retire"),
                line("3", change("pin", "v2", "1.0.2"), operation="pin"),
            ],
            "devel: pin 1.0.3, retire 1.0.4, pin 1.0.2",
        ),
        (
            [
                add_line("1.0.5", "v5"),
                add_line("1.0.6", "v6"),
                line("3", change("remove", "v5", "1.0.5"), operation="retire"),
            ],
            "devel: bump 1.0.6",
        ),
        (
            [add_line("1.0.5", "v5"), line("2", change("remove", "v5", "1.0.5"), operation="retire")],
            "devel: bump 1.0.5, retire 1.0.5",
        ),
        ([line("1", change("retire", "v1", "1.0.1"))], "devel: bump 1.0.1"),
        ([line("1", change("supersede", "v1", "1.0.1"))], "devel: bump"),
    ],
)
def test_the_title_names_what_comes(lines: list[Line], title: str) -> None:
    assert messages.title("devel", lines) == title


MESSAGE = """\
devel: bump 1.0.5, 1.0.6

- add v5 (1.0.5): bump
- set-default v5 (1.0.5): default: newest
- add v6 (1.0.6): bump
- set-default v6 (1.0.6): default: newest
- retire v1 (1.0.1): keep 4: six live
- retire v2 (1.0.2): keep 4: six live

Release-Operation: bump-1.0.5
Release-Operation: bump-1.0.6
Release-Tree: 7ree
"""


def test_a_commit_lists_its_changes_with_their_reasons_and_ends_in_a_trailer_for_each_operation() -> None:
    made = planned(ground(FOUR, keep=4), "1.0.5", "1.0.6")
    assert messages.commit_message("devel", made.lines, "7ree") == MESSAGE


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_from_outside_breaks_out_of_its_cell(evil: str) -> None:
    table = summary.table(("a", "b"), [(evil, "x"), ("y", evil)])
    rows = table.split("\n")
    assert len(rows) == 4
    assert all(row.count("|") == 3 for row in rows)
    assert not re.search("@(?!\u200b)", "".join(rows[2:])), "nobody is mentioned"
    assert not re.search(r"[<>`\[\]*_\\~!$\r]|&(?!(amp|lt|gt|#\d+);)|(?<!&)#", "".join(rows[2:]))


@law(st.text(), st.text())
def test_a_table_has_the_rows_that_it_was_given(one: str, two: str) -> None:
    rows = summary.table(("a", "b"), [(one, two)]).split("\n")
    assert len(rows) == 3
    assert rows[2].count("|") == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("thanks @team", "thanks @\u200bteam"),
        ("closes #12, GH-12", "closes #\u200b12, GH-\u200b12"),
        ("fixes https://github.com/o/r/issues/3", "fixes https://github.com/o/r/issues/\u200b3"),
        ("[skip ci]", "[\u200bskip ci]"),
        ("see !12, @<3f2a>", "see !\u200b12, @\u200b<3f2a>"),
        ("***NO_CI*** skip-checks: true", "***\u200bNO_CI*** skip-\u200bchecks: true"),
        ("wow! ***really***", "wow! ***really***"),
        ("a\r\nb\x1b[0m\u202e", "a  b [\u200b0m "),
        ("half \ud800", "half \ufffd"),
        ("see https://example.com/a", "see https://example.com/a"),
        ("👩\u200d🚀 שלום", "👩\u200d🚀 שלום"),
    ],
)
def test_a_forge_finds_nothing_to_act_on_in_a_commit_message(text: str, words: str) -> None:
    assert messages.harmless(text) == words
    assert messages.change_text(change("pin", "v1", "1.0.1", text)) == f"pin v1 (1.0.1): {words}"


def test_a_title_stays_as_short_as_a_forge_wants_it_however_long_the_tags_are() -> None:
    lines = [add_line(f"1.0.{n}-" + "x" * 120, f"v{n}") for n in range(1, 5)]
    title = messages.title("devel", lines)
    assert len(title) <= 256
    assert title.endswith(" and 3 more")


def test_on_a_terminal_what_is_folded_has_a_heading_and_no_letter_is_escaped() -> None:
    inner = markdown.folded("added x", markdown.block("diff", "+</details>\n\n\n+a &#124; b\n</details>"))
    text = markdown.join(
        "\n\n", [markdown.plain("0.12 > 0.05 by @ada"), markdown.folded("Why: 1", inner), markdown.plain("end")]
    )
    assert list(markdown.on_terminal(text)) == [
        "0.12 > 0.05 by @ada", "", "### Why: 1", "", "### added x", "",
        "```diff", "+</details>", "", "", "+a &#124; b", "</details>", "```", "", "end",
    ]  # fmt: skip


def test_a_log_in_a_cell_is_cut() -> None:
    assert len(markdown.plain("#" * 10_000)) <= 700
    assert markdown.plain("x" * 10_000) == "x" * 300 + "…"

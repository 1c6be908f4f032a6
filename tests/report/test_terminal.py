"""Tables as terminals and programs get them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_tool.checks.findings import Finding
from release_tool.commands.check import CheckReport
from release_tool.report.check import report_text
from release_tool.report.terminal import heading, table

ROWS = st.integers(1, 4).flatmap(lambda size: st.lists(st.lists(st.text(), min_size=size, max_size=size), max_size=5))


@given(ROWS)
def test_what_is_piped_has_one_line_for_a_row(rows: list[list[str]]) -> None:
    lines = table(rows)
    assert len(lines) == len(rows)
    assert not any(set(line) & set("\n\r\x1b\u202e") for line in lines)


@given(ROWS, st.integers(40, 120))
def test_a_line_is_wider_than_the_terminal_only_for_a_word_that_is(rows: list[list[str]], width: int) -> None:
    for line in [*table(rows, width), *(line for row in rows for line in heading(row[0], width))]:
        assert len(line) <= width or max(map(len, line.split(" "))) > 30


def test_columns_are_aligned_and_empty_ones_left_out() -> None:
    rows = [("add", "v5", "", "bump"), ("set-default", "v10", "", "")]
    assert table(rows) == ["  add          v5   bump", "  set-default  v10"]


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[2Jb"])
def test_a_finding_stays_on_its_line(text: str) -> None:
    said = report_text(CheckReport((), (Finding(text, text, text),), ()))
    assert len(said.splitlines()) == 2
    assert "\x1b" not in said

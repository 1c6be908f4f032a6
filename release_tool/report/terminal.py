"""How tables, times and texts from outside look on a terminal of any width.

Without a width nothing is folded: what is piped to another program keeps one line for one thing.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from release_tool.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOM = 30
"""A column of texts that is narrower than this reads worse than the same text below its row."""

_DEEPER = "    "
_DIGEST = 12  # characters of a digest that tell it from others, as git and container tools show them
_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))


def short(duration: timedelta) -> str:
    """About how long: `3d`, `5h`, `12m`; `<1m` for less, also for less than nothing."""
    for unit, size in _UNITS:
        if duration >= size:
            return f"{duration // size}{unit}"
    return "<1m"


def short_tag(tag: str, width: int | None) -> str:
    """A tag as written; on a terminal a digest is cut to what tells it from others."""
    part, _, digest = tag.partition("@sha256:")
    return tag if width is None or not digest else f"{part}@{digest[:_DIGEST]}…"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: wide letters take two, marks on others none.

    By the tables of Unicode alone; an emoji that several characters make counts for more than it takes, never for less.
    """
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(letter: str) -> int:
    import unicodedata

    if unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1


def folded(text: str, width: int | None, *, first: str = "", indent: str = "") -> list[str]:
    """A text in lines of a terminal, cut at blanks only.

    A word that is longer than a line stays whole, and so does a command between backquotes: people copy them.

    Args:
        width: columns of a line; None: one line, as long as it is.
        first: what the first line begins with.
        indent: what the others begin with.
    """
    if width is None or columns(first) + columns(text) <= width:
        return [(first + text).rstrip()]
    lines, line, used = [], first, columns(first)
    begun = False
    for word in _WORD.findall(text):
        size = columns(word)
        if begun and used + 1 + size > width:
            lines.append(line)
            line, used, begun = indent, columns(indent), False
        line += f" {word}" if begun else word
        used += size + begun
        begun = True
    return [*lines, line.rstrip()]


_WORD = re.compile(r"(?:[^\s`]|`[^`]*`|`)+")


def table(rows: Sequence[Sequence[str]], width: int | None = None, indent: str = "  ") -> list[str]:
    """Rows as aligned lines. The last cell is a text: it is folded in its column, or below its row without room for it.

    Args:
        rows: cells of texts; a column without any is left out.
        width: columns of a line; None: a line is as long as it is.
        indent: what every line begins with.
    """
    clean = [[one_line(value) for value in row] for row in rows]
    widths = [max(map(columns, column)) for column in zip(*clean, strict=True)][:-1]
    lines: list[str] = []
    for *cells, text in clean:
        padded = [value + " " * (size - columns(value)) for value, size in zip(cells, widths, strict=True) if size]
        head = indent + "".join(f"{value}  " for value in padded)
        if width is None or columns(head) + columns(text) <= width:
            lines.append((head + text).rstrip())
        elif width - columns(head) >= _ROOM:
            lines += folded(text, width, first=head, indent=" " * columns(head))
        else:
            deeper = indent + _DEEPER
            lines += folded(head.strip(), width, first=indent, indent=deeper)
            lines += folded(text, width, first=deeper, indent=deeper) if text else []
    return lines


def heading(text: str, width: int | None = None) -> list[str]:
    """A line at the left edge, and what doesn't fit in it below."""
    return folded(one_line(text), width, indent=_DEEPER)

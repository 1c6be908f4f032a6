"""How tables, times and texts from outside look on a terminal of any width.

Without a width nothing is folded: what is piped to another program keeps one line for one thing.
"""

from __future__ import annotations

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
    return tag if width is None or not digest else f"{part}@{digest[:_DIGEST]}"


def table(rows: Sequence[Sequence[str]], width: int | None = None, indent: str = "  ") -> list[str]:
    """Rows as aligned lines. The last cell is a text: it is folded in its column, or below its row without room for it.

    Args:
        rows: cells of texts; a column without any is left out.
        width: characters of a line; None: a line is as long as it is.
        indent: what every line begins with.
    """
    clean = [[one_line(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)][:-1]
    lines: list[str] = []
    for *cells, text in clean:
        padded = [value.ljust(size) for value, size in zip(cells, widths, strict=True) if size]
        head = indent + "".join(f"{value}  " for value in padded)
        whole = (head + text).rstrip()
        lines += [whole] if width is None or len(whole) <= width else _folded_row(head, text, width, indent)
    return lines


def _folded_row(head: str, text: str, width: int, indent: str) -> list[str]:
    if width - len(head) >= _ROOM:
        import textwrap

        first, *others = textwrap.wrap(text, width - len(head), break_long_words=False, break_on_hyphens=False) or [""]
        return [head + first, *(" " * len(head) + other for other in others)]
    return [*_folded(head.rstrip(), width, indent), *_folded(indent + _DEEPER + text, width, indent)]


def _folded(line: str, width: int, indent: str) -> list[str]:
    """A line in several ones. A word that is longer than a line stays whole: it may be a URL that is copied."""
    import textwrap

    return textwrap.wrap(
        line, width, subsequent_indent=indent + _DEEPER, break_long_words=False, break_on_hyphens=False
    )


def heading(text: str, width: int | None = None) -> list[str]:
    """A line at the left edge, and what doesn't fit in it below."""
    clean = one_line(text)
    return [clean] if width is None or len(clean) <= width else _folded(clean, width, "")

"""What the two streams of a call are: a terminal or not, how wide, in colours or not, with a pager or not."""

from __future__ import annotations

import os
import sys
from typing import Any

COLOURS = ("auto", "always", "never")

_chosen = ["auto"]  # of this call


def choose(colour: str) -> None:
    """Follow `--color` from here on."""
    _chosen[0] = colour


def is_terminal(stream: Any) -> bool:
    """Whether a person looks at a stream; a closed one is None."""
    return stream is not None and bool(stream.isatty())


def is_coloured(stream: Any) -> bool:
    """Whether a stream gets colours: by `--color`, else by the variables of the field, else a terminal that has them.

    https://no-color.org, https://force-color.org, https://bixense.com/clicolors: empty counts as not set.
    """
    environ = os.environ
    if _chosen[0] != "auto":
        return _chosen[0] == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in {"", "0"} or environ.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    return is_terminal(stream) and environ.get("CLICOLOR") != "0" and not is_dumb()


def is_dumb() -> bool:
    """Whether the terminal can do nothing but show lines."""
    return os.environ.get("TERM", "dumb") in {"", "dumb"}


def width() -> int | None:
    """Columns of a line of the terminal; None where standard output is none: nothing is folded there."""
    return _columns(sys.stdout)


def _columns(stream: Any) -> int | None:
    import shutil

    return shutil.get_terminal_size((100, 24)).columns if is_terminal(stream) else None


def fold_error(lines: list[tuple[str, str]]) -> str:
    """The lines of an error, each with its label, as wide as the terminal that they go to."""
    columns = _columns(sys.stderr)
    if columns is None:
        return "\n".join(label + text for label, text in lines)
    from release_tool.report.terminal import folded

    return "\n".join(
        part
        for label, text in lines
        for line in text.split("\n")
        for part in folded(line, columns, first=label, indent=" " * 9)
    )

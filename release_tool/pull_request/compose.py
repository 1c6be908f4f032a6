"""The pull request, read in ten seconds: title and body (Markdown as GitHub reads it) of what an environment proposes.

What a decision needs stands first and once; all else is folded. Nothing depends on when the text is written, so one
that is made again of the same plan is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.pull_request import details, first_screen, matrix, routing
from release_tool.pull_request.difference import difference
from release_tool.pull_request.markdown import LIMIT, Markup, join, units
from release_tool.pull_request.messages import title
from release_tool.pull_request.proposal import Proposed

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LIMIT", "Proposed", "PullRequestText", "pull_request"]

_LEFT_OUT = Markup("More of it found no room here: the record of the environment and `release status` hold all.")
_BELOW = Markup("Reasons, routes and manifests stand below, in the comment that is kept up to date.")
_BETWEEN = "\n\n"


class PullRequestText(NamedTuple):
    """Title and body (Markdown) of a pull request; `rest`: the details, where they stand in a comment of their own."""

    title: str
    body: str
    rest: str = ""


def pull_request(proposed: Proposed, limit: int = LIMIT, rest: int = 0) -> PullRequestText:
    """A title of one line, and a body of no more than `limit` UTF-16 code units.

    Texts in it may come from anybody: they can't leave their cell, mention people, close issues, or bring HTML, links
    or Mermaid's syntax.

    Args:
        rest: the UTF-16 code units of a comment that takes the details; 0: they stand in the body, too.
    """
    named, first = title(proposed.place.title, proposed.lines), first_screen.first_screen(proposed)
    if not rest:
        return PullRequestText(named, _whole(proposed, first, limit))
    shown = _fitting(first, limit - _length([_LEFT_OUT, _BELOW]))
    again = first if _LEFT_OUT in shown else []
    return PullRequestText(named, join(_BETWEEN, [*shown, _BELOW]) + "\n", _whole(proposed, again, rest))


def _whole(proposed: Proposed, first: Sequence[Markup], limit: int) -> str:
    """A first screen, and all details."""
    end = [details.undo(proposed)]
    room = limit - _length([*end, _LEFT_OUT])
    parts = _fitting(
        [
            *first,
            *details.verdicts(proposed),
            *details.changes(proposed),
            *details.left_out(proposed),
            *details.gates(proposed),
            *matrix.matrix(proposed),
            *routing.routing(proposed),
            *details.coming(proposed),
            *details.staying(proposed),
            *details.operations(proposed),
        ],
        room,
    )
    parts += end
    room = limit - _length([*parts, _LEFT_OUT])
    last = _fitting(difference(proposed, room), room)
    parts += [one for one in last if one != _LEFT_OUT or _LEFT_OUT not in parts]  # there is room for it once
    return join(_BETWEEN, parts) + "\n"


def _fitting(parts: Sequence[Markup], room: int) -> list[Markup]:
    """The parts that fit into some room, and a sentence where there are others."""
    fitting: list[Markup] = []
    for part in parts:
        size = _length([part])
        if size <= room:
            fitting.append(part)
            room -= size
    return fitting if len(fitting) == len(parts) else [*fitting, _LEFT_OUT]


def _length(parts: Sequence[Markup]) -> int:
    return sum(units(part) + len(_BETWEEN) for part in parts)

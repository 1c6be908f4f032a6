"""A text, composed in GitHub's Markdown, in the Markdown of another forge."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from release_tool.pull_request.markdown import units
from release_tool.pull_request.messages import NO_WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.model.forge import Flavour

_FENCE = re.compile("`{3,}")
_SUMMARY = re.compile("<details><summary>(.*)</summary>")
_ALERT = re.compile(r"> \[!([A-Z]+)\]")
_COMMENT = re.compile("<!-- .* -->")
_COMMAND = re.compile(r"(?m)^([ \t]*)/(?=\w)")
_CUT = "\n\n…\n\nThis text was cut here: {title} takes no longer one.\n"


def adapted(text: str, flavour: Flavour, longest: int, title: str) -> str:
    """The same text for a forge, no longer than `longest` UTF-16 code units; what is cut off is said.

    Args:
        text: as `compose` or `comment` makes it: what is in it from outside acts on no forge already.
        longest: `flavour.body` or `flavour.comment`.
        title: the forge's name, for the sentence at a cut.
    """
    full = text if flavour.folds and flavour.alerts and flavour.mermaid and flavour.html else _plainer(text, flavour)
    if flavour.quick_actions:
        full = _COMMAND.sub(rf"\1{NO_WIDTH}/", full)
    return cut(full, longest, title)


def cut(text: str, longest: int, title: str) -> str:
    """A text of no more than so many UTF-16 code units, cut at the end of a line with a sentence."""
    if units(text) <= longest:
        return text
    ending = _CUT.format(title=title)
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * (longest - units(ending))].decode("utf-16-le", "ignore")
    kept = kept[: kept.rfind("\n") + 1 or None].rstrip("\n")
    fence = _open_fence(kept)
    if fence:  # the sentence must not stand in a block of code
        kept = kept[: kept.rindex(f"\n{fence}") if f"\n{fence}" in kept else 0]
    return kept + ending


def cut_title(title: str, flavour: Flavour) -> str:
    """A title that the forge takes, and takes for no draft: an environment may be called `wip`."""
    title = f"{NO_WIDTH}{title}" if flavour.drafts and title.casefold().startswith(flavour.drafts) else title
    return title if len(title) <= flavour.title else f"{title[: flavour.title - 1]}…"


def _plainer(text: str, flavour: Flavour) -> str:
    return "".join(_lines(text, flavour))


def _lines(text: str, flavour: Flavour) -> Iterator[str]:
    fence, hidden = "", False
    for line in text.splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        run = _FENCE.match(bare)
        if fence:
            if not hidden:
                yield line
            if bare == fence:
                fence, hidden = "", False
        elif run:
            fence, hidden = run[0], bare == f"{run[0]}mermaid" and not flavour.mermaid
            if not hidden:
                yield line
        else:
            yield from _changed(line, bare, flavour)


def _changed(line: str, bare: str, flavour: Flavour) -> Iterator[str]:
    """A line outside of code."""
    summary, alert = _SUMMARY.fullmatch(bare), _ALERT.fullmatch(bare)
    if not flavour.folds and (summary or bare == "</details>"):
        if summary:
            yield f"### {summary[1] if flavour.html else unescape(summary[1])}\n"
    elif alert and not flavour.alerts:
        yield f"> **{alert[1].capitalize()}**\n>\n"
    elif _COMMENT.fullmatch(bare) and not flavour.html:
        yield f"{bare.removeprefix('<!--').removesuffix('-->').strip()}\n"
    else:
        yield line


def _open_fence(text: str) -> str:
    """The fence of a block of code that a text leaves open; empty: none."""
    fence = ""
    for line in text.splitlines():
        run = _FENCE.match(line)
        if fence and line == fence:
            fence = ""
        elif not fence and run:
            fence = run[0]
    return fence

"""Setting a scalar: plain, quoted, empty, block, or an alias."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.yamledit.parser import content_start
from release_tool.yamledit.rewrite import Rewrite, Splice, into_empty, new_scalar
from release_tool.yamledit.siblings import Siblings
from release_tool.yamledit.source import show
from release_tool.yamledit.tree import STR_TAG, Plain, fits_plain, is_string

if TYPE_CHECKING:
    from release_tool.yamledit.source import Path, SourceText
    from release_tool.yamledit.tree import Node

_HEADER = re.compile(r"([|>])([-+0-9]*)([ \t]*#[^\r\n]*|[ \t]*)")
_FIRST_LINE = re.compile(r"(?:[ \t]*(?:\r\n|\r|\n))*( +)[^ \r\n]")


def replace_scalar(source: SourceText, path: Path, value: str) -> str:
    """Put a string (or a `Plain`) in the place of a scalar, an alias, or an empty `[]` or `{}`."""
    place = source.get(path)
    node = place.node
    if node is None:
        raise source.refusal("the document is empty", source.document.start, "Add an entry instead.")
    if node.tag not in (None, STR_TAG):
        raise source.unknown_tag(node, path)
    if node.kind in ("mapping", "sequence") and (node.items or node.pairs or not node.style):
        kind = "a mapping" if node.kind == "mapping" else "a list"
        raise source.refusal(f"{show(path)} is {kind}", node, "Set a value inside it, or remove it and add a new one.")
    if isinstance(value, Plain):
        is_already = node.kind == "scalar" and node.style is None and node.value == value
    else:
        is_already = node.value == value and is_string(node)
    if is_already:
        return source.text
    rewrite = Rewrite(source)
    twin, planned = rewrite.copy(node), new_scalar(value)
    twin.kind, twin.value, twin.style, twin.target = "scalar", planned.value, planned.style, None
    if node.style in ("|", ">"):
        splices = _replace_block_scalar(source, node, value)
    else:
        start, end = content_start(source.text, node), node.end.index
        new = _spelt(source, node, value, node.style, flow=place.in_flow)
        splices = [Splice(start, end, new) if start < end else into_empty(source, place, node, start, new)]
    return rewrite.finish(splices, rewrite.root(place.above, twin), node)


def _spelt(source: SourceText, node: Node, value: str, style: str | bool | None, *, flow: bool) -> str:
    """A scalar in the style of the old one, in the quotes of the file where plain isn't possible."""
    if style is None and node.tag is not None and fits_plain(value, flow=flow):
        return str(value)  # `!!str` makes it a string
    return Siblings(source, None, flow=flow).write(value, style)


def _replace_block_scalar(source: SourceText, node: Node, value: str) -> list[Splice]:
    """A new value for `|` and `>`: as block where its header still says the truth, else on the header's line."""
    start = content_start(source.text, node)
    header = _HEADER.match(source.text, start)
    assert header is not None  # block scalars have headers
    style, chomping = header.group(1), header.group(2)
    body = source.line(start).below
    found = _FIRST_LINE.match(source.text, body)
    if found and found.end() <= node.end.index and not isinstance(value, Plain) and _fits_block(value, style, chomping):
        line_break = source.line_break(start)
        lines = value.removesuffix("\n").split("\n")
        new = line_break.join(found.group(1) + line if line else "" for line in lines)
        return [Splice(body, node.end.index, new)]
    new = _spelt(source, node, value, None, flow=False)
    text = source.text[: node.end.index].rstrip(" \t\r\n")  # blank lines at its end stay, as layout
    end = max(source.line(len(text)).end, header.end())
    return [Splice(start, header.end(2), new), Splice(header.end(), end, "")]


def _fits_block(value: str, style: str, chomping: str) -> bool:
    """Whether a text can stand below the header of a block scalar as it is."""
    if chomping not in ("", "-") or not re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]+\Z").match(value):
        return False
    body = value.removesuffix("\n") if not chomping else value
    if (not chomping and body == value) or body[:1] in ("", " ", "\n") or body.endswith("\n"):
        return False
    lines = body.split("\n")
    return all(not line or line.strip(" ") for line in lines) if style == "|" else len(lines) == 1

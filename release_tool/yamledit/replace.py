"""Setting a scalar: plain, quoted, empty, block, or an alias."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.yamledit.nodes import content_start
from release_tool.yamledit.rewrite import Plan, Splice, into_empty, new_scalar
from release_tool.yamledit.scalars import Plain, fits_plain, is_string, write_scalar
from release_tool.yamledit.source import show

if TYPE_CHECKING:
    from release_tool.yamledit.nodes import Node
    from release_tool.yamledit.source import Path, Place, Source


def replace_scalar(source: Source, path: Path, value: str) -> str:
    """Put a string (or a `Plain`) in the place of a scalar, an alias, or an empty `[]` or `{}`.

    Raises:
        EditRefused: nothing there, a collection, or a place that can't be edited safely.
    """
    place = source.get(path)
    node = place.node
    if node is None:
        raise source.refusal("the document is empty", source.document.start, "Add an entry instead.")
    source.check_tag(node, path)
    if node.kind in ("mapping", "sequence") and (node.items or node.pairs or not node.style):
        kind = "a mapping" if node.kind == "mapping" else "a list"
        raise source.refusal(f"{show(path)} is {kind}", node, "Set a value inside it, or remove it and add a new one.")
    if _is_already(node, value):
        return source.text
    plan = Plan(source)
    twin = plan.copy(node)
    planned = new_scalar(value)
    twin.kind, twin.value, twin.style, twin.target = "scalar", planned.value, planned.style, None
    return plan.finish(_set_splices(source, place, node, value), plan.root(place.steps, twin), node)


def _is_already(node: Node, value: str) -> bool:
    """Whether a node is the value to be set."""
    if isinstance(value, Plain):
        return node.kind == "scalar" and node.style is None and node.value == value
    return node.value == value and is_string(node)


def _set_splices(source: Source, place: Place, node: Node, value: str) -> list[Splice]:
    """The splices that set a scalar."""
    start, end = content_start(source.text, node), node.end.index
    style = node.style if isinstance(node.style, str) else None
    if style in ("|", ">"):
        return _set_block_scalar(source, node, value)
    new = _spelt(source, node, value, style, flow=place.in_flow)
    if start < end:
        return [Splice(start, end, new)]
    return [into_empty(source, place, node, start, new)]


def _spelt(source: Source, node: Node, value: str, style: str | None, *, flow: bool) -> str:
    """A scalar in the style of the old one, in the quotes of the file where plain isn't possible."""
    if style is None and node.tag is not None and not isinstance(value, Plain) and fits_plain(value, flow=flow):
        return value  # `!!str` makes it a string
    if flow and source.style.is_json:
        style = '"'
    plain = write_scalar(value, style, '"', flow=flow)
    if style is None and plain[:1] == '"' and not isinstance(value, Plain):
        return write_scalar(value, None, source.style.quote, flow=flow)
    return plain


_HEADER = re.compile(r"([|>])([-+0-9]*)([ \t]*#[^\r\n]*|[ \t]*)")


def _set_block_scalar(source: Source, node: Node, value: str) -> list[Splice]:
    """A new value for `|` and `>`: as block where its header still says the truth, else on the header's line."""
    start = content_start(source.text, node)
    header = _HEADER.match(source.text, start)
    assert header is not None  # block scalars have headers
    style, chomping = header.group(1), header.group(2)
    body = source.next_line(start)
    found = re.compile(r"(?:[ \t]*(?:\r\n|\r|\n))*( +)[^ \r\n]").match(source.text, body)
    if found and found.end() <= node.end.index and not isinstance(value, Plain) and _fits_block(value, style, chomping):
        line_break = source.line_break(start)
        lines = value.removesuffix("\n").split("\n")
        new = line_break.join(found.group(1) + line if line else "" for line in lines)
        return [Splice(body, node.end.index, new)]
    new = _spelt(source, node, value, None, flow=False)
    text = source.text[: node.end.index].rstrip(" \t\r\n")  # blank lines at its end stay, as layout
    end = max(source.line_end(len(text)), header.end())
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

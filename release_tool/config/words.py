"""Words for errors in `release.yaml`: values and names on one line, and never a credential."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.yamledit.nodes import is_string, scalar_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.yamledit.nodes import Node

_CREDENTIAL = re.compile(r"(?<=//)[^\s]*@|^[^\s/:]+:(?!//)[^\s]*@(?!sha256:)")
"""What stands before the `@` of a URL, or before that of a host without a scheme."""


def found(node: Node) -> str:
    """What stands at a node, in words."""
    if node.kind != "scalar":
        word = {"mapping": "mapping", "sequence": "list"}.get(node.kind, "alias")
        return f"a {word}" if node.pairs or node.items else f"an empty {word}"
    value = scalar_value(node)
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return f"the number {node.value}"
    if is_string(node):
        return f"the text {shown(value)}"
    return f"{shown(value)}, which not all readers of YAML take for a text"


def shown(text: str) -> str:
    """A text for one line of an error: quoted, control characters escaped, credentials hidden, cut."""
    text = _CREDENTIAL.sub("…@", text)
    return repr(text if len(text) <= 60 else text[:59] + "…")


def listed(words: Iterator[str] | list[str]) -> str:
    """`a, b, c`."""
    return ", ".join(words)


def one_of(words: dict[str, str]) -> str:
    """`a, b or c`."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def joined(path: str, name: str) -> str:
    """The path of a key. A name that isn't plain is shown as Python would write it, so no line is broken."""
    safe = name if re.fullmatch(r"[A-Za-z0-9_-]{1,63}", name) else shown(name)
    return f"{path}.{safe}" if path else safe

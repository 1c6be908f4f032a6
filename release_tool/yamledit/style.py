"""The style that a text is written in, as most of its places have it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from release_tool.yamledit.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.yamledit.tree import Node, YamlDocument

_JSON_LITERAL = re.compile(r"(?:true|false|null|-?[0-9.eE+-]+)\Z")


def nested(path: str, value: str) -> str:
    """A path of keys as one line: `engine.image` with `{}` is `engine: {image: {}}`."""
    outer, _, inner = path.partition(".")
    return f"{outer}: {{{nested(inner, value)}}}" if inner else f"{outer}: {value}"


class Style:
    """The style of a text; each answer takes a walk over all nodes, so it is looked up once it is needed."""

    def __init__(self, documents: Sequence[YamlDocument], root: Node | None) -> None:
        self.root = root
        self.nodes = list(walk([document.root for document in documents if document.root is not None]))

    @cached_property
    def mapping_step(self) -> int:
        """Columns that mappings inside mappings are indented by in most places of the text; 2 without an example."""
        steps = [child - parent for kind, parent, child in self._indents() if kind == "mapping" and child > parent]
        return _most_common(steps, 2)

    @cached_property
    def sequence_step(self) -> int:
        """The same for the dashes of lists below their key: 0 where they stand flush with it."""
        steps = [child - parent for kind, parent, child in self._indents() if kind == "sequence" and child >= parent]
        return _most_common(steps, 2)

    @cached_property
    def quote(self) -> str:
        """The quotes that most quoted values of the text have; double quotes without an example."""
        styles = [node.style for node in self.nodes if node.kind == "scalar" and node.style in ("'", '"')]
        return "'" if styles.count("'") > styles.count('"') else '"'

    @cached_property
    def is_json(self) -> bool:
        """Whether the document is JSON: in brackets, all strings in double quotes."""
        if self.root is None or not self.root.style or self.root.kind not in ("mapping", "sequence"):
            return False
        scalars = [node for node in walk([self.root]) if node.kind == "scalar"]
        return any(node.style for node in scalars) and all(
            node.style == '"' or (node.style is None and _JSON_LITERAL.match(node.value)) for node in scalars
        )

    def _indents(self) -> Iterator[tuple[str, int, int]]:
        """Kind, column of the key and column of the entries of each block collection below a key."""
        for node in self.nodes:
            if node.kind != "mapping" or node.style:
                continue
            for key, value in node.pairs:
                if value.kind == "mapping" and not value.style:
                    yield value.kind, key.start.column, value.pairs[0][0].start.column
                elif value.kind == "sequence" and not value.style and value.anchor is None and value.tag is None:
                    yield value.kind, key.start.column, value.start.column


def _most_common(numbers: list[int], default: int) -> int:
    """The number that stands most often, the smaller of two that stand equally often."""
    return max(sorted(set(numbers)), key=numbers.count, default=default)

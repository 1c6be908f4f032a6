"""The style of siblings, which a new entry copies: quotes, gaps, brackets, indentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from release_tool.yamledit.scalars import Plain, is_string, reads_as_string, write_scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.yamledit.source import Source
    from release_tool.yamledit.tree import Node

Value: TypeAlias = "str | Flow | Mapping[str, Value] | Sequence[Value]"
"""What can be added: a string, which stays a string; a `Plain`; a mapping or a list of them; or a `Flow`."""


class Flow:
    """A mapping or a list that is written on one line (`{reason: slow, until: 2027-03-31}`).

    Siblings that are written over several lines are followed all the same.

    Args:
        value: the mapping or the list.
    """

    __slots__ = ("value",)

    def __init__(self, value: Mapping[str, Value] | Sequence[Value]) -> None:
        self.value = value


class Look:
    """The style of the entries of one collection, which a new entry copies.

    Args:
        source: the text.
        node: the collection whose entries are looked at; None where there is none yet.
        flow: whether the new entry stands inside `[…]` or `{…}`.
    """

    def __init__(self, source: Source, node: Node | None, *, flow: bool) -> None:
        self.source = source
        self.flow = flow
        pairs = [] if node is None else node.pairs
        self.pairs = [(key, value) for key, value in pairs if key.kind == "scalar" and key.value != "<<"]
        self.values = [value for _, value in self.pairs] if pairs else [] if node is None else node.items
        self.strings = [value for value in self.values if value.kind == "scalar" and value.style in (None, "'", '"')]

    def scalar(self, text: str, key: str | None = None) -> str:
        """A string like its siblings, plain or in their quotes; like the one of the same key, if there is one."""
        same = [value.style for name, value in self.pairs if name.value == key and value in self.strings]
        return self.write(text, same[-1] if same else self.value_style())

    def key(self, text: str) -> str:
        """A key like its siblings."""
        return self.write(text, self.pairs[-1][0].style if self.pairs else None)

    def write(self, text: str, style: str | bool | None) -> str:
        """A string in a style, or in the quotes of siblings or of the file where plain isn't possible."""
        if isinstance(text, Plain):
            return str(text)
        if self.flow and self.source.style.is_json:
            style = '"'
        if style not in ("'", '"') and reads_as_string(text, self.flow):
            return text
        quoted = [value.style for value in self.strings if value.style in ("'", '"')]
        quote = quoted[-1] if quoted else self.source.style.quote
        return write_scalar(text, style if isinstance(style, str) else None, str(quote), flow=self.flow)

    def value_style(self) -> str | bool | None:
        """The style of the last sibling that had a choice: quotes that a value needs say nothing about the others."""
        strings = [value for value in self.strings if is_string(value)] if self.pairs else self.strings
        free = [value for value in strings if value.style is None or reads_as_string(value.value, self.flow)]
        return (free or strings)[-1].style if strings else None

    def example(self, value: Mapping[str, Value] | Sequence[Value]) -> Node | None:
        """The last sibling of the same kind that isn't empty; a mapping with a key in common before all others."""
        if isinstance(value, Mapping):
            found = [node for node in self.values if node.pairs]
            alike = [node for node in found if any(name.value in value for name, _ in node.pairs)]
            found = alike or found
        else:
            found = [node for node in self.values if node.items]
        return found[-1] if found else None

    def inside(self, value: Mapping[str, Value] | Sequence[Value], *, flow: bool) -> Look:
        """The style inside a new collection: that of a sibling which holds the same sort of thing."""
        example = self.example(value)
        alike = example is not None and (
            not isinstance(value, Mapping) or any(name.value in value for name, _ in example.pairs)
        )
        return Look(self.source, example if alike else None, flow=flow)

    def wants_flow(self, value: Mapping[str, Value] | Sequence[Value], *, marked: bool) -> bool:
        """Whether a new collection is written on one line: like its siblings, else as its caller marked it."""
        example = self.example(value)
        return self.flow or (marked if example is None else bool(example.style))

    def step(self, value: Mapping[str, Value] | Sequence[Value]) -> int:
        """Columns from a key to the entries of a new collection below it: those of a sibling, else of the file."""
        example = self.example(value)
        if example is not None and not example.style and self.pairs:
            key = next(key for key, node in self.pairs if node is example)
            return self.source.column(self.source.head(example, 0)) - key.start.column + 1
        return self.source.style.mapping_step if isinstance(value, Mapping) else self.source.style.sequence_step

    def dash_gap(self) -> str:
        """The blanks behind the dash, like those of the last item that stands on the line of its dash."""
        for item in reversed(self.values):
            before = self.source.text[self.source.line_start(item.start.index) : item.start.index]
            gap = before[len(before.rstrip(" \t")) :]
            if before.rstrip(" \t").endswith("-") and gap and item.start.index < item.end.index:
                return gap
        return " "

    def colon(self, key: str, column: int) -> str:
        """The colon of a new pair with the blanks around it; values that stand in one column stay in it.

        Args:
            key: the new key as written.
            column: where it starts.
        """
        gaps = [gap for pair in self.pairs if (gap := self.gap(*pair)) is not None]
        if not gaps:
            return ": "
        before, after, value_column = gaps[-1]
        if all(gap[:2] == (before, after) for gap in gaps) and (after or (self.flow and key[0] in "'\"")):
            return f"{before}:{after}"
        if not before and not self.flow and all(gap[2] == value_column for gap in gaps):
            return ":" + " " * max(value_column - column - len(key) - 1, 1)
        return f"{before}: "

    def gap(self, key: Node, value: Node) -> tuple[str, str, int] | None:
        """Blanks before and behind the colon and the column of the value, where they are on one line."""
        colon = self.source.colon(key, value)
        before = self.source.text[key.end.index : colon]
        after = self.source.text[colon + 1 : value.start.index]
        if value.start.index == value.end.index or after.strip(" ") or colon == key.end.index == value.start.index:
            return None
        return before, after, value.start.column - 1

    def step_below_dash(self, value: Mapping[str, Value] | Sequence[Value], column: int) -> int | None:
        """Columns from a dash that stands alone to the entries below it; None where siblings start beside it."""
        example = self.example(value)
        if example is None or example.style or example.anchor is not None or example.tag is not None:
            return None
        head = self.source.head(example, 0)
        return self.source.column(head) - column if self.source.begins_line(head) else None

    def padding(self, value: Mapping[str, Value] | Sequence[Value]) -> str:
        """The blank behind the bracket of a sibling in flow style: `{ a: 1 }` has one, `{a: 1}` none."""
        example = self.example(value)
        if example is None or not example.style:
            return ""
        return " " if self.source.is_padded(example) else ""

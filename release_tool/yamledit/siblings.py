"""New values are written like their siblings: quotes, gaps, brackets, indentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from release_tool.yamledit.tree import UNPRINTABLE, Plain, is_string, reads_as_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.yamledit.source import SourceText
    from release_tool.yamledit.tree import Node

Value: TypeAlias = "str | Flow | Mapping[str, Value] | Sequence[Value]"
"""What can be added: a string, which stays a string; a `Plain`; a mapping or a list of them; or a `Flow`."""

_ESCAPED = r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]'
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


class Flow:
    """A mapping or a list that is written on one line, unless its siblings are written over several lines."""

    __slots__ = ("value",)

    def __init__(self, value: Mapping[str, Value] | Sequence[Value]) -> None:
        self.value = value


class Siblings:
    """The entries of one collection, whose style a new entry copies; `flow`: it stands inside `[…]` or `{…}`."""

    def __init__(self, source: SourceText, node: Node | None, *, flow: bool) -> None:
        self.source = source
        self.flow = flow
        pairs = [] if node is None else node.pairs
        self.pairs = [(key, value) for key, value in pairs if key.kind == "scalar" and key.value != "<<"]
        self.values = [value for _, value in self.pairs] if pairs else [] if node is None else node.items
        self.strings = [value for value in self.values if value.kind == "scalar" and value.style in (None, "'", '"')]

    def lines(self, value: Value, column: int, key: str | None, name: str | None) -> list[str]:
        """A value in block style: what follows its key (as written) or its dash at a column, and the lines below."""
        gap = self.dash_gap() if key is None else self.colon(key, column)
        if isinstance(value, str):
            return [gap + self.scalar(value, name)]
        bare = value.value if isinstance(value, Flow) else value
        example = self._example(bare)
        one_line = isinstance(value, Flow) if example is None else bool(example.style)
        if not bare or one_line or self.flow:
            return [gap + self.inline(bare)]
        inside = self._inside(bare, example, flow=False)
        head = None if example is None or example.style else self.source.head(example, 0)
        if key is not None:
            if head is not None:  # as far from the key as the entries of the example are from its key
                above = next(other for other, node in self.pairs if node is example)
                step = self.source.column(head) - above.start.column + 1
            else:
                step = self.source.style.mapping_step if isinstance(bare, Mapping) else self.source.style.sequence_step
            return [gap.rstrip(" \t"), *inside.block(bare, column + step)]
        is_bare = example is not None and example.anchor is None and example.tag is None
        if head is not None and is_bare and self.source.begins_line(head):  # the dash of the example stands alone
            return ["", *inside.block(bare, self.source.column(head))]
        first, *rest = inside.block(bare, column + 1 + len(gap))
        return [gap + first.lstrip(" "), *rest]

    def block(self, value: Mapping[str, Value] | Sequence[Value], column: int) -> list[str]:
        """The lines of a collection that has these siblings inside it, its entries at a column."""
        lines: list[str] = []
        for name, inner in value.items() if isinstance(value, Mapping) else ((None, item) for item in value):
            key = None if name is None else self.key(name)
            first, *rest = self.lines(inner, column, key, name)
            lines += [" " * column + ("-" if key is None else key) + first, *rest]
        return lines

    def inline(self, value: Value, name: str | None = None) -> str:
        """A value on one line."""
        if isinstance(value, str):
            return self.scalar(value, name)
        bare = value.value if isinstance(value, Flow) else value
        example = self._example(bare)
        inside = self._inside(bare, example, flow=True)
        if isinstance(bare, Mapping):
            pairs = ((inside.key(name), name, inner) for name, inner in bare.items())
            body = ", ".join(key + inside.colon(key, 0) + inside.inline(inner, name) for key, name, inner in pairs)
        else:
            body = ", ".join(inside.inline(inner) for inner in bare)
        padding = " " if body and example is not None and example.style and self.source.is_padded(example) else ""
        return ("{{{}}}" if isinstance(bare, Mapping) else "[{}]").format(padding + body + padding)

    def scalar(self, text: str, name: str | None = None) -> str:
        """A string like the sibling of the same key, else like the last one that had a choice."""
        same = [value.style for key, value in self.pairs if key.value == name and value in self.strings]
        if same:
            return self.write(text, same[-1])
        strings = [value for value in self.strings if is_string(value)] if self.pairs else self.strings
        # Quotes that a value needs say nothing about the others.
        free = [value for value in strings if value.style is None or reads_as_string(value.value, self.flow)]
        return self.write(text, (free or strings)[-1].style if strings else None)

    def key(self, text: str) -> str:
        return self.write(text, self.pairs[-1][0].style if self.pairs else None)

    def write(self, text: str, style: str | bool | None) -> str:
        """A string in a style, or in the quotes of siblings or of the file where plain isn't possible."""
        if isinstance(text, Plain):
            return str(text)
        if self.flow and self.source.style.is_json:
            style = '"'
        if style not in ("'", '"'):
            if reads_as_string(text, self.flow):
                return text
            quoted = [value.style for value in self.strings if value.style in ("'", '"')]
            style = quoted[-1] if quoted else self.source.style.quote
        if style == "'" and (text.isprintable() or not re.search(UNPRINTABLE, text)):
            return "'" + text.replace("'", "''") + "'"
        return '"' + re.sub(_ESCAPED, _escape, text) + '"'

    def dash_gap(self) -> str:
        """The blanks behind the dash, like those of the last item that stands on the line of its dash."""
        for item in reversed(self.values):
            before = self.source.text[self.source.line(item.start.index).start : item.start.index]
            gap = before[len(before.rstrip(" \t")) :]
            if before.rstrip(" \t").endswith("-") and gap and item.start.index < item.end.index:
                return gap
        return " "

    def colon(self, key: str, column: int) -> str:
        """The colon of a new pair with the blanks around it; values that stand in one column stay in it."""
        text = self.source.text
        gaps = []
        for name, value in self.pairs:
            colon, start = self.source.colon(name, value), value.start
            after = text[colon + 1 : start.index]
            is_bare = colon == name.end.index == start.index  # `{a, b}`
            if start.index < value.end.index and not after.strip(" ") and not is_bare:
                gaps.append((text[name.end.index : colon], after, start.column - 1))
        if not gaps:
            return ": "
        before, after, value_column = gaps[-1]
        if all(gap[:2] == (before, after) for gap in gaps) and (after or (self.flow and key[0] in "'\"")):
            return f"{before}:{after}"
        if not before and not self.flow and all(gap[2] == value_column for gap in gaps):
            return ":" + " " * max(value_column - column - len(key) - 1, 1)
        return f"{before}: "

    def _example(self, value: Mapping[str, Value] | Sequence[Value]) -> Node | None:
        """The last sibling of the same kind that isn't empty; a mapping with a key in common before all others."""
        if isinstance(value, Mapping):
            found = [node for node in self.values if node.pairs]
            found = [node for node in found if any(name.value in value for name, _ in node.pairs)] or found
        else:
            found = [node for node in self.values if node.items]
        return found[-1] if found else None

    def _inside(self, value: Mapping[str, Value] | Sequence[Value], example: Node | None, *, flow: bool) -> Siblings:
        """The siblings inside a new collection: those inside an example which holds the same sort of thing."""
        if example is not None and isinstance(value, Mapping):
            example = example if any(name.value in value for name, _ in example.pairs) else None
        return Siblings(self.source, example, flow=flow)


def _escape(found: re.Match[str]) -> str:
    """One character in the notation of double quotes."""
    character = found.group()
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

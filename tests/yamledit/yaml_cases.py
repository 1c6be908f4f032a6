"""Golden folders as operations, and YAML texts in many styles for the laws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from release_tool.yamledit import edits
from release_tool.yamledit.parser import documents
from release_tool.yamledit.tree import Node

GOLDEN = Path(__file__).parent / "golden"


class Case(NamedTuple):
    """One golden folder; `skip` names the variants that it leaves out, each with the reason."""

    name: str
    before: str
    operations: list[dict[str, Any]]
    skip: dict[str, str]
    after: str | None
    refusal: str | None


def read_case(folder: Path) -> Case:
    data = json.loads((folder / "operation.json").read_text(encoding="utf-8"))
    after, refusal = folder / "after.yaml", folder / "refusal.txt"
    return Case(
        folder.name,
        (folder / "before.yaml").read_bytes().decode("utf-8"),
        data["operations"],
        data.get("skip", {}),
        after.read_bytes().decode("utf-8") if after.exists() else None,
        refusal.read_bytes().decode("utf-8") if refusal.exists() else None,
    )


def all_cases() -> list[Case]:
    return [read_case(folder) for folder in sorted(GOLDEN.iterdir()) if folder.is_dir()]


def apply(text: str, operations: list[dict[str, Any]], document: int = 0) -> str:
    """The text after all operations; `document` counts on top of what an operation names itself."""
    for operation in operations:
        arguments = {name: value for name, value in operation.items() if name != "call"}
        for name in ("path", "to"):
            if name in arguments:
                arguments[name] = tuple(arguments[name])
        if "value" in arguments:
            arguments["value"] = value_of(arguments["value"])
        arguments["document"] = arguments.get("document", 0) + document
        text = getattr(edits, operation["call"])(text, **arguments)
    return text


def value_of(data: Any) -> Any:
    """`{"$plain": text}` and `{"$flow": value}` are the two markers; all else is itself."""
    if isinstance(data, dict):
        if data.keys() == {"$plain"}:
            return edits.Plain(data["$plain"])
        if data.keys() == {"$flow"}:
            return edits.Flow(value_of(data["$flow"]))
        return {name: value_of(inner) for name, inner in data.items()}
    return [value_of(inner) for inner in data] if isinstance(data, list) else data


# --- texts in many styles ---------------------------------------------------------------------------------------------

KEYS = ["a", "b", "key", "long_key", "with-dash", "dotted.key", "'quoted'", '"double"', "80", "on", "ключ", '"a b"']
SCALARS = [
    "v1.0.5", "1.10", "yes", "null", "~", "word", "two words", "http://x/y?z#w", "a:b", "12:30", "x'y", "'it''s'", "''",
    '"say \\"x\\""', '"esc\\n\\u00e9"', '"{{ .Values.x }}"', "é😀", "-1", "- x"[2:], "2026-08-22", "'#'", '" "',
]  # fmt: skip
FLOWS = [
    "[]",
    "{}",
    "[x, 'y', 3]",
    "{k: v, l: [1, 2]}",
    "[ x ]",
    "{ k: v }",
    '{"k":"v","l":1}',
    "[x, {k: v},]",
    "[[a], []]",
]
LONG_FLOWS = [
    "[\n{i}x,  # about x\n{i}y\n{o}]",
    "{{\n{i}k: v,\n{i}l: w,  # c\n{o}}}",
    "[x,\n{i}y]",
    "[\n{i}# none\n{o}]",
]
LONG_SCALARS = ['"two\n{i}lines"', "plain\n{i}text", "'p\n\n{i}q'"]
BLOCKS = ["|", ">", "|-", ">-", "|+", "|  # header", ">+"]
COMMENTS = ["# c", "# key: value", "#", "# - x", "# 'quote", "# {{ .x }}"]


@st.composite
def yaml_texts(draw: st.DrawFn) -> str:
    """A document whose root is a block mapping or a block list, in a style of its own."""
    writer = _Writer(draw)
    lines = [draw(st.sampled_from(COMMENTS))] if draw(st.booleans()) else []
    lines += writer.mapping(0, 0) if draw(st.integers(0, 3)) else writer.sequence(0, 0)
    if draw(st.booleans()):
        lines += ["", "# the end"]
    text = "\n".join(lines) + "\n"
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\n", "\r\n"])))


class _Writer:
    """Writes random collections; keeps the style of one text."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.step = draw(st.sampled_from([2, 2, 4, 3, 1]))
        self.offset = draw(st.sampled_from([0, 2, 4, 1]))
        self.gap = draw(st.sampled_from([" ", " ", "   "]))
        self.colon = draw(st.sampled_from([": ", ": ", ":    ", " : "]))

    def maybe(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == 1

    def layout(self, column: int) -> list[str]:
        """Blank lines and comments between two entries."""
        lines = []
        if self.maybe(5):
            lines.append("")
        if self.maybe(4):
            where = self.draw(st.sampled_from([column, column, column, 0, column + 1]))
            lines.append(" " * where + self.draw(st.sampled_from(COMMENTS)))
        return lines

    def comment(self, *gaps: str) -> str:
        """A comment on the line of an entry, or nothing; a tab may stand before it behind a value only."""
        return (
            self.draw(st.sampled_from(["  ", " ", *gaps])) + self.draw(st.sampled_from(COMMENTS))
            if self.maybe(4)
            else ""
        )

    def mapping(self, column: int, depth: int) -> list[str]:
        lines: list[str] = []
        for key in self.draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True)):
            lines += self.layout(column)
            head, *rest = self.value(column, depth, self.colon)
            lines += [" " * column + key + head, *rest]
        return lines

    def sequence(self, column: int, depth: int) -> list[str]:
        lines: list[str] = []
        for _ in range(self.draw(st.integers(1, 4))):
            lines += self.layout(column)
            if depth < 3 and self.maybe(4):
                inner = column + 1 + len(self.gap)
                below = self.mapping(inner, depth + 1) if self.maybe(2) else self.sequence(inner, depth + 1)
                first = next(
                    number for number, line in enumerate(below) if line.strip() and "#" not in line[: inner + 1]
                )
                lines += [*below[:first], " " * column + "-" + self.gap + below[first][inner:], *below[first + 1 :]]
            else:
                head, *rest = self.value(column, 3, self.gap)
                lines += [" " * column + "-" + head, *rest]
        return lines

    def value(self, column: int, depth: int, gap: str) -> list[str]:
        """A value behind a key (`gap` with the colon) or a dash."""
        kind = self.draw(
            st.sampled_from(["scalar"] * 6 + ["flow"] * 2 + ["nothing", "block", "long", "nested", "nested"])
        )
        inner = " " * (column + self.step)
        if kind == "nested" and depth < 3:
            if self.maybe(2):
                return [gap.rstrip() + self.comment(), *self.mapping(column + self.step, depth + 1)]
            return [gap.rstrip() + self.comment(), *self.sequence(column + self.offset, depth + 1)]
        if kind == "nothing":
            return [gap.rstrip() + self.comment()]
        if kind == "block":
            text = self.draw(st.sampled_from([["text"], ["# no", "", "text: x"], ["two", "  lines"], ["text", "", ""]]))
            return [gap + self.draw(st.sampled_from(BLOCKS)), *(inner + line if line else "" for line in text)]
        if kind == "long":
            form = self.draw(st.sampled_from(LONG_FLOWS + LONG_SCALARS))
            return (
                gap
                + form.replace("{{", "{").replace("}}", "}").replace("{i}", inner).replace("{o}", " " * (column + 1))
            ).split("\n")
        if kind == "flow":
            return [gap + self.draw(st.sampled_from(FLOWS)) + self.comment()]
        return [gap + self.draw(st.sampled_from(SCALARS)) + self.comment("\t")]


NASTY = [
    "v1.0.5", "1.10", "yes", "2026-08-22", "12:30", "0x1F", "1e3", "12e3456", "=", "<<", "a: b", "a #b", "#x", "- x", "",
    "~", "null", " lead", "trail ", "it's", 'say "x"', "back\\slash", "two\nlines\n", "tab\tx", "é✓😀", "{x}", "[a", "a,b",
    "*a", "&a", "!t", "%x", "@x", "`x`", "? q", "x:", ":x", "-", "---", "...", "\u2028", "\x85", "\x07", "0o17", "1_000",
    ".inf", "on", "y", "|", "> x", "\ufeff", "sha256:" + "0" * 64, "word", "two words",
]  # fmt: skip

values = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))


def paths(text: str) -> list[tuple[tuple[str | int, ...], Node]]:
    """All nodes of the first document with their paths, the root first."""
    found: list[tuple[tuple[str | int, ...], Node]] = []
    root = documents(text)[0]
    pending: list[tuple[tuple[str | int, ...], Node]] = [] if root is None else [((), root)]
    while pending:
        path, node = pending.pop()
        found.append((path, node))
        pending += [((*path, number), item) for number, item in enumerate(node.items)]
        pending += [((*path, key.value), value) for key, value in node.pairs]
    return found

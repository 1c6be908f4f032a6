"""From the nodes of `release.yaml` to plain values, by the keys of the sections; all mistakes are collected.

What is wrong with a value is worded by config/mistakes.py. What spans several keys is checked by config/reader.py.
"""

from __future__ import annotations

import re
import warnings
from datetime import timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from release_tool.config import ConfigError
from release_tool.config.kinds import (
    MAX_EXPRESSION,
    UNITS,
    VERSION_PATTERN,
    Duration,
    Listing,
    Section,
    Table,
    Text,
    Whole,
    broken_rule,
)
from release_tool.errors import Problem
from release_tool.model.expressions import TooSlow, compiled
from release_tool.yamledit.tree import is_string, scalar_value

if TYPE_CHECKING:
    from release_tool.config.kinds import Kind
    from release_tool.yamledit.tree import Node

MAX_PROBLEMS = 100
"""After so many mistakes the rest isn't looked at: the file is something else, or hostile."""

_PLAIN_TAGS = frozenset(("!", *(f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))))
BAD: Final[Any] = object()
"""Stands for a value with a mistake, so that no later check takes it for one that isn't written."""


def joined(path: str, name: str) -> str:
    """The path of a key. A name that isn't plain is shown as Python would write it, so no line is broken."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,63}", name):
        from release_tool.config.mistakes import shown

        name = shown(name)
    return f"{path}.{name}" if path else name


class Reading:
    """One reading of one file.

    Attributes:
        file: name of the file, for errors.
        places: key path -> node of the key, for mistakes that span several keys.
        problems: what was found so far; the key makes the same mistake behind two aliases one.
    """

    def __init__(self, file: str = "release.yaml") -> None:
        self.file = file
        self.places: dict[str, Node] = {}
        self.problems: dict[tuple[int, int, str], Problem] = {}

    def problem(self, node: Node, path: str, what: str, hint: str = "") -> Any:
        """Note a mistake, and return `BAD`.

        Raises:
            ConfigError: there are too many.
        """
        line, column = node.start.line, node.start.column
        self.problems.setdefault((line, column, what), Problem(line, column, path, what, hint))
        if len(self.problems) >= MAX_PROBLEMS:
            line, column, _ = max(self.problems)
            what = f"{MAX_PROBLEMS} mistakes; the rest of the file is not looked at"
            raise ConfigError(self.file, [*self.problems.values(), Problem(line, column, "", what)])
        return BAD

    def _wrong(self, kind: Kind, node: Node, path: str) -> Any:
        """Note that the node is no value of this kind."""
        from release_tool.config.mistakes import wrong_value  # a file without mistakes doesn't pay for it

        return self.problem(node, path, *wrong_value(kind, node))

    def problem_at(self, path: str, what: str, hint: str = "") -> None:
        """Note a mistake that spans several keys."""
        self.problem(self.node(path), path, what, hint)

    def node(self, path: str) -> Node:
        """The node of a key; of one that is missing or misspelt, the node of the nearest key around it."""
        while path not in self.places:
            path = path.rpartition(".")[0]
        return self.places[path]

    def value(self, kind: Kind, node: Node, path: str) -> Any:
        """The value of a node: text, number, pattern, timedelta, tuple of texts, dictionary; `BAD` with a mistake."""
        node = node.target or node  # an alias is what it stands for; definitions end, so a loop of aliases does too
        if node.tag is not None and node.tag not in _PLAIN_TAGS:
            from release_tool.config.mistakes import shown

            return self.problem(node, path, f"the YAML tag {shown(node.tag)} has no meaning here", "leave it out")
        match kind:
            case Section():
                made: Any = self._section(kind, node, path)
            case Table():
                made = self._table(kind, node, path)
            case Listing():
                made = self._listing(kind, node, path)
            case _ if kind is re.Pattern:
                made = self._expression(node, path)
            case _:
                made = self._single(kind, node, path)
        return made

    def _single(self, kind: Kind, node: Node, path: str) -> Any:
        """A text, a choice, a number, a duration, true or false."""
        value = scalar_value(node) if node.kind == "scalar" else None
        text = node.value if is_string(node) else None
        match kind:
            case Text() if text is not None and broken_rule(text, kind) is None:
                is_wrong = kind is VERSION_PATTERN and self._expression(node, path) is BAD
                made: Any = BAD if is_wrong else text
            # a word that readers of YAML see differently (`off`) can only mean itself here
            case dict() if isinstance(value, str) and node.value in kind:
                made = node.value
            case Whole() if type(value) is int and kind.minimum <= value <= kind.maximum:
                made = value
            case Duration() if text is not None and re.fullmatch(kind.pattern, text):
                made = timedelta(**{UNITS[text[-1]]: int(text[:-1])})
            case _ if kind is bool and isinstance(value, bool):
                made = value
            case _ if kind is float and isinstance(value, int | float) and type(value) is not bool and isfinite(value):
                made = float(value)
            case _:
                made = self._wrong(kind, node, path)
        return made

    def _expression(self, node: Node, path: str) -> Any:
        """A regular expression, compiled."""
        if is_string(node) and len(node.value) <= MAX_EXPRESSION:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")  # Python warns of what it will read differently one day
                    return compiled(node.value)
            except (re.error, Warning, OverflowError, RecursionError, TooSlow) as error:
                from release_tool.config.mistakes import shown

                return self.problem(node, path, f"{shown(node.value)} is not a regular expression: {error}")
        return self._wrong(re.Pattern, node, path)

    def _listing(self, kind: Listing, node: Node, path: str) -> Any:
        if node.kind != "sequence" or len(node.items) > kind.most or (kind.repeats and not node.items):
            return self._wrong(kind, node, path)
        values: list[Any] = []
        for index, item in enumerate(node.items):
            value = self.value(kind.item, item, f"{path}[{index}]")
            if value is not BAD and value in values and not kind.repeats:
                from release_tool.config.mistakes import shown

                value = self.problem(item, f"{path}[{index}]", f"{shown(value)} stands twice in the list")
            values.append(value)
        return BAD if BAD in values else tuple(values)

    def _section(self, section: Section, node: Node, path: str) -> Any:
        """The keys of a section that are written; one with a mistake, or that is missing, is `BAD`.

        An empty value is an empty section.
        """
        if node.kind == "scalar" and scalar_value(node) is None and not section.required:
            return {}
        if node.kind != "mapping":
            return self._wrong(section, node, path)
        pairs = self._pairs(node, path)
        values: dict[str, Any] = {}
        meant = set()
        for name, (key_node, value_node) in pairs.items():
            key, inner = section.keys.get(name), joined(path, name)
            if key is None:
                from release_tool.config.mistakes import unknown_key

                likely, *problem = unknown_key(section, name, set(pairs))
                self.problem(key_node, inner, *problem)
                meant.add(likely)
            else:
                values[name] = self.value(key.kind, value_node, inner)
        for name in section.required:
            # a misspelt key is one mistake, not two
            if not ({name, section.keys[name].unless} - {""}) & {*pairs, *meant}:  # a key may be empty
                from release_tool.config.mistakes import missing_key

                values[name] = self.problem(node, joined(path, name), *missing_key(name, section.keys[name]))
        return {**values, **{name: BAD for name in meant if name}}

    def _table(self, kind: Table, node: Node, path: str) -> Any:
        """Sections by name, at least one."""
        if node.kind != "mapping" or not 0 < len(node.pairs) <= kind.most:
            return self._wrong(kind, node, path)
        values: dict[str, Any] = {}
        for name, (key_node, value_node) in self._pairs(node, path).items():
            inner = joined(path, name)
            good = self.value(kind.name, key_node, inner) is not BAD
            entry = self.value(kind.entry, value_node, inner)
            values[name] = entry if good else BAD
        return values

    def _pairs(self, node: Node, path: str) -> dict[str, tuple[Node, Node]]:
        """The pairs of a mapping by the text of their keys; the first of those that stand twice."""
        pairs: dict[str, tuple[Node, Node]] = {}
        for key_node, value_node in node.pairs:
            name = key_node.value
            if key_node.kind != "scalar" or (key_node.tag is not None and key_node.tag not in _PLAIN_TAGS):
                self.problem(key_node, path, "expected a key, which is a plain word")
            elif name == "<<" and key_node.style is None:
                hint = "write the keys out, or give a whole section an anchor (&usual) and use it as a value (*usual)"
                self.problem(key_node, path, "merge keys (<<) are not read here", hint)
            elif name in pairs:
                first, second = pairs[name][0].start.line, key_node.start.line
                where = f"on line {first}" if first == second else f"on lines {first} and {second}"
                self.problem(key_node, joined(path, name), f"the key stands twice, {where}", "keep one of the two")
            else:
                pairs[name] = (key_node, value_node)
                self.places[joined(path, name)] = key_node
        return pairs

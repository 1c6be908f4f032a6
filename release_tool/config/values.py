"""From the nodes of `release.yaml` to plain values, by the definitions in config/keys.py; all mistakes are collected.

What spans several keys is not looked at here; config/reader.py does that with the places that are kept here.
"""

from __future__ import annotations

import math
import re
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from release_tool.config import closest
from release_tool.config.keys import CONFIG
from release_tool.config.kinds import (
    Boolean,
    Choice,
    Constant,
    Duration,
    Expression,
    Key,
    Kind,
    Listing,
    Number,
    Section,
    Single,
    Table,
    Text,
    Whole,
    broken_rule,
    sections,
)
from release_tool.config.words import found, joined, listed, one_of, shown
from release_tool.errors import Problem
from release_tool.yamledit.nodes import is_string, scalar_value

if TYPE_CHECKING:
    from release_tool.yamledit.nodes import Node

MAX_PROBLEMS = 100
"""After so many mistakes the rest isn't looked at: the file is something else, or hostile."""

_PLAIN_TAGS = frozenset(("!", *(f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))))
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPOKEN_BOOLEAN = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_SPOKEN_DURATION = re.compile(
    r"\s*([0-9]{1,5})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)\s*", re.IGNORECASE
)


class _Bad:
    """The type of `BAD`."""

    def __repr__(self) -> str:
        return "BAD"


BAD: Final = _Bad()
"""Stands for a value with a mistake, so that no later check takes it for one that isn't written."""


class TooManyProblems(Exception):
    """There are `MAX_PROBLEMS`."""


class Reading:
    """One reading of one file.

    Attributes:
        places: key path -> node of the key, for mistakes that span several keys.
    """

    def __init__(self) -> None:
        self.places: dict[str, Node] = {}
        self._problems: dict[tuple[int, int, str], Problem] = {}

    @property
    def problems(self) -> list[Problem]:
        """What was found so far, in the order in which it was found."""
        return list(self._problems.values())

    def problem(self, node: Node, path: str, what: str, hint: str = "") -> _Bad:
        """Note a mistake. The same one behind two aliases is one mistake.

        Raises:
            TooManyProblems: it is one too many.
        """
        line, column = node.start.line, node.start.column
        self._problems.setdefault((line, column, what), Problem(line, column, path, what, hint))
        if len(self._problems) >= MAX_PROBLEMS:
            raise TooManyProblems
        return BAD

    def value(self, kind: Kind, node: Node, path: str) -> Any:
        """The value of a node: text, number, pattern, timedelta, tuple of texts, dictionary; `BAD` with a mistake."""
        node = node.target or node  # an alias is what it stands for; definitions end, so a loop of aliases does too
        if node.tag is not None and node.tag not in _PLAIN_TAGS:
            return self.problem(node, path, f"the YAML tag {shown(node.tag)} has no meaning here", "leave it out")
        match kind:
            case Listing():
                made: Any = self.listing(kind, node, path)
            case Section():
                made = self.section(kind, node, path)
            case Table():
                made = self.table(kind, node, path)
            case _:
                made = self.single(kind, node, path)
        return made

    def single(self, kind: Single, node: Node, path: str) -> Any:
        """A value that is no collection."""
        match kind:
            case Text():
                made: Any = self.text(kind, node, path)
            case Expression():
                made = self.expression(kind, node, path)
            case Choice():
                made = self.choice(kind, node, path)
            case Whole() | Constant():
                made = self.whole(kind, node, path)
            case Number():
                made = self.number(node, path)
            case Boolean():
                made = self.boolean(node, path)
            case Duration():
                made = self.duration(kind, node, path)
        return made

    def unexpected(self, node: Node, path: str, expected: str, hint: str = "") -> _Bad:
        """Note that something else stands there than what is expected."""
        return self.problem(node, path, f"expected {expected}, found {found(node)}", hint)

    def text(self, kind: Text, node: Node, path: str) -> str | _Bad:
        """A text that breaks no rule of its kind."""
        broken = broken_rule(node.value, kind)
        if not is_string(node) and not (broken and node.value and isinstance(scalar_value(node), str)):
            would_do = node.kind == "scalar" and scalar_value(node) is not None and not broken
            return self.unexpected(node, path, kind.expected, f"write it in quotes: '{node.value}'" if would_do else "")
        if broken is None and any("\ud800" <= character <= "\udfff" for character in node.value):
            broken = "it holds half of a surrogate pair"
        if broken is not None:
            return self.problem(node, path, f"{shown(node.value)} is not {kind.expected}: {broken}")
        return node.value

    def expression(self, kind: Expression, node: Node, path: str) -> re.Pattern[str] | _Bad:
        """A regular expression, compiled."""
        if not is_string(node):
            return self.unexpected(node, path, "a regular expression")
        if len(node.value) > kind.longest:
            what = f"the expression has {len(node.value)} characters, and {kind.longest} are possible"
            return self.problem(node, path, what)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Python warns of what it will read differently one day
                return re.compile(node.value)
        except (re.error, Warning, OverflowError, RecursionError) as error:
            return self.problem(node, path, f"{shown(node.value)} is not a regular expression: {error}")

    def choice(self, kind: Choice, node: Node, path: str) -> str | _Bad:
        """One of the possible words. A word that readers of YAML see differently (`off`) can only mean itself here."""
        if node.kind == "scalar" and node.value in kind.values and isinstance(scalar_value(node), str):
            return node.value
        possible = one_of(kind.values)
        likely = closest(node.value, kind.values) if is_string(node) else None
        return self.unexpected(node, path, possible, f"did you mean {likely!r}?" if likely else "")

    def whole(self, kind: Whole | Constant, node: Node, path: str) -> int | _Bad:
        """A whole number within its limits."""
        low, high = (kind.minimum, kind.maximum) if isinstance(kind, Whole) else (kind.value, kind.value)
        value = scalar_value(node) if node.kind == "scalar" else None
        if type(value) is int and low <= value <= high:
            return value
        expected = f"a whole number from {low} to {high}" if low < high else f"the number {low}"
        quoted = isinstance(value, str) and is_string(node) and re.fullmatch(r"[0-9]{1,9}", value)
        return self.unexpected(node, path, expected, "write it without quotes" if quoted else "")

    def number(self, node: Node, path: str) -> float | _Bad:
        """A finite number."""
        value = scalar_value(node) if node.kind == "scalar" else None
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        hint = ""
        if isinstance(value, str) and (percent := re.fullmatch(r"([0-9]{1,3}(\.[0-9]+)?) ?%", value)):
            hint = f"write a share of 1: {float(percent[1]) / 100:g}"
        elif isinstance(value, str) and is_string(node) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
            hint = "write it without quotes"
        return self.unexpected(node, path, "a number", hint)

    def boolean(self, node: Node, path: str) -> bool | _Bad:
        """`true` or `false`."""
        value = scalar_value(node) if node.kind == "scalar" else None
        if isinstance(value, bool):
            return value
        word = _SPOKEN_BOOLEAN.get(node.value.lower()) if node.kind == "scalar" else None
        return self.unexpected(node, path, "true or false", f"write {word}, without quotes" if word else "")

    def duration(self, kind: Duration, node: Node, path: str) -> timedelta | _Bad:
        """A duration."""
        if is_string(node) and re.fullmatch(kind.pattern, node.value):
            return timedelta(**{_UNITS[node.value[-1]]: int(node.value[:-1])})
        hint = ""
        if node.kind == "scalar" and (spoken := _SPOKEN_DURATION.fullmatch(node.value)):
            likely = f"{int(spoken[1])}{spoken[2][0].lower()}"
            hint = f"did you mean '{likely}'?" if re.fullmatch(kind.pattern, likely) else ""
        elif node.kind == "scalar" and re.fullmatch(r"[0-9]{1,5}", node.value):
            number = int(node.value)
            possible = [
                f"'{number}{unit}' for {_UNITS[unit]}"
                for unit in "dhms"
                if re.fullmatch(kind.pattern, f"{number}{unit}")
            ]
            hint = f"add the unit: {', '.join(possible[:3])}" if possible else ""
        elif node.kind == "scalar" and re.fullmatch(r"[0-9]{6,}[smhdw]", node.value):
            hint = "five digits are possible: take a larger unit"
        return self.unexpected(node, path, kind.expected, hint)

    def listing(self, kind: Listing, node: Node, path: str) -> tuple[str, ...] | _Bad:
        """A list of different texts."""
        if node.kind != "sequence":
            would_do = is_string(node) and broken_rule(node.value, kind.item) is None
            hint = f"write a list: [{node.value}]" if would_do else ""
            return self.unexpected(node, path, f"a list, each entry {kind.item.expected}", hint)
        if len(node.items) > kind.most:
            return self.problem(node, path, f"the list has {len(node.items)} entries, and {kind.most} are possible")
        if kind.repeats and not node.items:
            return self.unexpected(node, path, f"a list with at least one entry, each {kind.item.expected}")
        values: list[Any] = []
        for index, item in enumerate(node.items):
            value = self.value(kind.item, item, f"{path}[{index}]")
            if value is not BAD and value in values and not kind.repeats:
                value = self.problem(item, f"{path}[{index}]", f"{shown(value)} stands twice in the list")
            values.append(value)
        return BAD if BAD in values else tuple(values)

    def section(self, section: Section, node: Node, path: str) -> dict[str, Any] | _Bad:
        """The keys of a section that are written; one with a mistake is `BAD`. An empty value is an empty section."""
        if node.kind == "scalar" and scalar_value(node) is None and section.may_be_empty:
            return {}
        if node.kind != "mapping":
            return self.unexpected(node, path, f"a mapping (possible keys: {listed(key.name for key in section.keys)})")
        pairs = self.pairs(node, path)
        values: dict[str, Any] = {}
        meant = set()
        for name, (key_node, value_node) in pairs.items():
            inner = joined(path, name)
            key = section.key(name)
            if key is None:
                meant.add(self.unknown(section, key_node, inner, name, set(pairs)))
            else:
                values[name] = self.value(key.kind, value_node, inner)
        for key in section.keys:
            # a misspelt key is one mistake, not two
            if section.is_required(key.name) and not {key.name, key.unless} & {*pairs, *meant}:
                self.missing(key, node, path)
        return {**values, **{name: BAD for name in meant if name}}

    def missing(self, key: Key, node: Node, path: str) -> None:
        """Note that a required key is not there."""
        hint = f"for example {key.name}: {key.examples[0]}" if key.examples else ""
        meaning = key.meaning.split(". ")[0].rstrip(".")
        self.problem(node, joined(path, key.name), f"the key is missing: {meaning[0].lower()}{meaning[1:]}", hint)

    def unknown(self, section: Section, node: Node, path: str, name: str, present: set[str]) -> str | None:
        """Note a key that the section doesn't have; returns the key that was likely meant."""
        free = [key.name for key in section.keys if key.name not in present]
        likely = closest(name, free)
        # the keys of a service are those of the top, which is where most people look for them
        homes = [
            title
            for title, other in sections("", CONFIG)
            if other is not section and other.key(name) and not title.startswith("services.")
        ]
        if likely:
            hint = f"did you mean {likely!r}?"
        elif homes:
            hint = "it belongs " + " or ".join(f"under {home}" if home else "at the top" for home in homes)
        else:
            hint = ""
        self.problem(node, path, f"unknown key; possible: {listed(free) or 'none that is not there yet'}", hint)
        return likely

    def table(self, kind: Table, node: Node, path: str) -> dict[str, Any] | _Bad:
        """Sections by name, at least one."""
        if node.kind != "mapping" or not node.pairs:
            expected = f"a mapping from {kind.name.expected} to its keys, with at least one entry"
            return self.unexpected(node, path, expected)
        if len(node.pairs) > kind.most:
            return self.problem(node, path, f"there are {len(node.pairs)} entries, and {kind.most} are possible")
        values: dict[str, Any] = {}
        for name, (key_node, value_node) in self.pairs(node, path).items():
            inner = joined(path, name)
            good = self.text(kind.name, key_node, inner) is not BAD
            entry = self.value(kind.entry, value_node, inner)
            values[name] = entry if good else BAD
        return values

    def pairs(self, node: Node, path: str) -> dict[str, tuple[Node, Node]]:
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

"""The kinds of values that a key of `release.yaml` can have, and how sections are made of keys.

config/keys.py puts them together; config/values.py reads by them; config/schema.py publishes them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Rule(NamedTuple):
    """One rule of a text.

    Attributes:
        pattern: what is searched for.
        why: what is wrong with a text that breaks the rule; `%s` stands for what was found.
        wanted: whether the pattern must be found, rather than must not.
    """

    pattern: str
    why: str
    wanted: bool = False


class Text(NamedTuple):
    """A text.

    Attributes:
        expected: what the text is, for errors: "a branch name".
        rules: in the order in which they are tried; the first broken one is told.
        longest: characters at most.
    """

    expected: str
    rules: tuple[Rule, ...] = ()
    longest: int = 200


class Expression(NamedTuple):
    """A regular expression of Python's `re`."""

    longest: int = 1000


class Choice(NamedTuple):
    """One of some words.

    Attributes:
        values: word -> what it means.
    """

    values: dict[str, str]


class Whole(NamedTuple):
    """A whole number between two limits, both included."""

    minimum: int
    maximum: int


class Number(NamedTuple):
    """A number, whole or with a fraction; finite."""


class Boolean(NamedTuple):
    """`true` or `false`."""


class Constant(NamedTuple):
    """The version of the file: this number and no other."""

    value: int


class Duration(NamedTuple):
    """A whole number and a unit.

    Attributes:
        expected: what it is, for errors.
        pattern: what it must match; every match is a number and one of the units `s`, `m`, `h`, `d` and `w`.
    """

    expected: str = "a duration like 90s, 15m, 1h, 2d or 1w"
    pattern: str = r"^(0|[1-9][0-9]{0,4})[smhdw]$"


class Listing(NamedTuple):
    """A list of texts.

    Attributes:
        item: what each must look like.
        most: how many there may be.
        repeats: whether a text may stand twice; then the list also can't be empty.
    """

    item: Text
    most: int
    repeats: bool = False


class Section(NamedTuple):
    """A mapping with known keys.

    Attributes:
        keys: what may stand in it.
        record: the record that it becomes, which holds the defaults; None: all keys are optional, without default.
        inherits: the section that keys which are left out are taken from.
    """

    keys: tuple[Key, ...]
    record: type | None = None
    inherits: str = ""

    def key(self, name: str) -> Key | None:
        """The key of this name, if there is one."""
        return next((key for key in self.keys if key.name == name), None)

    def is_required(self, name: str) -> bool:
        """Whether a file without this key is refused: its record has no default for it (see also `Key.unless`)."""
        return self.record is not None and name not in self._defaults()

    @property
    def may_be_empty(self) -> bool:
        """Whether nothing at all may stand in it."""
        return not any(self.is_required(key.name) for key in self.keys)

    def default(self, name: str) -> object:
        """The default of a key; None if it has none."""
        return self._defaults().get(name)

    def _defaults(self) -> Mapping[str, object]:
        defaults: Mapping[str, object] = getattr(self.record, "_field_defaults", {})  # of a NamedTuple
        return defaults


class Table(NamedTuple):
    """A mapping from names, which people choose, to sections.

    Attributes:
        name: what a name must look like.
        entry: what stands under each.
        most: how many there may be.
    """

    name: Text
    entry: Section
    most: int


Single = Text | Expression | Choice | Whole | Number | Boolean | Constant | Duration
Kind = Single | Listing | Section | Table


class Key(NamedTuple):
    """One key of a section.

    Attributes:
        name: as it is written.
        kind: what may stand behind it.
        meaning: one or two sentences for people, in Markdown: schema, editors and reference show them.
        examples: values that the reference shows.
        unless: another key of the section; where that one stands, this one is not required.
        otherwise: what holds where the key is left out, in words, if it is no plain default.
    """

    name: str
    kind: Kind
    meaning: str
    examples: tuple[str, ...] = ()
    unless: str = ""
    otherwise: str = ""


def sections(path: str, section: Section) -> Iterator[tuple[str, Section]]:
    """All sections with their paths, the outer one first."""
    yield path, section
    for key in section.keys:
        inner = f"{path}.{key.name}" if path else key.name
        if isinstance(key.kind, Section):
            yield from sections(inner, key.kind)
        elif isinstance(key.kind, Table):
            yield from sections(f"{inner}.<name>", key.kind.entry)


def broken_rule(text: str, kind: Text) -> str | None:
    """What is wrong with a text of this kind; None if nothing is."""
    if len(text) > kind.longest:
        return f"it has {len(text)} characters, and {kind.longest} are possible"
    for rule in kind.rules:
        found = re.search(rule.pattern, text)
        if (found is None) is rule.wanted:
            return rule.why.replace("%s", repr(found.group()) if found else "")
    return None

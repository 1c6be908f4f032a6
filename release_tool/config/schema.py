"""The JSON Schema of `release.yaml`, and the reference of its keys, made from config/keys.py. Never loaded at run time.

    python -m release_tool.config.schema > release.schema.json
    python -m release_tool.config.schema --reference     # the middle part of docs/configuration.md

What one value alone can't show (a promotion from an environment that doesn't exist, two keys of the same name) is
found by config/reader.py only; everything else is the same in both, and tests hold them to it.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

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
    sections,
)
from release_tool.model.times import duration_text

SCHEMA_ID = "urn:release-tool:release.yaml:1"
_TABLE_HEAD = ("| key | value | default | meaning |", "| --- | --- | --- | --- |")
_SPOKEN = {Number: "number", Duration: "duration", Expression: "regular expression"}


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "release.yaml",
        "description": "The configuration of release, which keeps the set of live versions of a service in Git.",
        **_of_section(CONFIG),
    }


def _of(kind: Kind) -> dict[str, Any]:
    """The schema of one value."""
    match kind:
        case Listing(item=item, most=most, repeats=repeats):
            made = {"type": "array", "items": _of_text(item), "maxItems": most}
            made |= {"minItems": 1} if repeats else {"uniqueItems": True}
        case Table():
            made = _of_table(kind)
        case Section():
            # nothing behind the colon is an empty section: what is left when all its keys are commented out
            made = {**_of_section(kind), **({"type": ["object", "null"]} if kind.may_be_empty else {})}
        case _:
            made = _of_single(kind)
    return made


def _of_single(kind: Single) -> dict[str, Any]:
    match kind:
        case Text():
            made = _of_text(kind)
        case Expression(longest=longest):
            made = {"type": "string", "format": "regex", "maxLength": longest}
        case Choice(values=values):
            made = {"enum": list(values)}
        case Whole(minimum=minimum, maximum=maximum):
            made = {"type": "integer", "minimum": minimum, "maximum": maximum}
        case Number():
            made = {"type": "number"}
        case Boolean():
            made = {"type": "boolean"}
        case Constant(value=value):
            made = {"const": value}
        case Duration(pattern=pattern):
            made = {"type": "string", "pattern": pattern}
    return made


def _of_text(kind: Text) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "string", "maxLength": kind.longest}
    if kind.rules:
        made["allOf"] = [
            {"pattern": rule.pattern} if rule.wanted else {"not": {"pattern": rule.pattern}} for rule in kind.rules
        ]
    return made


def _of_table(kind: Table) -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": kind.most,
        "propertyNames": _of_text(kind.name),
        "additionalProperties": _of(kind.entry),
    }


def _of_section(section: Section) -> dict[str, Any]:
    required = [key.name for key in section.keys if section.is_required(key.name) and not key.unless]
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": required} if required else {}),
        **_excused(section),
        "properties": {key.name: _of_key(section, key) for key in section.keys},
    }


def _excused(section: Section) -> dict[str, Any]:
    """The keys that are required only where another one is missing; a section has one such other key at most."""
    waiting = [key for key in section.keys if section.is_required(key.name) and key.unless]
    if not waiting:
        return {}
    return {"if": {"required": [waiting[0].unless]}, "else": {"required": [key.name for key in waiting]}}


def _of_key(section: Section, key: Key) -> dict[str, Any]:
    made = {"description": _description(key), **_of(key.kind)}
    default = None if isinstance(key.kind, Section | Table) else _plain(section.default(key.name))
    if default is not None:
        made["default"] = default
    return made


def _description(key: Key) -> str:
    """The meaning, with that of each possible word: editors show it as it is, so without Markdown."""
    text = key.meaning
    if isinstance(key.kind, Choice):
        text += "".join(f"\n{value}: {meaning}" for value, meaning in key.kind.values.items())
    return text.replace("`", "")


def _plain(value: object) -> object:
    """A default as JSON; None where nobody would write it out."""
    if isinstance(value, timedelta):
        return duration_text(value)
    return list(value) if isinstance(value, tuple) else None if value == "" else value


def reference() -> str:
    """The reference of all keys, Markdown: a table per section."""
    parts = []
    for title, section in sections("", CONFIG):
        rows = [_row(title, section, key) for key in section.keys if not isinstance(key.kind, Section | Table)]
        if rows:
            heading = f"### `{title}`" if title else "### At the top"
            parts.append("\n".join([heading, "", *_TABLE_HEAD, *rows]))
    return "\n\n".join(parts) + "\n"


def _row(path: str, section: Section, key: Key) -> str:
    named = f"{path}.{key.name}" if path else key.name
    meaning = key.meaning
    if isinstance(key.kind, Choice):
        meaning += "".join(f"<br>`{value}`: {text}" for value, text in key.kind.values.items())
    cells = [f"`{named}`", _values(key), key.otherwise or _default(section, key), meaning]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _values(key: Key) -> str:
    """What may be written, in words."""
    match key.kind:
        case Choice(values=values):
            return ", ".join(f"`{value}`" for value in values)
        case Whole(minimum=minimum):
            text = f"whole number, at least {minimum}"
        case Constant(value=value):
            return f"`{value}`"
        case Boolean():
            return "`true`, `false`"
        case Number() | Duration() | Expression():
            text = _SPOKEN[type(key.kind)]
        case Listing(item=item):
            text = f"list, each {item.expected}"
        case Text(expected=expected):
            text = expected
        case Section() | Table():
            text = "mapping"
    return ", ".join([text, *(f"`{example}`" for example in key.examples)])


def _default(section: Section, key: Key) -> str:
    if section.is_required(key.name):
        return f"required without `{key.unless}`" if key.unless else "required"
    if section.inherits:
        return f"that of `{section.inherits}`"
    default = _plain(section.default(key.name))
    if default is None:
        return "none"
    return f"`{json.dumps(default)}`" if isinstance(default, list | bool) else f"`{default}`"


if __name__ == "__main__":
    if "--reference" in sys.argv[1:]:
        sys.stdout.write(reference())
    else:
        sys.stdout.write(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")

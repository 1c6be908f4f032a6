"""The JSON Schema of `release.yaml`, and the reference of its keys, made from the sections. Never loaded at run time.

`make schema` writes release.schema.json, and the tables at the end of docs/reference/configuration.md.

What one value alone can't show (a promotion from an environment that doesn't exist, two keys of the same name) is
found by config/reader.py only; everything else is the same in both, and tests compare them.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from release_tool.config import CONFIG
from release_tool.config.kinds import (
    MAX_EXPRESSION,
    Duration,
    Key,
    Kind,
    Listing,
    Section,
    Table,
    Text,
    Whole,
    sections,
)
from release_tool.model.times import duration_text

_TABLE_HEAD = ("| key | value | default | meaning |", "| --- | --- | --- | --- |")
_TYPES: dict[Any, tuple[dict[str, Any], str]] = {
    bool: ({"type": "boolean"}, "`true`, `false`"),
    float: ({"type": "number"}, "number"),
    re.Pattern: ({"type": "string", "format": "regex", "maxLength": MAX_EXPRESSION}, "regular expression"),
}
"""Kind -> its schema, and the reference's words for it."""

_MARK = "<!-- made by `make schema`; a test compares -->\n\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:release-tool:release.yaml:1",
        "title": "release.yaml",
        "description": "The configuration of release, which keeps the set of live versions of a service in Git.",
        **_of_section(CONFIG),
    }


def schema_text() -> str:
    """The content of release.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def with_reference(page: str) -> str:
    """The page docs/reference/configuration.md with the reference as it is now."""
    before, mark, _ = page.partition(_MARK)
    return before + mark + reference()


def _of(kind: Kind) -> dict[str, Any]:
    """The schema of one value."""
    match kind:
        case Text():
            made = _of_text(kind)
        case dict():
            made = {"enum": list(kind)}
        case Whole(low, high):
            made = {"const": low} if low == high else {"type": "integer", "minimum": low, "maximum": high}
        case Duration(pattern=pattern):
            made = {"type": "string", "pattern": pattern}
        case Listing(item=item, most=most, repeats=repeats):
            made = {"type": "array", "items": _of_text(item), "maxItems": most}
            made |= {"minItems": 1} if repeats else {"uniqueItems": True}
        case Table():
            made = _of_table(kind)
        case Section():
            # nothing behind the colon is an empty section: what is left when all its keys are commented out
            made = {**_of_section(kind), **({} if kind.required else {"type": ["object", "null"]})}
        case _:
            made = _TYPES[kind][0]
    return made


def _of_text(kind: Text) -> dict[str, Any]:
    if kind.forms:
        (beginning, form), *others = kind.forms
        starts = {"type": "string", "pattern": f"^{re.escape(beginning)}"}
        return {"if": starts, "then": _of_text(form), "else": _of_text(kind._replace(forms=tuple(others)))}
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
    required = [name for name in section.required if not section.keys[name].unless]
    waiting = [name for name in section.required if section.keys[name].unless]
    made: dict[str, Any] = {"type": "object", "additionalProperties": False}
    if required:
        made["required"] = required
    if waiting:  # required only where another key is missing; a section has one such other key at most
        made |= {"if": {"required": [section.keys[waiting[0]].unless]}, "else": {"required": waiting}}
    return made | {"properties": {name: _of_key(section, name, key) for name, key in section.keys.items()}}


def _of_key(section: Section, name: str, key: Key) -> dict[str, Any]:
    made = {"description": _description(key), **_of(key.kind)}
    default = None if isinstance(key.kind, Section | Table) else _default_of(section, name)
    return made if default is None else {**made, "default": default}


def _description(key: Key) -> str:
    """The meaning, with that of each possible word: editors show it as it is, so without Markdown."""
    words = key.kind.items() if isinstance(key.kind, dict) else ()
    return (key.meaning + "".join(f"\n{word}: {meaning}" for word, meaning in words)).replace("`", "")


def _default_of(section: Section, name: str) -> object:
    """The default of a key as JSON; None if it has none, or none that anybody would write out."""
    value = getattr(section.record, "_field_defaults", {}).get(name)
    if isinstance(value, timedelta):
        return duration_text(value)
    return list(value) if isinstance(value, tuple) else None if value == "" else value


# --- the reference ----------------------------------------------------------------------------------------------------


def reference() -> str:
    """The reference of all keys, Markdown: a table per section."""
    parts = []
    for title, section in sections("", CONFIG):
        rows = [
            _row(f"{title}.{name}" if title else name, section, name)
            for name, key in section.keys.items()
            if not isinstance(key.kind, Section | Table)
        ]
        if rows:
            heading = f"### `{title}`" if title else "### At the top"
            parts.append("\n".join([heading, "", *_TABLE_HEAD, *rows]))
    return "\n\n".join(parts) + "\n"


def _row(path: str, section: Section, name: str) -> str:
    key = section.keys[name]
    meaning = key.meaning
    if isinstance(key.kind, dict):
        meaning += "".join(f"<br>`{word}`: {text}" for word, text in key.kind.items())
    cells = [f"`{path}`", _values(key), key.otherwise or _default(section, name, key), meaning]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _values(key: Key) -> str:
    """What may be written, in words."""
    match key.kind:
        case dict() as words:
            return ", ".join(f"`{word}`" for word in words)
        case Whole(low, high) if low == high:
            return f"`{low}`"
        case Whole(minimum=low):
            text = f"whole number, at least {low}"
        case Listing(item=item):
            text = f"list, each {item.expected}"
        case Text(expected=expected):
            text = expected
        case Duration():
            text = "duration"
        case other:
            text = _TYPES[other][1]
    return f"{text}, `{key.example}`" if key.example else text


def _default(section: Section, name: str, key: Key) -> str:
    if name in section.required:
        return f"required without `{key.unless}`" if key.unless else "required"
    if section.inherits:
        return f"that of `{section.inherits}`"
    default = _default_of(section, name)
    if default is None:
        return "none"
    return f"`{json.dumps(default)}`" if isinstance(default, list | bool) else f"`{default}`"

"""JSON Schemas, and tables for people, of the shapes in outputs.py."""

from __future__ import annotations

import json
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from typing_extensions import NotRequired, get_type_hints, is_typeddict

from documentation.outputs import SCHEMA_OF, SCHEMAS

_WORDS = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def files() -> dict[str, str]:
    """Path -> schema, as a file of the documentation."""
    return {
        f"docs/reference/schemas/{name}.schema.json": json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"
        for name in SCHEMAS
    }


def schema(name: str, *, closed: bool = False) -> dict[str, Any]:
    """A JSON Schema (draft 2020-12).

    Args:
        name: one of SCHEMAS.
        closed: whether a key that is not described is refused; what is published says that newer ones may come.
    """
    shapes: dict[str, Any] = {}
    made = _of(SCHEMAS[name], shapes, closed=closed)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:release-tool:{name}:1"}
    return {**head, "title": _title(name), **made, "$defs": shapes}


def _title(name: str) -> str:
    commands = [f"release {command}" for command, of in SCHEMA_OF.items() if of == name]
    return (
        f"{', '.join(commands)}: --output json" if commands else {"record": "a line of history.jsonl"}.get(name, name)
    )


def _of(kind: Any, shapes: dict[str, Any], *, closed: bool) -> dict[str, Any]:
    def of(one: Any) -> dict[str, Any]:
        return _of(one, shapes, closed=closed)

    kind, said = _plain(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        if kind.__name__ not in shapes:
            shapes[kind.__name__] = {}  # a shape may hold itself
            keys = get_type_hints(kind, include_extras=True)
            shapes[kind.__name__] = {
                "description": kind.__doc__,
                "type": "object",
                "properties": {key: of(value) for key, value in keys.items()},
                "required": [key for key in keys if key in kind.__required_keys__],
                **({"additionalProperties": False} if closed else {}),
            }
        made: dict[str, Any] = {"$ref": f"#/$defs/{kind.__name__}"}
    elif origin in {Union, UnionType}:
        made = {"anyOf": [of(one) for one in inner]}
    elif origin is Literal:
        made = {"enum": list(inner)}
    elif origin is list:
        made = {"type": "array", "items": of(inner[0])}
    elif origin is dict:
        made = {"type": "object", "additionalProperties": of(inner[1])}
    else:
        made = {"type": _WORDS[kind]}
    return {"description": said, **made} if said else made


def _plain(kind: Any) -> tuple[Any, str]:
    """A type without its marks, and what is said of it; the outermost words win."""
    said = ""
    while get_origin(kind) in {Annotated, NotRequired}:
        if get_origin(kind) is Annotated:
            said = said or kind.__metadata__[0]
        kind = get_args(kind)[0]
    return kind, said


# -- for people -------------------------------------------------------------------------------------------------------


def page() -> str:
    """What each command gives, and a table for each shape, each told once."""
    rows = ["| command | gives | schema |", "| --- | --- | --- |"]
    for command, name in SCHEMA_OF.items():
        rows.append(f"| [`release {command}`](commands/{command}.md) | {_words(SCHEMAS[name])} | {_link(name)} |")
    rows.append(f"| any, that ended with an error and no result | {_words(SCHEMAS['error'])} | {_link('error')} |")
    return "\n\n".join(["\n".join(rows), tables(*(kind for name, kind in SCHEMAS.items() if name != "record"))])


def _link(name: str) -> str:
    return f"[{name}](schemas/{name}.schema.json)"


def tables(*kinds: Any) -> str:
    """A table for each shape that some types are made of, each told once."""
    shapes: dict[str, Any] = {}
    for kind in kinds:
        _collect(kind, shapes)
    return "\n\n".join(map(_table, shapes.values()))


def _table(shape: Any) -> str:
    """A shape's keys."""
    rows = [f"### {shape.__name__}", "", shape.__doc__, "", "| key | value | meaning |", "| --- | --- | --- |"]
    for key, kind in get_type_hints(shape, include_extras=True).items():
        plain, said = _plain(kind)
        often = "" if key in shape.__required_keys__ else " (not always there)"
        rows.append(f"| `{key}` | {_words(plain)}{often} | {said} |")
    return "\n".join(rows)


def _collect(kind: Any, shapes: dict[str, Any]) -> None:
    kind, _ = _plain(kind)
    if is_typeddict(kind):
        if kind.__name__ in shapes:
            return
        shapes[kind.__name__] = kind
        for value in get_type_hints(kind, include_extras=True).values():
            _collect(value, shapes)
    for one in get_args(kind):
        if not isinstance(one, str | bool | int):
            _collect(one, shapes)


def _words(kind: Any) -> str:
    """A type for people."""
    kind, _ = _plain(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    if origin in {Union, UnionType}:
        return " or ".join(map(_words, inner))
    if origin is Literal:
        return ", ".join(f"`{json.dumps(one)}`" for one in inner)
    if origin is list:
        return f"list of {_words(inner[0])}"
    if origin is dict:
        return f"object of {_words(inner[1])}"
    return _WORDS[kind]

"""The shape of an object, as an API server has it: fields, their kinds, limits and alternatives.

definitions.json holds the server's own schemas, of Kubernetes' kinds and of Istio's and the Gateway API's routes;
`make server-definitions` writes it. Rules in CEL (`x-kubernetes-validations`) are not among them.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Schema = Mapping[str, Any]


_DEFINED = frozenset(["gateway.networking.k8s.io", "networking.istio.io"])  # by CustomResourceDefinitions


class Fault(NamedTuple):
    """`path`: of the field; `what` goes on after it; `hint`: what to do."""

    path: str
    what: str
    hint: str


@cache
def _definitions() -> Schema:
    text = resources.files("release_tool.manifests").joinpath("definitions.json").read_text("utf-8")
    found: Schema = json.loads(text)
    return found


def kinds() -> frozenset[str]:
    """The kinds whose shapes are known here, in one of their groups."""
    return frozenset(name.rpartition(" ")[2] for name in _definitions() if " " in name)


def check(content: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with an object's shape; nothing where its kind is not known here."""
    group = str(content.get("apiVersion")).partition("/")[0]
    known = _definitions().get(f"{content.get('apiVersion')} {content.get('kind')}")
    if known is not None:
        for key, value in content.items():
            if key not in ("apiVersion", "kind", "status"):
                yield from _field(known, content, key, value, key)
    if known is not None and group in _DEFINED:
        yield from _nulls(content.get("spec"), "spec")


def _nulls(value: Any, path: str) -> Iterator[Fault]:
    """A null is as good as nothing in Kubernetes' own kinds alone."""
    if value is None:
        yield Fault(path, "is null", "remove it")
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in entries:
        yield from _nulls(one, f"{path}.{key}" if isinstance(value, dict) else f"{path}[{key}]")


def _field(schema: Schema, holder: Mapping[str, Any], key: str, value: Any, path: str) -> Iterator[Fault]:
    properties = _resolved(schema).get("properties", {})
    if key in properties:
        yield from _faults(properties[key], value, path)
    elif isinstance(more := schema.get("additionalProperties"), dict):
        yield from _faults(more, value, path)
    elif not more and not schema.get("x-kubernetes-preserve-unknown-fields") and (properties or "type" not in schema):
        yield Fault(
            path,
            f"is no field that Kubernetes {_definitions()['']['kubernetes']} knows",
            _likely(key, properties, holder),
        )


def _faults(schema: Schema, value: Any, path: str) -> Iterator[Fault]:
    schema = _resolved(schema)
    if value is None:
        return  # as if it were not there
    if (wanted := _wanted(schema, value)) is not None:
        yield Fault(
            path,
            f"is {_shown(value)} and no {wanted}",
            "quote it" if wanted == "text" and not isinstance(value, (dict, list)) else "correct it",
        )
        return
    yield from _limits(schema, value, path)
    if isinstance(value, dict):
        missing = [
            key
            for key in schema.get("required", ())
            if value.get(key) is None and "default" not in _resolved(schema.get("properties", {}).get(key, {}))
        ]
        for key in missing:
            yield Fault(f"{path}.{key}", "is missing", "set it")
        for key, one in value.items():
            for fault in _limits(schema.get("propertyNames", {}), key, f"{path}.{key}"):
                yield fault._replace(what=f"is not {fault.what.partition(', not ')[2]}")
            yield from _field(schema, value, key, one, f"{path}.{key}")
    elif isinstance(value, list):
        items = schema.get("items", {})
        for number, one in enumerate(value):
            name = one.get("name") if isinstance(one, dict) else None
            empty: dict[str, Any] | None = (
                {} if _resolved(items).get("type") == "object" else None
            )  # what a null stands for
            yield from _faults(
                items, empty if one is None else one, f"{path}[{name if isinstance(name, str) else number}]"
            )
        yield from _twice(schema.get("x-kubernetes-list-map-keys"), value, path)
    yield from _alternatives(schema, value, path)


def _resolved(schema: Schema) -> Schema:
    return _definitions()[schema["$ref"]] if "$ref" in schema else schema


_IS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("text", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "number": ("number", lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)),
    "object": ("mapping", lambda value: isinstance(value, dict)),
    "array": ("list", lambda value: isinstance(value, list)),
}


def _wanted(schema: Schema, value: Any) -> str | None:
    """What stands there instead of the value; None where it may."""
    kinds = [schema["type"]] if "type" in schema else []
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        kinds = ["integer", "string"]
    elif not kinds and schema.get("oneOf") and all(set(one) == {"type"} for one in schema["oneOf"]):
        kinds = [one["type"] for one in schema["oneOf"]]
    if not kinds or any(_IS[kind][1](value) for kind in kinds):
        return None
    return " or ".join(_IS[kind][0] for kind in kinds)


def _limits(schema: Schema, value: Any, path: str) -> Iterator[Fault]:
    if "enum" in schema and value not in schema["enum"]:
        yield Fault(path, f"is {_shown(value)}, none of {', '.join(filter(None, schema['enum']))}", "name one of them")
    if isinstance(value, (int, float)):
        least, most = schema.get("minimum"), schema.get("maximum")
        if (
            schema.get("format") == "int32"
            or schema.get("x-kubernetes-int-or-string")
            or schema.get("format") == "int-or-string"
        ):
            least, most = (
                max(-(2**31), -(2**31) if least is None else least),
                min(2**31 - 1, 2**31 if most is None else most),
            )
        if least is not None and value < least:
            yield Fault(path, f"is {value}, below {least}", "raise it")
        if most is not None and value > most:
            yield Fault(path, f"is {value}, above {most}", "lower it")
    elif isinstance(value, (str, list, dict)):
        kind, sort = {str: ("Length", "characters"), list: ("Items", "entries"), dict: ("Properties", "keys")}[
            type(value)
        ]
        if len(value) < schema.get(f"min{kind}", 0):
            yield Fault(path, f"has {len(value)} {sort}, fewer than {schema[f'min{kind}']}", "add what is missing")
        if len(value) > schema.get(f"max{kind}", len(value)):
            yield Fault(path, f"has {len(value)} {sort}, more than {schema[f'max{kind}']}", "shorten it")
        if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
            said = schema.get("says", f"text that matches {schema['pattern']}")
            yield Fault(path, f"is {_shown(value)}, not {said}", "correct it")


def _twice(keys: list[str] | None, values: list[Any], path: str) -> Iterator[Fault]:
    """Entries of a list that are merged by keys must differ in them."""
    seen = []
    for value in values if keys else ():
        if isinstance(value, dict) and all(key in value for key in keys or ()):
            found = [value[key] for key in keys or ()]
            if found in seen:
                yield Fault(path, f"holds {', '.join(map(str, found))} twice", "keep one of them")
            seen.append(found)


def _alternatives(schema: Schema, value: Any, path: str) -> Iterator[Fault]:
    for one in schema.get("allOf", ()):
        yield from _alternatives(one, value, path)
    choices = schema.get("oneOf", ())
    if choices and not all(set(one) == {"type"} for one in choices):
        fitting = [one for one in choices if _fits(one, value)]
        if len(fitting) > 1:
            names = [" and ".join(one.get("required", ["others"])) for one in fitting]
            yield Fault(path, f"holds {', '.join(names)} together", "keep one of them")
        elif not fitting:
            yield Fault(path, f"holds none of {', '.join(sorted(_named(choices)))}", "set one of them")
    if (
        schema.get("anyOf")
        and not any(_fits(one, value) for one in schema["anyOf"])
        and not schema.get("x-kubernetes-int-or-string")
    ):
        yield Fault(path, f"holds none of {', '.join(sorted(_named(schema['anyOf'])))}", "set one of them")
    if "not" in schema and _fits(schema["not"], value):
        yield Fault(path, "is what it may not be", "correct it")


def _fits(schema: Schema, value: Any) -> bool:
    if isinstance(value, dict):
        if any(value.get(key) is None for key in schema.get("required", ())):
            return False
        parts = schema.get("properties", {}).items()
        if any(value.get(key) is not None and not _fits(part, value[key]) for key, part in parts):
            return False
    return (
        not any(True for fault in (*_limits(schema, value, ""), *_alternatives(schema, value, "")))
        and _wanted(schema, value) is None
    )


def _named(choices: Any) -> set[str]:
    """The fields that alternatives are told by."""
    if isinstance(choices, dict):
        return set(choices.get("required", ())) | {
            name for key in ("anyOf", "oneOf", "allOf") for name in _named(choices.get(key, []))
        }
    return {name for one in choices for name in _named(one)}


def _shown(value: Any) -> str:
    return repr(value)[:70]


def _likely(key: str, properties: Schema, holder: Mapping[str, Any]) -> str:
    from difflib import get_close_matches  # only mistakes pay for it

    found = get_close_matches(str(key)[:100], [name for name in properties if name not in holder], n=1, cutoff=0.7)
    return f"did you mean {found[0]!r}?" if found else "remove it"

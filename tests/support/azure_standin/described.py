"""Holds requests and answers against Microsoft's description of the REST API, version 7.1.

`description.json` has what is used of it, without its prose: names, types, values. It is made again by

    python tests/support/azure_standin/described.py git.json policy.json

from `specification/git/7.1/git.json` and `specification/policy/7.1/policy.json` of
https://github.com/MicrosoftDocs/vsts-rest-api-specs (MIT License, Copyright (c) 2018 Microsoft Docs).

Nothing in it is required and everything may be left out; so a name that isn't described is a violation.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forge_standin import Exchange
    from jsonschema.protocols import Validator

DESCRIPTION = Path(__file__).with_name("description.json")

USED = (
    r"git/(repositories(/\{repositoryId\})?|pullrequests/\{pullRequestId\}|policy/configurations)"
    r"|git/repositories/\{repositoryId\}/(pullrequests(/\{pullRequestId\})?|pullrequestquery|refs)"
    r"|git/repositories/\{repositoryId\}/pullRequests/\{pullRequestId\}/(commits|threads(/.*[Ii]d\})?|threads/.*/comments"
    r"|labels.*|reviewers(/\{reviewerId\})?|statuses)"
    r"|policy/evaluations"
)
"""The paths that the excerpt has."""

UNDESCRIBED = ("connectionData", "identities", "resourceAreas", "projects/", "permissions/")
"""What the stand-in has of other parts of the API, of which we have no description."""

_FREE: dict[str, Any] = {
    "ReferenceLinks": {"type": "object", "additionalProperties": {"type": "object", "required": ["href"]}},
    "PropertiesCollection": {"type": "object"},
    "JObject": {},
}
"""What these are on the wire, which the description doesn't say."""

_DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
_passed: set[int] = set()


@cache
def _description() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DESCRIPTION.read_text("utf-8"))
    return found


def violations(log: Sequence[Exchange]) -> list[str]:
    """What doesn't agree, in words. Answers that a fault spoilt were right before, so they count too."""
    found = []
    for one in list(log):
        path = one.path.partition("_apis/")[2]
        if one.kind != "rest" or one.method == "OPTIONS" or one.meant in (0, 302, 501) or path.startswith(UNDESCRIBED):
            continue
        text = json.dumps([one.method, path, one.query, one.body, one.meant, one.answer], sort_keys=True)
        if hash(text) in _passed:
            continue
        wrong = [f"{one}: {complaint}" for complaint in _complaints(one, path)]
        if not wrong:
            _passed.add(hash(text))
        found += wrong
    return found


def _complaints(one: Exchange, path: str) -> Iterator[str]:
    described = _operation(one.method, path)
    if described is None:
        yield "there is no such operation"
        return
    refused = one.meant >= 400
    if one.meant not in (400, 404):
        yield from _query(one, described["query"])
        yield from _body(one, described.get("body"))
    schema = _ERROR if refused else _wrapped(described["answer"])
    if one.answer is not None:
        yield from _errors("answer", schema, one.answer, asked=False)
    elif not refused and described["answer"] and one.meant != 200:
        yield f"answer {one.meant} has no content"


_ERROR = {
    "properties": {
        "$id": {"type": "string"}, "innerException": {}, "message": {"type": "string"}, "typeName": {"type": "string"},
        "typeKey": {"type": "string"}, "errorCode": {"type": "integer"}, "eventId": {"type": "integer"},
    },
    "required": ["message", "typeName", "typeKey", "errorCode", "eventId"],
}  # fmt: skip
"""Of no description; this is what the client for Python reads (`WrappedException`)."""


def _wrapped(schema: Any) -> Any:
    """A list is sent with its length."""
    if not schema or schema.get("type") != "array":
        return schema or {}
    return {
        "type": "object", "properties": {"value": schema, "count": {"type": "integer"}},
        "required": ["value", "count"], "additionalProperties": False,
    }  # fmt: skip


@cache
def _operation(method: str, path: str) -> Any:
    """The operation of a request; of several that fit, the one with the most literal text."""
    fits = []
    for one in _description()["operations"]:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(one["path"]))
        if one["method"] == method and re.fullmatch(pattern, path, re.IGNORECASE):
            fits.append((len(re.sub(r"\{\w+\}", "", one["path"])), one))
    return max(fits, key=lambda fit: fit[0])[1] if fits else None


def _query(one: Exchange, known: dict[str, Any]) -> Iterator[str]:
    for name, value in one.query.items():
        if name == "api-version":
            continue
        if name not in known:
            yield f"no query parameter {name}"
            continue
        kind = known[name].get("type")
        right = {"integer": r"\d+", "boolean": "(?i:true|false)"}.get(str(kind), ".*")
        if not re.fullmatch(right, value, re.DOTALL) or value not in known[name].get("enum", [value]):
            yield f"query parameter {name}: {value!r} is none of its values"
    for name, parameter in known.items():
        if parameter.get("required") and name not in one.query:
            yield f"query parameter {name} is missing"


def _body(one: Exchange, schema: Any) -> Iterator[str]:
    if schema is None:
        if one.body is not None:
            yield "takes no body"
    elif one.body is None:
        yield "the body is missing"
    else:
        yield from _errors("body", schema, one.body, asked=True)


def _errors(what: str, schema: Any, value: Any, *, asked: bool) -> Iterator[str]:
    from forge_standin.schemas import complaints

    return (f"{what}: {error}" for error in complaints(_validator(json.dumps(schema), asked), value))


@cache
def _validator(schema: str, asked: bool) -> Validator:
    """`asked`: of a request, where values have numbers too, and null is as good as nothing."""
    from jsonschema import Draft202012Validator

    definitions = {name: _strict(one, asked) for name, one in _description()["definitions"].items()}
    whole = {**_strict(json.loads(schema), asked), "$defs": definitions | _FREE}
    return Draft202012Validator(whole)


def _strict(node: Any, asked: bool) -> Any:
    """The schema with no other property than the described ones."""
    if isinstance(node, list):
        return [_strict(one, asked) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        found: dict[str, Any] = {"$ref": f"#/$defs/{node['$ref']}"}
        return {"anyOf": [found, {"type": "null"}]}
    found = {name: _strict(one, asked) for name, one in node.items() if name not in ("properties", "format")}
    if "properties" in node:
        found["properties"] = {name: _strict(one, asked) for name, one in node["properties"].items()}
        found |= {"type": "object", "additionalProperties": False}
    if node.get("format") == "date-time":
        found["pattern"] = _DATE
    if node.get("format") == "JObject":
        return {}
    if "enum" in node and asked:
        return {"anyOf": [found, {"type": "integer", "minimum": 0}]}
    if asked and node.get("type") == "boolean":
        found = {"enum": [True, False, None, "true", "false"]}
    if isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    return found


# making the excerpt


def excerpt(*descriptions: dict[str, Any]) -> dict[str, Any]:
    """What is used of Microsoft's descriptions, without prose."""
    operations, wanted = [], []
    everything: dict[str, Any] = {}
    for description in descriptions:
        everything |= description["definitions"]
        for path, methods in {**description["paths"], **description.get("x-ms-paths", {})}.items():
            short = path.partition("_apis/")[2].partition("?")[0]
            if not re.fullmatch(USED, short):
                continue
            for method, one in methods.items():
                made = _short(one)
                known = next(
                    (old for old in operations if (old["path"], old["method"]) == (short, method.upper())), None
                )
                if known:  # a second form of the same, with a parameter that is a must there
                    more = made["query"].keys() - known["query"].keys()
                    known["query"] |= {name: {**made["query"][name], "required": False} for name in more}
                    continue
                operations.append({"path": short, "method": method.upper(), **made})
                wanted += re.findall(r'"\$ref": "(\w+)"', json.dumps(made))
    definitions = {}
    while wanted:
        name = wanted.pop()
        if name not in definitions and name not in _FREE:
            definitions[name] = _flat(everything, name)
            wanted += re.findall(r'"\$ref": "(\w+)"', json.dumps(definitions[name]))
    return {"operations": operations, "definitions": dict(sorted(definitions.items()))}


def _short(one: dict[str, Any]) -> dict[str, Any]:
    parameters = [each for each in one["parameters"] if "$ref" not in each]
    query = {each["name"]: _plain(each) for each in parameters if each["in"] == "query"}
    body = [_plain(each["schema"]) for each in parameters if each["in"] == "body"]
    answer = next(iter(one["responses"].values())).get("schema")
    return {"query": query, **({"body": body[0]} if body else {}), "answer": _plain(answer) if answer else None}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("type", "format", "enum", "required"):
        if name in schema and schema[name] is not False:
            found[name] = schema[name]
    if "$ref" in schema:
        return {"$ref": schema["$ref"].rpartition("/")[2]}
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            found[name] = _plain(schema[name])
    return found


def _flat(everything: dict[str, Any], name: str) -> dict[str, Any]:
    """A definition together with those that it is all of."""
    schema = everything[name]
    properties: dict[str, Any] = {}
    for part in schema.get("allOf", ()):
        if "$ref" in part:
            properties |= _flat(everything, part["$ref"].rpartition("/")[2]).get("properties", {})
    properties |= {key: _plain(value) for key, value in schema.get("properties", {}).items()}
    return {"properties": properties}


if __name__ == "__main__":
    found = excerpt(*(json.loads(Path(name).read_text("utf-8-sig")) for name in sys.argv[1:]))
    lines = [f'"{name}":{json.dumps(one)}' for name, one in found["definitions"].items()]
    operations = ",\n".join(json.dumps(one) for one in found["operations"])
    DESCRIPTION.write_text('{"operations":[\n' + operations + '\n],"definitions":{\n' + ",\n".join(lines) + "\n}}\n")

"""Holds requests and answers against GitHub's own OpenAPI description of its REST API.

`make github-definitions` brings it. Only what is used of it is prepared, and once a process.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from forge_standin.schemas import complaints, formats

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jsonschema.protocols import Validator

    from standin.standin import Exchange

FOLDER = Path(__file__).resolve().parents[3] / ".cache" / "github"
DESCRIPTION = FOLDER / "openapi.json"
GRAPHQL = FOLDER / "schema.graphql"

MISSING = "GitHub's descriptions of its APIs aren't there: run `make github-definitions`"

_WITH_SLASHES = {"basehead", "branch", "path", "ref"}
_ERRORS = {"$ref": "#/components/schemas/basic-error"}


class Operation(NamedTuple):
    pattern: re.Pattern[str]
    literal: int
    path: str
    method: str


def available() -> bool:
    return DESCRIPTION.exists()


@cache
def _description() -> dict[str, Any]:
    found = json.loads(DESCRIPTION.read_text("utf-8"))
    # `pull-request` lets a label's description be null, as it is where nobody wrote one; the shape that lists have of
    # the same labels forgets that.
    shape = found["components"]["schemas"]["pull-request-simple"]["properties"]["labels"]["items"]["properties"]
    shape["description"]["nullable"] = True
    # PyGithub and others send the bare list that GitHub described before, and still takes.
    where = found["paths"]["/repos/{owner}/{repo}/issues/{issue_number}/labels"]
    for method in ("post", "put"):
        schema = where[method]["requestBody"]["content"]["application/json"]["schema"]
        schema["oneOf"] = [*schema["oneOf"], {"type": "array", "items": {"type": "string"}}]
    return found


@cache
def _operations() -> list[Operation]:
    """The paths with most literal text first: `/branches/{branch}/protection` before `/branches/{branch}`."""
    found = []
    for path, methods in _description()["paths"].items():
        parts = re.split(r"\{([\w-]+)\}", path)
        pattern = "".join(
            re.escape(part) if at % 2 == 0 else ".+" if part in _WITH_SLASHES else "[^/]+"
            for at, part in enumerate(parts)
        )
        literal = sum(len(part) for part in parts[::2])
        found += [Operation(re.compile(pattern), literal, path, method.upper()) for method in methods]
    return sorted(found, key=lambda one: -one.literal)


@cache
def operation(method: str, path: str) -> Operation | None:
    """The operation that a request is, by its path without the prefix of the API."""
    return next((one for one in _operations() if one.method == method and one.pattern.fullmatch(path)), None)


_passed: set[int] = set()
"""Hashes of exchanges that agreed: tests repeat themselves."""


def violations(log: Sequence[Exchange]) -> list[str]:
    """What doesn't agree, in words. Answers that a fault spoilt were right before, so they count too."""
    found = []
    for one in list(log):
        if one.kind != "rest" or one.meant == 501:
            continue
        text = json.dumps([one.method, one.path, one.query, one.body, one.meant, one.answer], sort_keys=True)
        if hash(text) in _passed:
            continue
        wrong = [f"{one}: {complaint}" for complaint in _complaints(one)]
        if not wrong:
            _passed.add(hash(text))
        found += wrong
    return found


def _complaints(one: Exchange) -> Iterator[str]:
    known = operation(one.method, one.path)
    if known is None:
        yield "GitHub has no such operation"
        return
    described = _description()["paths"][known.path][known.method.lower()]
    yield from _query(one, described)
    refused = one.meant in (400, 401, 404, 422)  # GitHub refuses bad requests too
    if not refused:
        yield from _body(one, known, described)
    if one.meant:
        yield from _answer(one, known, described)


def _query(one: Exchange, described: dict[str, Any]) -> Iterator[str]:
    parameters = [_resolved(parameter) for parameter in described.get("parameters", ())]
    known = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
    for name, value in one.query.items():
        if name not in known:
            yield f"no query parameter {name}"
            continue
        schema = known[name]["schema"]
        typed = int(value) if schema.get("type") == "integer" and value.isdigit() else value
        yield from (f"query parameter {name}: {error}" for error in complaints(_prepared(schema), typed))
    for name, parameter in known.items():
        if parameter.get("required") and name not in one.query:
            yield f"query parameter {name} is missing"


def _body(one: Exchange, known: Operation, described: dict[str, Any]) -> Iterator[str]:
    wanted = _resolved(described.get("requestBody", {}))
    schema = wanted.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        if one.body is not None:
            yield "takes no body"
        return
    if one.body is None:
        if wanted.get("required"):
            yield "the body is missing"
        return
    yield from (f"body: {error}" for error in complaints(_validator(known.path, known.method, "body"), one.body))
    properties = _resolved(schema).get("properties")
    if properties and isinstance(one.body, dict):
        yield from (f"body: no property {name}" for name in one.body if name not in properties)


def _answer(one: Exchange, known: Operation, described: dict[str, Any]) -> Iterator[str]:
    answers = described["responses"]
    code = str(one.meant)
    if code not in answers:
        if one.meant < 400:
            yield f"no answer {code} is described"
        else:
            yield from (f"answer: {error}" for error in complaints(_prepared(_ERRORS), one.answer))
        return
    schema = _resolved(answers[code]).get("content", {}).get("application/json", {}).get("schema")
    if schema is not None:
        yield from (f"answer: {error}" for error in complaints(_validator(known.path, known.method, code), one.answer))
    elif one.answer is not None and one.meant < 400:
        yield f"answer {code} has no content"


@cache
def _validator(path: str, method: str, part: str) -> Validator:
    described = _description()["paths"][path][method.lower()]
    holder = described["requestBody"] if part == "body" else described["responses"][part]
    return _prepared(_resolved(holder)["content"]["application/json"]["schema"])


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = _description()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


# OpenAPI 3.0's schemas as JSON Schema


def _prepared(schema: dict[str, Any]) -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(_converted(schema), registry=_registry(), format_checker=formats())


@cache
def _registry() -> Any:
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012
    from referencing.retrieval import to_cached_resource

    @to_cached_resource(loads=lambda schema: schema, from_contents=DRAFT202012.create_resource)
    def retrieve(uri: str) -> Any:
        return _converted(_description()["components"]["schemas"][uri.removeprefix("urn:")])

    return Registry(retrieve=retrieve)


_WORDS = {"example", "examples", "default", "description", "title", "nullable", "discriminator"}
"""What says nothing about values. (A property may have such a name too, but those are seen as `properties` only.)"""


def _converted(node: Any) -> Any:
    """`nullable` as a type; references as names of the registry; `oneOf` as `anyOf`.

    The last because GitHub's alternatives aren't exclusive: what a public profile is, is a private one in part.
    """
    if isinstance(node, list):
        return [_converted(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": f"urn:{node['$ref'].rpartition('/')[2]}"}
    found = {}
    for name, value in node.items():
        if name in _WORDS:
            continue
        if name == "properties":
            found[name] = {key: _converted(each) for key, each in value.items()}
        else:
            found["anyOf" if name == "oneOf" else name] = _converted(value)
    if not node.get("nullable"):
        return found
    if isinstance(found.get("type"), str) and "anyOf" not in found and "allOf" not in found:
        found["type"] = [found["type"], "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
        return found
    return {"anyOf": [found, {"type": "null"}]}

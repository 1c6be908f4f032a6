"""Compares requests and answers with GitLab's documented API, which `api.yaml` tells as far as it is used here."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from forge_standin.schemas import complaints, formats
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forge_standin import Exchange

GITBEAKER = Path(__file__).resolve().parents[3] / ".cache" / "gitlab" / "node_modules" / "@gitbeaker"
MISSING = "gitbeaker isn't there: run `make gitlab-client`, with node on PATH"

_JSON = {
    "any": {}, "string": {"type": "string"}, "integer": {"type": "integer"}, "boolean": {"type": "boolean"},
    "object": {"type": "object"}, "null": {"type": "null"}, "time": {"type": "string", "format": "date-time"},
    "uri": {"type": "string", "format": "uri"},
    "integers": {"type": "array", "items": {"type": "integer"}}, "strings": {"type": "array", "items": {"type": "string"}},
}  # fmt: skip


@cache
def description() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(Path(__file__).with_name("api.yaml").read_text("utf-8"), yaml.BaseLoader)
    return found


def _schema(shape: Any) -> dict[str, Any]:
    """The JSON schema of a shape's short form."""
    if isinstance(shape, list):
        return {"type": "array", "items": _schema(shape[0])}
    word = shape.rstrip("*~!+")
    if "+" in shape:
        found = {"type": "array", "items": _schema(word)}
    elif word in description()["answers"]:
        found = _answer(word)
    elif word in description()["words"]:
        found = {"enum": description()["words"][word].split()}
    else:
        found = _JSON[word] if word in _JSON else {"enum": word.split("|")}
    return {"anyOf": [found, {"type": "null"}]} if "*" in shape else found


@cache
def _answer(name: str) -> dict[str, Any]:
    shape = dict(description()["answers"][name])
    if names := shape.get("any_of"):
        return {"anyOf": [_answer(one) for one in names]}
    shape = properties(name)
    return {
        "type": "object", "additionalProperties": False, "properties": {key: _schema(of) for key, of in shape.items()},
        "required": [key for key, of in shape.items() if "~" not in of],
    }  # fmt: skip


def properties(name: str) -> dict[str, Any]:
    """What an answer may hold, in short form."""
    shape = dict(description()["answers"][name])
    more = shape.pop("+", None)
    return {**(properties(more) if more else {}), **shape}


@cache
def _validator(shape: str) -> Draft202012Validator:
    return Draft202012Validator(_schema(yaml.safe_load(shape)), format_checker=formats())


@cache
def _operations() -> list[tuple[str, re.Pattern[str], str]]:
    """Those with the most literal text first."""
    found = []
    for name in description()["operations"]:
        method, path = name.split()
        found.append((method, re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), name))
    return sorted(found, key=lambda one: -len(re.sub(r"\{\w+\}", "", one[2])))


def violations(log: Sequence[Exchange]) -> list[str]:
    """What doesn't agree, in words. Answers that a fault spoilt were right before, so they count too."""
    return [
        f"{one}: {each}"
        for one in list(log)
        if one.kind == "rest" and one.meant not in (0, 301, 501)
        for each in _all(one)
    ]


def _all(one: Exchange) -> Iterator[str]:
    found = next(
        (name for method, path, name in _operations() if method == one.method and path.fullmatch(one.path)), None
    )
    if found is None:
        yield "GitLab has no such operation"
        return
    known = dict(description()["operations"][found])
    if known.pop("pages", None):
        known |= description()["pages"]
    answers = {key[3:]: known.pop(key) for key in list(known) if key.startswith("-> ")}
    if one.meant < 400:
        yield from _request(one, known)
    shape = answers.get(f"{one.meant}") if one.meant < 400 else "Error"
    if shape is None:
        yield f"no answer {one.meant} is described"
    elif shape != "null" or one.answer is not None:
        yield from (f"answer: {each}" for each in complaints(_validator(yaml.safe_dump(shape)), one.answer))


def _request(one: Exchange, known: dict[str, str]) -> Iterator[str]:
    given = {name.removesuffix("[]"): value for name, value in one.query.items()}
    for name, value in {**given, **(one.body or {})}.items():
        if name not in known:
            yield f"no parameter {name}"
        elif isinstance(value, str):
            yield from _text(name, value, known[name].rstrip("!"))
        else:
            yield from (f"parameter {name}: {each}" for each in complaints(_validator(known[name]), value))
    yield from (
        f"parameter {name} is missing"
        for name, of in known.items()
        if of.endswith("!") and name not in given | (one.body or {})
    )


def _text(name: str, value: str, of: str) -> Iterator[str]:
    """A text in a query or a form, also for what isn't one."""
    fits = {"integer": r"-?\d+", "boolean": "[tT]rue|[fF]alse", "integers": r"(\d+(,\d+)*)?", "strings": r"[\s\S]*"}
    if of in fits and not re.fullmatch(fits[of], value):
        yield f"parameter {name}: {value!r} is not of type {of}"
    elif "|" in of and value not in of.split("|"):
        yield f"parameter {name}: {value!r} is not one of {of}"

"""Every JSON that a command prints in a test is held against the shapes in documentation/outputs.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match

from documentation import json_schema
from documentation.outputs import SCHEMA_OF
from release_tool.cli import errors
from release_tool.cli.call import Run

NEWER: frozenset[str] = frozenset()
"""The shapes that hold keys of a newer tool, in a test that wants such."""


@cache
def _validator(name: str, *, closed: bool) -> Draft202012Validator:
    return Draft202012Validator(json_schema.schema(name, closed=closed))


def hold(name: str, data: object) -> Any:
    """The data, if it is as the shape says; a key that is not described is refused, too."""
    found: ValidationError | None = best_match(
        _validator(name, closed=name not in NEWER).iter_errors(json.loads(json.dumps(data)))
    )
    if found is not None:
        raise AssertionError(
            f"{name}: {found.message} at {found.json_path}; documentation/outputs.py says what it holds"
        )
    return data


def watch() -> Callable[[], None]:
    """Look at all JSON from now on; what ends that."""
    show, fail = Run.show, errors.print_json

    def shown(run: Run, data: Callable[[], object], text: Callable[[], str], **more: Any) -> None:
        command = run.arguments.command
        show(run, lambda: hold(SCHEMA_OF[command], data()) if command in SCHEMA_OF else data(), text, **more)

    def failed(data: object, job: Any) -> None:
        fail(hold("error", data), job)

    Run.show, errors.print_json = shown, failed  # type: ignore[method-assign,assignment]

    def end() -> None:
        Run.show, errors.print_json = show, fail  # type: ignore[method-assign]

    return end

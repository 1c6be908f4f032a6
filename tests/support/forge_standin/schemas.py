"""Complaints about JSON that a description of an API doesn't allow."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.protocols import Validator


def complaints(validator: Validator, value: Any) -> Iterator[str]:
    for error in validator.iter_errors(value):
        best = error
        while best.context:  # of alternatives, the one that fits best tells what is wrong
            best = min(best.context, key=lambda each: (-len(each.absolute_path), each.validator == "type"))
        yield f"{best.json_path}: {best.message[:300]}"


@cache
def formats() -> Any:
    from jsonschema import FormatChecker

    found = FormatChecker(formats=())
    found.checks("date-time")(
        lambda value: (
            not isinstance(value, str)
            or bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value))
        )
    )
    found.checks("uri")(lambda value: not isinstance(value, str) or bool(re.match(r"[a-z][a-z0-9+.-]*:\S+$", value)))
    return found

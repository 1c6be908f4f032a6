"""What is wrong with a query of Prometheus, as far as its text shows.

The grammar is that of the library `promql-parser`; without it (it has no wheel for every machine) a query is not looked
at. Its functions are those of the Prometheus that it was made after, so one that it doesn't know may still be right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import ModuleType

_NO_NUMBERS = {"MatrixSelector": "a range of values", "StringLiteral": "a text"}


class Complaint(NamedTuple):
    """What is wrong: in words, and whether it surely is."""

    what: str
    sure: bool = True


def library() -> ModuleType | None:
    """The grammar; None where it isn't installed."""
    try:
        import promql_parser
    except ImportError:
        return None
    found: ModuleType = promql_parser
    return found


def complaint(query: str) -> Complaint | None:
    """What is wrong with a query whose placeholders are filled in; None: nothing, or nobody can tell."""
    grammar = library()
    if grammar is None:
        return None
    try:
        parsed = grammar.parse(query)
    except Exception as error:  # noqa: BLE001 (the library names no type: it raises what its own language gives it)
        words = " ".join(str(error).split())[:200]
        return Complaint(words, sure="unknown function" not in words)
    kind = type(parsed).__name__
    return Complaint(f"it gives {_NO_NUMBERS[kind]}, and a number is wanted") if kind in _NO_NUMBERS else None

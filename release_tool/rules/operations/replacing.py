"""Which pending operations a new one takes the place of. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.model.records import Intent, Line

OF_DEFAULT = "default"
"""The argument `of` of a promotion of "the default of FROM"; that of a version that somebody named is `version`."""


def replaced(pending: Sequence[Line], own: Intent) -> frozenset[str]:
    """Ids of the pending promotions that a new one takes the place of: of "the default of FROM", which has moved."""
    if own.operation != "promote" or own.arguments.get("of") != OF_DEFAULT:
        return frozenset()
    return frozenset(
        line.id
        for line in pending
        if line.intent.operation == "promote"
        and line.intent.arguments.get("of") == OF_DEFAULT
        and line.intent.arguments.get("from") == own.arguments.get("from")
        and line.intent.arguments.get("tag") != own.arguments.get("tag")
    )

"""The cleanup: the sweep alone, so nothing of its own. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.rules.operations.base import Context, Step

if TYPE_CHECKING:
    from release_tool.model.records import Intent, State


def cleanup(state: State, intent: Intent, context: Context) -> Step:  # noqa: ARG001 (the signature of every operation)
    """Nothing: every operation ends with the sweep, and this one is nothing else."""
    return Step()

"""What each operation changes by itself, without the sweep. Pure: (state, intent, context) -> Step.

The table names every operation that this release of the tool can plan, and its module, imported when it is used. There
the function of the operation's name makes its step.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.model.records import Change
from release_tool.model.states import apply
from release_tool.rules.operations.base import Context, Names, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.model.records import Intent, State

__all__ = ["MODULES", "Context", "Names", "Step", "plan_step"]

MODULES = {
    "bump": "bump",
    "promote": "promote",
    "default": "by_hand",
    "downgrade": "downgrade",
    "retire": "by_hand",
    "restore": "by_hand",
    "pin": "by_hand",
    "unpin": "by_hand",
    "quarantine": "by_hand",
    "clear": "by_hand",
    "undo": "undo",
    "cleanup": "cleanup",
}
"""Operation -> module of this package."""


def plan_step(state: State, intent: Intent, context: Context) -> Step:
    """What an intent changes on a state.

    Raises:
        Refused: the rules refuse it on this state.
        ReleaseError: an operation that only a newer release of the tool knows.
    """
    module = MODULES.get(intent.operation)
    if module is None:
        raise ReleaseError(
            f"operation {intent.operation} ({intent.id}) is unknown to this release of the tool",
            cause="a newer release wrote it into the open pull request",
            hint="run that newer release here too, or merge or close that pull request first",
        )
    operation: Callable[[State, Intent, Context], Step] = getattr(
        import_module(f"release_tool.rules.operations.{module}"), intent.operation
    )
    step = operation(state, intent, context)
    return Step(_with_default_kept(state, step.changes), step.notes)


def _with_default_kept(state: State, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """The changes, and the default written down where they would change the one that was only implied."""
    default = state.default
    after = apply(state, changes)
    if default is None or after.default == default or any(change.action == "set-default" for change in changes):
        return changes
    kept = Change("set-default", default, state.versions[default], "implied until now", before=default)
    return (*changes, kept)

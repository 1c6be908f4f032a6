"""A command that a CI run repeats: it means what it meant first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.remote.branch import lines_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.model.records import Arguments, Intent, Line
    from release_tool.publishing.outcome import Invocation
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool


def earlier(tool: Tool, snapshot: Snapshot, asked: Invocation, is_same: Callable[[Arguments], bool]) -> Intent | None:
    """The same operation from the same run, where its arguments depend on how things stood then.

    "The default goes back" means another thing once it went back.

    Args:
        is_same: whether the arguments of another intent are the same, but for what depends on how things stand.
    """
    place = snapshot.config.place(asked.environment)
    lines: list[Line] = list(snapshot.files[asked.environment].lines())
    for name in (place.branch, place.downgrade_branch):
        tip = snapshot.refs.branch(name)
        lines += [] if tip is None else lines_at(tool.repository, snapshot, place, tip)
    for line in lines:
        intent = line.intent
        same_run = intent.id == asked.id or (asked.run and intent.run == asked.run)
        if same_run and is_same(intent.arguments):
            return intent
    return None

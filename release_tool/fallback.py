"""The fallback target: the version that a downgrade goes back to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.versions import is_newer, newest_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.records import Name, State


def fallback_target(state: State, former: Sequence[Name], order: str) -> Name | None:
    """The version to go back to when the default turns bad.

    The latest former default that is live and below the default; else the newest live version below it; else the
    latest former default that is live; else none.

    Args:
        state: the versions, with the default that would be left.
        former: the defaults that stood in the base branch, oldest first.
        order: the configured order of versions.
    """
    default = state.default
    if default is None or default not in state.versions:
        return None
    here = (default, state.versions[default])
    others = {name: tag for name, tag in state.live.items() if name != default}
    below = {name: tag for name, tag in others.items() if is_newer(order, here, (name, tag))}
    latest = [name for name in reversed(former) if name in others]
    ordered = [*(name for name in latest if name in below), *(name for name, _ in newest_first(order, below.items()))]
    return next(iter([*ordered, *latest]), None)

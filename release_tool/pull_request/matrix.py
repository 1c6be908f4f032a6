"""The version x environment matrix, with one environment before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.model.records import name_number
from release_tool.pull_request.markdown import NOTHING, Markup, bold, folded, gone, plain, table, tag
from release_tool.rules import outlook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.model.records import Name, Tag
    from release_tool.pull_request.proposal import Proposed

_VERSIONS = 24
_ENVIRONMENTS = 8


def matrix(proposed: Proposed) -> list[Markup]:
    """What each version is in each environment of the service."""
    tags = _tags(proposed)
    if not tags:
        return []
    names = _names(proposed)
    head: list[str] = ["version", "tag"]
    for name in names:
        head += [f"{name} now", f"**{name} then**"] if name == proposed.place.environment else [name]
    rows = [[plain(name), tag(written), *_cells(proposed, names, name, written)] for name, written in tags.items()]
    shown = _bounded(proposed, list(tags))
    missing = len(proposed.environments) - len(names)
    also = f", and {missing} more environments" if missing > 0 else ""
    table_ = table(head, [row for row, name in zip(rows, tags, strict=True) if name in shown], "see `release status`")
    parts = [table_]
    if len(shown) < len(tags) or also:
        parts.append(Markup(f"`release status` shows {len(tags) - len(shown)} more versions{also}."))
    return [folded("Versions and environments", *parts)]


def _names(proposed: Proposed) -> list[str]:
    """The environments that are shown: this one always, and those around it."""
    names = list(proposed.environments) or [proposed.place.environment]
    if proposed.place.environment not in names:
        names.append(proposed.place.environment)
    first = max(0, min(names.index(proposed.place.environment) - _ENVIRONMENTS // 2, len(names) - _ENVIRONMENTS))
    return names[first : first + _ENVIRONMENTS]


def _tags(proposed: Proposed) -> dict[Name, Tag]:
    """Every version of any environment, newest name first; its tag as it is here, or in the first that has it."""
    found = proposed.all_versions()
    for state in proposed.environments.values():
        for name, written in outlook.all_of(state):
            found.setdefault(name, written)
    return dict(sorted(found.items(), key=lambda one: name_number(one[0]), reverse=True))


def _bounded(proposed: Proposed, names: list[Name]) -> set[Name]:
    """The versions that are shown: those that change, then the newest."""
    changed = {change.version for change in proposed.changes}
    return set(sorted(names, key=lambda name: name not in changed)[:_VERSIONS])


def _cells(proposed: Proposed, names: list[str], name: Name, written: Tag) -> Iterator[Markup]:
    for environment in names:
        if environment == proposed.place.environment:
            came = {*proposed.restoring, *(one.version for one in proposed.changes if one.action == "deploy")}
            before = outlook.cell(proposed.before, name, written, proposed.restoring)
            after = outlook.cell(proposed.plan.after, name, written, came)
            same = before == after
            yield plain(before) if same or not before else gone(plain(before))
            yield plain(after) if same or not after else bold(plain(after))
        else:
            state = proposed.environments[environment]
            yield Markup("?") if state is None else plain(outlook.cell(state, name, written)) or NOTHING

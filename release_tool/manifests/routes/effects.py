"""Whether a rendering does what a change of versions stands for: charts of others may know nothing of it.

A chart without routes for versions is right as it is: nothing is asked of its routes, and whether a retired version
keeps its pods is its own matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.records import name_number
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from release_tool.manifests.routes.reach import Reach
    from release_tool.model.records import Change, Operation, State


class Unmet(NamedTuple):
    """A change that the rendering doesn't follow.

    Attributes:
        change: the change.
        what: what the rendering does instead, a sentence without a full stop.
        hint: what the chart would have to do.
        serious: whether the operation has no sense then, or breaks calls: it is refused.
    """

    change: Change
    what: str
    hint: str
    serious: bool
    of_pods: bool = False  # whether it is about what runs, not about routes


class Compared(NamedTuple):
    """A proposal: who answers calls before and after it, and the versions that the file holds then."""

    before: Reach
    after: Reach
    state: State
    filters_change: bool = False  # whether an EnvoyFilter does, which may lead calls anywhere


_ACTIONS = frozenset(["add", "deploy", "restore", "set-default", "quarantine", "retire", "remove"])
_MOVES_THE_DEFAULT = frozenset(["default", "downgrade"])
_QUARANTINES = frozenset(["quarantine", "downgrade"])


def unmet(changes: Iterable[Change], operation: Operation | None, step: Compared) -> Iterator[Unmet]:
    """The changes that the rendering doesn't follow, as far as they stand at the end.

    Args:
        changes: in their order.
        operation: what is asked for; None where that is told of others.
        step: what is proposed.
    """
    last = {
        "default" if change.action == "set-default" else change.version: change
        for change in changes
        if change.action in _ACTIONS
    }
    for change in last.values():
        if change.action in ("add", "restore") and change.version in step.state.versions:
            yield from _added(change, step)
        elif change.action == "set-default" and change.version == step.state.default:
            yield from _default(change, step, serious=operation in _MOVES_THE_DEFAULT)
        elif change.action == "quarantine" and change.version in step.state.quarantined:
            yield from _quarantined(change, step, serious=operation in _QUARANTINES)
        elif change.action == "retire" and change.version in step.state.retired:
            yield from _retired(change, step)
        elif change.action == "deploy" and step.after.routed(change.version):
            what = f"the chart routes {change.version} at once: calls that name it fail until its pods are ready"
            yield Unmet(change, what, "let the chart render no route for a version under `retired`", False)
        elif change.action == "remove" and change.version in step.after.running:
            hint = "let the chart render a workload for each entry of the versions' file, and for no other"
            yield Unmet(change, f"{change.version} is removed from the file, and the chart still runs it", hint, False)


def is_left_out(change: Change, step: Compared) -> bool:
    """Whether a version comes back without a route, and the chart gives it no pods before it has one."""
    name, after = change.version, step.after
    runs = name in after.running or (name in after.shown and not after.running)
    return change.action == "deploy" and name in step.state.retired and not runs


def _added(change: Change, step: Compared) -> Iterator[Unmet]:
    name, after = change.version, step.after
    tag = tag_part(change.tag)
    if name not in after.shown:
        what = f"no manifest shows {tag} ({name})"
        hint = "let the chart render a workload for each entry of the versions' file"
        yield Unmet(change, what, hint, True, of_pods=True)
    elif after.header and not after.routed(name) and any(after.routed(one) for one in step.state.live):
        what = f"the chart has no route for {name}: calls that name it get what calls without a version get"
        if not after.unnamed():
            what = f"the chart has no route for {name}: calls that name it find none"
        yield Unmet(change, what, "let the chart render a route for each live version", False)


def _default(change: Change, step: Compared, *, serious: bool) -> Iterator[Unmet]:
    """The calls that name no version follow the default, where routes tell versions apart."""
    name, before, after = change.version, step.before, step.after
    if not after.header:
        return
    hint = "let the route for calls that name no version lead to `default` first"
    if not after.unnamed() and step.filters_change:
        filters = " and ".join(after.filters)
        what = f"no route takes calls that name no version; whether they go to {name} by {filters} is not read"
        yield Unmet(change, what, hint, serious=False)
    elif not after.unnamed():
        what = f"the default moves to {name} in the file alone: the chart has no route for calls that name no version"
        if after.filters:
            what += f" (what {' and '.join(after.filters)} may do with them is not read)"
        yield Unmet(change, what, hint, serious)
    elif name not in after.first or (len(after.first) > 1 and after.first == before.first):
        first = ", ".join(sorted(after.first, key=name_number)) or "pods of no version"
        what = f"the default moves to {name} in the file alone: calls that name no version still go to {first}"
        yield Unmet(change, what, hint, serious)


def _quarantined(change: Change, step: Compared, *, serious: bool) -> Iterator[Unmet]:
    name = change.version
    if step.after.routed(name):
        what = f"the chart keeps the route of {name}: calls that name it still reach its pods"
        yield Unmet(change, what, "let the chart render no route for a version under `quarantined`", serious)
    elif name in step.after.first:
        what = f"calls that name no version still go to {name}, though it is quarantined"
        yield Unmet(change, what, "let the default pool leave out versions under `quarantined`", serious)


def _retired(change: Change, step: Compared) -> Iterator[Unmet]:
    name, before, after = change.version, step.before, step.after
    if after.routed(name):
        what = f"the chart keeps the route of {name}, which is retired: its removal would cut calls"
        yield Unmet(change, what, "let the chart render no route for a version under `retired`", True)
    elif before.routed(name) and name in before.running and name not in after.running:
        what = f"the chart removes the pods of {name} together with its route: calls that are under way fail"
        hint = "let the chart keep the workload of a version under `retired`, without a route"
        yield Unmet(change, what, hint, True, of_pods=True)

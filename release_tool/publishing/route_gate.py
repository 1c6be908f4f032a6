"""The gate before publishing: a proposal whose routes would lose calls, or that the chart can't carry out, is refused.

What breaks a call that works now is wrong. What was wrong before is a note, and stops nothing: the way out of it may be
this very change. An operation never makes the pods of another version anew, so a chart that does so is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import manifests
from release_tool.errors import Refused, ReleaseError
from release_tool.manifests import routes
from release_tool.manifests.routes import effects
from release_tool.manifests.routes.one_rendering import listed
from release_tool.manifests.routes.reach import reach, stands

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from release_tool.config import Config
    from release_tool.manifests import ObjectChange
    from release_tool.manifests.routes import RouteFinding
    from release_tool.manifests.routes.reach import Reach
    from release_tool.model.records import Change, Name, Operation, Tag
    from release_tool.remote.rendering import Renderings
    from release_tool.remote.snapshot import Files
    from release_tool.rules.plan import Plan

_TOLD = 3
_LISTED = 10
_ANYWAY = "add --force --reason 'why' to go on all the same"


class Proposal(NamedTuple):
    """What shall be published."""

    present: Files  # the environment's files in the base
    files: Files  # those that `changed` changes: the present ones, or those of a release branch
    changed: Mapping[str, bytes]  # path -> bytes
    plan: Plan
    operation: Operation | None  # None of sync
    accepted: bool = False  # whether a person goes on, with a reason, where the chart can't carry out what is asked for


class NotDeployedError(Exception):
    """The chart deploys no retired versions: what comes back can only be deployed and routed in one step."""


class Publishable(NamedTuple):
    """A proposal that may be published: the difference of its manifests, and what the checks say beside it."""

    manifests: tuple[ObjectChange, ...]
    notes: tuple[str, ...]
    reached: tuple[Reach | None, Reach]  # who answers calls before and after it; None: the former can't be rendered


def publishable(renderings: Renderings, proposal: Proposal) -> Publishable:
    """A proposal, once the checks of routing find nothing wrong with it that isn't wrong already.

    Raises:
        Refused: a call would fail by what is proposed, or the chart can't carry it out.
        NotDeployedError: it is to be planned again, in one step.
    """
    present, files, plan = proposal.present, proposal.files, proposal.plan
    before, after = renderings.both(present, files, proposal.changed)
    config = renderings.config
    was, now = renderings.steady(before, present), renderings.steady(after, files, proposal.changed)
    changes = manifests.difference(was.rendering, now.rendering)
    versions = {**_deployed(present), **plan.after.versions, **plan.after.retired}
    then, later = (reach(text, config.namespace, versions) for text in (before, after))
    filtered = any(one.key.kind == "EnvoyFilter" for one in changes)
    notes, accepted = _effects(renderings, proposal, effects.Compared(then, later, plan.after, filtered), changes)
    if renderings.not_compared:
        notes += (f"nothing is compared with what stands in {config.base}: {renderings.not_compared}",)
    changing = sorted({*was.changing, *now.changing})
    if changing:
        titles = listed(f"{key.kind} {key.name}" for key in changing)
        notes += (f"left out of the difference, because it changes with each rendering: a part of {titles}",)
    reached = (then if before or present.is_empty else None, later)
    found = [*routes.check(after, config.namespace), *routes.compare(was.rendering, now.rendering, config.namespace)]
    if not found:
        return Publishable(changes, notes, reached)
    old = known(before, config)
    if files != present:  # people work on that branch too: what their commits hold is no fault of this operation
        theirs = renderings.render_if_possible(files)
        old |= known(theirs, config)
        old |= {finding.identity for finding in routes.compare(before, theirs, config.namespace)}
    new = [finding for finding in found if finding.identity not in old]
    gone_on = [one for one in plan.edits if proposal.accepted or one not in plan.own]
    wrong = [one for one in new if one.serious and not (accepted and one.rule == "lost") and not leaves(one, gone_on)]
    if wrong:
        raise _refusal(renderings, files.place.environment, wrong, by_force=all(leaves(one, plan.own) for one in wrong))
    told = [finding.what for finding in new]
    told += [f"wrong already: {finding.what}" for finding in found if finding.serious and finding not in new]
    more = (f"{len(told) - _TOLD} more of this kind; `release check` lists what is wrong",) if len(told) > _TOLD else ()
    return Publishable(changes, (*notes, *told[:_TOLD], *more), reached)


def leaves(finding: RouteFinding, changes: Iterable[Change]) -> bool:
    """Whether calls lose just a version that some changes take away: a person may go on with that."""
    about = f"{finding.about} {finding.subject}"
    return finding.rule in {"lost", "stopped"} and any(
        one.action in {"retire", "remove", "quarantine"} and (stands(one.version, about) or stands(one.tag, about))
        for one in changes
    )


def _deployed(files: Files) -> dict[Name, Tag]:
    try:
        state = files.state(empty=True)
    except ReleaseError:  # what it was planned on is the branch's
        return {}
    return {**state.versions, **state.retired}


def _effects(
    renderings: Renderings, proposal: Proposal, step: effects.Compared, changes: Sequence[ObjectChange]
) -> tuple[tuple[str, ...], bool]:
    """What the chart doesn't do of what changes, and whether a person went on all the same, now or before.

    Raises Refused where this operation has no sense then, or breaks calls.
    """
    plan, operation = proposal.plan, proposal.operation
    if any(effects.is_left_out(change, step) for change in plan.edits):
        raise NotDeployedError
    # A chart whose objects change reads the file, whatever it makes of a tag.
    wrong = [one for one in effects.unmet(plan.own, operation, step) if one.serious and not (_deploys(one) and changes)]
    if wrong and not proposal.accepted:
        raise _cannot(renderings, operation, wrong, step.after.sources)
    every = list(effects.unmet(plan.edits, operation, step))
    notes = [one.what for one in every]
    if operation in _MARKS and plan.own and not step.after.header and not changes:
        mark = "a quarantine" if operation == "quarantine" else "the default"
        notes.append(f"no manifest changes: {mark} is a label for this tool alone with this chart")
    return tuple(notes), any(one.change.action == "retire" for one in every)


_MARKS = frozenset(["default", "downgrade", "quarantine"])


_DONE = {None: "change", "default": "move of the default", "promote": "promotion", "retire": "retirement"}


def _deploys(one: effects.Unmet) -> bool:
    return one.of_pods and one.change.action != "retire"


def _told_of(one: effects.Unmet) -> str:
    change = one.change
    return f"{change.version} would be retired ({change.reason}), and {one.what}" if change.sweep else one.what


def _cannot(
    renderings: Renderings, operation: Operation | None, wrong: Sequence[effects.Unmet], sources: Sequence[str]
) -> Refused:
    hint, config = wrong[0].hint, renderings.config
    if _deploys(wrong[0]):
        from release_tool.manifests.templates import Templates

        hint = Templates(renderings.chart(), renderings.place).reads_elsewhere(config.versions.key) or hint
    what = f"the chart can't carry out this {_DONE.get(operation, operation)}"
    told = [_told_of(one) for one in wrong]
    what = f"{what}: {told[0]}" if len(told) == 1 else "\n  ".join([what, *told])
    return Refused(
        what,
        where=renderings.place(sources[0].partition("/")[2] if sources and not wrong[0].of_pods else ""),
        cause="the chart renders the new set of versions so; nothing was published",
        hint=f"{hint}, and push it to {config.base} (see `release doctor`); or {_ANYWAY}",
        page="reference/commands.md#what-the-chart-has-to-do",
    )


def known(rendering: str, config: Config) -> set[tuple[str, str, str]]:
    """What identifies the findings of a rendering."""
    return {one.identity for one in routes.check(rendering, config.namespace)}


def place_of(renderings: Renderings, finding: RouteFinding) -> str:
    """The file of a finding's template in the repository; the chart where the rendering doesn't tell the template.

    A rendering names a template by the name of its chart, not by its directory.
    """
    return renderings.place(finding.source.partition("/")[2])


def _refusal(renderings: Renderings, environment: str, wrong: Sequence[RouteFinding], *, by_force: bool) -> Refused:
    first = wrong[0]
    what = f"with this change calls to {environment} would fail: {first.what}"
    if len(wrong) > 1:
        lines = [f"{place_of(renderings, one)}: {one.what} ({one.hint})" for one in wrong[:_LISTED]]
        lines += [f"and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
        what = "\n  ".join([f"with this change calls to {environment} would fail, for {len(wrong)} reasons", *lines])
    return Refused(
        what,
        where=place_of(renderings, first),
        cause="the chart renders the new set of versions so; nothing was published",
        hint=f"{first.hint}; correct the chart, push it to {renderings.config.base}, then run this command again"
        + (f"; or {_ANYWAY}" if by_force else ""),
        page="reference/commands.md#what-the-chart-has-to-do",
    )

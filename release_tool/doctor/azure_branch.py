"""Verdicts about what Azure DevOps' policies make of the base, and of the release branches.

Source: learn.microsoft.com, "Branch policies and settings". A branch with a blocking policy takes no pushes, but those
of accounts that may *Bypass policies when pushing*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.doctor.diagnosis import Diagnosis, ok
from release_tool.forges.azure import pulls, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from release_tool.config import Environment
    from release_tool.forges.azure.settings import BranchPolicy

_METHODS = {"noFastForward": "merge", "squash": "squash", "rebase": "rebase", "rebaseMerge": "semi-linear merge"}


class BasePolicies(NamedTuple):
    """What holds for the base.

    Attributes:
        base: its name.
        policies: those that apply to it.
        pushable: whether the token's account may push past them; None: it can't be told.
        page: where policies are set.
    """

    base: str
    policies: tuple[BranchPolicy, ...]
    pushable: bool | None
    page: str

    @property
    def blocking(self) -> list[BranchPolicy]:
        return [one for one in self.policies if one.blocking]

    @property
    def takes_pushes(self) -> bool | None:
        """Whether a push to it goes through."""
        return True if not self.blocking else self.pushable

    @property
    def waits_for(self) -> list[str]:
        """The policies that only a person meets."""
        kinds = {settings.REVIEWERS, settings.REQUIRED, settings.WORK_ITEMS}
        return [one.name for one in self.blocking if one.kind in kinds]

    @property
    def where(self) -> str:
        """The page, and the way to it, for a next step."""
        return f"{self.page} (the repository, Policies, `{self.base}`)"


def base(found: BasePolicies, direct: Sequence[str], *, reviewed: bool) -> Iterator[Diagnosis]:
    """What stands around the base, and what the configuration makes of it.

    Args:
        direct: the environments that are published by a push to it.
        reviewed: whether somebody is asked for reviews.
    """
    builds = [one for one in found.blocking if one.kind in {settings.BUILD, settings.STATUS}]
    require = f"add *Build validation* with the pipeline that runs `release check`: {found.where}"
    if not found.blocking:
        what, why = (
            f"nothing protects `{found.base}`",
            "a pull request can be merged whose plan is stale, or that breaks ",
        )
        yield Diagnosis("warning", "protection", what, found.page, f"{why}a route", require)
    elif not builds and not direct:
        what = f"no build must succeed before `{found.base}` is merged to"
        why = "a pull request can be merged that breaks a route, or that gives a name twice"
        yield Diagnosis("warning", "protection", what, found.page, why, require)
    else:
        yield ok("protection", f"policies of `{found.base}`: {', '.join(one.name for one in found.blocking)}")
    yield from _approvals(found, reviewed=reviewed)
    for one in builds:
        if one.kind == settings.BUILD and one.settings.get("queueOnSourceUpdateOnly"):
            what = f"the build {one.name} stays valid when `{found.base}` moves"
            why = "what `release check` judged is then not what is merged"
            mend = f"*Build expiration: Immediately when {found.base} is updated*: {found.where}"
            yield Diagnosis("warning", "build validation", what, found.page, why, mend)
    if any(one.kind == settings.WORK_ITEMS for one in found.blocking):
        what, why = (
            "each pull request must be linked to a work item",
            "those of `release` are not: a person must link each",
        )
        mend = f"make *Check for linked work items* optional: {found.where}"
        yield Diagnosis("error", "work items", what, found.page, why, mend)
    yield _merging(found)
    if direct:
        yield _direct(found, ", ".join(direct))


def _approvals(found: BasePolicies, *, reviewed: bool) -> Iterator[Diagnosis]:
    asks = [one for one in found.blocking if one.kind == settings.REVIEWERS]
    if not asks and not reviewed:
        return
    if asks and all(one.settings.get("resetOnSourcePush") for one in asks):
        yield ok("approvals", "are reset by a push")
        return
    what = "they outlast a push" if asks else "nothing waits for them: the base has no minimum number of reviewers"
    why = "an approval of v1.0.5 also merges the v1.0.6 that a later bump brought into the pull request"
    mend = "*Require a minimum number of reviewers*, and *When new changes are pushed: Reset all code reviewer votes*"
    yield Diagnosis("warning", "approvals", what, found.page, why, f"{mend}: {found.where}")


def _merging(found: BasePolicies) -> Diagnosis:
    limits = [pulls.allowed(one.settings) for one in found.blocking if one.kind == pulls.MERGE_STRATEGY]
    left = [method for name, method in _METHODS.items() if all(name in allowed for allowed in limits)]
    if left:
        return ok("merging", f"by {', '.join(left)}")
    why, mend = "no pull request can be completed", f"let *Limit merge types* allow one: {found.where}"
    return Diagnosis("error", "merging", "no way of merging is allowed", found.page, why, mend)


def _direct(found: BasePolicies, environments: str) -> Diagnosis:
    if found.takes_pushes:
        return ok("direct pushes", f"`{found.base}` takes those of {environments}")
    why = f"{environments} is published by a push to it (publish.mode: direct)"
    mend = "give the token's account *Bypass policies when pushing* (Security), or set "
    mend += f"`publish: {{mode: pull_request}}`: {found.page}"
    if found.takes_pushes is None:
        what = f"whether `{found.base}` takes pushes of the token's account can't be told"
        return Diagnosis("unknown", "direct pushes", what, found.page, why, mend)
    return Diagnosis("error", "direct pushes", f"`{found.base}` takes no pushes", found.page, why, mend)


def rolling(branches: Mapping[str, Sequence[BranchPolicy]], *, pushable: bool | None, page: str) -> Diagnosis:
    """Whether policies stand in the way of release branches, which are made, pushed, made again and deleted.

    Args:
        branches: name -> the policies that apply to it.
        pushable: whether the token's account may push past them.
    """
    held = {name: one.name for name, those in branches.items() for one in those if one.blocking}
    if not held or pushable:
        return ok("release branches", f"no policy stands in the way of {', '.join(branches)}")
    what = f"a policy ({', '.join(sorted(set(held.values())))}) holds for {', '.join(held)}, which takes no pushes then"
    mend = f"let no policy apply to the release branches (the repository, Policies, and the project's own): {page}"
    return Diagnosis("error", "release branches", what, page, "the rolling pull request can't be kept", mend)


def guard(environments: Sequence[Environment], found: BasePolicies) -> Iterator[Diagnosis]:
    """Whether a guard's downgrade reaches the base with nobody awake, where there are health checks."""
    for one in environments:
        if one.health is not None:
            yield _lands(one, found)


def _lands(one: Environment, found: BasePolicies) -> Diagnosis:
    why = f"when the default of {one.name} turns bad at night, its callers wait for a person"
    if one.downgrade_mode == "direct" and found.takes_pushes:
        return ok("guard", f"a downgrade of {one.name} is pushed to the base")
    if one.downgrade.auto_merge and not found.waits_for:
        return ok("guard", f"a downgrade of {one.name} is completed by the pass after its builds have succeeded")
    if not one.downgrade.auto_merge:
        what = f"a downgrade of {one.name} waits for a person: auto_merge is off"
        return Diagnosis("error", "guard", what, found.page, why, "set `downgrade: {auto_merge: true}`")
    what = f"a downgrade of {one.name} waits for a person: {', '.join(found.waits_for)}"
    mend = "give the token's account *Bypass policies when pushing* (Security), and set "
    return Diagnosis("error", "guard", what, found.page, why, f"{mend}`downgrade: {{publish: direct}}`: {found.page}")

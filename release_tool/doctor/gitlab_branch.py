"""Verdicts about what GitLab's protected branches make of the base, and of the release branches.

Source: docs.gitlab.com, "Protected branches". Of several rules that cover a branch, the most permissive one counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.doctor.diagnosis import Diagnosis, ok
from release_tool.forges.gitlab.settings import DEVELOPER, ProtectedBranch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.config import Environment
    from release_tool.doctor.diagnosis import Verdict
    from release_tool.forges.gitlab.settings import AccessLevel, Approvals, BranchAccess, TokenOwner


class BaseDemands(NamedTuple):
    """What holds for the base.

    Attributes:
        rules: those that cover it; none: it is open.
        approvals: what merge requests need; None: this GitLab demands none.
        pushable: whether the token's owner may push to it; None: that depends on a group or a deploy key.
        mergeable: whether the owner may merge into it; None: the same.
        web: the project's page.
    """

    rules: tuple[ProtectedBranch, ...]
    approvals: Approvals | None
    pushable: bool | None
    mergeable: bool | None
    web: str

    @property
    def page(self) -> str:
        """Where branches are protected."""
        return f"{self.web}/-/settings/repository"

    @property
    def required(self) -> int:
        """Approvals that a merge request needs."""
        return self.approvals.required if self.approvals else 0


def demands(
    rules: Sequence[ProtectedBranch], base: str, who: TokenOwner, approvals: Approvals | None, web: str
) -> BaseDemands:
    """What holds for the base."""
    covering = tuple(rule for rule in rules if rule.covers(base))
    push = [level for rule in covering for level in rule.push]
    merge = [level for rule in covering for level in rule.merge]
    if not covering:
        may: bool | None = None if who.role is None else who.role >= DEVELOPER
        return BaseDemands((), approvals, may, may, web)
    return BaseDemands(covering, approvals, _may(push, who), _may(merge, who), web)


def seen_by_developers(seen: BranchAccess, approvals: Approvals | None, web: str) -> BaseDemands:
    """What holds for the base, as far as a token without the role Maintainer sees."""
    rules = (ProtectedBranch("", (), (), force=False, owners=False),) if seen.protected else ()
    return BaseDemands(rules, approvals, seen.may_push, seen.developers_merge or None, web)


def _may(levels: Sequence[AccessLevel], who: TokenOwner) -> bool | None:
    """Whether an account is among those who may; None: that depends on a group or a deploy key."""
    if any(one.account == who.account for one in levels if one.account):
        return True
    roles = [one.role for one in levels if one.role]
    if roles and who.role is not None and who.role >= min(roles):
        return True
    return None if who.role is None or any(one.other for one in levels) else False


def base(found: BaseDemands, name: str, direct: Sequence[str], *, reviewed: bool) -> Iterator[Diagnosis]:
    """What stands around the base, and what the configuration makes of it.

    Args:
        direct: the environments that are published by a push to it.
        reviewed: whether somebody is asked for reviews.
    """
    if found.rules:
        by = ", ".join(f"`{rule.name}`" for rule in found.rules if rule.name not in {"", name})
        yield ok("protection", f"`{name}` is protected" + (f" by {by}" if by else ""))
    else:
        why = "anybody with the role Developer can push past every check"
        mend = f"protect it (Settings, Repository, Protected branches): {found.page}"
        yield Diagnosis("warning", "protection", f"nothing protects `{name}`", found.page, why, mend)
    if found.approvals is not None and (reviewed or found.required):
        if found.approvals.reset_on_push:
            yield ok("approvals", "are removed when a commit is added")
        else:
            yield Diagnosis(
                "warning",
                "approvals",
                "they outlast a push",
                f"{found.web}/-/settings/merge_requests",
                "an approval of v1.0.5 also merges the v1.0.6 that a later bump brought into the merge request",
                "When a commit is added: Remove all approvals (Settings, Merge requests, Approval settings): "
                f"{found.web}/-/settings/merge_requests",
            )
    if direct:
        yield _direct(found, name, ", ".join(direct))


def _direct(found: BaseDemands, name: str, environments: str) -> Diagnosis:
    if found.pushable:
        return ok("direct pushes", f"`{name}` takes those of {environments}")
    why = f"{environments} is published by a push to it (publish.mode: direct)"
    mend = "add the token's owner to Allowed to push and merge (Settings, Repository, Protected branches), "
    mend += f"or set `publish: {{mode: pull_request}}`: {found.page}"
    if found.pushable is None:
        what = f"whether `{name}` takes pushes of the token's owner can't be told"
        return Diagnosis("unknown", "direct pushes", what, found.page, why, mend)
    what = f"`{name}` takes no pushes of the token's owner"
    return Diagnosis("error", "direct pushes", what, found.page, why, mend)


def rolling(
    rules: Sequence[ProtectedBranch], branches: Sequence[str], who: TokenOwner, web: str
) -> Iterator[Diagnosis]:
    """Whether protected branches stand in the way of release branches, which are pushed, made again and deleted."""
    page = f"{web}/-/settings/repository"
    found: dict[tuple[Verdict, str, str, str], list[str]] = {}
    for branch in branches:
        covering = [rule for rule in rules if rule.covers(branch)]
        if covering:
            found.setdefault(_in_the_way(covering, who), []).append(branch)
    for (verdict, what, why, mend), names in found.items():
        yield Diagnosis(verdict, "release branches", f"{what}: {', '.join(names)}", page, why, f"{mend}: {page}")
    if not found:
        yield ok("release branches", f"no protected branch stands in the way of {', '.join(branches)}")


def _in_the_way(covering: Sequence[ProtectedBranch], who: TokenOwner) -> tuple[Verdict, str, str, str]:
    """What the protection of a release branch does to it: verdict, what, why, mend."""
    name, mend = covering[0].name, "let no protected branch match the release branches"
    if _may([level for rule in covering for level in rule.push], who) is False:
        return "error", f"`{name}` protects them from pushes", "the rolling merge request can't be kept", mend
    if not any(rule.force for rule in covering):
        what, why = f"`{name}` protects them from force pushes", "they can't be made again on the base"
        return "error", what, why, f"{mend}, or switch Allowed to force push on"
    what = f"`{name}` protects them, and git deletes no protected branch"
    return "warning", what, "branches with nothing pending stay", mend


def rolling_unseen(web: str) -> Diagnosis:
    """The patterns of protected branches are for Maintainers only."""
    page = f"{web}/-/settings/repository"
    what = "whether a protected branch matches them can't be seen: only the role Maintainer may"
    why = "release branches are made again by force pushes, and deleted"
    return Diagnosis("unknown", "release branches", what, page, why, f"look that no protected branch matches: {page}")


def guard(environments: Sequence[Environment], found: BaseDemands) -> Iterator[Diagnosis]:
    """Whether a guard's downgrade reaches the base with nobody awake, where there are health checks."""
    for one in environments:
        if one.health is not None:
            yield _lands(one, found)


def _lands(one: Environment, found: BaseDemands) -> Diagnosis:
    why = f"when the default of {one.name} turns bad at night, its callers wait for a person"
    if one.downgrade_mode == "direct" and found.pushable:
        return ok("guard", f"a downgrade of {one.name} is pushed to the base")
    if one.downgrade.auto_merge and not found.required and found.mergeable:
        return ok("guard", f"a downgrade of {one.name} merges by itself")
    direct = "add it to Allowed to push and merge, and set `downgrade: {publish: direct}`"
    if not one.downgrade.auto_merge:
        what = f"a downgrade of {one.name} waits for a person: auto_merge is off"
        mend = f"set `downgrade: {{auto_merge: true}}`: {found.page}"
    elif found.required:
        what = f"a downgrade of {one.name} waits for {found.required} approvals"
        mend = f"{direct}: {found.page}"
    elif found.mergeable is None:
        what = f"whether a downgrade of {one.name} merges by itself can't be told"
        mend = f"look whether the token's owner is Allowed to merge: {found.page}"
        return Diagnosis("unknown", "guard", what, found.page, why, mend)
    else:
        what = f"a downgrade of {one.name} waits for a person: the token's owner may not merge"
        mend = f"add the token's owner to Allowed to merge (Settings, Repository, Protected branches): {found.page}"
    return Diagnosis("error", "guard", what, found.page, why, mend)

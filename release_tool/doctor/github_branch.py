"""Verdicts about what GitHub's branch protection and rulesets make of the base, and of the release branches.

Sources: docs.github.com, "About protected branches" and "Available rules for rulesets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.doctor.diagnosis import Diagnosis, ok

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from release_tool.doctor.diagnosis import Verdict
    from release_tool.forges.github.settings import BranchRule, Protection

_METHODS = ("merge", "squash", "rebase")
_BLOCK_PUSHES = ("update", "pull_request", "required_status_checks", "merge_queue")
_NO_ROLLING = "the rolling pull request can't be kept"
_BLOCK_ROLLING = {
    "creation": ("refuses that it is made", _NO_ROLLING),
    "non_fast_forward": ("refuses that it is made again on the base", _NO_ROLLING),
    "update": ("refuses pushes", _NO_ROLLING),
    "pull_request": ("wants a pull request for each push to it", _NO_ROLLING),
    "required_status_checks": ("wants green checks before each push to it", _NO_ROLLING),
    "merge_queue": ("wants a merge queue for it", _NO_ROLLING),
    "required_signatures": ("wants signed commits in it", _NO_ROLLING),
    "deletion": ("refuses that it is deleted", "branches with nothing pending stay"),
}


class Wanted(NamedTuple):
    """What the configuration wants of the base.

    Attributes:
        base: the base branch.
        web: the repository's page.
        direct: the environments that are published by a push to it.
        reviewed: whether somebody is asked for reviews.
        signs: whether commits are signed.
        queue_checked: whether a workflow of the base runs `release check` on merge_group; None: unknown.
    """

    base: str
    web: str
    direct: tuple[str, ...]
    reviewed: bool
    signs: bool
    queue_checked: bool | None = None

    @property
    def page(self) -> str:
        """Where branch protection is set."""
        return f"{self.web}/settings/branches"

    @property
    def rules_page(self) -> str:
        """Where rulesets are set."""
        return f"{self.web}/settings/rules"


class Demands(NamedTuple):
    """All that holds for a branch, added up.

    Attributes:
        by: what demands something: `branch protection`, `rulesets`; none: the branch is open.
        reviews: approvals that a pull request needs.
        dismisses: whether a push takes approvals away.
        checks: names of the checks that must be green.
        strict: whether it must be up to date with the base as well.
        queued: whether a merge queue merges.
        signed: whether commits must be signed.
        methods: the ways of merging that are left.
        pushable: whether pushes go through, as far as that can be told; None: it can't.
    """

    by: tuple[str, ...]
    reviews: int
    dismisses: bool
    checks: tuple[str, ...]
    strict: bool
    queued: bool
    signed: bool
    methods: tuple[str, ...]
    pushable: bool | None


class Passed(NamedTuple):
    """What may be passed by.

    Attributes:
        rulesets: number of a ruleset -> `always`, `exempt`, `pull_requests_only` or `never`; absent: unknown.
    """

    rulesets: dict[int, str]

    def always(self, rule: BranchRule) -> bool | None:
        """Whether a push passes a rule by; None: unknown."""
        said = self.rulesets.get(rule.ruleset)
        return None if not said else said in ("always", "exempt")


def demands(protection: Protection | None, rules: Sequence[BranchRule], passed: Passed, *, admin: bool) -> Demands:
    """All that holds for a branch.

    Args:
        admin: whether the token's owner administrates the repository.
    """
    classic = protection._asdict() if protection else {}
    pulls = [rule.parameters for rule in rules if rule.kind == "pull_request"]
    approvals = [classic.get("reviews") or 0, *(_number(one, "required_approving_review_count") for one in pulls)]
    checks = [rule.parameters for rule in rules if rule.kind == "required_status_checks"]
    kinds = {rule.kind for rule in rules}
    names = [one.get("context") for part in checks for one in part.get("required_status_checks") or []]
    return Demands(
        by=(*(["branch protection"] if protection else []), *(["rulesets"] if rules else [])),
        reviews=max(approvals),
        dismisses=classic.get("dismisses", False) or any(one.get("dismiss_stale_reviews_on_push") for one in pulls),
        checks=tuple(dict.fromkeys([*classic.get("checks", ()), *map(str, names)])),
        strict=classic.get("strict", False) or any(one.get("strict_required_status_checks_policy") for one in checks),
        queued="merge_queue" in kinds,
        signed=classic.get("signed", False) or "required_signatures" in kinds,
        methods=_methods(protection, rules),
        pushable=_all_of([_classic(protection, admin=admin), *_of_rules(rules, passed)]),
    )


def _number(parameters: Mapping[str, Any], key: str) -> int:
    value = parameters.get(key)
    return value if isinstance(value, int) else 0


def _methods(protection: Protection | None, rules: Sequence[BranchRule]) -> tuple[str, ...]:
    left = set(_METHODS)
    if (protection and protection.linear) or any(rule.kind == "required_linear_history" for rule in rules):
        left -= {"merge"}
    for rule in rules:
        named = rule.parameters.get("allowed_merge_methods")
        if rule.kind == "pull_request" and isinstance(named, list):
            left &= set(named)
    return tuple(method for method in _METHODS if method in left)


def _of_rules(rules: Sequence[BranchRule], passed: Passed) -> list[bool | None]:
    return [passed.always(rule) for rule in rules if rule.kind in _BLOCK_PUSHES]


def _classic(protection: Protection | None, *, admin: bool) -> bool | None:
    """Whether a push passes classic protection; None: it depends on lists of people, teams and Apps."""
    if protection is None or (admin and not protection.for_admins):
        return True
    if protection.checks or protection.locked or (protection.reviews is not None and not protection.exempts):
        return False
    return None if protection.reviews is not None or protection.only_some else True


def _all_of(said: Sequence[bool | None]) -> bool | None:
    """Three-valued "and"."""
    if False in said:
        return False
    return None if None in said else True


def base(found: Demands, wanted: Wanted, *, hidden: str = "") -> Iterator[Diagnosis]:
    """What stands around the base, and what the configuration makes of it.

    Args:
        hidden: why its classic protection can't be seen; empty: it can.
    """
    if hidden:
        why = "it may keep direct pushes out, and take approvals away"
        mend = f"look at {wanted.page}, or use a token with Administration: read"
        yield Diagnosis("unknown", "protection", f"its protection can't be seen: {hidden}", wanted.page, why, mend)
        found = found._replace(pushable=_all_of([found.pushable, None]))
    elif not found.by:
        yield Diagnosis(
            "warning",
            "protection",
            f"nothing protects `{wanted.base}`",
            wanted.page,
            "a pull request can be merged whose plan is stale, or that breaks a route",
            f"require the check that runs `release check`: {wanted.page}",
        )
    elif not found.checks and not wanted.direct:
        yield Diagnosis(
            "warning",
            "protection",
            f"no check must be green before `{wanted.base}` is merged to",
            wanted.page,
            "a pull request can be merged that breaks a route, or that gives a name twice",
            f"require the check that runs `release check`: {wanted.page}",
        )
    else:
        what = f"protected by {' and '.join(found.by)}"
        yield ok("protection", what + (f"; must be green: {', '.join(found.checks)}" if found.checks else ""))
    yield from _approvals(found, wanted)
    yield from _queue(found, wanted)
    yield from _direct(found, wanted)
    if found.signed and not wanted.signs:
        why = "a commit without a signature can't be merged by a merge commit, and not be pushed"
        mend = "a signing key for the workflows (docs/how-to/github-company.md); here `git config commit.gpgSign true`"
        yield Diagnosis("warning", "signing", f"`{wanted.base}` wants signed commits", wanted.page, why, mend)


def _approvals(found: Demands, wanted: Wanted) -> Iterator[Diagnosis]:
    """Whether an approval is one of what is merged, where people are asked for them (docs/how-to/github-actions.md)."""
    if not (wanted.reviewed or found.reviews):
        return
    if not found.dismisses:
        yield Diagnosis(
            "warning",
            "approvals",
            "they outlast a push (dismiss stale approvals is off)",
            wanted.page,
            "an approval of v1.0.5 also merges the v1.0.6 that a later bump brought into the pull request",
            f"Dismiss stale pull request approvals when new commits are pushed: {wanted.page}",
        )
    up_to_date = found.strict or found.queued  # a queue brings each up to date itself
    if not up_to_date:
        yield Diagnosis(
            "warning",
            "approvals",
            "a pull request may be merged that is not up to date with the base",
            wanted.page,
            "what was approved, and what `release check` judged, is then not what is merged",
            f"Require branches to be up to date before merging, or use a merge queue: {wanted.page}",
        )
    if found.dismisses and up_to_date:
        yield ok("approvals", "are of what is merged")


def _queue(found: Demands, wanted: Wanted) -> Iterator[Diagnosis]:
    """Whether the checks start in the merge queue; without them it waits, and then takes the pull request out."""
    if not found.queued or wanted.queue_checked is None:
        return
    if wanted.queue_checked:
        yield ok("merge queue", "`release check` starts on merge_group")
        return
    what = f"a merge queue merges to `{wanted.base}`, and no workflow runs `release check` on merge_group"
    why = "a required check that never starts keeps everything from being merged"
    yield Diagnosis("error", "merge queue", what, wanted.rules_page, why, "add `merge_group:` to `on:` of check.yml")


def _direct(found: Demands, wanted: Wanted) -> Iterator[Diagnosis]:
    """Whether environments that are pushed to the base directly get there."""
    if not wanted.direct:
        return
    names = ", ".join(wanted.direct)
    if found.pushable:
        yield ok("direct pushes", f"`{wanted.base}` takes those of {names}")
        return
    page = wanted.rules_page if "rulesets" in found.by else wanted.page
    why = f"{names} is published by a push to it (publish.mode: direct)"
    mend = f"let the token's owner bypass it, or set `publish: {{mode: pull_request}}`: {page}"
    if found.pushable is None:
        what = f"whether `{wanted.base}` takes pushes of the token's owner can't be told"
        yield Diagnosis("unknown", "direct pushes", what, page, why, mend)
    else:
        yield Diagnosis("error", "direct pushes", f"`{wanted.base}` takes no pushes", page, why, mend)


def rolling(branches: Mapping[str, Sequence[BranchRule]], passed: Passed, wanted: Wanted) -> Iterator[Diagnosis]:
    """Whether rulesets stand in the way of release branches, which are made, pushed, made again and deleted.

    Args:
        branches: name -> the rules that hold for it.
    """
    held: dict[tuple[str, bool], list[str]] = {}
    for branch, rules in branches.items():
        for rule in rules:
            always = passed.always(rule)
            signed = rule.kind == "required_signatures" and wanted.signs
            if rule.kind in _BLOCK_ROLLING and not always and not signed:
                held.setdefault((rule.kind, always is False), []).append(branch)
    for (kind, sure), names in held.items():
        words, why = _BLOCK_ROLLING[kind]
        verdict: Verdict = "unknown" if not sure else "warning" if kind == "deletion" else "error"
        if not sure:
            why += ", unless the token's owner may bypass it"
        mend = f"exclude the release branches from it, or add a bypass: {wanted.rules_page}"
        what = f"a ruleset {words} ({kind}): {', '.join(names)}"
        yield Diagnosis(verdict, "release branches", what, wanted.rules_page, why, mend)
    if not held:
        yield ok("release branches", f"no ruleset stands in the way of {', '.join(branches)}")

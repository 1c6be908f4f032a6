"""What protects a branch, and what that means for a push and for a pull request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge_standin.pushes import Refusal

if TYPE_CHECKING:
    from standin.records import Pull, Repository, Review, User


@dataclass
class Demands:
    """What branch protection and rulesets together want of a pull request into a branch."""

    reviews: int = 0
    needs_pull_request: bool = False
    dismiss_stale: bool = False
    contexts: list[str] = field(default_factory=list)
    strict: bool = False
    methods: set[str] | None = None

    @property
    def wants_up_to_date(self) -> bool:
        """`strict` alone does nothing: GitHub heeds it only where a check is required."""
        return self.strict and bool(self.contexts)


def demands(repository: Repository, branch: str) -> Demands:
    """All rules of a branch, added up."""
    found = Demands()
    protection = repository.protections.get(branch)
    if protection:
        if protection.required_reviews is not None:
            found.needs_pull_request = True
            found.reviews = protection.required_reviews
            found.dismiss_stale = protection.dismiss_stale_reviews
        found.contexts += protection.contexts or ()
        found.strict = protection.strict
        if protection.required_linear_history:
            found.methods = {"squash", "rebase"}
    for ruleset in repository.rulesets:
        if not ruleset.covers(branch):
            continue
        if (wanted := ruleset.rules.get("pull_request")) is not None:
            found.needs_pull_request = True
            found.reviews = max(found.reviews, wanted["required_approving_review_count"])
            found.dismiss_stale |= wanted["dismiss_stale_reviews_on_push"]
            if "allowed_merge_methods" in wanted:
                found.methods = set(wanted["allowed_merge_methods"]) & (found.methods or {"merge", "squash", "rebase"})
        if (wanted := ruleset.rules.get("required_status_checks")) is not None:
            found.contexts += [check["context"] for check in wanted["required_status_checks"]]
            found.strict |= wanted["strict_required_status_checks_policy"]
        if "required_linear_history" in ruleset.rules:
            found.methods = {"squash", "rebase"} & (found.methods or {"squash", "rebase"})
    return found


# reviews and checks


def latest_reviews(pull: Pull) -> dict[str, Review]:
    """Of each reviewer the latest review that says yes or no; a dismissed one says neither."""
    return {review.user.login: review for review in pull.reviews if review.state not in ("COMMENTED", "PENDING")}


def approvals(repository: Repository, pull: Pull) -> int:
    """The approvals that count: of people with write access."""
    found = latest_reviews(pull).values()
    return sum(review.state == "APPROVED" and repository.has_role(review.user, "write") for review in found)


def changes_requested(repository: Repository, pull: Pull) -> bool:
    found = latest_reviews(pull).values()
    return any(review.state == "CHANGES_REQUESTED" and repository.has_role(review.user, "write") for review in found)


def review_decision(repository: Repository, pull: Pull) -> str | None:
    """GraphQL's `reviewDecision`: None where no review is required and nobody asked for changes."""
    wanted = demands(repository, pull.base).reviews
    if changes_requested(repository, pull):
        return "CHANGES_REQUESTED"
    if not wanted:
        return None
    return "APPROVED" if approvals(repository, pull) >= wanted else "REVIEW_REQUIRED"


def check_states(repository: Repository, sha: str) -> dict[str, str]:
    """Name of each check of a commit -> `success`, `failure` or `pending`; the latest of a name counts."""
    found = {}
    for run in repository.check_runs:
        if run.sha == sha:
            passed = run.conclusion in ("success", "neutral", "skipped")
            found[run.name] = "pending" if run.status != "completed" else "success" if passed else "failure"
    for status in repository.statuses:
        if status.sha == sha:
            found[status.context] = "failure" if status.state == "error" else status.state
    return found


# merging


def conflicts(repository: Repository, pull: Pull) -> bool:
    """Whether git itself can't merge it."""
    from forge_standin import Conflict

    base = repository.bare.tip(pull.base)
    if base is None:
        return True
    try:
        repository.bare.merged_tree(base, pull.head_sha)
    except Conflict:
        return True
    return False


def obstacle(repository: Repository, pull: Pull) -> tuple[str, str]:
    """GraphQL's `mergeStateStatus` of an open pull request, and what a refused merge says ("" where it may go on)."""
    wanted = demands(repository, pull.base)
    if pull.draft:
        return "DRAFT", "Pull Request is still a draft"
    if conflicts(repository, pull):
        return "DIRTY", "Pull Request is not mergeable"
    missing = wanted.reviews - approvals(repository, pull)
    if missing > 0:
        some = "review is" if wanted.reviews == 1 else "reviews are"
        return "BLOCKED", f"At least {wanted.reviews} approving {some} required by reviewers with write access."
    if wanted.needs_pull_request and changes_requested(repository, pull):
        return "BLOCKED", "Changes have been requested."
    states = check_states(repository, pull.head_sha)
    for context in wanted.contexts:
        if states.get(context) != "success":
            word = {None: "expected", "pending": "in progress", "failure": "failing"}[states.get(context)]
            return "BLOCKED", f'Required status check "{context}" is {word}.'
    if wanted.wants_up_to_date and behind(repository, pull):
        return "BEHIND", "Head branch is out of date. Review and try the merge again."
    return ("CLEAN" if set(states.values()) <= {"success"} else "UNSTABLE"), ""


def behind(repository: Repository, pull: Pull) -> bool:
    base = repository.bare.tip(pull.base)
    return base is not None and not repository.bare.contains(pull.head_sha, base)


# pushes


def push_refusals(repository: Repository, user: User, ref: str, *, deletes: bool, creates: bool) -> list[Refusal]:
    """What protects a ref from a push by somebody, in GitHub's words."""
    branch = ref.removeprefix("refs/heads/")
    if branch == ref:
        return []
    found = [] if creates else _of_protection(repository, user, ref, deletes=deletes)
    for ruleset in repository.rulesets:
        if ruleset.covers(branch) and user.login not in ruleset.bypass:
            found += _of_ruleset(repository, ref, ruleset.rules, deletes=deletes, creates=creates)
    return found


def _of_protection(repository: Repository, user: User, ref: str, *, deletes: bool) -> list[Refusal]:
    protection = repository.protections.get(ref.removeprefix("refs/heads/"))
    if protection is None:
        return []
    lines = ["Cannot delete this branch"] if deletes and not protection.allow_deletions else []
    if not deletes and (protection.enforce_admins or repository.role(user) != "admin"):
        if protection.required_reviews is not None:
            lines.append("Changes must be made through a pull request.")
        lines += [f'Required status check "{name}" is expected.' for name in protection.contexts or ()]
        if protection.push_only_for is not None and user.login not in protection.push_only_for:
            lines.append("You're not authorized to push to this branch.")
    found = [_gh006(ref, "always", lines)] if lines else []
    if not protection.allow_force_pushes:
        found.append(_gh006(ref, "force", ["Cannot force-push to this branch"]))
    return found


def _gh006(ref: str, when: str, lines: list[str]) -> Refusal:
    text = "\n".join([f"error: GH006: Protected branch update failed for {ref}.", "", *(f"- {line}" for line in lines)])
    return Refusal(when, "protected branch hook declined", text)


def _of_ruleset(
    repository: Repository, ref: str, rules: dict[str, dict[str, object]], *, deletes: bool, creates: bool
) -> list[Refusal]:
    always, forced = [], []
    if creates and "creation" in rules:
        always.append("Cannot create ref due to creations being restricted.")
    if deletes and "deletion" in rules:
        always.append("Cannot delete this branch")
    if not deletes and not creates:
        if "update" in rules:
            always.append("Cannot update this protected ref.")
        if "pull_request" in rules:
            always.append("Changes must be made through a pull request.")
        checks = rules.get("required_status_checks", {}).get("required_status_checks", [])
        always += [f'Required status check "{check["context"]}" is expected.' for check in checks]
    if not deletes and "non_fast_forward" in rules:
        forced.append("Cannot force-push to this branch")
    return [_gh013(repository, ref, when, lines) for when, lines in (("always", always), ("force", forced)) if lines]


def _gh013(repository: Repository, ref: str, when: str, lines: list[str]) -> Refusal:
    head = [f"error: GH013: Repository rule violations found for {ref}."]
    head += [f"Review all repository rules at https://github.com/{repository.full_name}/rules?ref={ref}", ""]
    text = "\n".join([*head, *(f"- {line}" for line in lines), ""])
    return Refusal(when, "push declined due to repository rule violations", text)

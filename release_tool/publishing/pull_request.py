"""The pull request of a release branch: found or opened, then its title and body."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from release_tool.errors import Refused, ReleaseError
from release_tool.forges.base import is_unfinished
from release_tool.publishing.attempt import Again
from release_tool.remote.landing import wanted_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.forges.base import Opened
    from release_tool.model.records import CommitId, PullRequest, State
    from release_tool.publishing.attempt import Work
    from release_tool.pull_request.compose import PullRequestText
    from release_tool.remote.branch import Branch, Following
    from release_tool.remote.tool import Outcome
    from release_tool.rules.outlook import Outlook
    from release_tool.rules.plan import Plan

_SHOWN_BEFORE = timedelta(days=7)  # the end of a pin


def show(
    work: Work,
    branch: Branch,
    following: Following,
    outcome: Outcome,
    tip: CommitId,
    *,
    notes: Sequence[str] = (),
) -> Outcome:
    """Find or open the pull request, then its title and body.

    Args:
        work: the attempt.
        branch: the branch as it stood.
        following: what it holds now.
        outcome: what came of it so far.
        tip: its tip.
        notes: what the checks of the manifests have to say.

    Raises:
        Again: it was merged or closed in between, or somebody pushed after us and their text must stand.
    """
    text = _text(work, following, outcome, notes)
    if not work.forge.proposes:
        return outcome._replace(text=f"{text.title}\n\n{text.body}")
    base = work.snapshot.config.base
    shown = work.forge.find_open(branch.name, base) if _may_be_open(branch) else None
    created = False
    if shown is None:
        opened = _open(work, branch, text)
        shown, created = opened.pull_request, opened.created
    # On an append-only branch nothing is planned again, so without an operation there is nothing new to say.
    stands = branch.append_only and work.request.intent is None and not (branch.uprooted or created)
    unfinished = is_unfinished(shown, work.environment.publish.labels)  # a crash, or a lost answer
    if not stands and (unfinished or (shown.title, shown.body) != (text.title, text.body)):
        shown = _update(work, shown, text, unfinished=unfinished)
    if shown.head_commit != tip:
        raise Again(f"somebody pushed to {branch.name} after us")
    return outcome._replace(pull_request=shown, created=created)


def _may_be_open(branch: Branch) -> bool:
    """Whether an open pull request is likely; without a branch, or with nothing on it that waits, it is not.

    This saves a request and decides nothing: one that is open all the same is adopted by `Forge.open`.
    """
    return branch.tip is not None and bool(branch.pending or branch.people)


def _text(work: Work, following: Following, outcome: Outcome, notes: Sequence[str]) -> PullRequestText:
    """Title and body; what makes them is loaded where a pull request is written, and nowhere else."""
    from release_tool.pull_request import compose

    made, config = following.plan, work.snapshot.config
    before = work.files.state(empty=True)
    return compose.pull_request(
        compose.Proposed(
            environment=work.environment.name,
            service=work.place.service,
            lines=following.lines,
            before=before,
            after=made.after,
            order=config.versions.order,
            environments=_environments(work),
            kept=made.kept,
            waiting=made.waiting,
            ahead=_ahead(work, following, before),
            ending=_ending(work, made),
            refused=made.left_out,
            notes=notes,
            manifests=outcome.manifests,
            image=config.registry.image if config.registry else "",
            branch="" if work.branch == work.place.branch else work.branch,
        )
    )


def _environments(work: Work) -> dict[str, State | None]:
    """The versions of all environments of the service in the base; None where the file is missing or breaks a rule."""
    found: dict[str, State | None] = {}
    for name, files in work.snapshot.files.items():
        try:
            found[name] = files.state(empty=True)
        except ReleaseError:
            found[name] = None
    return found


def _ahead(work: Work, following: Following, before: State) -> Outlook:
    """What stands out once it lands, and what comes then, as of the last line: planned again, it is the same.

    Ages are those that the plan was made with. They ask the forge nothing more, and are at most too early: so what
    comes is told as "not before".
    """
    from release_tool.model import history
    from release_tool.rules import outlook
    from release_tool.rules.retention import Facts

    policy, now = work.environment.retention, following.lines[-1].at
    since = work.ages.since(work.place, before, work.lines, wanted_by(before, policy), now)
    used = {one.version: one.reason for one in following.plan.kept if _is_use(one.reason)} if policy.in_use else {}
    facts = Facts(now, before, since, history.former_defaults(work.lines, before.default), used)
    return outlook.ahead(following.plan.after, work.environment, work.snapshot.config.versions.order, facts)


def _is_use(reason: str) -> bool:
    return reason.startswith(("in use", "use unknown"))


def _ending(work: Work, made: Plan) -> list[tuple[str, str, str]]:
    """The pins that end within a week: name, tag, the last day."""
    if not any(pin.until for pin in made.after.pinned.values()):
        return []
    from release_tool.rules import forecast

    now = max([work.tool.now(), *(line.at for line in made.lines)])
    return [
        (name, made.after.versions[name], pin.until.isoformat())
        for name, pin in forecast.ending(made.after, now, _SHOWN_BEFORE)
        if pin.until is not None
    ]


def _open(work: Work, branch: Branch, text: PullRequestText) -> Opened:
    _look_for_a_decision(work, branch)
    asked = work.environment.publish
    base = work.snapshot.config.base
    try:
        return work.forge.open(branch.name, base, text.title, text.body, asked.labels, reviewers=asked.reviewers)
    except Refused:
        _look_for_a_decision(work, branch)
        raise


def _look_for_a_decision(work: Work, branch: Branch) -> None:
    """Raise Again if the pull request was merged or closed since this attempt began."""
    finished = work.forge.last_finished(branch.name, work.snapshot.config.base)
    if finished is not None and (branch.finished is None or finished.number != branch.finished.number):
        raise Again(f"pull request #{finished.number} was {finished.state} in between")


def _update(work: Work, shown: PullRequest, text: PullRequestText, *, unfinished: bool) -> PullRequest:
    asked = work.environment.publish
    reviewers = asked.reviewers if unfinished else ()
    try:
        return work.forge.update(shown.number, text.title, text.body, asked.labels, reviewers=reviewers)
    except Refused as refusal:
        raise Again(refusal.what) from refusal

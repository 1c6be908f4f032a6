"""The pull request of a release branch: found or opened, then its title and body."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from release_tool import wording
from release_tool.errors import Refused
from release_tool.publishing.work import Again

if TYPE_CHECKING:
    from release_tool.forges.base import Opened
    from release_tool.planning import Plan
    from release_tool.publishing.branch import Branch, Following
    from release_tool.publishing.tool import Outcome
    from release_tool.publishing.work import Work
    from release_tool.records import CommitId, PullRequest

_SHOWN_BEFORE = timedelta(days=7)  # the end of a pin


def show(work: Work, branch: Branch, following: Following, outcome: Outcome, tip: CommitId) -> Outcome:
    """Find or open the pull request, then its title and body.

    Raises:
        Again: it was merged or closed in between, or somebody pushed after us and their text must stand.
    """
    made = following.plan
    text = wording.pull_request(
        wording.Proposed(
            title=work.place.title,
            lines=following.lines,
            kept=made.kept,
            waiting=made.waiting,
            ending=_ending(work, made),
            refused=made.left_out,
            manifests=outcome.manifests,
        )
    )
    if not work.forge.proposes:
        return outcome._replace(text=f"{text.title}\n\n{text.body}")
    base = work.snapshot.config.base
    shown = work.forge.find_open(branch.name, base)
    created = False
    if shown is None:
        opened = _open(work, branch, text)
        shown, created = opened.pull_request, opened.created
    # On an append-only branch nothing is planned again, so without an operation there is nothing new to say.
    stands = branch.append_only and not following.plan.lines and not created
    if not stands and (shown.title, shown.body) != (text.title, text.body):
        shown = _update(work, shown, text)
    if shown.head_commit != tip:
        raise Again(f"somebody pushed to {branch.name} after us")
    return outcome._replace(pull_request=shown, created=created)


def _ending(work: Work, made: Plan) -> list[tuple[str, str, str]]:
    """The pins that end within a week: name, tag, the last day."""
    if not any(pin.until for pin in made.after.pinned.values()):
        return []
    from release_tool import forecast

    now = max([work.tool.now(), *(line.at for line in made.lines)])
    return [
        (name, made.after.versions[name], pin.until.isoformat())
        for name, pin in forecast.ending(made.after, now, _SHOWN_BEFORE)
        if pin.until is not None
    ]


def _open(work: Work, branch: Branch, text: wording.PullRequestText) -> Opened:
    _look_for_a_decision(work, branch)
    labels = work.environment.publish.labels
    try:
        return work.forge.open(branch.name, work.snapshot.config.base, text.title, text.body, labels)
    except Refused:
        _look_for_a_decision(work, branch)
        raise


def _look_for_a_decision(work: Work, branch: Branch) -> None:
    """Raise Again if the pull request was merged or closed since this attempt began."""
    finished = work.forge.last_finished(branch.name, work.snapshot.config.base)
    if finished is not None and (branch.finished is None or finished.number != branch.finished.number):
        raise Again(f"pull request #{finished.number} was {finished.state} in between")


def _update(work: Work, shown: PullRequest, text: wording.PullRequestText) -> PullRequest:
    try:
        return work.forge.update(shown.number, text.title, text.body, work.environment.publish.labels)
    except Refused as refusal:
        raise Again(refusal.what) from refusal

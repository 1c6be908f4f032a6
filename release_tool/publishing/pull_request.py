"""The pull request of a release branch: found or opened, then its title and body."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from release_tool.errors import Refused, ReleaseError
from release_tool.forges.base import OPENING, KeepsComments, OpensByPush, is_unfinished
from release_tool.forges.none import NoForge
from release_tool.git.repository import Stale
from release_tool.model import history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.forges.base import Opened
    from release_tool.model.records import CommitId, Line, PullRequest, State
    from release_tool.publishing.attempt import Work
    from release_tool.publishing.outcome import Outcome
    from release_tool.pull_request.compose import PullRequestText
    from release_tool.remote.branch import Branch
    from release_tool.rules.outlook import Outlook
    from release_tool.rules.plan import Plan

_LOOKS = range(6, 11)  # as after so many lost races: some ten seconds all together
_SHOWN_BEFORE = timedelta(days=7)  # the end of a pin
_REST = "<!-- release: the details of this pull request -->"


def show(work: Work, branch: Branch, lines: Sequence[Line], outcome: Outcome, tip: CommitId) -> Outcome:
    """Find or open the pull request, then its title and body.

    Raises:
        Stale: it was merged or closed in between, or somebody pushed after us and their text must stand.
    """
    if isinstance(work.forge, OpensByPush):
        return _shown_by_push(work, branch, lines, outcome)
    text = _text(work, lines, outcome)
    if not work.forge.capabilities.proposes:
        link = work.repository.link
        said = [*outcome.said, *([f"the server says where to open or see its pull request: {link}"] if link else [])]
        if isinstance(work.forge, NoForge) and work.forge.advice:
            said.append(work.forge.advice)
        return outcome._replace(text=f"{text.title}\n\n{text.body}", said=tuple(said))
    shown, created = _found(work, branch), False
    if shown is None:
        opened = _open(work, branch, text)
        shown, created = opened.pull_request, opened.created
    if _says_something_new(work, branch, created=created):
        # The comment first: where somebody pushed after us, the answer to the update tells, and all is written again.
        if text.rest and isinstance(work.forge, KeepsComments):
            work.forge.keep_comment(shown.number, text.rest.partition("\n")[0], text.rest)
        if _needs_text(work, shown, text, created=created):
            shown = _update(work, shown, text)
    if shown.head_commit != tip:
        # A forge may take in a push in the background, as GitLab does: then the branch itself tells.
        if work.repository.refs(f"refs/heads/{branch.name}").branch(branch.name) != tip:
            raise Stale(f"somebody pushed to {branch.name} after us")
        shown = shown._replace(head_commit=tip)
    return outcome._replace(pull_request=shown, created=created)


def push_options(work: Work, branch: Branch, lines: Sequence[Line], outcome: Outcome) -> tuple[str, ...]:
    """What a push tells a forge that opens pull requests by it; elsewhere nothing."""
    forge = work.forge
    if not isinstance(forge, OpensByPush):
        return ()
    text, labels = _text(work, lines, outcome), work.environment.publish.labels
    merges = _merges_by_itself(work, branch, lines)
    return forge.push_options(work.snapshot.config.base, text.title, text.body, labels, merges=merges)


def _merges_by_itself(work: Work, branch: Branch, lines: Sequence[Line]) -> bool:
    """Whether all that a branch brings was decided by a guard, and made by the tool: that may land by itself."""
    guarded = work.invocation.unattended and work.environment.downgrade.auto_merge
    return guarded and not branch.people and all(line.intent.evidence for line in lines)


def _shown_by_push(work: Work, branch: Branch, lines: Sequence[Line], outcome: Outcome) -> Outcome:
    """What became of the pull request that the push opened or changed, as far as the server said."""
    error, link, title = work.repository.option_error, work.repository.link, work.forge.capabilities.title
    if error:
        return outcome._replace(
            refused=f"the branch {branch.name} is pushed, and {title} opened or changed no merge request: {error}",
            hint="open it by hand, or give a token for the API (`release doctor` says how)",
        )
    if outcome.commit is not None:
        where = f": {link}" if link else ""
        note = f"{title} opened or changed the merge request of {branch.name} with the push{where}"
        outcome = outcome._replace(said=(*outcome.said, note))
    if not work.invocation.unattended:
        return outcome
    if _merges_by_itself(work, branch, lines):
        return outcome._replace(merging="waiting")
    return outcome._replace(refused=f"the merge request of {branch.name} waits for a person who merges it")


def _found(work: Work, branch: Branch) -> PullRequest | None:
    """The open pull request; None where there is none, or surely none yet."""
    # Without a branch, or with nothing on it that waits, an open pull request is unlikely. This saves a request and
    # decides nothing: one that is open all the same is adopted by `Forge.open`.
    if branch.tip is None or not (branch.pending or branch.people):
        return None
    shown = work.forge.find_open(branch.name, work.snapshot.config.base)
    if work.forge.capabilities.opens_once:
        return shown
    for tries in _LOOKS:  # whoever began the branch is about to open it
        if shown is not None:
            break
        work.tool.wait(tries)
        shown = work.forge.find_open(branch.name, work.snapshot.config.base)
    return shown


def _says_something_new(work: Work, branch: Branch, *, created: bool) -> bool:
    # Nothing is planned again on a branch that only grows: without an operation there is nothing new to say.
    return created or not branch.append_only or work.intent is not None


def _needs_text(work: Work, shown: PullRequest, text: PullRequestText, *, created: bool) -> bool:
    if is_unfinished(shown, work.environment.publish.labels):  # a crash, or a lost answer
        return True
    if created and text.rest:  # to hear whether the comment is of what stands on the branch
        return True
    return (shown.title, shown.body.rstrip()) != (text.title, text.body.rstrip())  # GitLab strips texts at their ends


def _text(work: Work, lines: Sequence[Line], outcome: Outcome) -> PullRequestText:
    from release_tool.pull_request import compose, flavour  # what makes a text is loaded where one is written

    made, config, can = outcome.plan, work.snapshot.config, work.forge.capabilities
    assert made is not None  # what is shown was planned
    longest = can.flavour.body - len(OPENING)
    beside = can.flavour.comment - len(_REST) - 1 if can.splits else 0
    text = compose.pull_request(
        compose.Proposed(
            place=work.place,
            lines=lines,
            before=work.state,
            plan=made,
            order=config.versions.ordering,
            environments=_environments(work),
            ahead=_ahead(work, made, lines),
            ending=_ending(work, made),
            notes=outcome.routes,
            manifests=outcome.manifests,
            reached=outcome.reached,
            image=config.registry.image if config.registry else "",
            builds=history.builds([*work.lines, *lines]),
            branch="" if work.branch == work.place.branch else work.branch,
            restoring=work.restoring,
            warm_up=work.environment.retention.warm_up,
        ),
        min(compose.LIMIT, longest),
        min(compose.LIMIT, beside),
    )
    body = flavour.adapted(text.body, can.flavour, longest, can.title)
    rest = f"{_REST}\n{text.rest}" if text.rest else ""
    rest = flavour.adapted(rest, can.flavour, can.flavour.comment, can.title)
    return compose.PullRequestText(flavour.cut_title(text.title, can.flavour), body, rest)


def _environments(work: Work) -> dict[str, State | None]:
    """The versions of all environments of the service in the base; None where the file is missing or breaks a rule."""
    found: dict[str, State | None] = {}
    for name, files in work.snapshot.files.items():
        try:
            found[name] = files.state(empty=True)
        except ReleaseError:
            found[name] = None
    return found


def _ahead(work: Work, made: Plan, lines: Sequence[Line]) -> Outlook:
    """What holds the default once the proposal lands, and what comes then, as of the last line of the record."""
    # Ages are those that the plan was made with: they ask the forge nothing more. They are at most too early, so what
    # comes says "not before".
    from release_tool.rules import outlook
    from release_tool.rules.retention import Facts

    base, now = work.state, lines[-1].at
    in_use = work.environment.retention.in_use
    used = {one.version: one.reason for one in made.kept if one.in_use} if in_use else {}
    former = history.former_defaults(work.lines, base.default)
    restoring = history.restoring(history.changes_of(lines), work.restoring)
    facts = Facts(now, base, work.since(now), former, used, restoring)
    return outlook.ahead(made.after, work.environment, work.snapshot.config.versions.ordering, facts)


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
    """Raise Stale if the pull request was merged or closed since this attempt began."""
    finished = work.forge.last_finished(branch.name, work.snapshot.config.base)
    if finished is not None and (branch.finished is None or finished.number != branch.finished.number):
        raise Stale(f"pull request {finished.name} was {finished.state} in between")


def _update(work: Work, shown: PullRequest, text: PullRequestText) -> PullRequest:
    asked = work.environment.publish
    reviewers = asked.reviewers if is_unfinished(shown, asked.labels) else ()
    try:
        return work.forge.update(shown.number, text.title, text.body, asked.labels, reviewers=reviewers)
    except Refused as refusal:
        raise Stale(refusal.what) from refusal

"""The one way in which a change reaches the remote: plan, render, push by compare-and-swap, pull request.

Every step can die at any instruction: running the same command again finishes it. What lost a race is planned again
on the new tip, with a growing, jittered pause, until the configured time is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import TryAgain
from release_tool.git.repository import Locked, Protected, Stale
from release_tool.model.records import RefUpdate
from release_tool.publishing.attempt import Work
from release_tool.publishing.outcome import Outcome
from release_tool.publishing.route_gate import NotDeployedError
from release_tool.remote.snapshot import take

_PATIENT = 10  # tries: a queue takes minutes, so its branch is waited for as after so many lost races

# What only a pull request needs is imported where one is made: a push to the base loads none of it.

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.model.records import Intent
    from release_tool.publishing.outcome import Invocation
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool

    Meant = Callable[[Snapshot, Intent | None], Intent | Outcome | None]
    """The operation on what the remote holds, called once for each attempt.

    From the second attempt on the intent is handed in that the first one gave: what was meant first is meant, whatever
    moves in between. An outcome: there is nothing to attempt. None: there is no operation (sync). It raises where the
    configuration refuses the operation.
    """


_MERGES = {
    "merged": "is merged",
    "waiting": "merges by itself",
    "next_pass": "the next pass of `release guard` merges",
}


def run(tool: Tool, invocation: Invocation, meant: Meant) -> Outcome:
    """Do one operation, from the look at the remote to the pull request.

    Raises:
        Refused: the rules refuse it.
        TryAgain: others were faster until the time was over.
    """
    started = tool.now()
    tries = 0
    intent: Intent | None = None
    while True:
        snapshot = take(tool, invocation.service)
        snapshot.config.environment(invocation.environment)  # else its name is the first thing to mend
        found = meant(snapshot, intent)
        if isinstance(found, Outcome):
            return found
        intent = found
        try:
            return attempt(Work(tool, snapshot, invocation, intent, tries=tries))
        except Stale as lost:
            tries += 1
            timeout = snapshot.config.publish.timeout
            if tool.now() - started > timeout:
                if isinstance(lost, Locked):
                    raise TryAgain(lost.what, where=lost.where, cause=lost.cause, hint=lost.hint) from lost
                raise TryAgain(
                    f"others were faster {tries} times in {int(timeout.total_seconds())} s",
                    where=tool.repository.display_url,
                    cause=f"many operations push to one branch at the same time ({lost})",
                    hint="run the same command again, or raise `publish.timeout` in release.yaml",
                ) from lost
            tool.wait(tries + _PATIENT if isinstance(lost, Locked) else tries)


def attempt(work: Work) -> Outcome:
    """Do one operation on what the remote held at one moment."""
    try:
        return _attempt(work)
    except NotDeployedError:
        work.one_step = True
        return _attempt(work)


def _attempt(work: Work) -> Outcome:
    asked, environment = work.invocation, work.environment
    direct = asked.direct
    if direct is None:
        mode = environment.downgrade_mode if asked.downgrade else environment.publish.mode
        direct = mode == "direct" and work.intent is not None
    if not direct:
        return _proposed(work)
    if asked.unattended:
        from release_tool.publishing import auto_merge

        held = auto_merge.held(work)  # a push to the base looks at no branch by itself
        if held is not None:
            return held
    try:
        return _pushed(work)
    except Protected as refusal:
        if not asked.downgrade and refusal.of_branch:
            how = "leave `--direct` out" if asked.direct else "set `publish.mode: pull_request` in release.yaml"
            refusal.hint = f"{refusal.hint}; or {how}, for a pull request"
        if not asked.downgrade:
            raise
        # A downgrade that may not be pushed becomes a pull request: a person must see to that, even where it merges.
        outcome = _proposed(work)
        done = _MERGES.get(outcome.merging, "waits for a person")
        shown = f"became a pull request, which {done}"
        if not work.forge.capabilities.proposes:
            shown = f"stands on the branch {outcome.branch}, which waits for a person who merges it"
        why = f"the server takes no direct push ({refusal.what}): the downgrade {shown}"
        return outcome._replace(refused=why)


def _proposed(work: Work) -> Outcome:
    from release_tool.publishing import rolling

    outcome = rolling.propose(work)
    if not work.invocation.unattended:
        return outcome
    from release_tool.publishing import auto_merge

    return auto_merge.merged(work, outcome)


def _pushed(work: Work) -> Outcome:
    """Plan the operation on the base's tip and push it there."""
    from release_tool.publishing.files import file_difference, new_files
    from release_tool.pull_request import messages

    done = work.landed()
    if done is not None:
        return done
    base, tip = work.snapshot.config.base, work.snapshot.base
    made = work.planned(work.files, work.own_line())
    outcome = work.outcome(branch=base, plan=made)
    if not made.lines:
        return outcome
    changed = new_files(work.files, made, work.snapshot.source)
    manifests, notes, reached = work.rendered(made, work.files, changed)
    outcome = outcome._replace(changed=True, routes=notes, manifests=manifests, reached=reached)
    if work.invocation.dry_run:
        return outcome._replace(file_difference=file_difference(work.files, changed))
    tree = work.repository.write_tree(tip, changed)
    message = messages.commit_message(work.place.title, made.lines, tree)
    commit = work.repository.commit([tip], tree, {}, message, when=work.tool.now())
    work.repository.push([RefUpdate(f"refs/heads/{base}", tip, commit)])
    return outcome._replace(commit=commit)

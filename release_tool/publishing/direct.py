"""Publishing straight to the base branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.model.records import RefUpdate
from release_tool.publishing.files import file_difference, new_files
from release_tool.pull_request import messages
from release_tool.rules.plan import plan

if TYPE_CHECKING:
    from release_tool.publishing.attempt import Work
    from release_tool.remote.tool import Outcome


def push(work: Work) -> Outcome:
    """Plan the operation on the base's tip and push it there.

    Raises:
        Stale: the base has moved on.
        Protected: the server refuses pushes to the base.
        ReleaseError: the plan can't be made or rendered.
    """
    done = work.landed()
    if done is not None:
        return done
    base, tip = work.snapshot.config.base, work.snapshot.base
    now = work.planned_at(work.lines)
    made = plan(work.ground(work.files.state(empty=True), work.lines, now), (), work.own_line(()))
    outcome = work.outcome(branch=base, notes=made.notes, kept=made.kept, waiting=made.waiting)
    if not made.lines:
        return outcome
    changed = new_files(work.files, made, work.snapshot.source)
    manifests, notes = work.rendered(work.files, changed)
    outcome = outcome._replace(changed=True, changes=made.own, notes=(*outcome.notes, *notes), manifests=manifests)
    if work.request.dry_run:
        return outcome._replace(file_difference=file_difference(work.files, changed))
    tree = work.repository.write_tree(tip, changed)
    message = messages.commit_message(work.place.title, made.lines, tree)
    commit = work.repository.commit([tip], tree, {}, message, when=work.tool.now())
    work.repository.push([RefUpdate(f"refs/heads/{base}", tip, commit)])
    return outcome._replace(commit=commit)

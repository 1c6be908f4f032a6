"""The two ends of an operation: what somebody asked for, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.model import history

if TYPE_CHECKING:
    from release_tool.manifests import ObjectChange
    from release_tool.manifests.routes.reach import Reach
    from release_tool.model.records import Arguments, Change, CommitId, Intent, Operation, PullRequest
    from release_tool.rules.plan import Plan


class Invocation(NamedTuple):
    """What somebody asked for, beside the operation's own arguments."""

    environment: str
    id: str = ""  # of the operation: the same id is the same operation
    by: str = ""  # who asks
    run: str = ""  # link to the CI run, empty outside CI
    reason: str = ""  # on one line; may be empty
    service: str = ""  # whose versions; empty: of the only one
    direct: bool | None = None  # push to the base branch; None: as the configuration says
    # go on although this machine's clock seems wrong, and with a reason also where the chart can't carry it out
    force: bool = False
    dry_run: bool = False  # plan and render only
    named: bool = False  # whether somebody gave the id: run again, the same command is the same operation then
    downgrade: bool = False  # propose on the branch of downgrades, which is never shared with other operations
    # nobody is there to merge the pull request: the forge shall, as soon as its rules allow that
    unattended: bool = False
    carries: frozenset[str] = frozenset()  # strays whose pending lines go on with this branch (see remote/strays.py)

    def intent(self, operation: Operation, arguments: Arguments) -> Intent:
        """The intent that the record keeps, with the reason that was given."""
        return history.intent(self.id, operation, arguments._replace(reason=self.reason), self.by, self.run)


class Outcome(NamedTuple):
    """What a changing command did."""

    invocation: Invocation  # what was asked for
    intent: Intent | None  # the operation; None for sync, which has none of its own
    changed: bool = False  # whether this call changed anything in the remote (for a dry run: whether it would)
    plan: Plan | None = None  # what was planned, `own` being this operation's changes; None where nothing was
    refused: str = ""  # why a person must act: a gate said no, or the server took no push; empty: nothing is left to do
    hint: str = ""  # the next step where it was refused; empty: the reason says it
    branch: str | None = None  # the branch that holds the result; None if there is none
    commit: CommitId | None = None  # the commit that this call pushed; None if it pushed none
    pull_request: PullRequest | None = None  # the open pull request of the branch
    created: bool = False  # whether this call opened it
    # what became of auto-merge: `merged`, `waiting` for what the rules ask for, `next_pass`: that of guard
    # merges, as the forge doesn't, or empty: not asked for
    merging: str = ""
    said: tuple[str, ...] = ()  # sentences about the call
    routes: tuple[str, ...] = ()  # sentences from the checks of the manifests
    # the difference of the rendered manifests; None where nothing was rendered
    manifests: tuple[ObjectChange, ...] | None = None
    # who answers calls before and after it; None where nothing was rendered, or where the former can't be
    reached: tuple[Reach | None, Reach] | None = None
    file_difference: str = ""  # unified difference of the files, for a dry run
    text: str = ""  # a text for a person to carry on with (the forge `none`)

    @property
    def operation(self) -> str:
        """The verb: `bump`, or `sync` where there is no operation."""
        return "sync" if self.intent is None else self.intent.operation

    @property
    def subject(self) -> str:
        """The operation in a few words: `bump v1.0.5`."""
        from release_tool.pull_request import messages

        return messages.subject(self.intent)

    @property
    def title(self) -> str:
        """What people call the environment: `devel`, or `engine/devel` where there are several services."""
        from release_tool.config import title_of

        return title_of(self.invocation.environment, self.invocation.service)

    @property
    def changes(self) -> tuple[Change, ...]:
        """This operation's changes, those of the clean-up after it (the sweep) included."""
        return self.plan.own if self.plan is not None and self.changed else ()

    @property
    def proposed(self) -> tuple[Change, ...]:
        """Changes of the sweep that wait in the open pull request already, or that somebody said no to."""
        if self.plan is None or self.changed:
            return ()
        return tuple(change for change in self.plan.edits if change.sweep)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else there is to say, in sentences."""
        if self.plan is None:
            return (*self.said, *self.routes)
        from release_tool.pull_request import messages
        from release_tool.rules.plan import held

        waiting = held(line for line in self.plan.lines if self.intent is None or line.id != self.intent.id)
        left_out = (messages.left_out(one) for one in (*waiting, *self.plan.left_out))
        return (*self.said, *self.plan.notes, *left_out, *self.routes)

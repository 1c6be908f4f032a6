"""One attempt at one operation: what it was given, and what every path through it needs."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from release_tool.errors import Refused
from release_tool.model import history
from release_tool.model.records import DowngradeArguments, Line
from release_tool.model.versions import is_tag
from release_tool.publishing import route_gate
from release_tool.pull_request import messages
from release_tool.remote import names
from release_tool.remote.landing import Ages, wanted_by
from release_tool.remote.rendering import Renderings
from release_tool.remote.tool import Outcome
from release_tool.rules.plan import Ground
from release_tool.rules.retention import Facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from release_tool.forges.base import Forge
    from release_tool.model.records import CommitId, Intent, State
    from release_tool.remote.snapshot import Files, Snapshot
    from release_tool.remote.tool import Request, Tool


_CLOCK_BEHIND = timedelta(minutes=5)  # less is usual between machines


class Again(Exception):
    """The world moved during an attempt: it is made again on what stands there now."""


class Work:
    """One attempt.

    Args:
        tool: the outside world.
        snapshot: the remote at one moment.
        request: the operation.
        tries: how many attempts of this call were lost before.
        ages: of the same moment, where several environments are looked at.
    """

    def __init__(self, tool: Tool, snapshot: Snapshot, request: Request, tries: int, ages: Ages | None = None) -> None:
        self.tool = tool
        self.snapshot = snapshot
        self.request = request
        self.tries = tries
        self.repository = tool.repository
        self._ages = ages
        self._adopted: tuple[str, ...] = ()
        self.environment = snapshot.config.environment(request.environment)
        self.place = snapshot.config.place(request.environment)
        self.branch = self.place.downgrade_branch if request.downgrade else self.place.branch
        self.files = snapshot.files[request.environment]
        self.lines = self.files.lines()

    @cached_property
    def forge(self) -> Forge:
        """Where pull requests live; made when it is asked, a push to the base needs none."""
        return self.tool.forge(self.snapshot.config)

    def own_line(self, known: Iterable[Line]) -> Line | None:
        """This operation as a line.

        Args:
            known: lines among which it may be already.

        Returns:
            None if it is there and only to be finished, or if there is no operation (sync).
        """
        intent = self.request.intent
        if intent is None or self._known(known, intent) is not None or self._left_already(known, intent):
            return None
        return Line(intent, self.tool.now())

    def _left_already(self, known: Iterable[Line], intent: Intent) -> bool:
        """Whether a downgrade from the same tag waits already: the second one adopts the pull request of the first."""
        if intent.operation != "downgrade":
            return False
        for line in known:
            if line.intent.operation == "downgrade" and line.intent.tag == intent.tag:
                self._adopted = (_adoption(line.intent, intent),)
                return True
        return False

    def planned_at(self, lines: Sequence[Line]) -> datetime:
        """The time of planning: never before the last `at`. Sync plans at that one, only operations at a new one."""
        times = [line.at for line in lines]
        return max([*times, self.tool.now()] if self.request.intent is not None or not times else times)

    def ground(self, state: State, lines: Sequence[Line], now: datetime, pending: Sequence[Line] = ()) -> Ground:
        """What to plan on.

        Args:
            state: the versions to begin with.
            lines: the record to begin with.
            now: the time of planning.
            pending: the pending lines that will be planned beside this operation.
        """
        own = self.request.intent
        intents = [*(line.intent for line in pending), *([] if own is None else [own])]
        tags = [intent.tag for intent in intents if is_tag(intent.tag)]
        promotes = any(intent.operation == "promote" for intent in intents)
        elsewhere = names.quarantined_elsewhere(self.snapshot, self.environment.name) if promotes else {}
        return Ground(
            environment=self.environment,
            order=self.snapshot.config.versions.order,
            state=state,
            lines=lines,
            facts=self._facts(state, now),
            names=names.names_known(self.repository, self.snapshot, tags),
            elsewhere=elsewhere,
            service=self.place.service,
        )

    def _facts(self, state: State, now: datetime) -> Facts:
        base, policy = self.files.state(empty=True), self.environment.retention
        since = self.ages.since(self.place, base, self.lines, wanted_by(base, policy), now)
        # Whatever pending operations and this one make live is among these, or new: nobody calls what is new.
        every = {**base.retired, **state.retired, **base.versions, **state.versions}
        used = self.tool.in_use(self.snapshot.config, self.environment.name, every, now) if policy.in_use else {}
        return Facts(now, base, since, history.former_defaults(self.lines, base.default), used)

    @cached_property
    def ages(self) -> Ages:
        """Since when the base branch has held its entries; made when it is asked."""
        if self._ages is not None:
            return self._ages
        places = list(self.snapshot.config.places())
        return Ages(self.repository, self._merged_at, self.snapshot.base, places)

    def _merged_at(self, commit: CommitId) -> datetime | None:
        return self.forge.landed_at(commit)

    def rendered(self, files: Files, changed: Mapping[str, bytes]) -> route_gate.Passed:
        """The difference of the manifests, from the base to the proposal, once that has passed the checks.

        Args:
            files: the environment's files that `changed` changes.
            changed: path -> bytes.

        Raises:
            Refused: calls would fail by the proposal.
            ReleaseError: the proposal can't be rendered; nothing may be published then.
        """
        config = self.snapshot.config
        renderings = Renderings(self.snapshot.source, config, self.tool.renderer(config))
        return route_gate.passed(renderings, self.files, files, changed)

    def _known(self, lines: Iterable[Line], intent: Intent) -> Line | None:
        return known(lines, intent, self.place.history_file)

    def outcome(self, **more: Any) -> Outcome:
        """What this call did; unchanged unless said otherwise."""
        intent = self.request.intent
        operation = "sync" if intent is None else intent.operation
        base = Outcome(
            operation,
            messages.subject(intent),
            self.environment.name,
            changed=False,
            service=self.place.service,
            gates=() if intent is None else intent.gates,
            dry_run=self.request.dry_run,
        )
        notes = (*self.request.notes, *self._clock(), *self._adopted, *more.get("notes", ()))
        return base._replace(**{**more, "notes": notes})

    def _clock(self) -> tuple[str, ...]:
        """The note on a clock that goes far behind the record: the plan is made as of the record's last line then."""
        now, last = self.tool.now(), self.lines[-1].at if self.lines else None
        if self.request.intent is None or last is None or last - now < _CLOCK_BEHIND:
            return ()
        at, here = history.timestamp(last), history.timestamp(now)
        return (f"this machine's clock says {here}, and the last operation was at {at}: planned as of then",)

    def is_ours(self, line: Line) -> bool:
        """Whether an earlier attempt of this very call wrote a line."""
        return self.tries > 0 and self.request.intent is not None and line.id == self.request.intent.id

    def landed(self) -> Outcome | None:
        """The outcome if this operation has landed already; None if it has not."""
        intent = self.request.intent
        line = None if intent is None else self._known(self.lines, intent)
        if line is None:
            return None
        ours = self.is_ours(line)
        note = () if ours else (f"this operation has landed already, as {line.id}",)
        base = self.snapshot.config.base
        return self.outcome(changed=ours, changes=line.changes if ours else (), branch=base, notes=note)


def known(lines: Iterable[Line], intent: Intent, path: str) -> Line | None:
    """The line of the same operation among some; None where it isn't there.

    Args:
        lines: the lines.
        intent: the operation.
        path: the record, for messages.

    Raises:
        Refused: its id belongs to another operation.
    """
    line = history.same_operation(lines, intent)
    if line is None or (line.intent.operation == intent.operation and history.same_arguments(line.intent, intent)):
        return line
    raise Refused(
        f"the id {intent.id} belongs to another operation: {messages.subject(line.intent)}",
        where=path,
        hint="give each operation an id of its own, or none",
    )


def _adoption(first: Intent, second: Intent) -> str:
    """What there is to say of a downgrade that adopts an earlier one, above all where it was to do something else."""
    said, wanted = first.arguments, second.arguments
    if not isinstance(said, DowngradeArguments) or not isinstance(wanted, DowngradeArguments):
        return f"a downgrade from {first.tag} waits already: {first.id}"
    note = f"{said.version} is left already by the downgrade {first.id}, which waits"
    if (said.to_tag, said.quarantine) == (wanted.to_tag, wanted.quarantine):
        return note
    quarantine = "with quarantine" if said.quarantine else "without quarantine"
    to = said.to or "the fallback target"
    return f"{note}: to {to}, {quarantine}; close its pull request first to ask for something else"

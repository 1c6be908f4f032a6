"""One attempt at one operation: what it was given, and what every path through it needs."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from release_tool.errors import Refused, ReleaseError
from release_tool.model import history, times
from release_tool.model.records import DowngradeArguments, Line, State
from release_tool.model.versions import is_tag, tag_part
from release_tool.publishing import clock, route_gate
from release_tool.publishing.outcome import Outcome
from release_tool.remote import names
from release_tool.remote.rendering import Renderings
from release_tool.rules.plan import Ground, Plan, plan
from release_tool.rules.retention import Facts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from release_tool.config import Place
    from release_tool.forges.base import Forge
    from release_tool.model.records import Change, CommitId, Intent, Name
    from release_tool.publishing.outcome import Invocation
    from release_tool.remote.ages import Ages, Entry
    from release_tool.remote.snapshot import Files, Snapshot, Source
    from release_tool.remote.tool import Tool


_CLOCK_BEHIND = timedelta(minutes=5)  # less is usual between machines


class Work:
    """One attempt.

    `intent` is None for sync; `tries` attempts of this call were lost before; `ages` are given where several
    environments are looked at.
    """

    def __init__(
        self,
        tool: Tool,
        snapshot: Snapshot,
        invocation: Invocation,
        intent: Intent | None,
        *,
        tries: int = 0,
        ages: Ages | None = None,
    ) -> None:
        self.tool = tool
        self.snapshot = snapshot
        self.intent = intent
        self.tries = tries
        self.repository = tool.repository
        self.environment = snapshot.config.environment(invocation.environment)
        self.place = snapshot.config.place(invocation.environment)
        self.invocation = invocation._replace(service=self.place.service)
        self.branch = self.place.downgrade_branch if invocation.downgrade else self.place.branch
        self.files = snapshot.files[invocation.environment]
        self.lines = self.files.lines()
        self._ages = ages
        self._adopted: tuple[str, ...] = ()
        self.one_step = False  # whether the chart was seen to deploy no retired versions (`route_gate.NotDeployed`)
        self._unapplied: tuple[str, ...] = ()
        self._recorded: Sequence[Line] = self.lines  # also those that wait: they keep what was seen in the base

    @cached_property
    def forge(self) -> Forge:
        """Made when somebody asks: a push to the base needs none."""
        return self.tool.forge(self.snapshot.config)

    @cached_property
    def state(self) -> State:
        """The environment's versions in the base."""
        return self.files.state(empty=True)

    @cached_property
    def restoring(self) -> Mapping[Name, Change]:
        """The versions that came back without a route, and that the base deploys."""
        found = history.restoring_now(self.lines, self.state) if self.state.retired else {}
        return {name: change for name, change in found.items() if name in self.state.retired}

    # -- the operation as a line --

    def landed(self) -> Outcome | None:
        """The outcome if this operation has landed already (is merged into the base branch); None if it has not."""
        line = None if self.intent is None else known(self.lines, self.intent, self.place.history_file)
        if line is None:
            return None
        ours = self.is_ours(line)
        said = () if ours else (f"this operation has landed already, as {line.id}",)
        made = Plan((), (), State(), own=line.changes)
        return self.outcome(changed=ours, plan=made, branch=self.snapshot.config.base, said=said)

    def is_ours(self, line: Line) -> bool:
        """Whether an earlier attempt of this very call wrote a line."""
        return self.tries > 0 and self.intent is not None and line.id == self.intent.id

    def own_line(self, pending: Iterable[Line] = ()) -> Line | None:
        """This operation as a line; None if a pending line is the same, or if there is no operation (sync)."""
        if self.intent is None or known(pending, self.intent, self.place.history_file) is not None:
            return None
        if self.intent.operation == "downgrade":
            # A second downgrade from the same tag adopts the pull request of the first.
            for first in (line.intent for line in pending if line.intent.operation == "downgrade"):
                if first.tag == self.intent.tag:
                    self._adopted = (_adoption(first, self.intent),)
                    return None
        return Line(self.intent, self.tool.now())

    # -- what is planned on --

    def planned(self, files: Files, own: Line | None, pending: Sequence[Line] = ()) -> Plan:
        """Pending intents, this operation and the sweep.

        Args:
            files: to begin with: those of the base; on an append-only branch those of the merged branch.
            own: this operation; None where the pending intents are only planned again.
            pending: what else is planned.
        """
        state, lines = (self.state, self.lines) if files is self.files else (files.state(empty=True), files.lines())
        # Never before the last `at`. Sync plans at that time, only operations at a new one.
        self._recorded = (*self.lines, *pending)
        recorded = [line.at for line in (*lines, *pending)]
        now = max([*recorded, self.tool.now()] if self.intent is not None or not recorded else recorded)
        base, retention = self.state, self.environment.retention
        intents = [*(line.intent for line in pending), *([] if self.intent is None else [self.intent])]
        promotes = any(intent.operation == "promote" for intent in intents)
        used: Mapping[Any, str] = {}
        if retention.in_use:
            # Whatever pending operations and this one make live is among these, or new: nobody calls what is new.
            every = {**base.retired, **state.retired, **base.versions, **state.versions}
            used = self.tool.in_use(self.snapshot.config, self.environment.name, every, now)
        ready: Mapping[Name, str] = {}
        if self.restoring and self.environment.health is not None:
            from release_tool.remote.readiness import ready as asked_for

            ready = asked_for(self.tool, self.snapshot, self.environment.name, self.restoring, now)
        tags = [intent.tag for intent in intents if is_tag(intent.tag)]
        former = history.former_defaults(self.lines, base.default)
        facts = Facts(now, base, self.since(now), former, used, ready=ready)
        ground = Ground(
            environment=self.environment,
            order=self.snapshot.config.versions.ordering,
            state=state,
            lines=lines,
            facts=self._applied(facts),
            names=names.names_known(self.repository, self.snapshot, tags),
            elsewhere=names.quarantined_elsewhere(self.snapshot, self.environment.name) if promotes else {},
            service=self.place.service,
            archived=archived_lines(self.snapshot.source, self.place, intents),
            one_step=self.one_step,
        )
        made = plan(ground, pending, own)
        if made.lines and self.intent is not None and not self.invocation.force:
            self._demand_clock(lines, pending)
        looked: Ages | None = self._ages or self.__dict__.get("ages")
        unseen = looked.unseen[self.place.tag_file] if looked is not None and self.intent is not None else ()
        return self._noting(made, own, pending, unseen, now) if unseen or pending else made

    def _demand_clock(self, landed: Iterable[Line], pending: Iterable[Line]) -> None:
        """Refuse to date anything by a clock that is wrong; no forge is asked for that, nor made."""
        made: Forge | None = self.__dict__.get("forge")
        now, skew = self.tool.now(), None if made is None else made.skew
        if skew is not None:
            clock.demand_same(now, skew)
        clock.demand_past(landed, now, self.place.history_file, clock.WAY_BACK)
        way_out = "close the pull request of that branch, then run this command again"
        clock.demand_past(pending, now, self.branch, way_out)
        if skew is None:
            clock.demand_after(self.repository.commit_info(self.snapshot.base), now, self.snapshot.config.base)

    def _noting(
        self, made: Plan, own: Line | None, pending: Sequence[Line], unseen: Collection[CommitId], now: datetime
    ) -> Plan:
        """The plan that also keeps what was seen for the first time: in its last line, or in a cleanup's own."""
        if made.lines:
            kept = history.noting(made.lines[-1], unseen, now) if unseen else made.lines[-1]
            return made._replace(lines=(*made.lines[:-1], kept))
        note = next(filter(history.only_notes, pending), None)
        if note is not None:
            return made._replace(lines=(note,))
        if own is None or own.intent.operation != "cleanup" or not unseen:
            return made
        lines = history.raised((history.noting(own, unseen, now),), self.lines[-1].at if self.lines else None)
        return made._replace(lines=lines, own_line=True)

    def since(self, now: datetime) -> Mapping[Entry, datetime]:
        """Since when the base branch has held its entries, as far as the retention policy compares their ages."""
        base, policy = self.state, self.environment.retention
        cleans = self.intent is not None and self.intent.operation == "cleanup"
        if not (cleans or base.retired or base.quarantined or policy.min_age or policy.max_age):
            return {}  # nothing is compared, and nothing is loaded for that
        from release_tool.remote.ages import EXACTLY, wanted_by

        wanted: dict[Entry, Sequence[timedelta] | None] = {**wanted_by(base, policy, self.restoring)}
        guarded = self.environment.health is not None
        every = self.snapshot.config.environments.values()
        soaks = any(one.soak and one.promote_from == self.environment.name for one in every)
        if cleans and guarded:  # what a guard counts its grace from
            wanted |= {("versions", name): EXACTLY for name in base.live}
        if cleans and base.default is not None and (guarded or soaks):
            wanted["default", base.default] = EXACTLY
        return self.ages.since(self.place, base, self._recorded, wanted, now) if wanted else {}

    def _applied(self, facts: Facts) -> Facts:
        """The facts with what is applied, where a delivery tool tells and something would be removed."""
        health = self.environment.health
        if health is None or not health.delivered_by:
            return facts
        from release_tool.remote.applied import Applied, due, with_applied

        applied = Applied(self.tool, self.snapshot, self.environment.name, self.ages)
        entries = due(facts, self.environment.retention, self.restoring)
        found = applied.of(facts.base, self._recorded, entries, facts.now, self.restoring)
        facts = with_applied(facts, found)
        if self.intent is not None and self.intent.operation == "cleanup":
            self._unapplied = tuple(f"{name} stays: {why}" for name, why in facts.unapplied.items())
        return facts

    @cached_property
    def ages(self) -> Ages:
        """One walk along the base branch serves the whole attempt."""
        from release_tool.remote.ages import Ages
        from release_tool.remote.landings import Landings

        places = list(self.snapshot.config.places())
        landed = Landings(self.repository, lambda: self.forge)  # no forge is made before an age is looked up
        return self._ages or Ages(self.repository, landed, self.snapshot.base, places, self.tool.config_path)

    # -- what comes of it --

    def rendered(self, made: Plan, files: Files, changed: Mapping[str, bytes]) -> route_gate.Publishable:
        """The difference of the manifests, from the base to the proposal, once that has passed the checks."""
        config, asked = self.snapshot.config, self.invocation
        renderings = Renderings(self.snapshot.source, config, self.tool.renderer(config))
        operation = None if self.intent is None else self.intent.operation
        accepted = asked.force and bool(asked.reason)
        proposal = route_gate.Proposal(self.files, files, changed, made, operation, accepted)
        try:
            return route_gate.publishable(renderings, proposal)
        except ReleaseError as error:
            raise renderings.in_repository(error) from None

    def outcome(self, **more: Any) -> Outcome:
        """What this call did; unchanged unless said otherwise."""
        behind: tuple[str, ...] = ()
        now, last = self.tool.now(), self.lines[-1].at if self.lines else None
        if self.intent is not None and last is not None and last - now >= _CLOCK_BEHIND:
            at, here = times.timestamp(last), times.timestamp(now)
            behind = (f"this machine's clock says {here}, and the last operation was at {at}: planned as of then",)
        said = (*behind, *self._adopted, *self._unapplied, *more.pop("said", ()))
        return Outcome(self.invocation, self.intent, said=said, **more)


def archived_lines(source: Source, place: Place, intents: Iterable[Intent]) -> list[Line]:
    """Archived lines of an environment, of what is to be restored."""
    wanted = [tag_part(one.tag) for one in intents if one.operation == "restore"]
    return [line for found in names.archived(source, [place], wanted) for line in found] if wanted else []


def known(lines: Iterable[Line], intent: Intent, path: str) -> Line | None:
    """The line of the same operation among some; None where none is the same.

    Raises:
        Refused: its id belongs to another operation.
    """
    line = history.same_operation(lines, intent)
    if line is None or (line.intent.operation == intent.operation and history.same_arguments(line.intent, intent)):
        return line
    from release_tool.pull_request import messages

    raise Refused(
        f"the id {intent.id} belongs to another operation: {messages.subject(line.intent)}",
        where=path,
        hint="give each operation an id of its own, or none",
        page="reference/commands.md#what-all-commands-have-in-common",
    )


def _adoption(first: Intent, second: Intent) -> str:
    """The note on a downgrade that adopts an earlier one, above all where the two ask for different things."""
    said, wanted = first.arguments, second.arguments
    if not isinstance(said, DowngradeArguments) or not isinstance(wanted, DowngradeArguments):
        return f"a downgrade from {first.tag} waits already: {first.id}"
    note = f"{said.version} is left already by the downgrade {first.id}, which waits"
    if (said.to_tag, said.quarantine) == (wanted.to_tag, wanted.quarantine):
        return note
    quarantine = "with quarantine" if said.quarantine else "without quarantine"
    to = said.to or "the fallback target"
    return f"{note}: to {to}, {quarantine}; close its pull request first to ask for something else"

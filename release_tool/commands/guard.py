"""`release guard [ENV…]`: judges the health of the versions, and moves the default back, in Git, when it turns bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands import by_hand, downgrade
from release_tool.errors import Failed, Refused, ReleaseError
from release_tool.model import history
from release_tool.model.health import evidence_of
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN, CleanupArguments
from release_tool.publishing import auto_merge
from release_tool.publishing.retry import run as publish
from release_tool.remote import judged_versions
from release_tool.remote.snapshot import take, take_all
from release_tool.rules import fallback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from release_tool.config import Place
    from release_tool.health.source import ToJudge
    from release_tool.model.health import Judged
    from release_tool.model.records import Name
    from release_tool.publishing.outcome import Invocation, Outcome
    from release_tool.remote.tool import Tool
    from release_tool.rules.fallback import Decision


class Guard(NamedTuple):
    """The arguments of a pass."""

    environments: Sequence[str]  # their names; none: all that have health checks
    asked: Invocation  # by whom; its environment, id and reason stay empty: each downgrade gets its own


class Watched(NamedTuple):
    """What a pass found in one environment, and did there."""

    place: Place  # where it lives
    default: Name | None  # its default; None for an empty set
    judged: tuple[Judged, ...]  # what the checks said, of each live version
    decision: Decision  # what is to be done
    # what came of that: the downgrade, and quarantines; none where nothing was to be done
    outcomes: tuple[Outcome, ...] = ()
    errors: tuple[ReleaseError, ...] = ()  # what stopped some of that
    needless: str = ""  # a downgrade that waits though its reason is gone, in a sentence; empty: there is none
    dry_run: bool = False  # whether nothing was written

    @property
    def is_over(self) -> bool:
        """Whether a downgrade that still waits has lost its reason: the default is healthy, or its target isn't."""
        mine = next((one.health for one in self.judged if one.name == self.default), UNKNOWN)
        return self.decision.action == fallback.HALT or (self.decision.action == fallback.STAY and mine == HEALTHY)

    @property
    def waits(self) -> str:
        """Why a person must act; empty: nobody must."""
        said = [f"halted: {self.decision.reason}"] if self.decision.action == fallback.HALT else []
        said += [self.needless] if self.needless else []
        for one in self.outcomes:
            if one.refused:
                said.append(one.refused)
            elif one.operation == "quarantine" and one.pull_request is not None:
                said.append(f"{one.subject} waits in pull request {one.pull_request.name} for a person who merges it")
        return "; ".join(said)

    @property
    def blind(self) -> str:
        """Why nothing can be said of the default, though it was asked about; empty: something can, or it is too early.

        A token that has run out would switch a guard off without a word.
        """
        mine = next((one for one in self.judged if one.name == self.default), None)
        if mine is None or mine.health != UNKNOWN:
            return ""
        if any(verdict.unsettled or verdict.too_early for verdict in mine.verdicts):
            return ""
        return f"the health of {mine.name}, the default, is unknown: {mine.reason}"

    @property
    def changed(self) -> bool:
        """Whether this pass changed anything in the remote (for a dry run: whether it would)."""
        return any(one.changed for one in self.outcomes)


class _Looked(NamedTuple):
    """One environment before it is judged."""

    place: Place
    asked: ToJudge
    unseen: bool  # whether nobody knows since when some of its versions stand in the base


def run(tool: Tool, command: Guard, new_id: Callable[[], str]) -> Iterator[Watched | Failed]:
    """One pass: judge everything at once, then decide and act environment by environment.

    Yields:
        What was found in each environment; what is wrong with one stops no other one.

    Raises:
        Refused: an environment that was named has no health checks, or none has any.
    """
    now = tool.now()
    looked: list[_Looked] = []
    for one in _look(tool, command, now):
        if isinstance(one, Failed):
            yield one
        else:
            looked.append(one)
    said = tool.judge([one.asked for one in looked], now) if looked else ()
    for one, judged in zip(looked, said, strict=True):
        try:
            yield _act(tool, command, one, judged, new_id)
        except ReleaseError as error:
            yield Failed(one.place.title, error)


def _look(tool: Tool, command: Guard, now: datetime) -> Iterator[_Looked | Failed]:
    snapshots = take_all(tool, command.asked.service)
    config = snapshots[0].config
    judging = {name: one.health is not None and one.health.judges for name, one in config.environments.items()}
    watched = [name for name, judges in judging.items() if judges]
    names = list(dict.fromkeys(command.environments)) or watched
    unwatched = [name for name in names if not judging[config.environment(name).name]]
    if unwatched or not names:
        raise Refused(
            f"{unwatched[0]} has no health checks" if unwatched else "no environment has health checks",
            where=tool.config_path,
            cause="a guard judges by the checks under `health` of an environment",
            hint="write checks under `environments.<name>.health` in release.yaml",
            page="how-to/guard.md#steps",
        )
    asking = judged_versions.Asking(tool, snapshots, now)
    for snapshot in snapshots:
        for name in names:
            if snapshot.files[name].tags is None:
                continue  # nothing is deployed yet
            place = snapshot.config.place(name)
            try:
                asked = asking.about(snapshot, name)
            except ReleaseError as error:
                yield Failed(place.title, error)
            else:
                assert asked is not None  # only environments with checks are looked at
                yield _Looked(place, asked, asking.unseen(snapshot.files[name]))


def _act(tool: Tool, command: Guard, looked: _Looked, judged: tuple[Judged, ...], new_id: Callable[[], str]) -> Watched:
    """Decide on what the base holds now: sources take their time, and somebody may have been faster."""
    place, name = looked.place, looked.place.environment
    snapshot = take(tool, place.service)
    environment = snapshot.config.environments.get(name)
    if environment is None or environment.health != looked.asked.health:
        stays = fallback.Decision(fallback.STAY, "its checks were changed while they were asked")
        return Watched(place, None, judged, stays, dry_run=command.asked.dry_run)
    state, lines = snapshot.files[name].state(empty=True), snapshot.files[name].lines()
    decision = fallback.decide(
        fallback.Case(
            state=state,
            former=history.former_defaults(lines, state.default),
            order=snapshot.config.versions.ordering,
            judged=judged,
            policy=environment.downgrade,
            lines=lines,
            now=tool.now(),
        )
    )
    found = Watched(place, state.default, judged, decision, dry_run=command.asked.dry_run)
    outcomes: list[Outcome] = []
    errors: list[ReleaseError] = []
    needless = ""
    try:
        if found.is_over and not found.dry_run:
            needless = auto_merge.needless(tool, snapshot, place)
    except ReleaseError as error:
        errors.append(error)
    asked = command.asked._replace(environment=name, service=place.service)
    for operation in _operations(tool, asked, decision, judged):
        try:
            outcomes.append(operation(new_id()))
        except ReleaseError as error:
            errors.append(error)
    if looked.unseen and not outcomes and not found.dry_run:
        try:  # a cleanup keeps when they were first seen: else each pass would count their grace from now
            intent = asked._replace(id=new_id()).intent("cleanup", CleanupArguments())
            outcomes.append(publish(tool, asked._replace(id=intent.id), lambda _snapshot, _before: intent))
        except ReleaseError as error:
            errors.append(error)
    return found._replace(outcomes=tuple(outcomes), errors=tuple(errors), needless=needless)


def _operations(
    tool: Tool, asked: Invocation, decision: Decision, judged: Sequence[Judged]
) -> Iterator[Callable[[str], Outcome]]:
    """What a decision asks for, as operations that take their ids; each is recorded with the verdicts behind it."""
    of = {one.name: one for one in judged}

    def because(name: Name, new: str) -> Invocation:
        """The first check that failed is the reason, short enough for a comment in a file."""
        first = next(verdict for verdict in of[name].verdicts if verdict.health == UNHEALTHY)
        return asked._replace(id=new, reason=f"{first.check}: {first.reason}"[:_LONGEST_REASON])

    leave, to = decision.leave, decision.to
    if decision.action == fallback.DOWNGRADE:
        assert leave is not None  # of a downgrade
        assert to is not None
        said = evidence_of([of[leave], of[to]])
        yield lambda new: downgrade.run(tool, downgrade.Downgrade(because(leave, new), leave, to, evidence=said))
    for bad in decision.quarantine:

        def quarantine(new: str, bad: Name = bad) -> Outcome:
            said = evidence_of([of[bad]])
            return by_hand.run(tool, by_hand.ByHand("quarantine", bad, because(bad, new), evidence=said))

        yield quarantine


_LONGEST_REASON = 200

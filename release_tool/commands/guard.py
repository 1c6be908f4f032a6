"""`release guard [ENV…]`: judges the health of the versions, and moves the default back, in Git, when it turns bad."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands import by_hand, downgrade
from release_tool.errors import Failed, Refused, ReleaseError
from release_tool.model import evidence, history
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN
from release_tool.publishing import auto_merge
from release_tool.remote import judged_versions
from release_tool.remote.snapshot import take, take_all
from release_tool.rules import fallback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from release_tool.commands.invocation import Asked
    from release_tool.config import Place
    from release_tool.model.health import Asked as AskedHealth
    from release_tool.model.health import Judged
    from release_tool.model.records import Name
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Outcome, Tool
    from release_tool.rules.fallback import Decision


class Guard(NamedTuple):
    """The arguments of a pass.

    Attributes:
        environments: their names; none: all that have health checks.
        asked: by whom; its environment, id and reason stay empty: each downgrade gets its own.
    """

    environments: Sequence[str]
    asked: Asked


class Watched(NamedTuple):
    """What a pass found in one environment, and did there.

    Attributes:
        place: where it lives.
        default: its default; None for an empty set.
        judged: what the checks said, of each live version.
        decision: what is to be done.
        outcomes: what came of that: the downgrade, and quarantines; none where nothing was to be done.
        errors: what stopped some of that.
        needless: a downgrade that waits though its reason is gone, in a sentence; empty: there is none.
        dry_run: whether nothing was written.
    """

    place: Place
    default: Name | None
    judged: tuple[Judged, ...]
    decision: Decision
    outcomes: tuple[Outcome, ...] = ()
    errors: tuple[ReleaseError, ...] = ()
    needless: str = ""
    dry_run: bool = False

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
                said.append(
                    f"{one.subject} waits in pull request #{one.pull_request.number} for a person who merges it"
                )
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

    snapshot: Snapshot
    place: Place
    asked: AskedHealth


def run(tool: Tool, command: Guard, new_id: Callable[[], str]) -> Iterator[Watched | Failed]:
    """One pass: judge everything at once, then decide and act environment by environment.

    Args:
        tool: the outside world.
        command: what was asked for.
        new_id: makes the ids of the operations.

    Yields:
        What was found in each environment; what is wrong with one stops no other one.

    Raises:
        Refused: an environment that was named has no health checks, or none has any.
        ReleaseError: the configuration can't be used, or has no such environment.
    """
    now = tool.now()
    looked: list[_Looked] = []
    for one in _look(tool, command, now):
        if isinstance(one, Failed):
            yield one
        else:
            looked.append(one)
    if not looked:
        return
    said = tool.judge([one.asked for one in looked], now)
    for one, judged in zip(looked, said, strict=True):
        try:
            yield _act(tool, command, one, judged, new_id)
        except ReleaseError as error:
            yield Failed(one.place.title, error)


def _look(tool: Tool, command: Guard, now: datetime) -> Iterator[_Looked | Failed]:
    snapshots = take_all(tool, command.asked.service)
    config = snapshots[0].config
    for name in command.environments:
        if config.environment(name).health is None:
            raise _unwatched(tool, f"{name} has no health checks")
    names = list(dict.fromkeys(command.environments)) or [
        name for name, environment in config.environments.items() if environment.health is not None
    ]
    if not names:
        raise _unwatched(tool, "no environment has health checks")
    asking = judged_versions.Asking(tool, snapshots, now)
    for snapshot in snapshots:
        for name in names:
            place = snapshot.config.place(name)
            try:
                if snapshot.files[name].tags is None:
                    continue  # nothing is deployed yet
                asked = asking.about(snapshot, name)
            except ReleaseError as error:
                yield Failed(place.title, error)
            else:
                assert asked is not None  # only environments with checks are looked at
                yield _Looked(snapshot, place, asked)


def _unwatched(tool: Tool, what: str) -> Refused:
    return Refused(
        what,
        where=tool.config_path,
        cause="a guard judges by the checks under `health` of an environment",
        hint="docs/downgrade.md shows how they are written",
    )


def _act(tool: Tool, command: Guard, looked: _Looked, judged: tuple[Judged, ...], new_id: Callable[[], str]) -> Watched:
    """Decide on what the base holds now: sources take their time, and somebody may have been faster."""
    place, name = looked.place, looked.place.environment
    snapshot = take(tool, place.service)
    environment = snapshot.config.environments.get(name)
    if environment is None or environment.health != looked.asked.health:
        stays = fallback.Decision(fallback.STAY, "its checks were changed while they were asked")
        return Watched(place, None, judged, stays, dry_run=command.asked.dry_run)
    decision = decide(snapshot, name, judged, tool.now())
    found = Watched(
        place, snapshot.files[name].state(empty=True).default, judged, decision, dry_run=command.asked.dry_run
    )
    asked = command.asked._replace(environment=name, service=place.service)
    outcomes: list[Outcome] = []
    errors: list[ReleaseError] = []
    needless = ""
    try:
        if found.is_over and not command.asked.dry_run:
            needless = auto_merge.needless(tool, snapshot, place)
    except ReleaseError as error:
        errors.append(error)
    for step in _steps(tool, asked, decision, judged):
        try:
            outcomes.append(step(new_id()))
        except ReleaseError as error:
            errors.append(error)
    return found._replace(outcomes=tuple(outcomes), errors=tuple(errors), needless=needless)


def _steps(
    tool: Tool, asked: Asked, decision: Decision, judged: Sequence[Judged]
) -> Iterator[Callable[[str], Outcome]]:
    """The operations that a decision asks for; each takes the id that it is to have."""
    if decision.action == fallback.DOWNGRADE:
        yield lambda new: _downgrade(tool, asked._replace(intent_id=new), decision, judged)
    for bad in decision.quarantine:
        yield partial(_quarantine, tool, asked, bad, judged)


def decide(snapshot: Snapshot, environment: str, judged: Sequence[Judged], now: datetime) -> Decision:
    """What is to be done about an environment, as the base stands.

    Args:
        snapshot: the remote at one moment.
        environment: its name.
        judged: what the checks said.
        now: the present time.
    """
    files, config = snapshot.files[environment], snapshot.config
    state, lines = files.state(empty=True), files.lines()
    return fallback.decide(
        fallback.Case(
            state=state,
            former=history.former_defaults(lines, state.default),
            order=config.versions.order,
            judged=judged,
            policy=config.environment(environment).downgrade,
            lines=lines,
            now=now,
        )
    )


def _downgrade(tool: Tool, asked: Asked, decision: Decision, judged: Sequence[Judged]) -> Outcome:
    leave, to = decision.leave, decision.to
    assert leave is not None  # of a downgrade
    assert to is not None
    about = [one for wanted in (leave, to) for one in judged if one.name == wanted]
    return downgrade.run(
        tool,
        downgrade.Downgrade(
            asked=asked._replace(reason=_reason(about[0])),
            leave=leave,
            to=to,
            evidence=evidence.of(about),
        ),
    )


def _quarantine(tool: Tool, asked: Asked, name: Name, judged: Sequence[Judged], new: str) -> Outcome:
    about = next(one for one in judged if one.name == name)
    asked = asked._replace(intent_id=new, reason=_reason(about))
    return by_hand.run(tool, by_hand.ByHand("quarantine", name, asked, evidence=evidence.of([about])))


def _reason(judged: Judged) -> str:
    """Why a version is left: the first check that failed, short enough for a comment in a file."""
    first = next(verdict for verdict in judged.verdicts if verdict.health == UNHEALTHY)
    return f"{first.check}: {first.reason}"[:_LONGEST_REASON]


_LONGEST_REASON = 200

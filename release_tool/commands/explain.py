"""`release explain ENV VERSION`: why a version is where it is, and what would move it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import tagfile
from release_tool.commands import by_hand, history
from release_tool.commands.status import Looking
from release_tool.errors import ReleaseError, TryAgain
from release_tool.model import history as records
from release_tool.model.printed_command import command
from release_tool.model.records import PRESENT, BumpArguments, CleanupArguments, DowngradeArguments, Line
from release_tool.model.versions import newest_first, tag_part
from release_tool.publishing.outcome import Invocation
from release_tool.remote import find_version, images, names
from release_tool.remote.ages import Ages
from release_tool.remote.branch import look
from release_tool.remote.landings import Landings
from release_tool.remote.snapshot import take
from release_tool.rules import explain, outlook
from release_tool.rules.plan import Ground

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from release_tool.commands.history import Entry
    from release_tool.commands.status import EnvironmentStatus
    from release_tool.config import Place
    from release_tool.model.records import Arguments, Change, Name, Operation, Tag
    from release_tool.remote.find_version import Known
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool
    from release_tool.rules.explain import Effect, SweepVerdict


class WayOut(NamedTuple):
    """A command that would change where a version is; None: what it does depends on what has no place in a plan."""

    command: str
    effect: Effect | None


class Past(NamedTuple):
    """A landed operation on a version."""

    entry: Entry
    archived: bool  # whether its line was moved to an archive


class Explanation(NamedTuple):
    """What there is to say of one version of one environment."""

    place: Place
    now: datetime
    name: Name
    tag: Tag
    found: EnvironmentStatus
    verdict: SweepVerdict
    past: tuple[Past, ...]  # what has landed about it, oldest first
    unrecorded: tuple[Change, ...]  # what people changed about it by hand since the last operation
    waits: tuple[Entry, ...]  # what waits about it on the release branches
    elsewhere: tuple[tuple[str, str], ...]  # environment and what the version is there, where it is
    registry: str  # what the registry says of its image; empty where none is configured
    ways: tuple[WayOut, ...] = ()

    @property
    def was_here(self) -> bool:
        """Whether the version is, or ever was, in the base's file."""
        actions = {change.action for one in self.past for change in records.changes_of([one.entry.line])}
        return self.verdict.where != explain.REMOVED or bool(actions - {"supersede", "quarantine", "clear"})


def run(tool: Tool, environment: str, wanted: str, service: str = "") -> Explanation:
    """Explain a version of an environment.

    Args:
        wanted: its name or its tag.
        service: the service; empty: the only one.

    Raises:
        Refused: nobody knows such a version.
    """
    snapshot = take(tool, service)
    config = snapshot.config
    policy = config.environment(environment)
    files, forge = snapshot.files[environment], tool.forge(config)
    lines, state = files.lines(), files.state(empty=True)
    known = _known(tool, snapshot, environment, wanted)
    places = list(config.places())
    ages = Ages(tool.repository, Landings(tool.repository, lambda: forge), snapshot.base, places, tool.config_path)
    looking = Looking(tool, forge, ages, in_use=True, renders=True, health=True)
    found = looking.environment(snapshot, environment)
    if found.errors:
        raise found.errors[0]
    facts = found.facts
    assert facts is not None  # of files that can be read
    every = list(history.landed(snapshot, found.place))
    here = {line.id for line in lines}
    ground = Ground(
        environment=policy,
        order=config.versions.ordering,
        state=state,
        lines=lines,
        facts=facts,
        names=names.names_known(tool.repository, snapshot, [known.tag]),
        service=config.service,
        archived=[one.line for one in every if one.line.id not in here],
    )
    past = tuple(Past(one, one.line.id not in here) for one in every if _is_about(one.line, known))
    said = explain.verdict(state, policy.retention, ground.order, facts, known.name)
    bad = records.quarantined_now(lines, state).get(tag_part(known.tag))
    if bad is not None and known.name not in state.versions:
        words = f"its tag is quarantined: no bump and no promotion brings it back: {bad}"
        said = said._replace(rules=(*said.rules, explain.RuleVerdict("quarantine", explain.KEEPS, words)))
    branch = look(tool.repository, forge, snapshot, found.place)
    pending = () if branch.append_only else branch.pending
    explained = Explanation(
        place=found.place,
        now=facts.now,
        name=known.name,
        tag=known.tag,
        found=found,
        verdict=said,
        past=past,
        unrecorded=tuple(one for one in records.by_hand(lines, state) if _same(one.tag, known)) if lines else (),
        waits=tuple(_waits(found, known)),
        elsewhere=tuple(_elsewhere(snapshot, environment, known)),
        registry=_registry(tool, snapshot, known),
    )
    return explained._replace(ways=tuple(_Ways(tool.now(), ground, pending, explained).all()))


def _known(tool: Tool, snapshot: Snapshot, environment: str, wanted: str) -> Known:
    """The version that is meant: of this environment, else one that was superseded in it, else another one's."""
    try:
        return find_version.version(tool.repository, snapshot, environment, wanted)
    except TryAgain:
        raise
    except ReleaseError as error:
        refusal = error
    never_added = (
        find_version.Known(change.version, change.tag)
        for line in reversed(snapshot.files[environment].lines())
        for change in line.changes
        if change.action == "supersede"
    )
    found = find_version.meant(never_added, wanted)
    for other in snapshot.config.environments:
        if found is None and other != environment:
            text, key = snapshot.files[other].tags, snapshot.config.place(other).key
            there = outlook.all_of(tagfile.read_leniently(text, key) if text else None)
            found = find_version.meant((find_version.Known(*one) for one in there), wanted)
    if found is None:
        raise refusal
    return found


def _is_about(line: Line, known: Known) -> bool:
    return any(_same(change.tag, known) for change in records.changes_of([line]))


def _same(tag: str, known: Known) -> bool:
    return tag_part(tag) == tag_part(known.tag)


def _waits(found: EnvironmentStatus, known: Known) -> Iterator[Entry]:
    for waiting in filter(None, (found.rolling, found.downgrade)):
        for line in waiting.pending:
            if _is_about(line, known) or _same(line.intent.tag, known):
                yield history.Entry(found.place, line, waiting.branch, waiting.pull_request)


def _elsewhere(snapshot: Snapshot, environment: str, known: Known) -> Iterator[tuple[str, str]]:
    for name, files in snapshot.files.items():
        if name == environment:
            continue
        try:
            state = files.state(empty=True)
        except ReleaseError:  # `release status` and `release check` tell more of it
            yield name, "its files can't be read"
            continue
        word = outlook.cell(state, known.name, known.tag)
        if word:
            yield name, word


def _registry(tool: Tool, snapshot: Snapshot, known: Known) -> str:
    policy = snapshot.config.registry
    if policy is None or policy.verify == "off":
        return ""
    try:
        return images.look_up(policy, tool.registry(snapshot.config), snapshot.files.values(), known.tag).said
    except ReleaseError as error:
        return f"{error.where}: {error.what}" if error.where else error.what


# -- what would move it -----------------------------------------------------------------------------------------------


class _Ways:
    """Every command that would change something about a version, with what its own plan says of that."""

    def __init__(self, now: datetime, ground: Ground, pending: Sequence[Line], about: Explanation) -> None:
        self._now, self._ground, self._pending, self._about = now, ground, pending, about
        self._known = find_version.Known(about.name, about.tag)

    def all(self) -> Iterator[WayOut]:
        about = self._about
        if about.was_here or about.waits:
            for operation in ("unpin", "clear", "restore", "retire", "pin", "quarantine", "default"):
                yield from self._by_hand(operation, self._known)
            yield from self._leaving()
            yield from self._way(CleanupArguments(), "cleanup")
        elif self._ground.environment.promote_from is None:
            tag = self._known.tag
            yield from self._way(BumpArguments(tag), "bump", tag)
            yield from self._way(BumpArguments(tag, pin=True, reason="WHY"), "bump", tag, "--pin", "--reason", "WHY")
        source = self._ground.environment.promote_from or ""
        there = dict(about.elsewhere).get(source, "").partition(",")[0] in {"live", "default"}
        if there and not about.waits and about.name not in self._ground.state.versions:
            words = ("promote", source, about.place.environment, "--version", about.name)
            yield WayOut(command(*words, service=about.place.service), None)

    def _by_hand(self, operation: Operation, version: Known) -> Iterator[WayOut]:
        reason = ["--reason", "WHY"] if operation in by_hand.NEEDS_REASON else []
        asked = Invocation(self._about.place.environment, reason="WHY" if reason else "")
        command = by_hand.ByHand(operation, version.name, asked)
        meant = by_hand.intent_of(command, version, self._now, self._ground.state)
        yield from self._way(meant.arguments, operation, version.name, *reason)

    def _leaving(self) -> Iterator[WayOut]:
        """How the default leaves a version."""
        state = self._ground.state
        if state.default != self._known.name:
            return
        others = newest_first(self._ground.order, state.live.items())
        for name, tag in [one for one in others if one[0] != self._known.name][:1]:
            yield from self._by_hand("default", find_version.Known(name, tag))
        yield from self._way(
            DowngradeArguments(self._known.name, self._known.tag, PRESENT, since=self._now), "downgrade"
        )

    def _way(self, arguments: Arguments, operation: Operation, *words: str) -> Iterator[WayOut]:
        # A downgrade is on a branch of its own, which is never shared with what waits.
        pending = () if operation == "downgrade" else self._pending
        own = Line(records.intent("explain", operation, arguments), self._now)
        found = explain.effect(self._ground, pending, own, self._known.name)
        if found is not None:
            yield WayOut(self._about.place.command(operation, *words), found)

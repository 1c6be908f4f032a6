"""`release promote FROM TO`: the default of FROM, or another version of it, goes to TO with its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.arguments import checked_reason
from release_tool.commands.repeated import earlier
from release_tool.config import first_version
from release_tool.errors import Refused, ReleaseError
from release_tool.model import history
from release_tool.model.delivery import InForce
from release_tool.model.records import NAMED, PRESENT, Gate, PromoteArguments
from release_tool.model.versions import tag_part
from release_tool.publishing.outcome import Outcome
from release_tool.publishing.retry import run as publish
from release_tool.remote import find_version, images, names
from release_tool.remote.ages import EXACTLY, Ages
from release_tool.remote.applied import Applied
from release_tool.remote.branch import look
from release_tool.remote.judged_versions import Asking
from release_tool.remote.landings import Landings, recorded
from release_tool.remote.snapshot import readable
from release_tool.rules import promotion

if TYPE_CHECKING:
    from datetime import datetime

    from release_tool.config import Place
    from release_tool.model.records import Arguments, Intent, State
    from release_tool.publishing.outcome import Invocation
    from release_tool.remote.snapshot import Files, Snapshot
    from release_tool.remote.tool import Tool


class Promote(NamedTuple):
    """The arguments of a promotion."""

    source: str  # the environment that the version comes from
    asked: Invocation  # where it goes, and why
    version: str = ""  # name or tag of the version; empty: the default of the source
    pin: bool = False  # whether it comes pinned
    force: bool = False  # whether gates that say no are overruled; needs a reason


def check_usage(command: Promote) -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    checked_reason(command.asked.reason, forced=command.force)


def run(tool: Tool, command: Promote) -> Outcome:
    """Do a promotion."""
    waiting: list[str] = []

    def is_same(said: Arguments) -> bool:
        wanted = (command.source, PRESENT, command.pin, command.force)
        return isinstance(said, PromoteArguments) and (said.source, said.of, said.pin, said.force) == wanted

    def meant(snapshot: Snapshot, before: Intent | None) -> Intent | Outcome:
        snapshot.config.environment(command.source)
        if before is None and not command.version:
            before = earlier(tool, snapshot, command.asked, is_same)
        if before is not None:
            return before
        intent = _judged(tool, snapshot, command)
        waiting.extend(_waiting(tool, snapshot, command))
        no = promotion.refusal(intent.gates)
        asked = command.asked._replace(service=snapshot.config.service)
        return Outcome(asked, intent, refused=no, hint=_next_step(snapshot, asked, intent)) if no else intent

    outcome = publish(tool, command.asked, meant)
    return outcome._replace(said=(*waiting, *outcome.said))


def _judged(tool: Tool, snapshot: Snapshot, command: Promote) -> Intent:
    """The intent with what its gates say."""
    candidate = _candidate(tool, snapshot, command, tool.now())
    image, gate = _image(tool, snapshot, candidate, command)
    found = promotion.gates(candidate, snapshot.config, gate, _health(tool, snapshot, candidate, command))
    found = promotion.forced(found) if command.force else found
    arguments = PromoteArguments(
        source=command.source,
        of=NAMED if command.version else PRESENT,
        pin=command.pin,
        force=command.force,
        version=candidate.name,
        tag=image.tag,
    )
    intent = command.asked.intent("promote", arguments)
    built = history.builds(snapshot.files[command.source].lines()).get(tag_part(image.tag), {})
    digest = {"digest": image.digest} if image.digest else {}
    kept = {key: value for key, value in built.items() if key != "digest"}  # a digest is the registry's word of today
    return intent._replace(gates=found, provenance={**kept, **digest})


def _next_step(snapshot: Snapshot, asked: Invocation, intent: Intent) -> str:
    """What a person can do about gates that say no: the one that no `--force` opens comes first."""
    said = intent.arguments
    assert isinstance(said, PromoteArguments)
    closed = [gate.name for gate in intent.gates if gate.verdict == promotion.REFUSED]
    if not promotion.FIRM.isdisjoint(closed):
        (where,) = _quarantined(snapshot, tag_part(said.tag))
        clear = snapshot.config.place(where).command("clear", said.version)
        return f"promote a version with a fix; `{clear}` where {said.version} turned out to be good"
    way = "run the command again when the gate is open"
    if "order" in closed:
        target = asked.environment
        way = f"`{first_version(snapshot.config.place(target), snapshot.config.environment(target))}`"
    return f"{way}, or add --force --reason 'why'"


def _candidate(tool: Tool, snapshot: Snapshot, command: Promote, now: datetime) -> promotion.Candidate:
    source = snapshot.files[command.source]
    state = _sound(source)
    word = command.version or state.default
    if word is None:
        first = first_version(source.place, snapshot.config.environment(command.source))
        what, hint = f"{command.source} has no version to promote", f"`{first}` brings the first one"
        raise Refused(what, where=source.place.tag_file, hint=hint)
    here = [find_version.Known(name, tag) for name, tag in (*state.versions.items(), *state.retired.items())]
    known = find_version.meant(here, word)
    if known is None:
        raise find_version.unknown(word, command.source, state, here)
    if known.name in state.retired:
        raise Refused(
            f"{known.name} ({tag_part(known.tag)}) is retired in {command.source}",
            hint=f"`{source.place.command('restore', known.name)}` brings it back first",
            page="explanation/concepts.md#rules",
        )
    default = InForce(None, None)
    if state.default == known.name:
        default = _default_since(tool, snapshot, command, known, now)
    return promotion.Candidate(
        source=command.source,
        target=command.asked.environment,
        name=known.name,
        tag=known.tag,
        state=state,
        default_since=default.begun,
        quarantined=_quarantined(snapshot, tag_part(known.tag)),
        now=now,
        unapplied=default.why,
    )


def _sound(files: Files) -> State:
    """The versions of the source; its files must all be right, for nobody knows what stands behind a broken one."""
    from release_tool.yamledit.parser import documents
    from release_tool.yamledit.tree import YamlError

    files.lines()
    for path, text in files.values:
        try:
            documents(readable(text, path))
        except YamlError as error:
            raise error.in_file(path) from None
    return files.state(empty=True)


def _default_since(
    tool: Tool, snapshot: Snapshot, command: Promote, known: find_version.Known, now: datetime
) -> InForce:
    """Since when a version has been the default of the source; looked up only where a soak asks for it."""
    soak = snapshot.config.environment(command.asked.environment).soak
    if not soak:
        return InForce(now, now)
    files = snapshot.files[command.source]
    landed = Landings(tool.repository, lambda: tool.forge(snapshot.config))
    ages = Ages(tool.repository, landed, snapshot.base, [files.place], tool.config_path)
    entry = ("default", known.name)
    lines = recorded(tool.repository, snapshot, files)
    state, health = files.state(empty=True), snapshot.config.environment(command.source).health
    since = ages.since(files.place, state, lines, {entry: EXACTLY}, now).get(entry)
    if since is None or health is None or not health.delivered_by:
        return InForce(since, since)
    found = Applied(tool, snapshot, command.source, ages).of(state, lines, [entry], now)[entry]
    return found._replace(begun=found.since or since)


def _quarantined(snapshot: Snapshot, part: str) -> dict[str, str]:
    """Environment -> reason, wherever a tag is quarantined."""
    found = names.quarantined_elsewhere(snapshot, "")
    return dict([found[part]]) if part in found else {}


def _image(
    tool: Tool, snapshot: Snapshot, candidate: promotion.Candidate, command: Promote
) -> tuple[images.Image, Gate]:
    """The image and its gate; the registry isn't asked where another gate is closed for good."""
    closed = (promotion.order(candidate, snapshot.config), promotion.quarantine(candidate))
    if promotion.refusal(promotion.forced(closed) if command.force else closed):
        reason = "the registry is not asked: another gate is closed"
        return images.Image(candidate.tag, "", ""), Gate("image", promotion.OFF, reason)
    policy = snapshot.config.registry
    registry = tool.registry(snapshot.config)
    try:
        image = images.look_up(policy, registry, snapshot.files.values(), candidate.tag)
    except images.ImageRefused as refusal:
        found = refusal.found or images.Image(candidate.tag, "", "")
        return found, Gate("image", promotion.REFUSED, f"{refusal.where}: {refusal.what}")
    return image, Gate("image", promotion.PASSED if image.digest else promotion.OFF, image.said)


def _health(tool: Tool, snapshot: Snapshot, candidate: promotion.Candidate, command: Promote) -> Gate:
    """What the checks of the source say of the version; they are not asked where another gate is closed for good."""
    source = candidate.source
    configured = snapshot.config.environment(source).health
    if configured is None:
        return promotion.health(source, None)
    closed = (promotion.order(candidate, snapshot.config), promotion.quarantine(candidate))
    if promotion.refusal(promotion.forced(closed) if command.force else closed):
        return Gate("health", promotion.OFF, "not asked: another gate is closed")
    asked = Asking(tool, [snapshot], candidate.now).about(snapshot, source, only=candidate.name)
    assert asked is not None  # there are checks
    judged = tool.judge([asked], candidate.now)[0]
    return promotion.health(source, judged[0] if judged else None, judges=configured.judges)


def _waiting(tool: Tool, snapshot: Snapshot, command: Promote) -> tuple[str, ...]:
    """The notes on what waits in the source: a promotion reads what has landed there, and nothing else."""
    place = snapshot.config.place(command.source)
    notes: list[str] = []
    for branch in (place.downgrade_branch, place.branch):
        if snapshot.refs.branch(branch) is None:
            continue
        try:
            notes += _waits(tool, snapshot, place, branch)
        except ReleaseError as error:  # a note, never a refusal
            notes.append(f"what waits on {branch} can't be read: {error}")
    return tuple(notes)


def _waits(tool: Tool, snapshot: Snapshot, place: Place, branch: str) -> list[str]:
    forge = tool.forge(snapshot.config)
    if not look(tool.repository, forge, snapshot, place, branch).pending:
        return []
    shown = forge.find_open(branch, snapshot.config.base)
    where = f"pull request {shown.name}" if shown else f"the branch {branch}"
    what = "a downgrade waits to land" if branch == place.downgrade_branch else "changes that have not landed"
    return [f"{place.environment}: {what} ({where}); not part of this"]

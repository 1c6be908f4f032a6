"""The record `history.jsonl`: lines in, lines out, and what they tell about versions."""

from __future__ import annotations

import contextlib
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from release_tool.errors import ReleaseError
from release_tool.model import states
from release_tool.model.records import (
    BumpArguments,
    Change,
    CleanupArguments,
    DowngradeArguments,
    Evidence,
    Gate,
    Intent,
    Line,
    Name,
    PromoteArguments,
    State,
    Tag,
    UndoArguments,
    UnreadArguments,
    VersionArguments,
)
from release_tool.model.times import day_of, moment_of, timestamp
from release_tool.model.versions import is_name, is_tag, tag_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from release_tool.model.records import Arguments, GateVerdict, Operation

SCHEMA = 1
SEEN = "seen"  # key of a line: commit -> when it was first seen in the base
_PROVENANCE = ("image", "digest", "commit", "build", "source")
_KNOWN = {
    *("schema", "id", "at", "operation", "arguments", "gates", "changes", "adopted", "no_effect", "by", "run"),
    *_PROVENANCE,
}

_ID = re.compile(r"[!-~]{1,128}")  # one word: it stands in a trailer of the commit, and in messages
_OPERATION = re.compile(r"[a-z][a-z-]{0,31}")
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")  # what a command line with bytes that aren't UTF-8 brings


class BadLine(ReleaseError):
    """A line of a record can't be read."""

    page = "reference/record.md"


def is_id(text: str) -> bool:
    """Whether a text can be the id of an operation: one word of visible ASCII characters, 128 at most."""
    return _ID.fullmatch(text) is not None


# -- lines in ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)  # an operation reads the same records several times
def parse(text: str, path: str) -> tuple[Line, ...]:
    """The lines of a record; `path` is for messages.

    Raises ReleaseError for a line that is cut in half, is no line of the record, comes from a newer schema, or repeats
    an id.
    """
    lines: list[Line] = []
    seen: dict[str, int] = {}
    for number, raw in enumerate(text.split("\n"), start=1):
        if not raw.strip():
            continue
        line = _parse_line(raw, f"{path}:{number}")
        if line.id in seen:
            raise BadLine(
                f"the record holds operation {line.id} twice, in lines {seen[line.id]} and {number}",
                where=f"{path}:{number}",
                cause="two branches were merged by hand and both kept the line",
                hint="remove the line that has not landed first",
            )
        seen[line.id] = number
        lines.append(line)
    return tuple(lines)


def readable_lines(text: str) -> tuple[Line, ...]:
    """The lines that can be read of an old or foreign record, or of a neighbour's: a broken one hides no other.

    Bytes that were not UTF-8 (surrogateescape) are replaced.
    """
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return parse(text, "")
    except ReleaseError:
        found: dict[str, Line] = {}
        for raw in text.split("\n"):
            with contextlib.suppress(ReleaseError):
                found.update({line.id: line for line in parse(raw, "") if line.id not in found})
        return tuple(found.values())


def _parse_line(raw: str, where: str) -> Line:
    try:
        data = json.loads(raw)
        data = _whole(data) if "\\ud" in raw.lower() else data
    except (ValueError, RecursionError):
        raise BadLine(
            "this line of the record is not JSON",
            where=where,
            cause="the line was cut in half or edited by hand, or a conflict marker was left behind",
            hint="put the line back as Git has it: `git log -p -- " + where.partition(":")[0] + "`",
        ) from None
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise BadLine(
            f"this line of the record has schema {schema}; this tool reads {SCHEMA}",
            where=where,
            cause="a newer release of the tool wrote it",
            hint="run that newer release here too; nothing was changed",
        )
    try:
        if schema != SCHEMA:
            raise ValueError("no `schema: 1`")
        return _line_of(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise BadLine(
            f"this line is no line of the record: {reason}",
            where=where,
            cause="it was edited by hand",
            hint="put the line back as Git has it",
        ) from None


def _whole(value: Any) -> Any:
    """A value whose texts can be written anywhere: half of a surrogate pair, which JSON can spell, is replaced."""
    if isinstance(value, str):
        return _HALF_A_PAIR.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(one) for key, one in value.items()}
    return value


def _line_of(data: dict[str, Any]) -> Line:
    written = _object(data["arguments"])
    # What a newer release added passes through here: planning refuses it, and no comparison finds it.
    operation = cast("Operation", _word(data["operation"], _OPERATION))
    intent = Intent(
        id=_word(data["id"], _ID),
        operation=operation,
        arguments=_arguments(operation, written),
        written=written,
        by=_text(data.get("by", "")),
        run=_text(data.get("run", "")),
        provenance={key: _text(data[key]) for key in _PROVENANCE if key in data},
        gates=_gates_of(data.get("gates", [])),
    )
    return Line(
        intent=intent,
        at=moment_of(_text(data["at"])),
        changes=_changes_of(data["changes"]),
        adopted=_changes_of(data.get("adopted", [])),
        extra={key: value for key, value in data.items() if key not in _KNOWN},
        no_effect=_text(data.get("no_effect", "")),
    )


def _arguments(operation: str, written: Mapping[str, Any]) -> Arguments:
    """What the arguments of a line say; anybody can write one, so planning refuses what can't be read."""
    record = _RECORDS.get(operation)
    try:
        if record is None:
            raise ValueError(f"operation {operation} is unknown")
        given: list[Any] = []
        for field in record._fields:
            read: Callable[[Any], Any] = _READERS.get(field, _text_or_empty)
            given.append(read(written.get(_WRITTEN_AS.get(field, field))))
        arguments: Arguments = record(*given)
    except ValueError as error:
        said = (_text_or_empty(written.get(key)) for key in ("version", "tag", "reason"))
        arguments = UnreadArguments(str(error), *said)
    return arguments


def _text_or_empty(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _tag(value: Any) -> Tag:
    if isinstance(value, str) and is_tag(value):
        return Tag(value)
    raise ValueError(f"{value!r} is no image tag")


def _day(value: Any) -> date | None:
    try:
        return None if value is None else day_of(_text_or_empty(value))
    except ValueError:
        raise ValueError(f"{value!r} is no day") from None


def _moment(value: Any) -> datetime | None:
    try:
        return None if value is None else moment_of(_text_or_empty(value))
    except ValueError:
        raise ValueError(f"{value!r} is no time") from None


def _evidence(value: Any) -> tuple[Evidence, ...]:
    """What this tool doesn't write is left out."""
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    return tuple(Evidence(*(_text_or_empty(row.get(key)) for key in Evidence._fields)) for row in rows)


# How the field of a record is read; the others are texts.
_READERS: dict[str, Callable[[Any], Any]] = {
    "tag": _tag,
    "to_tag": lambda value: "" if value is None else _tag(value),
    "pin": bool,
    "force": bool,
    "deployed": bool,
    "last": bool,
    "quarantine": lambda value: value is not False,
    "until": _day,
    "since": _moment,
    "evidence": _evidence,
}
_WRITTEN_AS = {"source": "from", "lasts": "for", "undone": "operation"}
_RECORDS: dict[str, Any] = {
    "bump": BumpArguments,
    "promote": PromoteArguments,
    "downgrade": DowngradeArguments,
    "undo": UndoArguments,
    "cleanup": CleanupArguments,
    **dict.fromkeys(("default", "retire", "restore", "pin", "unpin", "quarantine", "clear"), VersionArguments),
}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {value!r}")
    return value


def _word(value: object, shape: re.Pattern[str]) -> str:
    if shape.fullmatch(_text(value)) is None:
        raise ValueError(f"expected one word, found {value!r}")
    return _text(value)


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, found {value!r}")
    return value


def _gates_of(value: object) -> tuple[Gate, ...]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list of gates, found {value!r}")
    texts = ([_text(_object(gate)[key]) for key in ("gate", "verdict", "reason")] for gate in value)
    return tuple(Gate(name, cast("GateVerdict", verdict), reason) for name, verdict, reason in texts)


def _changes_of(value: object) -> tuple[Change, ...]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list of changes, found {value!r}")
    return tuple(_change_of(_object(change)) for change in value)


def _change_of(data: dict[str, Any]) -> Change:
    action, name, tag = data["action"], _text(data["version"]), _text(data["tag"])
    if _text(action) not in states.ACTIONS:
        raise ValueError(f"unknown action {action!r}")
    if not is_name(name) or not is_tag(tag):
        raise ValueError(f"no version: {name!r} with tag {tag!r}")
    before = data.get("before")
    return Change(
        action=action,
        version=Name(name),
        tag=Tag(tag),
        reason=_text(data["reason"]),
        before=None if before is None else Name(_text(before)),
        until=day_of(_text(data["until"])) if "until" in data else None,
        since=moment_of(data["since"]) if "since" in data else None,
        sweep=data.get("sweep") is True,
    )


# -- lines out --------------------------------------------------------------------------------------------------------


def change_data(change: Change) -> dict[str, Any]:
    """A change as JSON data, as the record and `--output json` write it."""
    data: dict[str, Any] = {
        "action": change.action,
        "version": change.version,
        "tag": change.tag,
    }
    if change.action == "set-default":
        data["before"] = change.before
    data["reason"] = change.reason
    if change.until is not None:
        data["until"] = change.until.isoformat()
    if change.since is not None:
        data["since"] = timestamp(change.since)
    return data


def gate_data(gate: Gate) -> dict[str, str]:
    """A gate as JSON data, as the record and `--output json` write it."""
    return {"gate": gate.name, "verdict": gate.verdict, "reason": gate.reason}


def format_line(line: Line) -> str:
    """A line as JSON, without its line end."""
    intent = line.intent
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "id": intent.id,
        "at": timestamp(line.at),
        "operation": intent.operation,
        "arguments": dict(intent.written),
        **({"gates": [gate_data(gate) for gate in intent.gates]} if intent.gates else {}),
        "changes": [{**change_data(change), **({"sweep": True} if change.sweep else {})} for change in line.changes],
    }
    if line.adopted:
        data["adopted"] = [change_data(change) for change in line.adopted]
    if line.no_effect:
        data["no_effect"] = line.no_effect
    data |= {"by": intent.by, "run": intent.run, **intent.provenance, **line.extra}
    return _HALF_A_PAIR.sub(lambda half: f"\\u{ord(half[0]):04x}", json.dumps(data, ensure_ascii=False))


def intent(
    intent_id: str, operation: Operation, arguments: Arguments, by: str = "", run: str = "", **more: Any
) -> Intent:
    """A new intent; its times are to the second. What is empty or false is not written, but `quarantine: false`."""
    written: dict[str, Any] = {}
    for field, value in arguments._asdict().items():
        if field in {"until", "since"} and value:
            written[field] = value.isoformat() if field == "until" else timestamp(value)
        elif field == "evidence" and value:
            written[field] = [{key: text for key, text in row._asdict().items() if text} for row in value]
        elif value or field == "quarantine":
            written[_WRITTEN_AS.get(field, field)] = value
    return Intent(intent_id, operation, arguments, written, by, run, **more)


def append(text: str, lines: Iterable[Line]) -> str:
    """A record with lines added at its end; what stood there keeps its bytes."""
    added = "".join(format_line(line) + "\n" for line in lines)
    return text + "\n" + added if added and text and not text.endswith("\n") else text + added


# -- what the lines tell ----------------------------------------------------------------------------------------------


def replay(lines: Iterable[Line]) -> State:
    """The state that the record gives: every line's adopted changes, then its own."""
    state = State()
    for line in lines:
        state = states.apply(state, (*line.adopted, *line.changes))
    return state


def by_hand(lines: Sequence[Line], state: State) -> tuple[Change, ...]:
    """What people changed since the last line: the difference between the state of the record and the present one.

    Whoever brings a quarantined tag back without its quarantine has cleared it: what people wrote wins.
    """
    found = states.difference(replay(lines), state)
    bad = quarantines([*changes_of(lines), *found])
    cleared = [Change("clear", name, tag, states.BY_HAND) for name, tag in state.live.items() if tag_part(tag) in bad]
    return (*found, *cleared)


def former_defaults(lines: Sequence[Line], present: Name | None) -> tuple[Name, ...]:
    """The defaults that stood in the base branch, oldest first, the present one last."""
    # A set-default records the default of the base *before* it: one that was planned in an open pull request, and
    # overtaken there, doesn't count. The default that the lines leave stood there too, when the last of them landed.
    before = [change.before for change in changes_of(lines) if change.action == "set-default"]
    former = [name for name in (*before, replay(lines).default, present) if name is not None]
    return tuple(name for place, name in enumerate(former) if former[place - 1 : place] != [name])


def changes_of(lines: Iterable[Line]) -> Iterator[Change]:
    """Every change of the lines in order: each line's adopted ones, then its own."""
    return (change for line in lines for change in (*line.adopted, *line.changes))


def quarantines(changes: Iterable[Change], before: Mapping[str, Change] = {}) -> dict[str, Change]:
    """Tag part -> last quarantine of every tag whose last quarantine has no later clear; `before`: those known so far.

    A quarantine outlives the removal of its version.
    """
    bad = dict(before)
    for change in changes:
        if change.action == "quarantine":
            bad[tag_part(change.tag)] = change
        elif change.action == "clear":
            bad.pop(tag_part(change.tag), None)
    return bad


def restoring(changes: Iterable[Change], before: Mapping[Name, Change] = {}) -> dict[Name, Change]:
    """Name -> the `deploy` of every version that came back without a route, and has neither got one nor gone since.

    `before`: those known so far.
    """
    found = dict(before)
    for change in changes:
        if change.action == "deploy":
            found[change.version] = change
        elif change.action in {"add", "restore", "retire", "remove"}:
            found.pop(change.version, None)
    return found


def restoring_now(lines: Sequence[Line], state: State) -> dict[Name, Change]:
    """The same of an environment: what people did by hand since the last line counts."""
    found = restoring(changes_of(lines))
    return restoring(by_hand(lines, state), found) if found else {}


def quarantined_now(lines: Sequence[Line], state: State) -> dict[str, str]:
    """Tag part -> reason of every tag that is quarantined in an environment.

    By its file; or, for a tag that left `image.tag`, by the record. What people wrote into the file wins: a quarantine
    that they took out of it is cleared, one that they wrote is one.
    """
    by_record = quarantines([*changes_of(lines), *by_hand(lines, state)])
    bad = {part: change.reason for part, change in by_record.items()}
    return bad | {tag_part(state.versions[name]): entry.reason for name, entry in state.quarantined.items()}


def seen_in_base(lines: Iterable[Line]) -> dict[str, datetime]:
    """Commit -> when the tool first saw it in the base, of commits whose landing nobody can prove."""
    found: dict[str, datetime] = {}
    for line in lines:
        seen = line.extra.get(SEEN)
        for commit, at in seen.items() if isinstance(seen, dict) else ():
            with contextlib.suppress(ValueError):
                found.setdefault(str(commit), moment_of(_text_or_empty(at)))
    return found


def noting(line: Line, commits: Iterable[str], at: datetime) -> Line:
    """A line that also keeps when some commits were first seen in the base."""
    before = line.extra.get(SEEN)
    seen = {**(before if isinstance(before, dict) else {}), **dict.fromkeys(sorted(commits), timestamp(at))}
    return line._replace(extra={**line.extra, SEEN: seen})


def only_notes(line: Line) -> bool:
    """Whether a line changes nothing and stands there for what it keeps."""
    return SEEN in line.extra and not line.changes


def names_of(lines: Iterable[Line]) -> dict[str, Name]:
    """Tag part -> name of every version that the lines ever gave a name, superseded ones too."""
    return {tag_part(change.tag): change.version for change in changes_of(lines)}


def entered_at(lines: Sequence[Line], section: str, name: Name, tag: Tag) -> datetime | None:
    """The `at` of the last line that put a version into `versions`, `retired` or `quarantined`; None: people did."""
    entering = {
        "versions": ("add", "restore"),
        "retired": ("retire", "deploy"),
        "quarantined": ("quarantine",),
    }[section]
    for line in reversed(lines):
        for change in line.changes:  # what was adopted had landed before: the line tells nothing about when
            if change.version == name and change.tag == tag and change.action in entering:
                at: datetime = line.at
                return at
    return None


def recorded_digest(lines: Sequence[Line], part: str) -> tuple[datetime, str] | None:
    """The digest that the last operation on a tag recorded for it, and when; None if none did."""
    for line in reversed(lines):
        digest: str = line.intent.provenance.get("digest", "")
        if digest and tag_part(line.intent.tag) == part:
            return line.at, digest
    return None


def builds(lines: Iterable[Line]) -> dict[str, Mapping[str, str]]:
    """Tag part -> where its image comes from, as the last operation that knew it recorded it."""
    known = ((line.intent.tag, line.intent.provenance) for line in lines)
    return {tag_part(tag): said for tag, said in known if said.keys() - {"digest"}}


def same_arguments(one: Intent, other: Intent) -> bool:
    """Whether two intents ask for the same, whenever they were asked.

    What the clock or the state gave may differ then: `since`; `until` where a time from now was asked for (`for`);
    whether the version was `deployed`; its name, which is provisional until it lands; the digest behind its tag.
    """
    return _asked(one) == _asked(other)


def _asked(intent: Intent) -> dict[str, Any]:
    said = dict(intent.written)
    said.pop("since", None)
    said.pop("deployed", None)
    if "for" in said:
        said.pop("until", None)
    if isinstance(said.get("tag"), str):
        said.pop("version", None)
        said["tag"] = tag_part(said["tag"])
    return said


def same_operation(lines: Iterable[Line], intent: Intent) -> Line | None:
    """The line of the same operation: the same id, or the same intent from the same run."""
    for line in lines:
        other = line.intent
        if other.id == intent.id:
            return line
        if (
            intent.run
            and other.run == intent.run
            and other.operation == intent.operation
            and same_arguments(other, intent)
        ):
            return line
    return None


def raised(lines: Iterable[Line], floor: datetime | None) -> tuple[Line, ...]:
    """Lines with each `at` raised to that of the line above, where it was before it."""
    result: list[Line] = []
    for line in lines:
        if floor is not None and line.at < floor:
            line = line._replace(at=floor)  # noqa: PLW2901 (the raised line takes the place of the one read)
        floor = line.at
        result.append(line)
    return tuple(result)

"""What one environment holds at one moment, read as far as it can be, with the places of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import tagfile
from release_tool.checks.findings import Finding, findings_of
from release_tool.errors import ReleaseError
from release_tool.model import history
from release_tool.model.records import State, name_number
from release_tool.tagfile.reader import node_at
from release_tool.yamledit.data import place_of
from release_tool.yamledit.parser import documents
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from release_tool.config import Place
    from release_tool.model.records import Line, Name, Tag


_TOLD = 20
"""So many broken lines of a file get a finding each."""

_MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")


class RecordLine(NamedTuple):
    """One line of a record or of an archive.

    Attributes:
        path: the file.
        number: the line, counted from 1.
        raw: its text; without its line end, for git may write that either way.
        line: what it says; None where it can't be read.
    """

    path: str
    number: int
    raw: str
    line: Line | None

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.path}:{self.number}"

    @property
    def id(self) -> str:
        """The id of its operation; empty where it can't be read."""
        return "" if self.line is None else self.line.id


class Record(NamedTuple):
    """The record of one environment.

    Attributes:
        path: `history.jsonl`.
        entries: its lines, in order.
        archived: those of the archives, by file.
        broken: the lines that can't be read, each with its finding.
    """

    path: str
    entries: tuple[RecordLine, ...] = ()
    archived: tuple[RecordLine, ...] = ()
    broken: tuple[Finding, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of `history.jsonl` that can be read."""
        return tuple(entry.line for entry in self.entries if entry.line is not None)

    @property
    def every(self) -> tuple[RecordLine, ...]:
        """All lines that can be read, those of the archives first."""
        return tuple(entry for entry in (*self.archived, *self.entries) if entry.line is not None)


def read_record(path: str, text: str, archives: Mapping[str, str]) -> Record:
    """The record of one environment, each line for itself, so that a broken one hides no other.

    Args:
        text: its text; empty for none.
        archives: path -> text of the old lines.
    """
    entries, broken = _entries(text, path)
    archived: list[RecordLine] = []
    for where, old in archives.items():
        found, wrong = _entries(old, where)
        archived += found
        broken += wrong
    return Record(path, tuple(entries), tuple(archived), tuple(broken))


def _entries(text: str, path: str) -> tuple[list[RecordLine], list[Finding]]:
    raws = [(number, raw.rstrip("\r")) for number, raw in enumerate(text.split("\n"), start=1) if raw.strip()]
    try:
        lines = history.parse(text, path)
    except ReleaseError:
        return _one_by_one(raws, path)
    return [RecordLine(path, number, raw, line) for (number, raw), line in zip(raws, lines, strict=True)], []


def _one_by_one(raws: Iterable[tuple[int, str]], path: str) -> tuple[list[RecordLine], list[Finding]]:
    entries: list[RecordLine] = []
    broken: list[Finding] = []
    marked, more = False, 0
    for number, raw in raws:
        if raw.startswith(_MARKERS):
            broken += [] if marked else [_conflict(f"{path}:{number}")]
            marked = True
            continue
        line = _line_of(raw, path)
        entries.append(RecordLine(path, number, raw, line))
        if line is None and len(broken) >= _TOLD:
            more += 1
        elif line is None:
            broken += _why(raw, number, path)
    if more:
        broken.append(
            Finding(path, f"{more} more lines of this file can't be read", f"`git log -p -- {path}` shows who")
        )
    return entries, broken


def _conflict(where: str) -> Finding:
    hint = "`release sync` makes a release branch again; elsewhere keep the lines of the base, and take the markers out"
    return Finding(where, "a conflict marker was left behind", hint)


def _line_of(raw: str, path: str) -> Line | None:
    try:
        return history.parse(raw, path)[0]
    except ReleaseError:
        return None


def _why(raw: str, number: int, path: str) -> list[Finding]:
    """Why a line can't be read: read once more with lines above it, for its number in the message."""
    try:
        history.parse("\n" * (number - 1) + raw, path)
    except ReleaseError as error:
        return list(findings_of(error))
    return []


class Held(NamedTuple):
    """The files of one environment.

    Attributes:
        place: where they stand.
        tags: the text of `image_tag.yaml`.
        state: its versions, as far as they can be told.
        record: the record with its archives, line by line.
    """

    place: Place
    tags: str
    state: State
    record: Record

    @property
    def versions(self) -> dict[Name, Tag]:
        """All that is deployed: name -> tag of `tag` and of `retired`."""
        return {**self.state.versions, **self.state.retired}

    def at_key(self, *path: str) -> str:
        """Where a key below `versions.key` stands in `image_tag.yaml`; the file alone where it doesn't."""
        return self._at(place_of(self.tags, self._below(*path), key=True))

    def has(self, *path: str) -> bool:
        """Whether a key below `versions.key` stands in `image_tag.yaml`, also where the rules forbid it."""
        return place_of(self.tags, self._below(*path), key=True) is not None

    def _below(self, *path: str) -> tuple[str, ...]:
        return (*self.place.key.split("."), *path)

    @property
    def named_default(self) -> str | None:
        """What `default` says, also where the rules forbid it; None where it stands there not."""
        try:
            found = documents(self.tags)
        except YamlError:
            return None
        default = node_at(found[0], *self._below("default")) if found else None
        return default.value if default is not None and default.kind == "scalar" else None

    def at_version(self, name: Name) -> str:
        """Where the tag of a version stands; `tag` where it is no version of the file any more."""
        for path in ("tag", name), ("retired", name), ("tag", str(name_number(name) - 1)):
            found = place_of(self.tags, self._below(*path))
            if found is not None:
                return self._at(found)
        return self.at_key("tag")

    def _at(self, found: tuple[int, int] | None) -> str:
        return self.place.tag_file if found is None else f"{self.place.tag_file}:{found[0]}:{found[1]}"


def held(place: Place, tags: str, record: str, archives: Mapping[str, str]) -> Held:
    """The files of one environment, read as far as they can be.

    Args:
        record: `history.jsonl`; empty for none.
        archives: path -> text of the record's old lines.
    """
    return Held(place, tags, tagfile.read_leniently(tags, place.key), read_record(place.history_file, record, archives))

"""Which version somebody means: by its name or its tag, also one that only waits, or was removed long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused
from release_tool.model import history
from release_tool.model.versions import tag_part
from release_tool.remote import names
from release_tool.remote.branch import lines_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from release_tool.git.repository import Repository
    from release_tool.model.records import Line, Name, State, Tag
    from release_tool.remote.snapshot import Files, Snapshot


class Known(NamedTuple):
    """A version: its name, and its tag as written."""

    name: Name
    tag: Tag


def version(repository: Repository, snapshot: Snapshot, environment: str, word: str) -> Known:
    """The version of an environment that a word means: a name or a tag; names win."""
    state = snapshot.files[environment].state(empty=True)
    seen: list[Known] = []
    for known in _everywhere(repository, snapshot, environment, word):
        seen += known
        found = meant(known, word)
        if found is not None:
            return found
    raise unknown(word, environment, state, seen)


def in_files(files: Files, word: str, moved: Iterable[Sequence[Line]] = ()) -> Known:
    """The same among the files of a working tree, their record, and the lines of its archives."""
    state = files.state(empty=True)
    known = [*_of_state(state), *_of_lines(files.lines())]
    for lines in moved:
        known += _of_lines(lines)
    found = meant(known, word)
    if found is None:
        raise unknown(word, files.place.environment, state, known)
    return found


def meant(known: Iterable[Known], word: str) -> Known | None:
    """The version that a word means among some; None if it means none."""
    known = list(known)
    by_name = (one for one in known if one.name == word)
    by_tag = (one for one in known if tag_part(one.tag) == tag_part(word))
    return next(by_name, None) or next(by_tag, None)


def unknown(word: str, environment: str, state: State, known: Iterable[Known]) -> Refused:
    """The refusal of a word that means no version."""
    from release_tool.config import closest

    likely = closest(word, dict.fromkeys(text for one in known for text in (one.name, tag_part(one.tag))))
    there = ", ".join(f"{one.name} ({tag_part(one.tag)})" for one in _of_state(state))
    hint = f"did you mean {likely!r}? " if likely else ""
    hint += f"there are: {there}" if there else "it has no version yet: a bump or a promotion brings the first one"
    return Refused(f"there is no version {word!r} in {environment}", hint=hint)


def _everywhere(repository: Repository, snapshot: Snapshot, environment: str, word: str) -> Iterator[list[Known]]:
    """Where to look, one after the other: the later ones cost more."""
    files, place = snapshot.files[environment], snapshot.config.place(environment)
    yield _of_state(files.state(empty=True))
    yield _of_lines(files.lines())
    for name in (place.branch, place.downgrade_branch):
        tip = snapshot.refs.branch(name)
        if tip is not None:
            yield _of_lines(lines_at(repository, snapshot, place, tip))
    for lines in names.archived(snapshot.source, snapshot.config.places(), [tag_part(word)]):
        yield _of_lines(lines)


def _of_state(state: State) -> list[Known]:
    return [Known(name, tag) for name, tag in (*state.versions.items(), *state.retired.items())]


def _of_lines(lines: Iterable[Line]) -> list[Known]:
    changes = [change for change in history.changes_of(lines) if change.action != "supersede"]
    return [Known(change.version, change.tag) for change in reversed(changes)]

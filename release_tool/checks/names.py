"""Names and tags, one to one for ever: against the step before, the record, and the other environments."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.checks.findings import Finding, OfVersion
from release_tool.model import history
from release_tool.model.records import Name, name_number
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from release_tool.checks.environment import Held, Record
    from release_tool.model.records import Tag

_NAMING = frozenset({"add", "deploy", "restore", "supersede"})
"""The changes that tie a name to a tag; a `remove` may be about what people had moved."""

_HIGHEST_NAME = 900_000_000

_FOR_EVER = "a name keeps its tag for ever: add the new tag under a name of its own"


class Pairs(NamedTuple):
    """Which tag each name has, and which name each tag, each with its place.

    Attributes:
        tags: name -> tag part and place.
        names: tag part -> name and place.
    """

    tags: Mapping[str, tuple[str, str]]
    names: Mapping[str, tuple[str, str]]


def recorded(record: Record) -> Pairs:
    """The pairs that the record knows; where people moved names and that was adopted, the present ones."""
    tags: dict[str, tuple[str, str]] = {}
    names: dict[str, tuple[str, str]] = {}
    for entry in record.every:
        for change in history.changes_of([entry.line] if entry.line else []):
            if change.action in _NAMING:
                tags[change.version] = (tag_part(change.tag), entry.where)
                names[tag_part(change.tag)] = (change.version, entry.where)
    return Pairs(tags, names)


def _written(held: Held, without: Collection[Name] = ()) -> Pairs:
    versions = {name: tag_part(tag) for name, tag in held.versions.items() if name not in without}
    path = held.place.tag_file
    return Pairs(
        {name: (part, path) for name, part in versions.items()}, {part: (name, path) for name, part in versions.items()}
    )


def wrong_names(everywhere: Sequence[Held], before: Mapping[str, Held]) -> dict[str, list[OfVersion]]:
    """The versions whose name or tag is another one elsewhere, each told once.

    Args:
        everywhere: the environments of a service, in promotion order.

    Returns:
        Environment -> what is wrong there.
    """
    files = {held.place.environment: _written(held) for held in everywhere}
    records = {held.place.environment: recorded(held.record) for held in everywhere}
    found: dict[str, list[OfVersion]] = {}
    right: list[Pairs] = []  # of the environments above: what is wrong there isn't told again in every other one
    for held in everywhere:
        here = held.place.environment
        was = before.get(here)
        own = [records[here]] if was is None else [recorded(was.record), records[here]]
        others = [_gone(records[name], files[name]) for name in records if name != here]
        found[here] = []
        for name, tag in held.versions.items():
            finding = _against_before(held, was, name, tag) or _against(held, name, tag, [*own, *right, *others])
            if finding is not None:
                found[here].append(OfVersion(name, finding))
        right.append(_written(held, [one.name for one in found[here]]))
    return found


def _gone(record: Pairs, file: Pairs) -> Pairs:
    """What only the record of an environment knows: what its file holds as well is compared there."""
    return Pairs(
        {name: pair for name, pair in record.tags.items() if name not in file.tags and pair[0] not in file.names},
        {part: pair for part, pair in record.names.items() if part not in file.names and pair[0] not in file.tags},
    )


def _against_before(held: Held, was: Held | None, name: Name, tag: Tag) -> Finding | None:
    """Another image under the same name is not what the clients of that name chose."""
    old = None if was is None else was.versions.get(name)
    if old is None or tag_part(old) == tag_part(tag):
        return None
    what = f"the name {name} is {tag_part(tag)} here and was {tag_part(old)} before"
    return Finding(held.at_version(name), what, _FOR_EVER)


def _against(held: Held, name: Name, tag: Tag, known: Sequence[Pairs]) -> Finding | None:
    part = tag_part(tag)
    for pairs in known:
        sides = (f"tag {part}", name, pairs.names.get(part)), (f"name {name}", part, pairs.tags.get(name))
        for key, value, other in sides:
            if other is not None and other[0] != value:
                what = f"the {key} is {value} here and {other[0]} in {other[1]}"
                return Finding(held.at_version(name), what, _hint(key, other[0]))
    return None


def _hint(key: str, other: str) -> str:
    if key.startswith("name "):
        return f"{_FOR_EVER}; `release sync` renumbers what has not landed"
    return f"call it {other} here, too: tags and names are one to one; `release sync` renumbers what has not landed"


def high_names(held: Held) -> Iterator[OfVersion]:
    """Names are given once and for ever, and end at v999999999: one near that, once landed, leaves none to give."""
    lines = {Name(name): where for name, (_, where) in recorded(held.record).tags.items()}
    for name in {**held.versions, **lines}:
        if name_number(name) > _HIGHEST_NAME:
            where = held.at_version(name) if name in held.versions else lines[name]
            what = f"the name {name} leaves hardly a name for new versions: they get 1 + the highest number known"
            hint = "give it the next free name before this lands; a revert frees no name"
            yield OfVersion(name, Finding(where, what, hint))

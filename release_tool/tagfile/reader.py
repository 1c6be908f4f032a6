"""What `image_tag.yaml` says: text -> state, with the place of everything that is wrong."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import FileProblems, Problem
from release_tool.model import times
from release_tool.model.records import Name, Pin, Quarantine, State, Tag, name_of
from release_tool.model.versions import is_name, is_tag, tag_part
from release_tool.yamledit.parser import documents, odd_break, parse
from release_tool.yamledit.style import nested
from release_tool.yamledit.tree import Node, YamlError, is_string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

KEYS = ("default", "tag", "retired", "pinned", "quarantined")
"""The keys below `versions.key` that stand in `image_tag.yaml` only: Helm merges mappings of several files, so an entry
elsewhere would come back in every rendering."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_DEEP = 8  # what `versions.key` can say: so many words

_EXAMPLES = {
    "retired": "write `v1: <tag>` below it",
    "pinned": "write `v1: {reason: …}` below it",
    "quarantined": "write `v1: {reason: …}` below it",
}


class TagFile(NamedTuple):
    """What one `image_tag.yaml` says.

    Attributes:
        path: for messages.
        is_list: whether `tag` is a list (the entry at position N is `vN`).
        key: `versions.key`: the path of keys below which the five stand.
    """

    path: str
    text: str
    state: State
    is_list: bool
    key: str = "image"

    def at(self, *path: str) -> tuple[str, ...]:
        """The path of something below that key."""
        return (*self.key.split("."), *path)


@lru_cache(maxsize=8)  # an operation reads the same text several times
def read(text: str, path: str, *, key: str = "image", empty: bool = False) -> TagFile:
    """Read an `image_tag.yaml`.

    Args:
        path: for messages.
        key: `versions.key`.
        empty: whether a file without a live version is right (a bump brings the first).

    Raises:
        FileProblems: it isn't YAML, or breaks a rule; with every place.
    """
    try:
        roots = documents(text)
        if odd := odd_break(text):
            raise odd
    except YamlError as error:
        raise error.in_file(path) from None
    if len(roots) > 1:
        place = next((root.start for root in roots[1:] if root is not None), None)
        line, column = (place.line, place.column) if place else (1, 1)
        problem = Problem(line, column, "", "a values file holds one document; this one holds several", "keep one")
        raise FileProblems(path, [problem])
    reader = _Reader(key)
    state, is_list = reader.state(next(iter(roots), None), empty=empty)
    if reader.problems:
        raise FileProblems(path, reader.problems)
    return TagFile(path, text, state, is_list, key)


def read_leniently(text: str, key: str) -> State:
    """The versions of an old or foreign text, without those that break a rule; what was not UTF-8 is replaced.

    Where none stand below the key, those below the only other one where some seem to: `versions.key` was that then.
    """
    try:
        root = parse(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    except YamlError:
        return State()
    reader = _Reader(key)
    state, _ = reader.state(root, empty=True)
    return _Reader(*reader.others).state(root, empty=True)[0] if len(reader.others) == 1 else state


def node_at(node: Node | None, *path: str) -> Node | None:
    """What stands at a path of keys; None where that ends before."""
    for key in path:
        node = None if node is None else node.get(key)
    return node


def look_like_versions(root: Node, key: str) -> Iterator[tuple[str, Node]]:
    """The keys of a file that could be `versions.key` and are not, with a `tag` below that looks like versions."""
    return (found for found in _with_tags(root, "") if found[0] not in {key, ""})


def _with_tags(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    for name, value in node.pairs:
        if name.kind == "scalar" and name.value == "tag":
            items = value.items or [tag for key, tag in value.pairs if key.kind == "scalar" and is_name(key.value)]
            if items and all(item.kind == "scalar" and is_tag(item.value) for item in items):
                yield path, value
        elif name.kind == "scalar" and _WORD.fullmatch(name.value) and path.count(".") < _DEEP - 1:
            yield from _with_tags(value, f"{path}.{name.value}".lstrip("."))


class _Reader:
    """Collects the problems of one file while reading it."""

    def __init__(self, key: str) -> None:
        self.problems: list[Problem] = []
        self.others: dict[str, Node] = {}  # other keys below which versions seem to stand, where none do below this one
        self.image = key
        self.tag_key = f"{key}.tag"
        self.example = f"write `{nested(key, '{tag: {v1: <tag>}}')}`"

    def problem(self, node: Node, key: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(node.start.line, node.start.column, key, what, hint))

    def state(self, root: Node | None, *, empty: bool) -> tuple[State, bool]:
        """What the file says, and whether `tag` is a list."""
        key, node = "", root
        for part in self.image.split("."):
            node = None if node is None else dict(self.entries(node, key)).get(part)
            key = f"{key}.{part}".lstrip(".")
        image = {} if node is None else dict(self.entries(node, key))
        tag = image.get("tag")
        versions = self.tags(tag, self.tag_key)
        retired = self.tags(image.get("retired"), f"{key}.retired")
        self.unique(versions, retired)
        state = State(
            versions={name: tag for name, (tag, _) in versions.items()},
            retired={name: tag for name, (tag, _) in retired.items()},
            pinned=self.marks(image.get("pinned"), f"{key}.pinned", versions, self.pin),
            quarantined=self.marks(image.get("quarantined"), f"{key}.quarantined", versions, self.quarantine),
            written_default=self.default(image.get("default"), versions),
        )
        if tag is None and root is not None and not self.problems:
            self.elsewhere(root)
        place = image.get("default") or tag or root
        line, column = (place.start.line, place.start.column) if place is not None else (1, 1)
        if state.default in state.quarantined:
            what = f"the default {state.default} is quarantined, and a default is a live version"
            hint = "set `default` to a live version, or remove its quarantine"
            self.problems.append(Problem(line, column, f"{key}.default", what, hint))
        elif not state.live and not empty and not self.problems:
            self.problems.append(Problem(line, column, self.tag_key, "there is no live version", self.example))
        return state, tag is not None and tag.kind == "sequence"

    def elsewhere(self, root: Node) -> None:
        """Versions below another key: a bump would add a second set, which the chart doesn't read."""
        self.others = found = dict(look_like_versions(root, self.image))
        if found:
            what = f"the versions seem to stand under `{'` or `'.join(found)}`, and `versions.key` is `{self.image}`"
            hint = f"set `versions: {{key: {next(iter(found))}}}` in release.yaml"
            self.problem(next(iter(found.values())), "", what, hint)

    def entries(self, node: Node, key: str) -> Iterator[tuple[str, Node]]:
        """The entries of a mapping; nothing after the colon counts as an empty one."""
        if node.is_nothing:
            return
        if node.kind != "mapping":
            section, _, mark = key.removeprefix(self.image).lstrip(".").partition(".")
            hint = "write `{reason: …}` after the name" if mark else _EXAMPLES.get(section, self.example)
            self.problem(node, key, f"expected a mapping, found {_kind(node)}", hint)
            return
        seen: set[str] = set()
        for name, value in node.pairs:
            text = name.value if name.kind == "scalar" else ""
            place = f"{key}.{text}" if key else text
            if text in seen:
                self.problem(name, place, "this key stands twice", "keep one of them")
            elif text == "<<" or (value.kind == "alias" and not self.may_be_alias(key, text, value)):
                self.problem(
                    value, place, "an alias or a merge key can't be edited safely here", "write the values out"
                )
            else:
                seen.add(text)
                yield text, value

    def tags(self, node: Node | None, key: str) -> dict[Name, tuple[Tag, Node]]:
        """The tags of a section by their names; `tag` may be a list, whose positions are the names."""
        entries: Iterable[tuple[str, str, Node]] = ()
        if node is not None and node.kind == "sequence" and key == self.tag_key:
            entries = ((name_of(number + 1), f"{key}[{number}]", item) for number, item in enumerate(node.items))
        elif node is not None:
            entries = ((name, f"{key}.{name}", value) for name, value in self.entries(node, key))
        found = {}
        for name, place, value in entries:
            if not is_name(name):
                self.problem(value, place, f"{name!r} is no name of a version", "names are v1, v2, …")
                continue
            tag = self.tag(value, place)
            if tag is not None:
                found[Name(name)] = (tag, value)
        return found

    def tag(self, node: Node, key: str) -> Tag | None:
        place, node = node, node.target if node.kind == "alias" and node.target is not None else node
        if node.kind != "scalar" or node.is_nothing:
            self.problem(place, key, f"expected a tag, found {_kind(node)}", "write the image tag as a text")
        elif not is_string(node):
            self.problem(place, key, f"YAML reads {node.value} as something other than a text", f'write "{node.value}"')
        elif not is_tag(node.value):
            self.problem(place, key, f"{node.value!r} is no image tag", "letters, digits, `_`, `.`, `-`; 128 at most")
        else:
            return Tag(node.value)
        return None

    def unique(self, versions: dict[Name, tuple[Tag, Node]], retired: dict[Name, tuple[Tag, Node]]) -> None:
        """A name stands in one section, and a tag belongs to one name."""
        for name in versions:
            if name in retired:
                what, place = f"{name} stands in `tag` and in `retired`", f"{self.image}.retired.{name}"
                self.problem(retired[name][1], place, what, "keep one")
        first: dict[str, Name] = {}
        for name, (tag, node) in [*versions.items(), *retired.items()]:
            other = first.setdefault(tag_part(tag), name)
            if other != name:
                what = f"the tag {tag_part(tag)} has two names, {other} and {name}"
                self.problem(node, f"{self.image}.*.{name}", what, "keep one")

    def marks(
        self,
        node: Node | None,
        key: str,
        versions: dict[Name, tuple[Tag, Node]],
        read_one: Callable[[Node, str], Any],
    ) -> dict[Name, Any]:
        found = {}
        for name, value in self.entries(node, key) if node is not None else ():
            if name not in versions:
                self.problem(value, f"{key}.{name}", f"{name} is no version of `{self.tag_key}`", "remove this entry")
            else:
                found[Name(name)] = read_one(value, f"{key}.{name}")
        return found

    def pin(self, node: Node, key: str) -> Pin:
        fields = self.fields(node, key, ("reason", "until"))
        until = None
        if "until" in fields:
            until = self.parsed(fields["until"], f"{key}.until", times.day_of, "a day, like 2027-03-31")
        return Pin(self.words(fields.get("reason")), until)

    def quarantine(self, node: Node, key: str) -> Quarantine:
        fields = self.fields(node, key, ("reason", "since"))
        since = None
        if "since" in fields:
            since = self.parsed(fields["since"], f"{key}.since", _moment, "a time in UTC, like 2026-11-23T05:40:00Z")
        return Quarantine(self.words(fields.get("reason")), since)

    def fields(self, node: Node, key: str, possible: tuple[str, ...]) -> dict[str, Node]:
        found = dict(self.entries(node, key))
        for name, value in found.items():
            if name not in possible:
                self.problem(value, f"{key}.{name}", "unknown key", f"there are: {', '.join(possible)}")
        return found

    def words(self, node: Node | None) -> str:
        return node.value if node is not None and node.kind == "scalar" else ""

    def parsed(self, node: Node, key: str, parse: Callable[[str], Any], expected: str) -> Any:
        try:
            return parse(node.value if node.kind == "scalar" else "")
        except ValueError:
            self.problem(node, key, f"expected {expected}", "write it so, or leave the key out")
            return None

    def default(self, node: Node | None, versions: dict[Name, tuple[Tag, Node]]) -> Name | None:
        if node is None or node.is_nothing:
            return None
        if node.kind != "scalar" or node.value not in versions:
            what = node.value if node.kind == "scalar" else _kind(node)
            names = ", ".join(versions) or "none"
            what = f"{what} is no version of `{self.tag_key}`"
            self.problem(node, f"{self.image}.default", what, f"there are: {names}")
            return None
        return Name(node.value)

    def may_be_alias(self, section: str, key: str, value: Node) -> bool:
        """Whether an alias stands for a tag, or stands where nothing is edited."""
        if section in {self.tag_key, f"{self.image}.retired"}:
            return value.target is not None and value.target.kind == "scalar"
        if section == self.image:
            return key not in KEYS
        way, above = self.image.split("."), section.split(".") if section else []
        return way[: len(above)] == above and way[len(above)] != key


def _kind(node: Node) -> str:
    if node.is_nothing:
        return "nothing"
    return {"scalar": f"the text {node.value!r}", "sequence": "a list", "mapping": "a mapping"}.get(
        node.kind, node.kind
    )


def _moment(text: str) -> datetime:
    return times.moment_of(text.replace(" ", "T", 1))

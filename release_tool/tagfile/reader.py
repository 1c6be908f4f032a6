"""What `image_tag.yaml` says: text -> state, with the place of everything that is wrong."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import FileProblems, Problem
from release_tool.model import times
from release_tool.model.records import Name, Pin, Quarantine, State, Tag, name_of
from release_tool.model.versions import is_name, is_tag, tag_part
from release_tool.yamledit.parser import documents, odd_break, parse
from release_tool.yamledit.tree import Node, YamlError, is_string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

KEYS = ("default", "tag", "retired", "pinned", "quarantined")
"""The keys of `image` that stand in `image_tag.yaml` only: Helm merges mappings of several files, so an entry elsewhere
would come back in every rendering."""

_EXAMPLE = "write `image:` with `tag:` below it, and below that `v1: <tag>`"
_EXAMPLES = {
    "image.retired": "write `v1: <tag>` below it",
    "image.pinned": "write `v1: {reason: …}` below it",
    "image.quarantined": "write `v1: {reason: …}` below it",
}


class TagFile(NamedTuple):
    """What one `image_tag.yaml` says.

    Attributes:
        path: for messages.
        is_list: whether `image.tag` is a list (the entry at position N is `vN`).
    """

    path: str
    text: str
    state: State
    is_list: bool


@lru_cache(maxsize=8)  # an operation reads the same text several times
def read(text: str, path: str, *, empty: bool = False) -> TagFile:
    """Read an `image_tag.yaml`.

    Args:
        path: for messages.
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
    reader = _Reader()
    state, is_list = reader.state(next(iter(roots), None), empty=empty)
    if reader.problems:
        raise FileProblems(path, reader.problems)
    return TagFile(path, text, state, is_list)


def read_leniently(text: str) -> State:
    """The versions of an old or foreign text, without those that break a rule; what was not UTF-8 is replaced."""
    try:
        root = parse(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    except YamlError:
        return State()
    return _Reader().state(root, empty=True)[0]


def keys_in(text: str) -> list[str]:
    """Which of the five keys stand under `image` in another values file.

    Raises:
        YamlError: the text isn't YAML.
    """
    root = parse(text)
    image = None if root is None else root.get("image")
    return [] if image is None else [key.value for key, _ in image.pairs if key.value in KEYS]


class _Reader:
    """Collects the problems of one file while reading it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, node: Node, key: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(node.start.line, node.start.column, key, what, hint))

    def state(self, root: Node | None, *, empty: bool) -> tuple[State, bool]:
        """What the file says, and whether `image.tag` is a list."""
        top = {} if root is None else dict(self.entries(root, ""))
        image = dict(self.entries(top["image"], "image")) if "image" in top else {}
        tag = image.get("tag")
        versions = self.tags(tag, "image.tag")
        retired = self.tags(image.get("retired"), "image.retired")
        self.unique(versions, retired)
        state = State(
            versions={name: tag for name, (tag, _) in versions.items()},
            retired={name: tag for name, (tag, _) in retired.items()},
            pinned=self.marks(image.get("pinned"), "image.pinned", versions, self.pin),
            quarantined=self.marks(image.get("quarantined"), "image.quarantined", versions, self.quarantine),
            written_default=self.default(image.get("default"), versions),
        )
        place = image.get("default") or tag or root
        line, column = (place.start.line, place.start.column) if place is not None else (1, 1)
        if state.default in state.quarantined:
            what = f"the default {state.default} is quarantined: it gets no route"
            hint = "set `default` to a live version, or remove its quarantine"
            self.problems.append(Problem(line, column, "image.default", what, hint))
        elif not state.live and not empty and not self.problems:
            self.problems.append(Problem(line, column, "image.tag", "there is no live version", _EXAMPLE))
        return state, tag is not None and tag.kind == "sequence"

    def entries(self, node: Node, key: str) -> Iterator[tuple[str, Node]]:
        """The entries of a mapping; nothing after the colon counts as an empty one."""
        if node.is_nothing:
            return
        if node.kind != "mapping":
            marked = "write `{reason: …}` after the name" if key.count(".") > 1 else _EXAMPLE
            hint = _EXAMPLES.get(key, marked)
            self.problem(node, key, f"expected a mapping, found {_kind(node)}", hint)
            return
        seen: set[str] = set()
        for name, value in node.pairs:
            text = name.value if name.kind == "scalar" else ""
            place = f"{key}.{text}" if key else text
            if text in seen:
                self.problem(name, place, "this key stands twice", "keep one of them")
            elif text == "<<" or (value.kind == "alias" and not _may_be_alias(key, text, value)):
                self.problem(
                    value, place, "an alias or a merge key can't be edited safely here", "write the values out"
                )
            else:
                seen.add(text)
                yield text, value

    def tags(self, node: Node | None, key: str) -> dict[Name, tuple[Tag, Node]]:
        """The tags of a section by their names; `image.tag` may be a list, whose positions are the names."""
        entries: Iterable[tuple[str, str, Node]] = ()
        if node is not None and node.kind == "sequence" and key == "image.tag":
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
                node = retired[name][1]
                self.problem(node, f"image.retired.{name}", f"{name} stands in `tag` and in `retired`", "keep one")
        first: dict[str, Name] = {}
        for name, (tag, node) in [*versions.items(), *retired.items()]:
            other = first.setdefault(tag_part(tag), name)
            if other != name:
                self.problem(
                    node, f"image.*.{name}", f"the tag {tag_part(tag)} has two names, {other} and {name}", "keep one"
                )

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
                self.problem(value, f"{key}.{name}", f"{name} is no version of `image.tag`", "remove this entry")
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
            self.problem(node, "image.default", f"{what} is no version of `image.tag`", f"there are: {names}")
            return None
        return Name(node.value)


def _may_be_alias(section: str, key: str, value: Node) -> bool:
    """Whether an alias stands for a tag, or stands where nothing is edited."""
    if section in {"image.tag", "image.retired"}:
        return value.target is not None and value.target.kind == "scalar"
    return (section == "image" and key not in KEYS) or (not section and key != "image")


def _kind(node: Node) -> str:
    if node.is_nothing:
        return "nothing"
    return {"scalar": f"the text {node.value!r}", "sequence": "a list", "mapping": "a mapping"}.get(
        node.kind, node.kind
    )


def _moment(text: str) -> datetime:
    return times.moment_of(text.replace(" ", "T", 1))

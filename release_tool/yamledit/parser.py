"""YAML text to a tree of nodes with their places: the one parser of the tool.

The editor, the configuration and `image_tag.yaml` all read YAML here. libyaml (the C parser that comes with PyYAML)
does the work where it is present; ruamel.yaml's parser in pure Python stands in where it is not, with the same
answers. Both are only asked for events. Their marks differ at empty values, at tags before anchors, and at the ends of
block collections and block scalars; here these marks are made equal.

Aliases are nodes of their own and never expanded, so a "billion laughs" costs nothing; size and depth are bounded.
"""

from __future__ import annotations

import gc
import re
from bisect import bisect_right
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from release_tool.yamledit.tree import Node, RawMark, YamlDocument, YamlError, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_SIZE = 10_000_000
"""Characters of the longest text that is parsed."""

MAX_EVENTS = 1_000_000
"""Events of the longest text that is parsed: about as many values, keys and ends of collections."""

MAX_DEPTH = 200
"""Collections inside collections; real files stay below 30."""

# What several parts of the editor look for, with the line ends of every system.
BREAK = re.compile(r"\r\n|\r|\n")
BLANKS = re.compile(r"[ \t]*")
COLON = re.compile(r"[ \t]*:")
GAP = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))*[ \t]*")  # blanks, comments, blank lines; or nothing
COMMA = re.compile(rf"({GAP.pattern}),")

BOM = "\ufeff"
_ODD_BREAK = re.compile("[\x85\u2028\u2029]")
"""Ends of lines in YAML 1.1, to Helm and libyaml; characters like others in YAML 1.2."""
_ODD_HINT = "Put a usual line break there; in double quotes it may be written as \\N, \\L or \\P."
_TOO_LONG = "Keep the values that are read here in a file of their own."
_STARTS = {"MappingStartEvent": "mapping", "SequenceStartEvent": "sequence"}
_ANCHOR = re.compile(r"[0-9A-Za-z_-]+\Z")
_TAG_BEFORE = re.compile(r"!\S*[ \t]+\Z")
_HEADER = re.compile(r"[|>]([-+1-9]*)[^\r\n]*(?=(\r\n|\r|\n|\Z))")
_LINE = re.compile(r"( *)([^\r\n]*)(\r\n|\r|\n|\Z)")
_PROPERTIES = re.compile(r"(?:[&!][^\s]*(?:[ \t]+|(?=[\r\n]|\Z)))+")


def parse(text: str) -> Node | None:
    """The root of the first document; None when it is empty. Arguments and errors as for `documents`."""
    return next(iter(documents(text)), None)


def documents(text: str) -> list[Node | None]:
    """The root nodes of all documents of a text; nobody may change the nodes.

    The text is decoded, its line ends and its byte order mark as in the file. An empty document has the root None.

    Raises:
        YamlError: not YAML, longer than `MAX_SIZE`, deeper than `MAX_DEPTH`, or an alias without an anchor.
    """
    return [document.root for document in stream(text)]


@lru_cache(maxsize=4)  # reading a file and several edits in a row parse each text once
def stream(text: str) -> list[YamlDocument]:
    """All documents of a text with their bounds; errors as for `documents`."""
    if len(text) > MAX_SIZE:
        raise YamlError(f"the text has {len(text):,} characters; the limit is {MAX_SIZE:,}", 1, 1, _TOO_LONG)
    if text.startswith(BOM * 2):
        raise YamlError("not YAML: two byte order marks (U+FEFF) at its start", 1, 1, "Keep one of them, or none.")
    with collector_paused():
        return _stream(text)


@contextmanager
def collector_paused() -> Iterator[None]:
    """No search for cycles meanwhile: among nodes, which hold none, it takes longer than all the rest."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _stream(text: str) -> list[YamlDocument]:
    behind = 1 if text.startswith(BOM) else 0  # the parsers count from behind the byte order mark
    found = _Builder(text[behind:]).build()
    lines = [] if text.isascii() or not _ODD_BREAK.search(text) else _line_starts(text)
    if not behind and not lines:
        return found
    for node in walk([document.root for document in found if document.root is not None]):
        start, end = node.raw_start, node.raw_end
        node.raw_start = RawMark(start.index + behind, start.line, start.column)
        node.raw_end = RawMark(end.index + behind, end.line, end.column)
        if lines:  # libyaml takes them for line ends: people and their editors don't
            node.raw_start, node.raw_end = (_mark(lines, mark.index) for mark in (node.raw_start, node.raw_end))
    return [document._replace(start=document.start + behind, end=document.end + behind) for document in found]


def _line_starts(text: str) -> list[int]:
    return [1 if text.startswith(BOM) else 0, *(found.end() for found in BREAK.finditer(text))]


def _mark(lines: list[int], index: int) -> RawMark:
    """The place of an index, by the line ends that both YAMLs have."""
    line = max(bisect_right(lines, index) - 1, 0)
    return RawMark(index, line, index - lines[line])


def odd_break(text: str) -> YamlError | None:
    """The error for a line end of YAML 1.1 alone outside quotes: readers disagree about what follows it."""
    if text.isascii() or not _ODD_BREAK.search(text):
        return None
    nodes = list(walk([document.root for document in stream(text) if document.root is not None]))
    keys = {id(key) for node in nodes for key, _ in node.pairs}  # stand on one line
    values = (node for node in nodes if node.style in ("'", '"') and id(node) not in keys)
    starts = ((content_start(text, node), node) for node in values)
    quoted = [(start, node.raw_end.index) for start, node in starts if text[start] == node.style]
    quoted.sort()
    for found in _ODD_BREAK.finditer(text):
        index = found.start()
        before = bisect_right(quoted, (index, 0))
        if not before or index >= quoted[before - 1][1]:
            mark = _mark(_line_starts(text), index)
            reason = f"the character U+{ord(found[0]):04X}, which ends a line in YAML 1.1 and doesn't in YAML 1.2"
            return YamlError(reason, mark.line + 1, mark.column + 1, _ODD_HINT)
    return None


def line_start(text: str, index: int) -> int:
    """The start of the line of an index; the first line starts behind a byte order mark."""
    start = text.rfind("\n", 0, index) + 1
    start = max(start, text.rfind("\r", start, index) + 1)
    return 1 if start == 0 and text.startswith(BOM) else start


# --- events to nodes --------------------------------------------------------------------------------------------------


class _Builder:
    """Makes nodes of the events of one text; used once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.anchors: dict[str, Node] = {}
        self.open: list[Node] = []
        # What the open collection holds so far: items, or keys and values in turn.
        self.inside: list[Node] = []
        self.outside: list[list[Node]] = []
        self.hashes: list[Node] = []

    def build(self) -> list[YamlDocument]:
        found: list[YamlDocument] = []
        start, explicit = 0, False
        events = events_of()(self.text)
        for event in islice(events, MAX_EVENTS):
            name = event.__class__.__name__
            if name == "ScalarEvent":
                self.scalar(event)
            elif name in _STARTS:
                self.begin(_STARTS[name], event)
            elif name in ("MappingEndEvent", "SequenceEndEvent"):
                self.finish(event)
            elif name == "AliasEvent":
                self.alias(event)
            elif name == "DocumentStartEvent":
                explicit = bool(event.explicit)
                start = (event.end_mark if explicit else event.start_mark).index
                self.inside, self.anchors, self.hashes = [], {}, []
            elif name == "DocumentEndEvent":
                root = self.inside[0] if self.inside else None
                found.append(YamlDocument(root, start, event.start_mark.index, explicit, self.hashes))
        for event in events:  # there are more
            mark = event.start_mark
            raise YamlError(f"more than {MAX_EVENTS:,} values", mark.line + 1, mark.column + 1, _TOO_LONG)
        return found

    def scalar(self, event: Any) -> None:
        value, style = event.value, event.style or None
        node = Node("scalar", event.start_mark, event.end_mark, value, style)
        if event.anchor is not None or event.tag is not None:
            self.properties(node, event)
        elif not value and style is None:
            if not self.open:
                return  # an empty document
            self.place_empty(node)
        if style == "|" or style == ">":  # noqa: PLR1714 - two comparisons are faster than a membership test
            node.raw_end = _block_end(self.text, node)
        if "#" in value:
            self.hashes.append(node)
        self.inside.append(node)

    def place_empty(self, node: Node) -> None:
        """Put an empty value right behind its `:`; the two parsers see it at different places."""
        if self.open[-1].kind == "sequence" or not len(self.inside) % 2:  # an item, or an empty key
            return
        end = self.inside[-1].raw_end
        found = COLON.match(self.text, end.index)
        width = found.end() - end.index if found else 0
        node.raw_start = node.raw_end = RawMark(end.index + width, end.line, end.column + width)

    def properties(self, node: Node, event: Any) -> None:
        """Anchor and tag."""
        if event.anchor is not None:
            node.anchor = event.anchor
            self.anchors[event.anchor] = node
            if _ANCHOR.match(event.anchor) is None:  # libyaml refuses it
                mark = node.start
                hint = "Use letters, digits, `_` and `-`."
                raise YamlError(f"not YAML: the anchor &{event.anchor}", mark.line, mark.column, hint)
        if event.tag is not None:
            node.tag = event.tag
            start = node.raw_start
            # In `!tag &anchor value` one of the parsers starts at the anchor.
            found = _TAG_BEFORE.search(self.text, start.index - start.column, start.index) if node.anchor else None
            if found:
                node.raw_start = RawMark(found.start(), start.line, start.column - start.index + found.start())

    def alias(self, event: Any) -> None:
        node = Node("alias", event.start_mark, event.end_mark, event.anchor)
        node.target = self.anchors.get(event.anchor)
        if node.target is None:
            mark = node.start
            reason = f"the alias *{event.anchor} names no anchor above it"
            raise YamlError(reason, mark.line, mark.column, f"Write &{event.anchor} before it is used.")
        self.inside.append(node)

    def begin(self, kind: str, event: Any) -> None:
        """The start of a collection."""
        node = Node(kind, event.start_mark, event.start_mark, "", bool(event.flow_style))
        if event.anchor is not None or event.tag is not None:
            self.properties(node, event)
        self.open.append(node)
        self.outside.append(self.inside)
        self.inside = []
        if len(self.open) > MAX_DEPTH:
            raise _too_deep(node.start.line, node.start.column)

    def finish(self, event: Any) -> None:
        """The end of a collection."""
        node = self.open.pop()
        inside = self.inside
        self.inside = self.outside.pop()
        self.inside.append(node)
        if node.kind == "sequence":
            node.items = inside
        else:
            node.pairs = list(zip(inside[::2], inside[1::2], strict=True))
        if node.style and event.end_mark.index > event.start_mark.index:
            node.raw_end = event.end_mark
        else:  # behind the last leaf; the parsers end it at the next token, behind all comments
            node.raw_end = inside[-1].raw_end


def _block_end(text: str, node: Node) -> RawMark:
    """Where the content of a `|` or `>` scalar ends, without its last line break."""
    content = content_start(text, node)
    header = _HEADER.match(text, content)
    if header is None:  # can't be: the parser saw the header there
        return node.raw_end
    keep = "+" in header.group(1)  # the blank lines behind it are content; else they belong to nobody
    line = node.raw_start.line + len(BREAK.findall(text, node.raw_start.index, content))
    end = RawMark(header.end(), line, node.raw_start.column + header.end() - node.raw_start.index)
    indent = 0
    position, stop = header.end(2), node.raw_end.index
    while position < stop:
        line += 1
        found = _LINE.match(text, position)
        assert found is not None  # `_LINE` matches everywhere
        spaces, rest = len(found.group(1)), found.group(2)
        if rest and not indent:
            indent = spaces
        if rest or keep or (indent and spaces > indent):
            end = RawMark(found.end(2), line, found.end(2) - position)
        if found.end() == position:
            break
        position = found.end()
    return end


def content_start(text: str, node: Node) -> int:
    """Where a node of a text starts behind its anchor and tag (on the same line, or on a later one)."""
    position, end = node.raw_start.index, node.raw_end.index
    if node.anchor is None and node.tag is None:
        return position
    if node.pairs and not node.style:  # the first key may have an anchor of its own
        return node.pairs[0][0].raw_start.index
    while position < end and text[position] in "&!":
        found = _PROPERTIES.match(text, position)
        if found is None:
            break
        position = found.end()
        gap = GAP.match(text, position)
        if gap is not None and gap.end() < end:
            position = gap.end()
    return min(position, end)


# --- the two parsers --------------------------------------------------------------------------------------------------


def events_of() -> Callable[[str], Iterator[Any]]:
    """The C parser where PyYAML brings it, else ruamel.yaml."""
    try:
        import yaml._yaml  # noqa: F401
    except ImportError:
        return pure_events
    return libyaml_events


def libyaml_events(text: str) -> Iterator[Any]:
    import yaml
    from yaml._yaml import CParser

    try:
        parser = CParser(text)
        get_event = parser.get_event
        while (event := get_event()) is not None:
            yield event
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise _as_yaml_error(error, text, utf8=True) from None


def pure_events(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except (YAMLError, ValueError, IndexError, OverflowError, AssertionError) as error:
        raise _as_yaml_error(error, text, utf8=False) from None


def _as_yaml_error(error: Exception, text: str, *, utf8: bool) -> YamlError:
    """A parser's error in our form; `utf8`: positions are counted in bytes instead of characters."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        problem = getattr(error, "problem", None) or "can't be read"
        if "nesting depth" in problem:  # newer libyaml has a limit of its own
            return _too_deep(mark.line + 1, mark.column + 1)
        context = getattr(error, "context", None)
        reason = f"not YAML: {problem}" + (f" {context}" if context else "")
        if "cannot start any token" in problem:
            character = text[mark.index : mark.index + 1]
            reason = "not YAML: " + (
                "a tab where only spaces may stand" if character == "\t" else f"a text can't begin with {character!r}"
            )
        hint = _hint(text, mark.index, problem)
        mark = _mark(_line_starts(text), mark.index) if _ODD_BREAK.search(text, 0, mark.index) else mark
        return YamlError(reason, mark.line + 1, mark.column + 1, hint)
    if isinstance(error, UnicodeEncodeError):
        position, reason = error.start, "half of a surrogate pair"
    else:
        position = getattr(error, "position", 0) or 0
        if utf8:
            position = len(text.encode("utf-8")[:position].decode("utf-8", "ignore"))
        reason = str(getattr(error, "reason", "") or "can't be read")
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    return YamlError(f"not YAML: {reason}", line, column, _hint(text, position, reason))


def _too_deep(line: int, column: int) -> YamlError:
    reason = f"more than {MAX_DEPTH} collections inside each other"
    return YamlError(reason, line, column, "Correct the file: nothing that people write is so deep.")


_HINTS_BY_TEXT = {
    r"(?m)^(?:<{7}|={7}|>{7})": "Resolve the merge conflict in this file.",
    r"(?m)^[ \t]*(?:- )?\{[{%]|: \{\{": "This looks like a template; only finished YAML can be read.",
}
_HINTS = {
    "cannot start any token": "Put the text in quotes.",
    "mapping values are not allowed": "Check the indentation; a value that holds `: ` needs quotes.",
}


def _hint(text: str, index: int, problem: str) -> str:
    """The next step, for the mistakes that people make most."""
    if odd := _ODD_BREAK.search(text, 0, index + 1):
        there = len(BREAK.findall(text, 0, odd.start())) + 1
        return f"Line {there} holds U+{ord(odd[0]):04X}, which ends a line in YAML 1.1. {_ODD_HINT}"
    line = text[line_start(text, index) :].split("\n", 1)[0]
    if text[index : index + 1] == "\t" or "\t" in line[: len(line) - len(line.lstrip())]:
        return "Write spaces instead of the tab; YAML allows no tab there."
    for pattern, hint in _HINTS_BY_TEXT.items():
        if re.search(pattern, text):
            return hint
    return next((hint for said, hint in _HINTS.items() if said in problem), "Correct the file at this place.")

"""Byte-exact edits of YAML texts, `str -> str`: everything but the entry in question keeps its bytes.

The parser finds the place, the text is spliced there, and the result is parsed again and compared with the tree that
was planned: if anything but the planned values differs, the edit is refused with `EditRefused` and the text stays as
it was. The text is handed in decoded, without translation of line ends, a byte order mark included.

`path` is a tuple of keys and of positions in lists, counted from 0; `()` is the root. `document` counts the documents
of the text from 0. Keys match by their text, so `80` and `"80"` are both found by `"80"`. Which comments belong to an
entry stands in `comments.py`; with `names` a block above does only where it names the entry.

Refused are, in all functions: text that isn't YAML, a path that leads through an alias, a merge key (`<<`), a key that
stands twice, a key written with `?`, and tags other than YAML's own for strings, lists and mappings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from release_tool.yamledit.insert import NewValue, insert
from release_tool.yamledit.siblings import Flow, Value
from release_tool.yamledit.source import Path, SourceText
from release_tool.yamledit.tree import Plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.yamledit.comments import Names

__all__ = [
    "Flow",
    "Plain",
    "Value",
    "add_entry",
    "list_to_mapping",
    "move_entry",
    "remove_entry",
    "set_value",
]


def set_value(text: str, path: Path, value: str, document: int = 0) -> str:
    """Set a scalar.

    The quotes of the old value stay; a plain one stays plain if the new value is a string to every reader, else it
    gets quotes. An anchor stays as well, so its aliases follow. An alias is replaced. An empty `[]` or `{}` may be
    replaced, too. A value that is this string already leaves the text as it is.

    Args:
        value: the new value, a string that stays one, or a `Plain`.

    Raises:
        EditRefused: nothing there, a collection, or a place that can't be edited safely.
    """
    from release_tool.yamledit.replace import replace_scalar

    source = SourceText(text, document)
    _check_value(source, value)
    return replace_scalar(source, tuple(path), value)


def add_entry(text: str, path: Path, value: Value, key: str | None = None, document: int = 0) -> str:
    """Append to a list, or add a key to a mapping, after the last entry and before the comments that follow it.

    Indentation, quotes, gaps and flow or block style are those of the siblings; without siblings, those of the file.
    An empty value, `null`, `[]` and `{}` get their first entry; the root of an empty document is a collection, too.

    Args:
        value: a string, which stays a string and is quoted where a reader could take it for something else; a
            `Plain`; or a mapping or list of them, `Flow` to have it on one line.
        key: the key of the new entry; None to append to a list.

    Raises:
        EditRefused: no such collection, the key is there already, or a place that can't be edited safely.
    """
    source = SourceText(text, document)
    _check_value(source, value)
    return insert(source, source.get(tuple(path)), NewValue(key, value))


def remove_entry(
    text: str, path: Path, document: int = 0, *, names: Names | None = None, keep_comments: bool = False
) -> str:
    """Remove an entry with its comments; with `keep_comments` they stay in its place, each on a line.

    When the last entry goes, `[]` or `{}` remains. No blank line is left at the end of the text, or beside another one.

    Raises:
        EditRefused: nothing there, an anchor in it is used elsewhere, or a place that can't be edited safely.
    """
    from release_tool.yamledit.remove import remove

    return remove(SourceText(text, document), tuple(path), names, keep_comments=keep_comments)


def move_entry(text: str, path: Path, to: Path, document: int = 0, *, names: Names | None = None) -> str:
    """Move an entry to another collection, after the last entry there, with its comments, in its own spelling.

    The comments are indented anew. Missing parents are made as mappings, after the last sibling. When its old
    collection is empty then, `[]` or `{}` remains.

    Args:
        to: its new path: a new key of a mapping, or the first free position of a list.

    Raises:
        EditRefused: nothing at `path`, something at `to`, or a place that can't be edited safely.
    """
    from release_tool.yamledit.move import move

    path, to = tuple(path), tuple(to)
    return text if path == to else move(SourceText(text, document), path, to, names)


def list_to_mapping(text: str, path: Path, keys: Sequence[str], document: int = 0) -> str:
    """Turn a list into a mapping in place: `- v1.0.2  # note` becomes `v2: v1.0.2  # note`.

    Everything stays where it is, comments included. A list that is flush with its parent's key is indented, with the
    comments inside it, because a mapping has to be.

    Raises:
        EditRefused: no list there, or not as many keys as items, or a place that can't be edited safely.
    """
    from release_tool.yamledit.list_to_mapping import name_items

    return name_items(SourceText(text, document), tuple(path), keys)


def _check_value(source: SourceText, value: Value) -> None:
    """Refuse what no YAML text can hold."""
    if isinstance(value, Flow):
        value = value.value
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _check_value(source, name)
            _check_value(source, inner)
    elif not isinstance(value, str):
        for inner in value:
            _check_value(source, inner)
    else:
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise source.refusal("the new value holds half of a surrogate pair", 0, "Give valid text.") from None

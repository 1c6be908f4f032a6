"""What of a rendering is another text each time, with the same chart and the same values: chance, and the time."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool import manifests

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from release_tool.manifests import ObjectKey

UNSTEADY = (
    r"(?<![\w.$\"-])(?:now|ago|uuidv4|shuffle|bcrypt|htpasswd|encryptAES|rand(?:AlphaNum|Alpha|Numeric|Ascii|Bytes|Int)"
    r"|gen(?:PrivateKey|CA|CAWithKey|SelfSignedCert|SelfSignedCertWithKey|SignedCert|SignedCertWithKey))(?![\w\"-])"
)
"""A function of templates whose result is another one each time."""

# Looked for before any regular expression: few files are looked at more closely.
_WORDS = (b"now", b"ago", b"uuidv4", b"shuffle", b"bcrypt", b"htpasswd", b"encryptAES", b"rand", b"gen")
_ACTION = rb"(?s)\{\{(?!-? */\*).*?\}\}"
_NOW = rb"(?a)(?<![\w.$\"-])now(?![\w\"-])"
_ANY = rb"(?a)" + UNSTEADY.encode()
_OTHER_DAY = b'(toDate "2006-01-02" "2001-02-03")'
_HIDDEN = "(another value at each rendering)"
_KEPT = r"\s*(?:- +)*(?:[^\s:#{\[][^:]*:(?: +|$))?"  # of a line: its column, dashes, key


def may_change(files: Mapping[str, bytes], values: Iterable[bytes] = ()) -> bool:
    """Whether a template, or a value that a template may run, has such a function; True where that can't be seen.

    Args:
        files: the chart's, by path.
        values: the values files.
    """
    if any(path.endswith(".tgz") for path in files):
        return True
    texts = (data for path, data in files.items() if _runs(path))
    perhaps = (data for data in (*texts, *values) if any(_may_stand(word, data) for word in _WORDS))
    return any(re.search(_ANY, action) for data in perhaps for action in re.findall(_ACTION, data))


def _may_stand(word: bytes, data: bytes) -> bool:
    """Whether a function may stand in a text whose name begins so."""
    if word not in data:
        return False
    end = b"[A-Z]" if word in (b"rand", b"gen") else rb"(?!\w)"
    return re.search(rb"(?<!\w)" + word + end, data) is not None


def _runs(path: str) -> bool:
    return not path.endswith("NOTES.txt") and ("templates/" in path or path.endswith("values.yaml"))


def at_another_time(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The chart with another day for `now`."""
    return {
        path: re.sub(_ACTION, lambda action: re.sub(_NOW, _OTHER_DAY, action[0]), data)
        if _runs(path) and b"now" in data
        else data
        for path, data in files.items()
    }


class Steady(NamedTuple):
    """A rendering without what another one of the same has differently.

    Attributes:
        rendering: the rest: lines are hidden, and objects are left out whose names are of chance.
        changing: the objects that differ.
    """

    rendering: str
    changing: tuple[ObjectKey, ...] = ()


def steady(one: str, other: str) -> Steady:
    """A rendering, held against another one of the same chart and the same values."""
    if one == other:
        return Steady(one)
    there, sources = manifests.texts(other), manifests.sources(one)
    parts, changing = [], []
    for key, text in manifests.texts(one).items():
        again = there.get(key)
        if text != again:
            changing.append(key)
        if again is not None:
            parts.append(f"---\n# Source: {sources[key]}\n{text if text == again else _steadied(key, text, again)}")
    return Steady("".join(parts), tuple(changing))


def _steadied(key: ObjectKey, text: str, other: str) -> str:
    lines, others = text.splitlines(keepends=True), other.splitlines(keepends=True)
    if len(lines) != len(others):
        metadata = {"name": key.name, **({"namespace": key.namespace} if key.namespace else {})}
        return f"apiVersion: {key.api_version}\nkind: {key.kind}\nmetadata: {json.dumps(metadata)}\n"
    return "".join(line if line == again else _hidden(line) for line, again in zip(lines, others, strict=True))


def _hidden(line: str) -> str:
    kept = re.match(_KEPT, line)
    return f"{kept[0] if kept else ''}{_HIDDEN}\n"

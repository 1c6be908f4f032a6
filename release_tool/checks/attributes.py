"""Whether `.gitattributes` gives a record `merge=union`.

Two operations that were planned on the same base conflict as text in `history.jsonl`. That is the lock which keeps a
forge from merging a stale plan, and `merge=union` takes it away. The rules of the file are those of gitattributes(5).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.checks.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAME = ".gitattributes"

_LONGEST = 2048
"""Characters of a line; git ignores longer ones."""

_UNSET = {"-merge": "", "!merge": "", "merge": "", "binary": ""}


def files_for(path: str) -> list[str]:
    """The paths of the attribute files that may speak of a file, from the root of the repository down."""
    above = path.split("/")[:-1]
    return ["/".join([*above[:depth], NAME]) for depth in range(len(above) + 1)]


def union_merged(records: Iterable[str], files: Mapping[str, str]) -> Iterator[Finding]:
    """The lines that let two appends to a record merge without a conflict, each told once.

    Args:
        files: path -> text of the attribute files that are there.
    """
    told: set[str] = set()
    rules = {path: _rules(text) for path, text in files.items()}
    for record in records:
        where = _union(record, rules)
        if where is not None and where not in told:
            told.add(where)
            what = (
                f"{record} is merged with `merge=union`: two operations planned on the same base would never conflict"
            )
            yield Finding(where, what, "take `merge=union` out of this line: that conflict is the lock of the record")


class _Rule(NamedTuple):
    """One line: its number, its pattern, and what it says of `merge` (`union`, or empty for anything else)."""

    number: int
    pattern: str
    merge: str


def _union(record: str, rules: Mapping[str, list[_Rule]]) -> str | None:
    """Where a record is given `merge=union`; of several lines the last one of the deepest file decides."""
    where = None
    for file in files_for(record):
        inside = record.removeprefix(file.removesuffix(NAME))
        for rule in rules.get(file, ()):
            if _matches(rule.pattern, inside):
                where = f"{file}:{rule.number}" if rule.merge == "union" else None
    return where


def _rules(text: str) -> list[_Rule]:
    rules: list[_Rule] = []
    macros: dict[str, str] = dict(_UNSET)
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > _LONGEST or not line.strip() or line.lstrip().startswith("#"):
            continue
        pattern, words = _split(line.strip())
        merge = _merge(words, macros)
        if pattern.startswith("[attr]"):
            if merge is not None:
                macros[pattern.removeprefix("[attr]")] = merge
        elif merge is not None and not pattern.startswith("!"):
            rules.append(_Rule(number, pattern, merge))
    return rules


def _split(line: str) -> tuple[str, list[str]]:
    """The pattern, which may stand in quotes, and the attributes."""
    quoted = re.match(r'"((?:[^"\\]|\\.)*)"', line)
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted[1]), line[quoted.end() :].split()
    pattern, *words = line.split()
    return pattern, words


def _merge(words: Iterable[str], macros: Mapping[str, str]) -> str | None:
    """What the attributes of a line say of `merge`; None: nothing."""
    said = None
    for word in words:
        if word.startswith("merge="):
            said = word.removeprefix("merge=")
        elif word in macros:
            said = macros[word]
    return said


# -- patterns: all places that the first parts of one can have reached, so that none costs more than its length -------


def _matches(pattern: str, path: str) -> bool:
    if "/" not in pattern:
        path = path.rpartition("/")[2]
    reached = {0}
    for token in _tokens(pattern.removeprefix("/")):
        reached = {after for at in reached for after in _after(token, path, at)}
    return len(path) in reached


_CLASS = r"\[[!^]?\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*\]"
_TOKEN = re.compile(rf"(?:(?<=/)|^)\*\*+/|\*+|{_CLASS}|\\.|.")
_SPECIAL = re.compile(r"[*?\[\\]")


def _tokens(pattern: str) -> Iterator[str]:
    """`**/`, `**` (anything), `*`, `?`, `[…]`, an escaped character, or a character."""
    first = _SPECIAL.search(pattern)
    for found in _TOKEN.finditer(pattern):
        token, begin, end = found[0], found.start(), found.end()
        if token.startswith("**") and not token.endswith("/"):
            # Git compares the part before the first special character apart, and begins anew behind it (dir.c).
            begins = begin == 0 or pattern[begin - 1] == "/" or (first is not None and first.start() == begin)
            token = "**" if begins and pattern[end : end + 1] in ("", "/") else "*"
        yield token


def _after(token: str, path: str, at: int) -> Iterable[int]:
    """The places that a token leads to."""
    rest = path[at:]
    if token.startswith("**"):
        deeper = token.endswith("/")
        return [at, *(at + index + 1 for index, letter in enumerate(rest) if letter == "/" or not deeper)]
    if token == "*":  # noqa: S105 (no password)
        return range(at, at + len(rest.partition("/")[0]) + 1)
    return [at + 1] if rest and _is(token, rest[0]) else []


def _is(token: str, letter: str) -> bool:
    if token == "?":  # noqa: S105
        return letter != "/"
    if token.startswith("[") and len(token) > 1:
        inside = token[1:-1]
        negated = inside.startswith(("!", "^"))
        members = _MEMBER.sub(_member, inside[1:] if negated else inside)
        try:
            return letter != "/" and (re.match(f"[{members}]", letter) is not None) != negated
        except re.error:  # a range that goes backwards matches nothing
            return False
    return letter == token[-1]


_MEMBER = re.compile(r"\[:([a-z]+):\]|\\?(.)")
_NAMED = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
    "space": r"\s",
    "punct": r"!-/:-@\[-`{-~",
}


def _member(found: re.Match[str]) -> str:
    """One member of a class of characters, as `re` writes it."""
    named, letter = found.groups()
    if named is not None:
        return _NAMED.get(named, "")
    return letter if letter == "-" and found[0] == "-" else re.escape(letter)

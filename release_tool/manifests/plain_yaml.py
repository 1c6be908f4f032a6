"""Reads YAML in the plain form that templates give it, several times faster than a parser of all YAML.

Plain are mappings and lists in block style whose keys and values stand on one line each: words, whole numbers, `true`,
`false`, `null`, quoted text without escapes, `{}` and `[]`. All else is refused, never guessed: whoever asks then takes
the parser. What is read is what PyYAML's safe loader reads, to which tests hold it.

Renderings repeat themselves, within and between them, so a line is looked at once for all its places.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_ODD = re.compile(r"[^\n -~]")  # tabs, carriage returns, control characters, and letters that need thought
_LINE = re.compile(
    r"( *)(- +)?"  # the column, and the dash of an item
    r"(?:(?:\"([\w./@-]{1,200})\"|'([\w./@-]{1,200})'|([A-Za-z_][\w./-]{0,200})):(?= |$))?"  # a key
    r"(?: *(?:\"([^\"\\]*)\"|'([^']*)'|([\w./=@%+,:{}[\]-]+)|(\([!-~ ]*)))?(?: +#.*)? *",  # a value, and a comment
    re.ASCII,
)
_BRACKET = re.compile(r"[][{}]")
_LONGEST = 16  # digits of a whole number
_COMMENT = re.compile(r" *(?:#.*)?")
_READ: dict[str, Any] = {"true": True, "false": False, "null": None, "{}": dict, "[]": list}
_OTHERWISE = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])  # what YAML 1.1 may take for more
_UNITS = frozenset(["ms", "s", "m", "h", "Ki", "Mi", "Gi", "%"])

# What a line says: its column, the column behind its dash (0: no dash), a key, a value, and whether there is a value.
# The value is `dict` or `list` itself for an empty one.
_Line = tuple[int, int, "str | None", Any, bool]


def read(text: str) -> dict[str, Any] | None:
    """One document without markers; None where the text is not in the plain form, or no mapping, or empty."""
    if _ODD.search(text):
        return None
    root: dict[str, Any] = {}
    # What is open, with its column. A key that may get its value from the next lines stands there as (mapping, key).
    stack: list[tuple[int, Any]] = [(0, root)]
    try:
        for written in text.split("\n"):
            line = _line(written)
            if line is None:
                continue
            column, inner, key, value, complete = line
            if value is dict or value is list:
                value = value()
            holder = _holder(stack, column, list if inner else dict)
            if inner and key is None:
                holder.append(value)
                continue
            if inner:  # an item that begins with an entry
                column = inner
                holder.append({})
                holder = holder[-1]
                stack.append((column, holder))
            holder[key] = value
            if not complete:
                stack.append((column, (holder, key)))
    except ValueError:
        return None
    return root or None


@lru_cache(maxsize=1 << 17)
def _line(written: str) -> _Line | None:
    """What a line says; None for an empty one or a comment. Raises ValueError for all but the plain form."""
    if _COMMENT.fullmatch(written):
        return None
    found = _LINE.fullmatch(written)
    if found is None:
        raise ValueError(written)
    lead, dash, double, single, plain, text, raw, word, bracket = found.groups()
    if bracket is not None:  # nearly every character may follow it: a regular expression, most likely
        if ": " in bracket or " #" in bracket or bracket[-1] in ": ":
            raise ValueError(written)
        raw = bracket
    if plain is not None and plain.lower() in _OTHERWISE:
        raise ValueError(written)
    key, value = double or single or plain, raw if text is None else text
    complete = value is not None or word is not None
    if key is None and not (dash and complete):
        raise ValueError(written)
    column = len(lead)
    return column, column + len(dash) if dash else 0, key, value if word is None else _scalar(word), complete


def _scalar(word: str) -> Any:
    """What a value without quotes is; it holds no blank."""
    if word in _READ:
        return _READ[word]
    first = word[0]
    if first.isalpha() or first in "_/":
        if word.lower() in _OTHERWISE or word[-1] == ":" or _BRACKET.search(word):
            raise ValueError(word)
        return word
    digits = word.rstrip("mshKMGi%")
    number = digits.removeprefix("-")
    if not number.isdigit() or len(number) > _LONGEST or (number[0] == "0" and number != "0"):
        raise ValueError(word)
    if digits == word:
        return int(word)
    if digits == "0" or first == "-" or word[len(digits) :] not in _UNITS:
        raise ValueError(word)
    return word


def _holder(stack: list[tuple[int, Any]], column: int, kind: type) -> Any:
    """The list or mapping that a line belongs to; a new one where a key waits for it."""
    at, top = stack[-1]
    if type(top) is tuple:
        if column > at or (column == at and kind is list):
            mapping, key = top
            holder = mapping[key] = kind()
            stack[-1] = (column, holder)
            return holder
        stack.pop()
        at, top = stack[-1]
    while at > column or (at == column and kind is dict and type(top) is list):
        stack.pop()
        at, top = stack[-1]
    if at != column or type(top) is not kind:
        raise ValueError(column)
    return top

"""Scalars of YAML: what a plain one is for the readers of YAML 1.1 and 1.2, and how a string is written.

Helm reads values with a parser of YAML 1.1, other tools of the pipeline follow YAML 1.2. A text is written without
quotes only where it is a string for all of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_tool.yamledit.nodes import Node


class Plain(str):
    """A scalar that is written as it is, without quotes, whatever it then is: a date, a number, `true`."""

    __slots__ = ()


# Patterns are texts here, compiled when they are first used: most runs need only few of them.
_STR_TAG = "tag:yaml.org,2002:str"
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_BOTH_INT = r"[-+]?(?:0|[1-9][0-9]*)\Z"
_BOTH_HEX = r"0x[0-9a-fA-F]+\Z"
_BOTH_FLOAT = r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?\Z"
_BOTH_INF = r"([-+]?)\.(?:(inf|Inf|INF)|nan|NaN|NAN)\Z"

_WORDS = frozenset(
    word
    for lower in ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
    for word in (lower, lower.capitalize(), lower.upper())
) | {"", "~", "=", "<<"}
"""Words that YAML 1.1 or YAML 1.2 gives a meaning (`=` and `<<` are types of 1.1; `y` and `n` its booleans)."""

_NUMBER_OR_TIME = r"""(?x)[-+]?(?:
        0[bB][01_]+ | 0[oO][0-7_]+ | 0[xX][0-9a-fA-F_]+       # other bases: 1.1 has 0b, 1.2 has 0o, Go reads capitals
      | [0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?           # base 60 of 1.1: 12:30, 190:20:30.15
      | [0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?           # integers and decimal fractions, `_` as in 1.1
      | \.(?:inf|Inf|INF|nan|NaN|NAN)
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9:.]+(?:[ \t]*(?:[Zz]|[-+][0-9:]+))?)?  # dates of 1.1
    )\Z"""
_INDICATORS = frozenset(",[]{}#&*!|>'\"%@`")
_UNPRINTABLE = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]"
_UNSAFE_PLAIN = r" #|:(?: |\Z)|\A[-?:](?: |\Z)"
_UNSAFE_FLOW = r"[,\[\]{}:?]"  # `:` and `?` mean something there to some readers, wherever they stand


def resolves_to_string(text: str) -> bool:
    """Whether a plain scalar with this text is a string in YAML 1.1 and in YAML 1.2.

    Sources: the types of YAML 1.1 (yaml.org/type), the core schema of YAML 1.2 (chapter 10.3), and what the readers
    of Go make of them, because Helm reads the file with those.
    """
    return text not in _WORDS and (not _may_be_number(text) or re.match(_NUMBER_OR_TIME, text) is None)


def _may_be_number(text: str) -> bool:
    """A cheap look at the first character."""
    return text[0] in "+-.0123456789"


def reads_as_string(text: str, flow: bool) -> bool:
    """Whether a text may be written plain, without quotes, and is then a string for every reader.

    Args:
        text: the value.
        flow: whether it stands inside `[…]` or `{…}`, where more characters have a meaning.
    """
    return resolves_to_string(text) and fits_plain(text, flow=flow)


def fits_plain(text: str, *, flow: bool) -> bool:
    """Whether a text may be written plain at all, whatever it then is."""
    if not text or text[0] in _INDICATORS or text != text.strip():
        return False
    if _is_unprintable(text) or re.search(_UNSAFE_PLAIN, text) or text.startswith(("---", "...")):
        return False
    return not (flow and re.search(_UNSAFE_FLOW, text))


def _is_unprintable(text: str) -> bool:
    """Whether a text holds characters that only double quotes can; `isprintable` is the stricter and cheaper test."""
    return not text.isprintable() and re.search(_UNPRINTABLE, text) is not None


def is_string(node: Node) -> bool:
    """Whether every reader takes a node for a string: quoted, block, tagged `!!str`, or plain and a string in both."""
    if node.kind != "scalar":
        return False
    if node.tag is not None:
        return node.tag == _STR_TAG  # for `!`, which should mean the same, readers differ
    return node.style is not None or resolves_to_string(node.value)


def scalar_value(node: Node) -> str | int | float | bool | None:
    """What YAML 1.1 and the core schema of YAML 1.2 agree that a scalar is.

    Where they disagree (`yes`, `010`, `1_000`, `2026-11-23`), and for a tag that isn't known here, it is the text;
    `is_string` tells whether every reader sees a string.
    """
    text = node.value
    if is_string(node) or node.tag is not None:
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if len(text) > 100:  # no number that anybody means
        return text
    return _number(text)


def _number(text: str) -> str | int | float:
    """A number that 1.1 and 1.2 read alike, else the text."""
    if re.match(_BOTH_INT, text):
        return int(text)
    if re.match(_BOTH_HEX, text):
        return int(text, 16)
    if re.match(_BOTH_FLOAT, text):
        return float(text)
    special = re.match(_BOTH_INF, text)
    if special and special.group(2):
        return float(special.group(1) + "inf")
    return float("nan") if special and not special.group(1) else text


# --- how a string is written ------------------------------------------------------------------------------------------

_ESCAPED = r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]'
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def write_scalar(text: str, style: str | None, quote: str, *, flow: bool) -> str:
    """A string as YAML on one line.

    Args:
        text: the value; a `Plain` is written as it is.
        style: the wished style: None (plain), `'` or `"`.
        quote: the quotes to take where plain is wished and not possible.
        flow: whether it stands inside `[…]` or `{…}`.
    """
    if isinstance(text, Plain):
        return str(text)
    if style not in ("'", '"'):
        if reads_as_string(text, flow):
            return text
        style = quote
    if style == "'" and not _is_unprintable(text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + re.sub(_ESCAPED, _escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    """One character in the notation of double quotes."""
    character = found.group()
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

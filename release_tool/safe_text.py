"""Foreign text made harmless: what files, servers, hooks and people wrote, before it is shown.

One set of characters counts everywhere. Letters, emoji and the characters that join them stay.
"""

from __future__ import annotations

import re

# What moves a cursor or begins an escape sequence (C0, DEL, C1), what turns the direction of reading (UAX 9) or ends a
# line or paragraph, what annotates, the mark of byte order, and what Unicode says will never be a character.
_CONTROL = [*range(0x20), *range(0x7F, 0xA0), 0xFEFF, 0xFFFE, 0xFFFF]
_DIRECTIONS = [0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), *range(0xFFF9, 0xFFFC)]


class _Replacements(dict[int, str]):
    """For `str.translate`. Half of a surrogate pair, which JSON can write, is no character: no output takes it."""

    def __missing__(self, code: int) -> str:
        return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)


_ONE_LINE = _Replacements.fromkeys([*_CONTROL, *_DIRECTIONS], " ")
_LINES = _Replacements({code: text for code, text in _ONE_LINE.items() if code not in (0x09, 0x0A)})
_LONGEST_PHRASE = 300


def one_line(text: str) -> str:
    """A text on one line; as long as before."""
    # Everything in the set counts as unprintable, so that most texts need no look at each letter.
    return text if text.isprintable() else text.translate(_ONE_LINE)


def lines(text: str) -> str:
    """A text whose line ends and tabs stay."""
    return text if text.isprintable() else text.translate(_LINES)


def phrase(text: str) -> str:
    """Words of a server or a program for a message: on one line, single blanks, at most 300 characters."""
    words = " ".join(one_line(text).split())
    return words if len(words) <= _LONGEST_PHRASE else words[:_LONGEST_PHRASE] + "…"


def in_json(text: str) -> str:
    """A JSON text in which such characters stand as escapes: it says the same, and a terminal shows it harmlessly."""
    if lines(text) == text:
        return text
    # Outside of its strings a JSON text holds ASCII alone, and inside of them no line end and no tab.
    return "".join(letter if lines(letter) == letter else f"\\u{ord(letter):04x}" for letter in text)


def bare_url(url: str) -> str:
    """An address without a user, a query and a fragment, where secrets stand."""
    return re.sub(r"^([A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*@", r"\1//", re.split(r"[?#]", url, maxsplit=1)[0])

"""Colours on texts that are ready to be printed: for what a version is, what is done to it, and differences.

No colour says what no word or sign says, and no two of them are a red and a green: what comes is cyan, what goes is
yellow, what is wrong is magenta and bold, what stays is faint.
"""

from __future__ import annotations

import re

_COMES, _GOES, _WRONG, _DEFAULT, _STAYS = "36", "33", "1;35", "1", "2"
_OF_WORDS = {
    _COMES: "add restore keeps healthy ok passed new right yes",
    _GOES: "retire remove quarantine retired quarantined takes warning forced",
    _WRONG: "error unhealthy refused",
    _DEFAULT: "set-default default",
    _STAYS: "keep wait off unknown",
}
_COLOUR = {word: code for code, words in _OF_WORDS.items() for word in words.split()}
_PREFIX = re.compile(r"^(release: )?(error|warning)(?=: )")


def painted(text: str, *, difference: bool = False) -> str:
    """A text in colours: the cells of its tables that are one of the words above, and the lines of differences.

    Args:
        text: without control characters.
        difference: whether it holds differences of files or manifests.
    """
    return "\n".join(map(_difference if difference else _line, text.split("\n")))


def _difference(line: str) -> str:
    if line.startswith("@@"):
        return _in(_STAYS, line)
    if line.startswith(("+++ ", "--- ")):
        return _in(_DEFAULT, line)
    if line.startswith(("+", "-")):
        return _in(_COMES if line[0] == "+" else _GOES, line)
    return _line(line)


def _line(line: str) -> str:
    if _PREFIX.match(line):
        return _PREFIX.sub(lambda found: (found[1] or "") + _in(_COLOUR[found[2]], found[2]), line)
    # The cells of a row stand two blanks or more apart; the word of a cell may be followed by others: `live, pinned`.
    return "".join(map(_cell, re.split(r"( {2,})", line)))


def _cell(cell: str) -> str:
    code = _COLOUR.get(cell.partition(",")[0])
    return cell if code is None else _in(code, cell)


def _in(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if text else text

"""Patterns that several parts of the editor look for in texts. All of them match the line ends of every system."""

from __future__ import annotations

import re

BREAK = re.compile(r"\r\n|\r|\n")
"""A line break."""

BLANKS = re.compile(r"[ \t]*")
"""Blanks, or nothing."""

COLON = re.compile(r"[ \t]*:")
"""The colon behind a key."""

GAP = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))*[ \t]*")
"""Everything up to the next token: blanks, comments, blank lines; or nothing."""

COMMA = re.compile(rf"({GAP.pattern}),")
"""The comma behind an entry between brackets; the group is what stands before it."""

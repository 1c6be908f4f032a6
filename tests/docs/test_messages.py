"""The messages that the pages explain are messages of the tool."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from console import ROOT

PAGES = ("docs/troubleshooting.md", "docs/how-to/private-registry.md")
QUOTED = re.compile(r"(`+) ?(.+?) ?\1")  # a message that holds a backtick stands between two of them


@cache
def texts() -> frozenset[str]:
    """Every text in the code of the package, `…` in the place of what is filled in."""
    found = set()
    for path in (ROOT / "release_tool").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.add("".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values))
    return frozenset(found)


def messages() -> list[str]:
    """What stands quoted in the first column of the tables that have messages there."""
    found = []
    for page in PAGES:
        for table in re.findall(
            r"^\| message \|.*\n\|[- |]+\|\n((?:\|.*\n?)+)", (ROOT / page).read_text("utf-8"), re.MULTILINE
        ):
            for row in table.splitlines():
                found += [match[1] for match in QUOTED.findall(row.split(" | ")[0])]
    return found


@pytest.mark.parametrize("message", messages())
def test_a_message_of_a_page_exists(message: str) -> None:
    assert any(message in text for text in texts())


def test_many_messages_are_explained() -> None:
    assert len(messages()) > 40

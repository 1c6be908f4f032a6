"""The tables of docs/forges/index.md: what each forge can do, from its own constants, and how often a bump asks it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from release_tool.forges import MODULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.model.forge import Capabilities

REQUESTS: dict[str, dict[str, int]] = {
    "azure": {"opens": 6, "updates": 5, "nothing to do": 4, "opens the next": 6},
    "gitea": {"opens": 6, "updates": 3, "nothing to do": 2, "opens the next": 4},
    "github": {"opens": 4, "updates": 3, "nothing to do": 2, "opens the next": 4},
    "gitlab": {"opens": 3, "updates": 3, "nothing to do": 2, "opens the next": 3},
}
"""Forge -> requests to its API of a bump, as the conformance suite counts them."""

_BUMPS = {
    "opens": "opens the first one of a branch",
    "updates": "updates one that is open",
    "nothing to do": "has nothing to do: one is open, and says so already",
    "opens the next": "opens one after the last was merged",
}
_WHO_MERGES = {
    "forge": "the forge, as soon as its rules allow it",
    "pass": "`release guard`, at once or in a later pass, as soon as the rules allow it",
    "no": "a person",
}

_ROWS: dict[str, Callable[[Capabilities], str]] = {
    "`forge.kind`": lambda can: f"`{can.kind}`",
    "is called, and numbered": lambda can: f"{can.noun} {can.sigil}12",
    "`release pulls merge` merges by": lambda can: ", ".join(can.methods) or "(a person merges)",
    "merges the pull request of a guard's downgrade": lambda can: _WHO_MERGES[can.auto_merge],
    "tells when one was merged": lambda can: _yes(can.knows_landings),
    "takes one that changes nothing": lambda can: _yes(can.opens_empty),
    "closes one whose branch is deleted": lambda can: _yes(can.deleting_closes),
    "opens a closed one again": lambda can: _yes(can.reopens),
    "`release diff --comment` keeps one comment up to date": lambda can: _yes(can.keeps_comments),
    "`publish.labels`": lambda can: _yes(can.labels),
    "`publish.reviewers`: people, teams": lambda can: f"{_yes(can.reviewers)}, {_yes(can.teams)}",
    "longest title": lambda can: f"{can.flavour.title:,}",
    "longest text": lambda can: f"{can.flavour.body:,}",
    "longest comment": lambda can: f"{can.flavour.comment:,}",
    "folds parts of the text": lambda can: _yes(can.flavour.folds),
    "shows warnings as boxes": lambda can: _yes(can.flavour.alerts),
    "draws diagrams of Mermaid": lambda can: _yes(can.flavour.mermaid),
}


def capabilities() -> list[Capabilities]:
    """What each forge with pull requests can do, in the order of the table of forges."""
    found = [import_module(module).CAPABILITIES for module in MODULES.values()]
    return [can for can in found if can.proposes]


def tables() -> str:
    """Both tables as Markdown."""
    forges = capabilities()
    asked = [can for can in forges if can.kind in REQUESTS]
    bumps = [[text, *(str(REQUESTS[can.kind][bump]) for can in asked)] for bump, text in _BUMPS.items()]
    can_do = [[what, *(_plain(row(can)) for can in forges)] for what, row in _ROWS.items()]
    return "\n".join(
        [
            *_table(["", *(_title(can) for can in forges)], can_do),
            "",
            "Lengths are in UTF-16 code units; a longer text is cut with a sentence.",
            "",
            "## Requests of a bump",
            "",
            "To the forge's API, beside those of git, where nobody else is at work at the same time.",
            "A landing that must be known and did not come with one of the last pull requests takes one more,",
            "and reviewers may take one or two.",
            "",
            *_table(["a bump that …", *(_title(can) for can in asked)], bumps),
        ]
    )


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |".replace("|  |", "| |", 1) for row in (head, ["---"] * len(head), *rows)]


def _title(can: Capabilities) -> str:
    return "A plain git server" if can.kind == "local" else can.title


def _yes(yes: bool) -> str:
    return "yes" if yes else "no"


def _plain(text: str) -> str:
    return text.replace("|", "\\|")

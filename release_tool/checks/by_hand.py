"""What people changed by hand since the last operation: allowed, and told.

What people wrote wins: the next operation records it as adopted (docs/explanation/concepts.md). What no adoption makes
right, a name with another tag, stands in `names.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.checks.findings import Finding
from release_tool.checks.names import recorded
from release_tool.model import history
from release_tool.model.records import Name, name_number, name_of
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from release_tool.checks.environment import Held
    from release_tool.model.records import Change

_WORDS = {
    "add": "it was added",
    "remove": "it was taken out",
    "retire": "it was retired",
    "restore": "it was brought back",
    "pin": "it was pinned",
    "unpin": "its pin was taken out",
    "quarantine": "it was quarantined",
    "clear": "its quarantine was taken out",
    "set-default": "it was made the default",
}
_SECTIONS = {"retire": "retired", "pin": "pinned", "quarantine": "quarantined"}


def by_hand(held: Held, told: Collection[Name], highest: int) -> Iterator[Finding]:
    """What lies between the record and the file, a finding for each version.

    Args:
        highest: the highest number of a name that the service knows otherwise.
    """
    if not held.record.lines:
        return
    changes: dict[Name, list[Change]] = {}
    for change in history.by_hand(held.record.lines, held.state):
        changes.setdefault(change.version, []).append(change)
    known = recorded(held.record).tags
    for name, own in changes.items():
        if name in told:
            continue
        if name not in known and name in held.versions:
            yield _hand_made(held, name, highest)
        else:
            yield _changed(held, name, own)


def _hand_made(held: Held, name: Name, highest: int) -> Finding:
    what = (
        f"{name} ({tag_part(held.versions[name])}) was made by hand: no operation brought it; "
        "the next operation records it as adopted"
    )
    free = name_of(highest + 1)
    hint = "nothing is to be done if it was meant; `release bump` and `release promote` check what they bring"
    if name_number(name) > highest + 1:
        hint = (
            f"the next free name is {free}: give it that one while nobody uses it; new ones are named above {name} else"
        )
    return Finding(held.at_version(name), what, hint)


def _changed(held: Held, name: Name, changes: Sequence[Change]) -> Finding:
    words = list(dict.fromkeys(_WORDS[change.action] for change in changes))
    actions = {change.action for change in changes}
    if {"remove", "add"} <= actions:
        old = next(change.tag for change in changes if change.action == "remove")
        words = [f"its tag was {old}", *(word for word in words if word not in (_WORDS["remove"], _WORDS["add"]))]
    what = (
        f"{name} ({tag_part(changes[-1].tag)}) was changed by hand since the last operation: {', '.join(words)}; "
        "the next operation records it as adopted"
    )
    hint = f"nothing is to be done if it was meant; `git log -p -- {held.place.tag_file}` shows what stood there"
    return Finding(_place(held, name, changes[0].action), what, hint)


def _place(held: Held, name: Name, action: str) -> str:
    if action == "set-default" and held.state.written_default is not None:
        return held.at_key("default")
    if action in _SECTIONS:
        return held.at_key(_SECTIONS[action], name)
    return held.at_version(name)


def highest_number(everywhere: Sequence[Held], here: Held) -> int:
    """The highest number of a name that the records know, or the files of the other environments."""
    names = [name for held in everywhere for name in recorded(held.record).tags]
    names += [name for held in everywhere if held is not here for name in held.versions]
    return max((name_number(name) for name in names), default=0)

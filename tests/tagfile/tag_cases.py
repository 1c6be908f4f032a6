"""Edits of `image_tag.yaml` that tests look at, and changes that an operation could plan."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from model_builders import DAYS, MOMENTS, WRITTEN_TAGS, meaning

from release_tool import tagfile
from release_tool.model import times
from release_tool.model.records import Change, State, Tag, name_number, name_of
from release_tool.model.states import apply
from release_tool.model.versions import tag_part
from release_tool.tagfile import editor

PATH = "environments/devel/image_tag.yaml"


KEYS = st.sampled_from(["image", "engine.image", "on-call.a_b.versions"])
"""Where the five keys may stand."""


def edited(text: str, *changes: Change, key: str = "image") -> str:
    """The text after some changes; it reads as what the changes make of the state."""
    file = tagfile.read(text, PATH, key=key, empty=True)
    after = tagfile.edit(file, changes)
    again = tagfile.read(after.text, PATH, key=key, empty=True)
    assert meaning(again.state) == meaning(after.state) == meaning(apply(file.state, changes))
    assert again.is_list == after.is_list
    return after.text


WORDS = st.sampled_from(["slow", "0.12 > 0.05", 'says "no": {a, b} # c', "für später", "", "it's", "- x", "null"])


def quoted(tag: str) -> str:
    return tag if tag[0] == "v" and "@" not in tag else f'"{tag}"'


def mark_text(mark: Any) -> str:
    end = getattr(mark, "until", None) or (getattr(mark, "since", None) and times.timestamp(mark.since))
    key = "until" if hasattr(mark, "until") else "since"
    return json.dumps({"reason": mark.reason}, ensure_ascii=False)[:-1] + (f', "{key}": {end}}}' if end else "}")


@st.composite
def possible(draw: Any, one: State) -> Change | None:
    """A change that an operation could plan on this state."""
    others = [name for name in one.versions if name != one.default]
    reason = draw(WORDS)

    def about(action: str, names: Any, **more: Any) -> Change | None:
        names = list(names)
        if not names:
            return None
        name = draw(st.sampled_from(names))
        return Change(action, name, one.versions.get(name) or one.retired[name], reason, **more)

    action = draw(st.sampled_from(sorted(editor._EDITS)))
    if action in {"add", "supersede"} or (action in {"deploy", "restore"} and not one.retired):
        numbers = [name_number(name) for name in (*one.versions, *one.retired)]
        free = [number for number in range(1, max(numbers, default=0) + 3) if number not in numbers]
        used = {tag_part(tag) for tag in (*one.versions.values(), *one.retired.values())}
        tag = draw(WRITTEN_TAGS.filter(lambda tag: tag_part(tag) not in used))
        return Change(action, name_of(draw(st.sampled_from([*free, max(free)]))), Tag(tag), reason)
    if action == "set-default":
        return about(action, one.live)
    if action in {"retire", "quarantine"}:
        return about(action, others, since=draw(st.none() | MOMENTS) if action == "quarantine" else None)
    if action == "remove":
        return about(action, [*one.retired, *others])
    if action == "restore":
        return about(action, one.retired)
    if action == "deploy":
        return about(action, [*one.retired, *others])
    if action == "pin":
        return about(action, one.versions, until=draw(st.none() | DAYS))
    return about(action, one.pinned if action == "unpin" else one.quarantined)

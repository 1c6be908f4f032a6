"""What people write into `image_tag.yaml` by hand, without breaking a rule."""

from __future__ import annotations

from datetime import date, timedelta

from machine_origin import state_of

from release_tool import tagfile
from release_tool.model.records import Change, Name, State, Tag
from release_tool.yamledit.data import place_of


def edited(text: str, what: str, pick: int, new: tuple[Name, Tag] | None, today: date) -> str | None:
    """The file after one of `machine_setup.EDITS`; None where there is nothing to do it to.

    `pick` chooses the version, `new` is what `add` brings in, and some of the pins end on `today`.
    """
    file = tagfile.read(text, "image_tag.yaml")
    if what == "note":
        return with_note(text, pick)
    changes = _changes(file.state, what, pick, new, today)
    if not changes:
        return None
    after = tagfile.edit(file, changes).text
    state = state_of(after)  # what people write is right; else these laws would be about something else
    return after if state.default in state.live and after != text else None


def _changes(state: State, what: str, pick: int, new: tuple[Name, Tag] | None, today: date) -> list[Change]:
    """As changes of the tool, for the editor: only the words `by hand` are a person's."""
    if what == "add":
        return [] if new is None else [*_default_written(state), Change("add", *new, "by hand")]
    others = {name: tag for name, tag in state.versions.items() if name != state.default}
    quiet = {name: tag for name, tag in others.items() if name in state.live}
    choices = {
        "default": quiet,
        "pin": state.versions,
        "unpin": {name: state.versions[name] for name in state.pinned},
        "quarantine": quiet,
        "clear": {name: state.versions[name] for name in state.quarantined},
        "retire": others,
        "restore": state.retired,
        "remove": {**others, **state.retired},
    }[what]
    if not choices:
        return []
    name = list(choices)[pick % len(choices)]
    action = {"default": "set-default"}.get(what, what)
    change = Change(action, name, choices[name], "by hand", before=state.default)
    if what == "pin":
        change = change._replace(until=today + timedelta(days=pick % 20) if pick % 2 else None)
    return [*_default_written(state), change]


def _default_written(state: State) -> list[Change]:
    default = state.default
    if state.written_default is not None or default is None:
        return []
    return [Change("set-default", default, state.versions[default], "by hand")]


def with_note(text: str, pick: int) -> str | None:
    """A comment that is found again by its number, at the end of the line of a version."""
    state = state_of(text)
    names = [*state.versions, *state.retired]
    name = names[pick % len(names)]
    lines = text.splitlines(keepends=True)
    number = line_of(text, name)
    if "#" in lines[number]:
        return None
    lines[number] = lines[number].rstrip("\n") + f"  # note-{name}-{pick}\n"
    return "".join(lines)


def line_of(text: str, name: str) -> int:
    """The place of an entry's line in a file, from 0."""
    position = str(int(name[1:]) - 1)
    paths = (("image", "tag", name), ("image", "retired", name), ("image", "tag", position))
    found = next((place for place in (place_of(text, path, key=True) for path in paths) if place is not None), None)
    assert found is not None, f"{name} stands in the file"
    return found[0] - 1


def notes(text: str) -> dict[str, str]:
    """Name -> comment, of every version whose line has one."""
    state, lines = state_of(text), text.splitlines()
    found = {name: lines[line_of(text, name)].partition("#") for name in (*state.versions, *state.retired)}
    return {name: comment.strip() for name, (_, mark, comment) in found.items() if mark}

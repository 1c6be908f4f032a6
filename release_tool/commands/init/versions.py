"""The versions that run already, as `release init` takes them over: tags by flag, or out of a values file."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import ReleaseError, UsageError
from release_tool.model.records import Name, Tag, name_number, name_of
from release_tool.model.versions import is_name, is_readable, is_tag, tag_part
from release_tool.yamledit.data import place_of, to_data
from release_tool.yamledit.parser import documents
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class NotTaken(ReleaseError):
    """The versions that run can't be taken over."""

    page = "reference/commands/init.md#the-versions-that-run"


class Running(NamedTuple):
    """What one environment runs.

    Attributes:
        versions: in the order of their age, the oldest first. An empty name: none was given to it yet.
        default: the tag of the default; empty where nothing says it.
        notes: by tag, the comment that stands behind it in the file.
    """

    versions: tuple[tuple[str, str], ...] = ()
    default: str = ""
    notes: Mapping[str, str] = MappingProxyType({})


def of_flags(given: Sequence[str], environments: Sequence[str]) -> dict[str, Running]:
    """The tags of `--tag TAG` (in each environment) and `--tag ENV=TAG`, in the order in which they were given."""
    found: dict[str, list[str]] = {environment: [] for environment in environments}
    for word in given:
        environment, sign, tag = word.rpartition("=")
        if sign and environment not in found:
            raise UsageError(
                f"--tag {word}: there is no environment {environment!r}", hint=f"there are: {_list(environments)}"
            )
        _demand_tag(tag, f"--tag {word}")
        for one in (environment,) if sign else environments:
            if tag not in found[one]:
                found[one].append(tag)
    return {one: Running(tuple(("", tag) for tag in tags)) for one, tags in found.items() if tags}


def of_file(data: bytes, path: str, key: str) -> Running:
    """What stands in a values file at a path of keys: one tag, a list, or a mapping from names (`v1`) to tags.

    A list and a mapping are read as those of image_tag.yaml: the entry at position N is `vN`, and without `default`
    beside them the lowest name is the default.

    Raises:
        ReleaseError: no YAML, a template, several documents with values, or something else at that path.
    """
    steps = tuple(key.split("."))
    value, around = _value(data, path, steps)
    place = place_of(data.decode("utf-8"), steps)
    where = f"{path}:{place[0]}:{place[1]}" if place else path
    if isinstance(value, dict):
        strange = [str(name) for name in value if not is_name(str(name))]
        if strange:
            what = f"{key} is a mapping whose keys are no names of versions (v1, v2): {_list(strange)}"
            inner = next((name for name in ("tag", "tags") if name in value), "")
            hint = f"did you mean --key {key}.{inner}?" if inner else "name the tags themselves: --tag TAG --tag TAG"
            raise NotTaken(what, where=where, hint=hint)
        ordered = sorted(value.items(), key=lambda pair: name_number(Name(pair[0])))
        versions = [(name, _tag(tag, where, f"{key}.{name}")) for name, tag in ordered]
    elif isinstance(value, list):
        versions = [(name_of(number), _tag(tag, where, key)) for number, tag in enumerate(value, 1)]
    else:
        versions = [("", _tag(value, where, key))]
    doubled = sorted({tag for _, tag in versions if [other for _, other in versions].count(tag) > 1})
    if doubled:
        raise NotTaken(f"{key} names {_list(doubled)} twice", where=where, hint="keep one of the two")
    several = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
    notes = {str(value[one]): note for one in several if (note := _note(data.decode("utf-8"), (*steps, str(one))))}
    return Running(tuple(versions), _default(value, around) or (versions[0][1] if versions else ""), notes)


def _note(text: str, steps: tuple[str, ...]) -> str:
    """The comment behind a value that ends its line; empty where there is none."""
    place = place_of(text, steps)
    rest = text.splitlines()[place[0] - 1][place[1] - 1 :] if place else ""
    found = re.fullmatch(r"""(?:'[^']*'|"[^"]*"|[^\s'"#,\]}]+)\s+#\s*(.+?)\s*""", rest)
    return found[1] if found else ""


def _value(data: bytes, path: str, steps: tuple[str, ...]) -> tuple[Any, Any]:
    """The value at a path of keys (and positions in lists), and what holds it."""
    text = data.decode("utf-8-sig", "replace")
    try:
        data.decode("utf-8")
        roots = [to_data(root) for root in documents(text) if root is not None]
    except UnicodeDecodeError as error:
        raise NotTaken("the file is not UTF-8", where=path, hint="name a values file of YAML") from error
    except YamlError as error:
        template = "{{" in text
        what = "the file is a template, and no YAML before somebody has rendered it" if template else error.reason
        raise NotTaken(
            what,
            where=f"{path}:{error.line}:{error.column}",
            hint="name the tags themselves: --tag TAG, several in the order of their age",
        ) from error
    if len(roots) > 1:
        what = f"the file holds {len(roots)} documents, and Helm 3 reads the first one alone of a values file"
        raise NotTaken(what, where=path, hint="name a file of one document, or the tags themselves: --tag TAG")
    around, value = None, roots[0] if roots else None
    for number, step in enumerate(steps):
        if isinstance(value, dict) and step in value:
            around, value = value, value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            around, value = None, value[int(step)]
        else:
            there = _list(map(str, value)) if isinstance(value, dict) else "no keys"
            there = f"{len(value)} entries, from 0 on" if isinstance(value, list) else there
            above = ".".join(steps[:number]) or "the file"
            what = f"there is no {'.'.join(steps)}: {above} has {there}"
            hint = "correct --key, a path with dots: keys, and in a list the position of an entry"
            raise NotTaken(what, where=path, hint=hint)
    return value, around


def _default(value: Any, around: Any) -> str:
    """The tag of the default, where the mapping around says it: `default: v3`, or the tag itself."""
    default = around.get("default") if isinstance(around, dict) else None
    if not isinstance(default, str):
        return ""
    if isinstance(value, dict):
        return str(value.get(default, ""))
    if isinstance(value, list) and is_name(default) and name_number(Name(default)) <= len(value):
        return str(value[name_number(Name(default)) - 1])
    return default if isinstance(value, list) and default in value else ""


def _tag(value: Any, where: str, key: str) -> str:
    if isinstance(value, str) and "{{" in value:
        what, hint = f"{key} is a template: {value}", "name the tag itself: --tag TAG"
        raise NotTaken(what, where=where, hint=hint)
    if isinstance(value, bool | int | float):
        what = f"{key} is a number or a truth value to YAML, so its text may be another one: {value}"
        raise NotTaken(what, where=where, hint="put it in quotes in that file, or name the tag itself: --tag TAG")
    if not isinstance(value, str):
        what = f"{key} is {'empty' if value is None else 'no tag'}"
        raise NotTaken(what, where=where, hint="name the key of a tag, of a list or of a mapping of tags")
    image, _, tag = value.rpartition("/")[2].partition(":")
    if image and is_tag(tag) and "@" not in image and image != "sha256":  # an image with its tag
        return tag
    if value.rpartition("@")[2].startswith("sha256:") and not is_tag(value):
        hint = "clients name a version by its tag: --tag TAG@sha256:…"
        raise NotTaken(f"{key} is a digest without a tag: {value}", where=where, hint=hint)
    _demand_tag(value, key, where)
    return value


def _demand_tag(tag: str, of: str, where: str = "") -> None:
    if not is_tag(tag):
        kind = ReleaseError if where else UsageError
        hint = "a tag is like v1.0.3, or v1.0.3@sha256:…, without the image"
        raise kind(f"{of}: {tag!r} is no image tag", where=where, hint=hint)


def named(running: Mapping[str, Running], known: Mapping[Name, Tag]) -> dict[str, dict[Name, Tag]]:
    """The versions of each environment by their names: one name for one tag, in all of them.

    Args:
        running: in promotion order. The last environment runs what is oldest, so its tags get the lowest names.
        known: names that are given already.
    """
    names = {tag_part(tag): name for name, tag in known.items()}
    for one in running.values():
        for name, tag in one.versions:
            if name:
                _claim(names, Name(name), tag)
    number = max(map(name_number, names.values()), default=0)
    for one in reversed(list(running.values())):
        for _, tag in one.versions:
            if tag_part(tag) not in names:
                number += 1
                names[tag_part(tag)] = name_of(number)
    return {
        environment: dict(sorted(
            ((names[tag_part(tag)], Tag(tag)) for _, tag in one.versions), key=lambda pair: name_number(pair[0])
        ))
        for environment, one in running.items()
    }  # fmt: skip


def _claim(names: dict[str, Name], name: Name, tag: str) -> None:
    part = tag_part(tag)
    other = next((one for one, given in names.items() if given == name and one != part), None)
    if names.get(part, name) != name or other is not None:
        there = f"{name} is {other}" if other is not None else f"{part} is {names[part]}"
        what = f"{name} can't be {part}: {there}, in another environment or in the file that stands"
        raise NotTaken(what, hint="one name means one tag everywhere, for ever: correct the files, or use --tag")
    names[part] = name


def order_of(tags: Iterable[str]) -> str:
    """The order of versions that can read all tags."""
    tags = list(tags)
    return next(
        (one for one in ("semver", "calver", "number") if all(is_readable(one, tag) for tag in tags)), "arrival"
    )


def _list(words: Iterable[str]) -> str:
    return ", ".join(list(words)[:10])

"""The texts of the files that `release init` writes for itself: release.yaml and those of the environments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import EditRefused
from release_tool.tagfile.reader import KEYS, node_at
from release_tool.yamledit import edits
from release_tool.yamledit.parser import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.model.records import Name, Tag

_PLAIN = re.compile(r"[A-Za-z][\w./-]*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
_COLUMN = 40  # where comments stand


PATH = "environments/{environment}"
"""Where environments stand, unless somebody says otherwise."""


class Settings(NamedTuple):
    """What release.yaml shall say.

    Attributes:
        environments: in promotion order.
        keep: how many live versions an environment keeps.
        key: `versions.key`.
        order: `versions.order`.
        values: `values`; empty: `values.yaml` of each environment.
        path: the directory of an environment.
        gathers: whether nothing should retire by itself: the chart can't do it without failing calls.
    """

    environments: tuple[str, ...]
    chart: str
    name: str
    namespace: str
    base: str = "main"
    keep: int = 4
    key: str = "image"
    order: str = "semver"
    values: tuple[str, ...] = ()
    path: str = PATH
    gathers: bool = False


def configuration(given: Settings) -> str:
    """release.yaml: what differs from the defaults, and what somebody has to decide."""
    lines = [
        "# What `release` keeps in this repository. What has its usual value is left out.",
        "version: 1",
        _line(f"chart: {_text(given.chart)}", "the Helm chart"),
        _line(f"release_name: {_text(given.name)}", "the name of the Helm release, in every environment"),
        _line(f"namespace: {_text(given.namespace)}", "the Kubernetes namespace"),
    ]
    if given.base != "main":
        lines.append(_line(f"base: {_text(given.base)}", "the branch that the cluster follows"))
    if given.path != PATH:
        lines.append(_line(f"path: {_text(given.path)}", "the directory of an environment"))
    lines += _versions(given)
    if given.values:
        listed = ", ".join(map(_text, given.values))
        lines.append(_line(f"values: [{listed}]", "in Helm's order; image_tag.yaml comes last"))
    lines.append(_line("environments:", "in the order of promotion"))
    for number, name in enumerate(given.environments):
        lines += _environment(name, given.environments[number - 1] if number else "", given)
    return "\n".join([*lines, ""])


def _versions(given: Settings) -> list[str]:
    keys = [f"key: {_text(given.key)}"] if given.key != "image" else []
    keys += [f"order: {given.order}"] if given.order != "semver" else []
    if not keys:
        return []
    comments = ["where the versions stand in image_tag.yaml"] if given.key != "image" else []
    comments += [f"which tag is newer: {_ORDERS[given.order]}"] if given.order != "semver" else []
    return [_line(f"versions: {{{', '.join(keys)}}}", "; ".join(comments))]


_ORDERS = {"calver": "by date", "number": "by the number at the end", "arrival": "whichever came later"}


_KEPT = "live ones; how long a retired one still runs"


def _environment(name: str, before: str, given: Settings) -> list[str]:
    keep = max(given.keep, 50) if given.gathers else given.keep
    if not before:
        kept = "many: the chart can't retire one without failing calls" if given.gathers else _KEPT
        return [
            _line(f"  {_text(name)}:", "the entry: image builds bump this one"),
            _line("    default: newest", "a bump moves the default; `manual`: only people do"),
            _line(f"    retention: {{keep: {keep}, drain: 1h}}", kept),
        ]
    return [
        f"  {_text(name)}:",
        f"    promote_from: {_text(before)}",
        _line("    default: promoted", "a promotion moves the default"),
        f"    retention: {{keep: {keep}, drain: 1d}}",
    ]


def _line(text: str, comment: str) -> str:
    return f"{text.ljust(_COLUMN - 2)}  # {comment}"


def _text(word: str) -> str:
    """A text in YAML, in quotes where a reader could take it for something else."""
    if _PLAIN.fullmatch(word) and word.lower() not in _WORDS:
        return word
    return "'" + word.replace("'", "''") + "'"


def versions(
    environment: str, key: str, live: Mapping[Name, Tag], default: Name | None, notes: Mapping[str, str]
) -> str:
    """image_tag.yaml; `notes` are the comments of tags."""
    head = f"# The versions that run side by side in {environment}: `release` edits this file, and people may.\n"
    steps = key.split(".")
    if not live:
        opened = "".join(f"{'  ' * depth}{step}:\n" for depth, step in enumerate(steps))
        return f"{head}{opened}{'  ' * len(steps)}tag:\n"
    value: edits.Value = {
        **({"default": default} if default else {}),
        "tag": {str(name): str(tag) for name, tag in live.items()},
    }
    for step in reversed(steps[1:]):
        value = {step: value}
    text = edits.add_entry(head, (), value, key=steps[0])
    for name, tag in live.items():
        if tag in notes:
            line = next(line for line in text.splitlines() if line.lstrip().startswith(f"{name}: "))
            text = text.replace(f"{line}\n", f"{line}   # {notes[tag]}\n")
    return text


def values(environment: str, image: str, *, shipped: bool) -> str:
    """values.yaml of an environment."""
    head = f"# The chart's values for {environment} alone. The versions stand in image_tag.yaml.\n"
    if not shipped:
        return head
    note = "" if image else "  # exists nowhere: name your own"
    return f"{head}image:\n  repository: {_text(image or EXAMPLE_IMAGE)}{note}\n"


EXAMPLE_IMAGE = "registry.example.com/engine"
"""Where the chart that comes with the tool looks for images unless somebody says otherwise."""


def without_versions(text: str, path: str, key: str) -> str:
    """A values file without what image_tag.yaml holds from now on."""
    steps = tuple(key.split("."))
    try:
        there = node_at(parse(text), *steps)
        held = {one.value for one, _ in there.pairs} if there else set()
        for name in [name for name in KEYS if name in held]:
            text = edits.remove_entry(text, (*steps, name))
    except EditRefused as error:
        raise error.in_file(path) from None
    return text

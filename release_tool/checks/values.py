"""The five keys below `versions.key` in values files where they must not stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from release_tool.checks.findings import Finding, findings_of
from release_tool.model.foreign_content import by_sops
from release_tool.tagfile import reader
from release_tool.yamledit.data import to_data
from release_tool.yamledit.parser import documents, parse
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.checks.environment import Held
    from release_tool.yamledit.tree import Node


def keys_elsewhere(text: str, path: str, where: str, *, defaults: bool = False) -> Iterator[Finding]:
    """The five keys stand in `image_tag.yaml` only: Helm merges mappings, so an entry elsewhere would always come back.

    Args:
        where: `versions.key`.
        defaults: whether it holds the chart's defaults: an empty value says nothing there, and what is no mapping
            comes never back: Helm takes the environment's `tag` for it.
    """
    try:
        roots = documents(text)  # Helm 4 takes all of them
    except YamlError as error:
        yield from findings_of(error.in_file(path))
        return
    found = ((root, key, value) for root in filter(None, roots) for key, value in _keys(root, where).items())
    for root, key, value in found:
        if defaults and (value in (None, "", [], {}) or (key == "tag" and not isinstance(value, dict))):
            continue
        line, column = _place(root, [*where.split("."), key])
        what = f"{where}.{key} stands in image_tag.yaml only: Helm merges mappings, so this would always come back"
        yield Finding(f"{path}:{line}:{column}", what, "move it to image_tag.yaml")


def other_versions(held: Held) -> Iterator[Finding]:
    """A warning about what looks like versions below another key of `image_tag.yaml`."""
    root, key = parse(held.tags), held.place.key
    for path, tag in reader.look_like_versions(root, key) if root else ():
        what = (
            f"versions seem to stand under `{path}` as well, and `versions.key` is `{key}`: no operation changes these"
        )
        hint = f"if the chart reads these, set `versions: {{key: {path}}}` in release.yaml; else take them out"
        yield Finding(f"{held.place.tag_file}:{tag.start.line}:{tag.start.column}", what, hint)


def files_of_chart(files: Mapping[str, bytes], key: str, chart: str = "") -> Iterator[tuple[str, str]]:
    """The values files of a chart that may hold `versions.key`, each with the key in it: a subchart has its own.

    Args:
        files: path in the chart -> bytes.
        chart: where a subchart stands in it, with a `/` at the end.
    """
    if f"{chart}values.yaml" in files:
        yield f"{chart}values.yaml", key
    below, _, inner = key.partition(".")
    if not inner:
        return
    needed = _about(files.get(f"{chart}Chart.yaml", b"")).get("dependencies")
    listed = [one for one in needed if isinstance(one, dict)] if isinstance(needed, list) else []
    names = [below, *(one.get("name") for one in listed if one.get("alias") == below)]
    subchart = re.compile(rf"{re.escape(chart)}charts/[^/]+/Chart\.yaml")
    for path in filter(subchart.fullmatch, files):
        if _about(files[path]).get("name") in names:
            yield from files_of_chart(files, inner, path.removesuffix("Chart.yaml"))


def _about(data: bytes) -> dict[str, Any]:
    """What a `Chart.yaml` says; Helm has its own word on one that is wrong."""
    try:
        found = to_data(parse(data.decode("utf-8", "replace")))
    except YamlError:
        return {}
    return found if isinstance(found, dict) else {}


def unread(text: str, path: str) -> Iterator[Finding]:
    """A warning about values that are rendered otherwise than they are meant: encrypted, or in a second document."""
    try:
        more = documents(text)[1:]
    except YamlError:  # told elsewhere
        more = []
    if more:
        line = more[0].start.line if more[0] is not None else text.rstrip().count("\n") + 1
        what = "the file holds several documents: Helm 3 reads the first one alone, Helm 4 takes all"
        hint = "keep one, or make a file of each and name them in `values` of release.yaml"
        yield Finding(f"{path}:{line}", what, hint)
    if by_sops(text):
        what = "sops has encrypted values of the file: they are rendered as they stand there, as `ENC[…]`"
        yield Finding(path, what, "keep names, routes and images out of what sops encrypts")


def _keys(root: Node, where: str) -> dict[str, Any]:
    """The keys with their values, those that an alias or a merge key (`<<`) brings included."""
    parts = where.split(".")
    try:
        image = to_data(root)
    except YamlError:  # a key that stands twice, for example: the engine has its own word on that
        node = reader.node_at(root, *parts)
        return {key.value: "written" for key, _ in (node.pairs if node else ()) if key.value in reader.KEYS}
    for part in parts:
        image = image.get(part) if isinstance(image, dict) else None
    return {key: image[key] for key in reader.KEYS if key in image} if isinstance(image, dict) else {}


def _place(node: Node, path: list[str]) -> tuple[int, int]:
    """Where the key of a path stands, or of as much of it as is written there."""
    place = 1, 1
    for step in path:
        pair = next(((key, value) for key, value in node.pairs if key.kind == "scalar" and key.value == step), None)
        if pair is None:
            break
        place, node = (pair[0].start.line, pair[0].start.column), pair[1]
    return place

"""The five keys below `versions.key` in values files where they must not stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from release_tool.checks.findings import Finding, findings_of
from release_tool.errors import ReleaseError
from release_tool.model.foreign_content import by_sops
from release_tool.tagfile import reader
from release_tool.yamledit.data import place_of, to_data
from release_tool.yamledit.parser import documents, parse
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.checks.environment import Held


def keys_elsewhere(text: str, path: str, where: str, *, defaults: bool = False) -> Iterator[Finding]:
    """The five keys stand in `image_tag.yaml` only: Helm merges mappings, so an entry elsewhere would always come back.

    Args:
        where: `versions.key`.
        defaults: whether it holds the chart's defaults: an empty value says nothing there.
    """
    try:
        found = _keys(text, where)
    except ReleaseError as error:
        if isinstance(error, YamlError):
            error = error.in_file(path)
        yield from findings_of(error)
        return
    for key, value in found.items():
        if defaults and value in (None, "", [], {}):
            continue
        way = [*where.split("."), key]
        there = (place_of(text, way[:end], key=True) for end in range(len(way), 0, -1))
        place = next(filter(None, there), (1, 1))
        what = f"{where}.{key} stands in image_tag.yaml only: Helm merges mappings, so this would always come back"
        yield Finding(f"{path}:{place[0]}:{place[1]}", what, "move it to image_tag.yaml")


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


def encrypted(text: str, path: str) -> Iterator[Finding]:
    """A warning about values that are rendered as sops has encrypted them."""
    if by_sops(text):
        what = "sops has encrypted values of the file: they are rendered as they stand there, as `ENC[…]`"
        yield Finding(path, what, "keep names, routes and images out of what sops encrypts")


def _keys(text: str, where: str) -> dict[str, Any]:
    """The keys with their values, those that an alias or a merge key (`<<`) brings included.

    Raises:
        YamlError: the text isn't YAML.
    """
    roots = documents(text)
    try:
        data = to_data(roots[0] if roots else None)
    except YamlError:  # a key that stands twice, for example: the engine has its own word on that
        return dict.fromkeys(reader.keys_in(text, where), "written")
    image = data
    for part in where.split("."):
        image = image.get(part) if isinstance(image, dict) else None
    return {key: image[key] for key in reader.KEYS if key in image} if isinstance(image, dict) else {}

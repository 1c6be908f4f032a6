"""The five keys of `image` in values files where they must not stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.checks.findings import Finding, findings_of
from release_tool.errors import ReleaseError
from release_tool.model.foreign_content import by_sops
from release_tool.tagfile import reader
from release_tool.yamledit.data import place_of, to_data
from release_tool.yamledit.parser import documents
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterator


def keys_elsewhere(text: str, path: str, *, defaults: bool = False) -> Iterator[Finding]:
    """The five keys stand in `image_tag.yaml` only: Helm merges mappings, so an entry elsewhere would always come back.

    Args:
        defaults: whether it holds the chart's defaults: an empty value says nothing there.
    """
    try:
        found = _keys(text)
    except ReleaseError as error:
        if isinstance(error, YamlError):
            error = error.in_file(path)
        yield from findings_of(error)
        return
    for key, value in found.items():
        if defaults and value in (None, "", [], {}):
            continue
        place = place_of(text, ("image", key), key=True) or place_of(text, ("image",), key=True) or (1, 1)
        what = f"image.{key} stands in image_tag.yaml only: Helm merges mappings, so this would always come back"
        yield Finding(f"{path}:{place[0]}:{place[1]}", what, "move it to image_tag.yaml")


def encrypted(text: str, path: str) -> Iterator[Finding]:
    """A warning about values that are rendered as sops has encrypted them."""
    if by_sops(text):
        what = "sops has encrypted values of the file: they are rendered as they stand there, as `ENC[…]`"
        yield Finding(path, what, "keep names, routes and images out of what sops encrypts")


def _keys(text: str) -> dict[str, Any]:
    """The keys with their values, those that an alias or a merge key (`<<`) brings included.

    Raises:
        YamlError: the text isn't YAML.
    """
    roots = documents(text)
    try:
        data = to_data(roots[0] if roots else None)
    except YamlError:  # a key that stands twice, for example: the engine has its own word on that
        return dict.fromkeys(reader.keys_in(text), "written")
    image = data.get("image") if isinstance(data, dict) else None
    return {key: image[key] for key in reader.KEYS if key in image} if isinstance(image, dict) else {}

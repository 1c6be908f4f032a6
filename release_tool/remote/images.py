"""Is the image there, and is it still the one that was recorded? Asked of the registry before a version comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused
from release_tool.model import history
from release_tool.model.records import Tag
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from release_tool import config
    from release_tool.registry import Registry
    from release_tool.remote.snapshot import Files


class Image(NamedTuple):
    """An image that was looked up."""

    tag: Tag  # the tag as it shall be written: with its digest where the configuration says so
    digest: str  # of its manifest, `sha256:…`; empty where nothing was looked up
    said: str  # what was found, in words


class ImageRefused(Refused):
    """The registry has no such image, or another one than was recorded."""

    found: Image | None = None  # the image that it has; None where it has none. A person who insists gets that


def look_up(
    policy: config.RegistryPolicy | None, registry: Registry | None, files: Iterable[Files], tag: Tag, given: str = ""
) -> Image:
    """Look an image up, as far as the configuration asks for it.

    What the records of all environments of the service say of a digest must still hold, and so must `given`, what the
    build told.

    Raises:
        ImageRefused: there is no such image, or the tag was moved since its digest was recorded.
    """
    if policy is None or registry is None or policy.verify == "off":
        return Image(tag, "", "not looked up: registry.verify is off")
    part = tag_part(tag)
    digest = registry.digest(part)
    where = f"{policy.image}:{part}"
    if digest is None:
        raise ImageRefused(
            "the registry has no such image",
            where=where,
            cause="the build has not pushed it, pushed it elsewhere, or it was deleted",
            hint="push it, then run this command again; --force --reason 'why' goes on without it",
        )
    written = "@" in tag or policy.verify == "digest"
    image = Image(Tag(f"{part}@{digest}") if written else tag, digest, f"{where} is {digest}")
    for source, recorded in _recorded(files, tag, given):
        if recorded != digest:
            refusal = ImageRefused(
                f"the tag was moved: it is {digest} now and was {recorded} ({source})",
                where=where,
                cause="somebody pushed another image under the same tag",
                hint="build it under a new tag; --force --reason 'why' accepts the new image",
            )
            refusal.found = image
            raise refusal
    return image


def _recorded(files: Iterable[Files], tag: Tag, given: str) -> list[tuple[str, str]]:
    """Where a digest of the tag stands, and the digest: in the words of this operation, and last in the records.

    The last word of all environments counts: whoever accepted a new image accepted it for the service.
    """
    part = tag_part(tag)
    said = (("in the tag", tag.partition("@")[2]), ("by the build", given))
    found = [(source, digest) for source, digest in said if digest]
    last: tuple[datetime, str, str] | None = None
    for one in files:
        told = history.recorded_digest(history.readable_lines(one.record), part)
        if told is not None and (last is None or told[0] > last[0]):
            last = (told[0], f"recorded in {one.place.environment}", told[1])
    return [*found, (last[1], last[2])] if last is not None else found

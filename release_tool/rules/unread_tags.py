"""Tags that the configured order can't read: which order, or which pattern, could."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from release_tool.model.versions import is_readable, tag_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from release_tool.model.records import Tag


def unread(order: str, tags: Iterable[Tag]) -> list[str]:
    """The tags, without digests, that an order can't read."""
    return [tag_part(tag) for tag in tags if not is_readable(order, tag)]


def advice(order: str, tags: Sequence[str]) -> str:
    """What to write into `versions` so that the most of some tags can be read; `tags` are not empty."""
    parts = [tag_part(tag) for tag in tags]
    words = {kind: f"`versions: {{order: {kind}}}`" for kind in ("semver", "calver", "number")}
    for kind in (order.partition(" ")[0], "semver", "calver"):
        for pattern in _patterns(parts) if kind in words else ():
            words[f"{kind} {pattern}"] = f"`versions: {{order: {kind}, pattern: '{pattern}'}}`"
    read = {candidate: sum(is_readable(candidate, part) for part in parts) for candidate in words}
    best = max(words, key=lambda candidate: read[candidate])
    now = sum(is_readable(order, part) for part in parts)
    if read[best] <= now:
        return "`versions.allow` keeps such tags out" if now else "`versions: {order: arrival}` takes tags as they come"
    return f"{words[best]} reads {read[best]} of {len(parts)}"


def _patterns(parts: Sequence[str]) -> list[str]:
    """Patterns that leave out what all tags begin with, up to the first digit."""
    found = []
    for some in (parts, parts[:1]):
        columns = map(set, zip(*some, strict=False))
        lead = "".join(min(same) for same in takewhile(lambda one: len(one) == 1 and not min(one).isdigit(), columns))
        if lead:
            found.append(f"{lead.replace('.', '[.]')}(?P<version>.+)")
    return found

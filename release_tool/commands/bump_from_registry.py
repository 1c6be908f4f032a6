"""`release bump ENV --from-registry`: every allowed tag of the registry that is newer than the newest known one.

A dispatch that was lost heals by itself, and a team whose build can't call the tool needs no webhook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.commands import bump
from release_tool.errors import Refused, UsageError
from release_tool.publishing import facts
from release_tool.publishing.snapshot import take
from release_tool.records import Tag, name_of
from release_tool.versions import is_newer, is_readable, newest_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from release_tool.config import Config
    from release_tool.publishing.snapshot import Snapshot
    from release_tool.publishing.tool import Outcome, Tool

_SAME_RANK = name_of(1)  # of tags that have no name yet: they are compared by what they say alone


def check_usage(asked: bump.Bump, *, local: bool) -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    other = "TAG" if asked.tag else "--local" if local else "--digest" if (asked.provenance or {}).get("digest") else ""
    if other:
        raise UsageError(f"--from-registry and {other} exclude each other", hint="the registry says what is new")
    bump.check_reason(asked)


def run(tool: Tool, asked: bump.Bump, new_id: Callable[[], str]) -> Iterator[Outcome]:
    """Bump what is new, oldest first, one operation each.

    Args:
        tool: the outside world.
        asked: a bump without a tag.
        new_id: makes the ids of the operations.

    Yields:
        An outcome for each new tag; nothing where there is none.

    Raises:
        Refused: no registry is configured, or the order says nothing about tags.
        ReleaseError: see `bump.run`.
    """
    snapshot = take(tool, asked.asked.service)
    for tag in new_tags(tool, snapshot, asked):
        one = asked.asked._replace(intent_id=new_id())
        yield bump.run(tool, asked._replace(tag=tag, asked=one))


def new_tags(tool: Tool, snapshot: Snapshot, asked: bump.Bump) -> list[Tag]:
    """The tags of the registry that are newer than the newest known one, oldest first, at most `keep` of them."""
    config = snapshot.config
    environment = config.environment(asked.environment)
    registry = tool.registry(config)
    if registry is None:
        raise Refused(
            "no registry is configured",
            where=tool.config_path,
            hint="add `registry: {image: registry.example.com/team/engine}` to it",
        )
    if config.versions.order == "arrival":
        raise Refused(
            "with `versions.order: arrival` no tag is newer than another before it came",
            where=tool.config_path,
            hint="set `versions.order` to semver, calver or number",
        )
    known = facts.names_known(tool.repository, snapshot, ())
    newest = _newest(config, [*known.landed, *known.pending])
    found = [Tag(tag) for tag in registry.tags() if config.versions.allows(tag) and tag not in known.landed]
    fresh = [tag for tag in found if is_readable(config.versions.order, tag) and _is_newer(config, tag, newest)]
    ranked = newest_first(config.versions.order, ((_SAME_RANK, tag) for tag in fresh))
    return [tag for _, tag in reversed(ranked[: environment.retention.keep])]


def _newest(config: Config, tags: Iterable[str]) -> Tag | None:
    order = config.versions.order
    readable = ((_SAME_RANK, Tag(tag)) for tag in tags if is_readable(order, tag))
    return next((tag for _, tag in newest_first(order, readable)), None)


def _is_newer(config: Config, tag: Tag, newest: Tag | None) -> bool:
    return newest is None or is_newer(config.versions.order, (_SAME_RANK, tag), (_SAME_RANK, newest))

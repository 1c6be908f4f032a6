"""`release bump ENV --from-registry`: every allowed tag of the registry that is newer than the newest known one.

A dispatch that was lost heals by itself, and a team whose build can't call the tool needs no webhook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.commands import bump
from release_tool.commands.arguments import checked_reason
from release_tool.errors import Failed, Refused, ReleaseError, UsageError
from release_tool.model import history
from release_tool.model.records import Tag, name_of
from release_tool.model.versions import is_newer, is_readable, newest_first
from release_tool.remote import names
from release_tool.remote.branch import lines_at
from release_tool.remote.snapshot import take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from release_tool.config import Config
    from release_tool.publishing.outcome import Outcome
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool

_SAME_RANK = name_of(1)  # of tags that have no name yet: they are compared by what they say alone


def check_usage(asked: bump.Bump, *, local: bool, given_id: str = "") -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    given = {"TAG": asked.tag, "--local": local, "--id": given_id, "--digest": (asked.provenance or {}).get("digest")}
    for other in (name for name, value in given.items() if value):
        raise UsageError(f"--from-registry and {other} exclude each other", hint="the registry says what is new")
    checked_reason(asked.asked.reason, forced=asked.force)


def run(tool: Tool, asked: bump.Bump, new_id: Callable[[], str]) -> Iterator[Outcome | Failed]:
    """Bump what is new, oldest first, one operation each.

    Yields:
        An outcome for each new tag; nothing where there is none. The first one that fails ends it.

    Raises:
        Refused: no registry is configured, or the order says nothing about tags.
    """
    snapshot = take(tool, asked.asked.service)
    bump.allowed(asked, snapshot.config)
    for tag in new_tags(tool, snapshot, asked):
        one = asked.asked._replace(id=new_id())
        try:
            yield bump.run(tool, asked._replace(tag=tag, asked=one))
        except ReleaseError as error:  # what came before it has come
            yield Failed(f"{snapshot.config.place(asked.asked.environment).title}, {tag}", error)
            return


def new_tags(tool: Tool, snapshot: Snapshot, asked: bump.Bump) -> list[Tag]:
    """The tags of the registry that are newer than the newest known one, oldest first, at most `keep` of them."""
    config = snapshot.config
    environment = config.environment(asked.asked.environment)
    registry = tool.registry(config)
    if registry is None:
        raise Refused(
            "no registry is configured",
            where=tool.config_path,
            hint="add `registry: {image: registry.example.com/team/engine}` to it",
            page="reference/configuration.md#registry",
        )
    if config.versions.order == "arrival":
        raise Refused(
            "with `versions.order: arrival` no tag is newer than another before it came",
            where=tool.config_path,
            hint="set `versions.order` to semver, calver or number",
            page="reference/configuration.md#orders",
        )
    allowed = [tag for tag in registry.tags() if config.versions.allows(tag)]
    # All that ever stood in the base is known, also what was reverted; and so is what waits, or was closed last.
    known = names.names_known(tool.repository, snapshot, allowed)
    every = {*known.landed, *known.pending, *_closed(tool, snapshot, asked)}
    newest = _newest(config, every)
    found = [Tag(tag) for tag in allowed if tag not in every]
    fresh = [tag for tag in found if is_readable(config.versions.ordering, tag) and _is_newer(config, tag, newest)]
    ranked = newest_first(config.versions.ordering, ((_SAME_RANK, tag) for tag in fresh))
    return [tag for _, tag in reversed(ranked[: environment.retention.keep])]


def _closed(tool: Tool, snapshot: Snapshot, asked: bump.Bump) -> set[str]:
    """The tags of the last pull request that was closed: a "no" holds."""
    place = snapshot.config.place(asked.asked.environment)
    finished = tool.forge(snapshot.config).last_finished(place.branch, snapshot.config.base)
    if finished is None or finished.state != "closed":
        return set()
    tool.repository.fetch(finished.head_commit)
    return set(history.names_of(lines_at(tool.repository, snapshot, place, finished.head_commit)))


def _newest(config: Config, tags: Iterable[str]) -> Tag | None:
    order = config.versions.ordering
    readable = ((_SAME_RANK, Tag(tag)) for tag in tags if is_readable(order, tag))
    return next((tag for _, tag in newest_first(order, readable)), None)


def _is_newer(config: Config, tag: Tag, newest: Tag | None) -> bool:
    return newest is None or is_newer(config.versions.ordering, (_SAME_RANK, tag), (_SAME_RANK, newest))

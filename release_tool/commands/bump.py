"""`release bump ENV TAG`: on each image build, add the tag, retire by policy, render, publish."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused, UsageError
from release_tool.history import is_id
from release_tool.records import Intent
from release_tool.versions import is_tag, tag_part

# What publishes is imported by the functions that do: the command line checks its arguments, and begins to look at the
# remote, before that.

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config import Config
    from release_tool.publishing.tool import Outcome, Tool


class Bump(NamedTuple):
    """The arguments of a bump.

    Attributes:
        environment: its name.
        tag: the tag; with `digest` its digest is recorded, not written.
        pin: whether the version comes pinned.
        force: whether an environment that takes no bumps, or a tag outside `versions.allow`, is accepted.
        reason: why, for the record; needed with `force`.
        provenance: `image`, `digest`, `commit`, `build`, as far as they are known.
        intent_id: the id of the operation; empty: a new one.
        direct: push to the base branch; None: as the configuration says.
        dry_run: plan and render only.
    """

    environment: str
    tag: str
    pin: bool = False
    force: bool = False
    reason: str = ""
    provenance: Mapping[str, str] | None = None
    intent_id: str = ""
    direct: bool | None = None
    dry_run: bool = False


def check_usage(bump: Bump) -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    if not is_tag(bump.tag):
        raise UsageError(
            f"{bump.tag!r} is no image tag",
            cause="an image tag has 1 to 128 letters, digits, `_`, `.` or `-` and doesn't begin with `.` or `-`"
            "; `@sha256:` and 64 hexadecimal digits may follow",
            hint="give the tag alone, without the repository of the image",
        )
    if bump.intent_id and not is_id(bump.intent_id):
        raise UsageError(
            f"{bump.intent_id!r} can't be an id", hint="an id is one word of visible ASCII characters, 128 at most"
        )
    if bump.force and not bump.reason:
        raise UsageError("--force needs --reason", hint="say why, for the record: --reason 'hotfix for …'")


def intent_of(bump: Bump, intent_id: str, by: str, run: str) -> Intent:
    """The intent that the record keeps."""
    given = {"pin": bump.pin, "force": bump.force, "reason": bump.reason}
    arguments = {"tag": bump.tag, **{key: value for key, value in given.items() if value}}
    return Intent(intent_id, "bump", arguments, by, run, dict(bump.provenance or {}))


def allowed(bump: Bump, config: Config) -> None:
    """Raise Refused when the configuration doesn't take this bump."""
    environment = config.environment(bump.environment)
    if bump.force:
        return
    if environment.promote_from is not None:
        raise Refused(
            f"{environment.name} takes promotions, not bumps",
            cause=f"its versions come from {environment.promote_from}; {config.entry.name} takes the bumps",
            hint=f"run `release bump {config.entry.name} {bump.tag}`, or add --force --reason 'why'",
        )
    if not config.versions.allows(bump.tag):
        pattern = config.versions.allow.pattern if config.versions.allow else ""
        raise Refused(
            f"the tag {tag_part(bump.tag)} does not match `versions.allow`: {pattern}",
            where="release.yaml",
            hint="bump a tag that matches, change `versions.allow`, or add --force --reason 'why'",
        )


def run(tool: Tool, bump: Bump, intent_id: str) -> Outcome:
    """Do a bump.

    Args:
        tool: the outside world.
        bump: its arguments, checked by `check_usage`.
        intent_id: the id of the operation.

    Raises:
        ReleaseError: see `publishing.publish.run`.
    """
    from release_tool.publishing import publish
    from release_tool.publishing.tool import Request

    intent = intent_of(bump, intent_id, tool.by, tool.run)
    request = Request(bump.environment, intent, bump.direct, bump.dry_run)
    return publish.run(tool, request, lambda snapshot: allowed(bump, snapshot.config))

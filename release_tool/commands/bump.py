"""`release bump ENV TAG`: on each image build, add the tag, retire by policy, render, publish."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.arguments import checked_reason
from release_tool.errors import Refused, TryAgain, UsageError
from release_tool.model import history
from release_tool.model.printed_command import command
from release_tool.model.records import BumpArguments, Tag
from release_tool.model.versions import is_tag, tag_part

# What publishes is imported by the functions that do: the command line checks its arguments, and begins to look at the
# remote, before that.

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from release_tool.config import Config
    from release_tool.model.records import Intent
    from release_tool.publishing.outcome import Invocation, Outcome
    from release_tool.registry import Registry
    from release_tool.remote.images import Image
    from release_tool.remote.snapshot import Files, Snapshot
    from release_tool.remote.tool import Tool


_PAGE = r"https?://[^\s/@]+"
# What of the provenance is looked at: it stands in the record and in links for ever.
_SHAPES = {
    "image": (
        r"[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*",
        "repository of an image, `registry.example.com/team/engine`",
    ),
    "digest": (r"sha256:[0-9a-f]{64}", "digest, `sha256:` and 64 hexadecimal digits"),
    "build": (rf"{_PAGE}(/\S*)?", "link like https://ci.example.com/7, without a user or a password"),
    "source": (rf"{_PAGE}/\S+", "link like https://github.com/acme/engine, without a user or a password"),
}


class Bump(NamedTuple):
    """The arguments of a bump."""

    tag: str  # the tag; with `digest` its digest is recorded, not written
    asked: Invocation  # where and why, and under which id; the reason is needed with `force`
    pin: bool = False  # whether the version comes pinned
    force: bool = False  # whether an environment that takes no bumps, or a tag outside `versions.allow`, is accepted
    provenance: Mapping[str, str] | None = None  # as far as it is known: the keys of `Intent.provenance`


def check_usage(bump: Bump) -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    if not bump.tag:
        raise UsageError("the TAG is missing", hint="`release bump ENV TAG`, or `release bump ENV --from-registry`")
    if not is_tag(bump.tag):
        raise UsageError(
            f"{bump.tag!r} is no image tag",
            cause="an image tag has 1 to 128 letters, digits, `_`, `.` or `-` and doesn't begin with `.` or `-`"
            "; `@sha256:` and 64 hexadecimal digits may follow",
            hint="give the tag alone, without the repository of the image",
        )
    for key, value in (bump.provenance or {}).items():
        shape, what = _SHAPES.get(key, (".*", ""))
        if re.fullmatch(shape, value, re.DOTALL) is None:
            option = "--build-url" if key == "build" else f"--{key}"
            shown = option if key in {"build", "source"} else f"{option} {value!r}"  # a link may hold a password
            raise UsageError(f"{shown} is no {what}", hint=f"leave {option} out where it isn't known")
    written, built = bump.tag.partition("@")[2], (bump.provenance or {}).get("digest", "")
    if written and built and written != built:
        raise UsageError(f"TAG says {written}, and --digest {built}", hint="give the digest once")
    checked_reason(bump.asked.reason, forced=bump.force)


def intent_of(bump: Bump, config: Config, registry: Registry | None, files: Iterable[Files]) -> Intent:
    """The intent that the record keeps.

    Args:
        bump: what was asked for.
        files: the files of all environments of the service.

    Raises:
        Refused: the configuration doesn't take this bump, or the registry has no such image, or another one.
    """
    allowed(bump, config)
    files = list(files)
    provenance = dict(bump.provenance or {})
    arguments = BumpArguments(Tag(bump.tag), bump.pin, bump.force)
    intent = bump.asked.intent("bump", arguments)._replace(provenance=provenance)
    if config.registry is None or _is_known(bump, intent, files):
        return intent
    image = _image(bump, config, registry, files)
    if image is None:
        return intent
    digest = {"digest": image.digest} if image.digest else {}
    intent = bump.asked.intent("bump", arguments._replace(tag=image.tag))
    return intent._replace(provenance={**provenance, **digest})


def _is_known(bump: Bump, intent: Intent, files: Iterable[Files]) -> bool:
    """Whether this very operation has landed: it is only told then, whatever became of the image."""
    return any(
        history.same_operation(one.lines(), intent) is not None
        for one in files
        if one.place.environment == bump.asked.environment
    )


def _image(bump: Bump, config: Config, registry: Registry | None, files: Sequence[Files]) -> Image | None:
    """The image as the registry has it; None where it has none and the bump goes on all the same."""
    from release_tool.remote import images
    from release_tool.rules.operations import find

    here = next(one for one in files if one.place.environment == bump.asked.environment)
    is_there = here.tags is not None and find(here.state(empty=True), bump.tag) is not None
    given = (bump.provenance or {}).get("digest", "")
    try:
        return images.look_up(config.registry, registry, files, Tag(bump.tag), given)
    except images.ImageRefused as refusal:
        if bump.force or (is_there and refusal.found is None):  # what is there already is only told
            return refusal.found
        raise
    except TryAgain:
        if is_there:
            return None
        raise


def allowed(bump: Bump, config: Config) -> None:
    """Raise Refused when the configuration takes no bumps here, or not of this tag (if there is one yet)."""
    environment = config.environment(bump.asked.environment)
    if bump.force:
        return
    if environment.promote_from is not None:
        instead = command("bump", config.entry.name, bump.tag or "--from-registry", service=config.service)
        raise Refused(
            f"{environment.name} takes promotions, not bumps",
            cause=f"its versions come from {environment.promote_from}; {config.entry.name} takes the bumps",
            hint=f"run `{instead}`, or add --force --reason 'why'",
            page="reference/commands/bump.md",
        )
    if bump.tag and not config.versions.allows(bump.tag):
        pattern = config.versions.allow.pattern if config.versions.allow else ""
        raise Refused(
            f"the tag {tag_part(bump.tag)} does not match `versions.allow`: {pattern}",
            where="release.yaml",
            hint="bump a tag that matches, change `versions.allow`, or add --force --reason 'why'",
            page="reference/configuration.md#versions",
        )


def run(tool: Tool, bump: Bump) -> Outcome:
    """Do a bump that `check_usage` has checked; errors as for `intent_of` and `publishing.retry.run`."""
    from release_tool.publishing.retry import run as publish

    def meant(snapshot: Snapshot, before: Intent | None) -> Intent:
        config = snapshot.config
        allowed(bump, config)  # the configuration may have changed between two attempts
        registry = tool.registry(config) if config.registry else None
        return before or intent_of(bump, config, registry, snapshot.files.values())

    return publish(tool, bump.asked, meant)

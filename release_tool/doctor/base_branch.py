"""Verdicts about what stands in the base branch, and about the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.checks import attributes
from release_tool.doctor.diagnosis import Diagnosis, ok
from release_tool.model import times
from release_tool.remote.snapshot import missing_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from release_tool.config import Config, Place
    from release_tool.forges.unrecognised import Advice
    from release_tool.model.forge import Capabilities
    from release_tool.model.records import Name

_SKEW = 60
"""Seconds; a header `Date` is as old as its way here, and no clock of a machine runs more true than this by itself."""


def merge_driver(records: Sequence[str], files: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Whether a record is merged with `merge=union`.

    Args:
        files: path -> text of the files `.gitattributes`.
    """
    found = list(attributes.union_merged(records, files))
    for one in found:
        why = "a forge would merge a plan that was made on an older base"
        yield Diagnosis("error", "record", one.what, one.where, why, one.hint)
    if not found:
        yield ok("record", "two plans on the same base conflict, as they should (no merge=union)")


def tag_files(config: Config, missing: Sequence[Place]) -> Diagnosis:
    """Whether each environment has its file."""
    if not missing:
        return ok("environments", f"each has its image_tag.yaml: {', '.join(config.environments)}")
    what = f"{len(missing)} environments have no image_tag.yaml" if len(missing) > 1 else "an environment has no file"
    where = _some([place.tag_file for place in missing])
    return Diagnosis("error", "environments", what, where, "no operation can work on it", missing_file(missing[0]))


def _some(paths: Sequence[str]) -> str:
    shown = 3
    more = f" and {len(paths) - shown} more" if len(paths) > shown else ""
    return ", ".join(paths[:shown]) + more


def without_route(place: Place, version: Name, at: datetime) -> Diagnosis:
    """A version that came back at a time, and that no clean-up has routed."""
    what = f"{version} of {place.title} came back {times.clock(at)}, and has no route yet"
    why = "no `release cleanup` has run since, or what it proposed is not merged: calls that name it get another one"
    mend = f"`{place.command('restore', version)}` routes it; run `release cleanup` each hour"
    return Diagnosis("warning", "restored", what, place.tag_file, why, mend)


def clock(now: datetime, server: datetime, where: str) -> Diagnosis:
    """Whether this machine's clock agrees with a server's."""
    skew = round((now - server).total_seconds())
    if abs(skew) <= _SKEW:
        return ok("clock", "agrees with the server's")
    way = "ahead of" if skew > 0 else "behind"
    why = "ages, drains and ends of pins are counted from times that machines wrote"
    mend = "let the machine ask a time server: `timedatectl set-ntp true`"
    return Diagnosis("warning", "clock", f"this machine's clock is {abs(skew)} s {way} the server's", where, why, mend)


def forge(can: Capabilities, how: str, url: str, *, direct: bool, advice: Advice | None = None) -> Diagnosis:
    """Which forge it is.

    Args:
        can: what it can do.
        how: by what it was recognised; empty: `forge.kind` names it.
        advice: what to do, where none was recognised.
        direct: whether every environment is pushed to the base directly, so that nobody needs a forge.
    """
    said = f"{can.kind} ({how})" if how else can.kind
    if not (can.knows_landings or direct):
        said += (
            "; it can't tell when a commit was merged by fast-forward: such a one counts from when it was first seen"
        )
    if advice is None or direct:
        return ok("forge", said)
    why = "branches are pushed, and nobody opens a pull request for them"
    why += ", nor tells when one was merged: a commit that a fast-forward may have brought counts from when it was seen"
    return Diagnosis("warning", "forge", advice.what, url, why, f"{advice.mend}; let merges make a merge commit")

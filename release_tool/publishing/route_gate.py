"""The gate before publishing: a proposal whose routes would lose calls is refused.

What breaks a call that works now is wrong. What was wrong before is a note, and stops nothing: the way out of it may be
this very change. An operation never makes the pods of another version anew, so a chart that does so is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import manifests
from release_tool.errors import Refused
from release_tool.manifests import routes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.config import Config
    from release_tool.manifests import ObjectChange
    from release_tool.manifests.routes import RouteFinding
    from release_tool.remote.rendering import Renderings
    from release_tool.remote.snapshot import Files

_TOLD = 3
_LISTED = 10


class Publishable(NamedTuple):
    """A proposal that may be published: the difference of its manifests, and what the checks say beside it."""

    manifests: tuple[ObjectChange, ...]
    notes: tuple[str, ...]


def publishable(renderings: Renderings, present: Files, files: Files, changed: Mapping[str, bytes]) -> Publishable:
    """A proposal, once the checks of routing find nothing wrong with it that isn't wrong already.

    Raises:
        Refused: a call would fail by what is proposed.
    """
    before, after = renderings.both(present, files, changed)
    config = renderings.config
    changes = manifests.difference(before, after)
    found = [*routes.check(after, config.namespace), *routes.compare(before, after, config.namespace)]
    if not found:
        return Publishable(changes, ())
    old = known(before, config)
    if files != present:  # people work on that branch too: what their commits hold is no fault of this operation
        theirs = renderings.render_if_possible(files)
        old |= known(theirs, config)
        old |= {finding.identity for finding in routes.compare(before, theirs, config.namespace)}
    new = [finding for finding in found if finding.identity not in old]
    wrong = [finding for finding in new if finding.serious]
    if wrong:
        raise _refusal(renderings, files.place.environment, wrong)
    told = [finding.what for finding in new]
    told += [f"wrong already: {finding.what}" for finding in found if finding.serious and finding not in new]
    more = (f"{len(told) - _TOLD} more of this kind; `release check` lists what is wrong",) if len(told) > _TOLD else ()
    return Publishable(changes, (*told[:_TOLD], *more))


def known(rendering: str, config: Config) -> set[tuple[str, str, str]]:
    """What identifies the findings of a rendering."""
    return {one.identity for one in routes.check(rendering, config.namespace)}


def place_of(renderings: Renderings, finding: RouteFinding) -> str:
    """The file of a finding's template in the repository; the chart where the rendering doesn't tell the template.

    A rendering names a template by the name of its chart, not by its directory.
    """
    return renderings.place(finding.source.partition("/")[2])


def _refusal(renderings: Renderings, environment: str, wrong: Sequence[RouteFinding]) -> Refused:
    first = wrong[0]
    what = f"with this change calls to {environment} would fail: {first.what}"
    if len(wrong) > 1:
        lines = [f"{place_of(renderings, one)}: {one.what} ({one.hint})" for one in wrong[:_LISTED]]
        lines += [f"and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
        what = "\n  ".join([f"with this change calls to {environment} would fail, for {len(wrong)} reasons", *lines])
    return Refused(
        what,
        where=place_of(renderings, first),
        cause="the chart renders the new set of versions so; nothing was published",
        hint=f"{first.hint}; correct the chart, push it to {renderings.config.base}, then run this command again",
    )

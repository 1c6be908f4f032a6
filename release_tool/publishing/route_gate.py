"""The gate before publishing: a proposal whose routes would lose calls is refused; and the same for people's changes.

What breaks a call that works now is wrong. What was wrong before is told, and stops nothing: the way out of it may be
this very change. An operation never makes the pods of another version anew, so a chart that does so is refused; people
may want to, by another chart or other values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import manifests
from release_tool.errors import Refused, ReleaseError
from release_tool.manifests import routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from release_tool.config import Config
    from release_tool.manifests import ObjectChange
    from release_tool.manifests.routes import Finding
    from release_tool.remote.rendering import Renderings
    from release_tool.remote.snapshot import Files

    Placed = tuple[str, Finding]

_MEANT = frozenset(["rolled", "stopped"])  # what people may do on purpose
_TOLD = 3
_LISTED = 10


class Passed(NamedTuple):
    """A proposal that may be published: the difference of its manifests, and what the checks say beside it."""

    manifests: tuple[ObjectChange, ...]
    notes: tuple[str, ...]


def passed(renderings: Renderings, present: Files, files: Files, changed: Mapping[str, bytes]) -> Passed:
    """A proposal, once the checks of routing find nothing wrong with it that isn't wrong already.

    Args:
        renderings: renders the environment.
        present: the environment's files as they stand.

    Raises:
        Refused: a call would fail by what is proposed.
    """
    before, after = renderings.both(present, files, changed)
    changes = manifests.difference(before, after)
    others = None if files == present else lambda: renderings.render_if_possible(files)
    return Passed(changes, _notes(renderings.config, files.place.environment, before, after, others))


def _notes(
    config: Config, environment: str, before: str, after: str, others: Callable[[], str] | None = None
) -> tuple[str, ...]:
    """What there is to say of a proposal that may be published.

    Args:
        before: the manifests as they stand; empty where there are none.
        after: those that are proposed.
        others: gives those of a branch on which people work too, without this operation.

    Raises:
        Refused: something is wrong with it that neither the base nor those people's commits hold.
    """
    found = [*routes.check(after, config.namespace), *routes.compare(before, after, config.namespace)]
    if not found:
        return ()
    known = _known(before, config)
    if others is not None:
        theirs = others()
        known |= _known(theirs, config)
        known |= {finding.identity for finding in routes.compare(before, theirs, config.namespace)}
    new = [finding for finding in found if finding.identity not in known]
    wrong = [finding for finding in new if finding.serious]
    if wrong:
        raise _refusal(config, environment, wrong)
    told = [finding.what for finding in new]
    told += [f"wrong already: {finding.what}" for finding in found if finding.serious and finding not in new]
    more = (f"{len(told) - _TOLD} more of this kind; `release check` lists what is wrong",) if len(told) > _TOLD else ()
    return (*told[:_TOLD], *more)


def place(config: Config, finding: Finding) -> str:
    """The file of a finding's template in the repository; the chart where the rendering doesn't tell the template.

    A rendering names a template by the name of its chart, not by its directory.
    """
    inside = finding.source.partition("/")[2]
    return f"{config.chart.rstrip('/')}/{inside}" if inside else config.chart


def _refusal(config: Config, environment: str, wrong: Sequence[Finding]) -> Refused:
    first = wrong[0]
    what = f"with this change calls to {environment} would fail: {first.what}"
    if len(wrong) > 1:
        lines = [f"{place(config, one)}: {one.what} ({one.hint})" for one in wrong[:_LISTED]]
        lines += [f"and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
        what = "\n  ".join([f"with this change calls to {environment} would fail, for {len(wrong)} reasons", *lines])
    return Refused(
        what,
        where=place(config, first),
        cause="the chart renders the new set of versions so; nothing was published",
        hint=f"{first.hint}; correct the chart, push it to {config.base}, then run this command again",
    )


# -- a change that people made --


class Before(NamedTuple):
    """What renders the moment before, and the environment's files then."""

    renderings: Renderings
    files: Files


class Checked(NamedTuple):
    """Findings with the file that is to be corrected: what is wrong, and what there is to know beside that."""

    wrong: list[Placed]
    told: list[Placed]


def check(renderings: Renderings, files: Files, before: Before | None) -> Checked:
    """What the checks say of an environment.

    Args:
        renderings: renders the moment that is checked.
        before: the moment before; None: judge the one moment alone.
    """
    config = renderings.config
    text = renderings.render(files)
    manifests.objects(text)
    old = "" if before is None else _manifests_before(before)
    known = _known(old, before.renderings.config) if before is not None else set()
    result = Checked([], [])
    for one in routes.check(text, config.namespace):
        if one.identity in known and one.serious:
            result.told.append((place(config, one), one._replace(what=f"{one.what} (so it was before)")))
        else:
            (result.wrong if one.serious else result.told).append((place(config, one), one))
    if before is not None and old:
        chart = _renders_otherwise(renderings, before.renderings)
        wanted = chart or before.files.values != files.values
        path = files.place.tag_file if before.files.tags != files.tags else files.place.values_file
        for one in routes.compare(old, text, config.namespace):
            wrong = one.serious and one.rule != "digest" and not (wanted and one.rule in _MEANT)
            (result.wrong if wrong else result.told).append((place(config, one) if chart else path, one))
    return result


def _manifests_before(before: Before) -> str:
    """What was rendered; empty where that is nothing to compare with, for it is being corrected."""
    text = before.renderings.render_if_possible(before.files)
    try:
        routes.check(text, before.renderings.config.namespace)
    except ReleaseError:
        return ""
    return text


def _known(rendering: str, config: Config) -> set[tuple[str, str, str]]:
    return {one.identity for one in routes.check(rendering, config.namespace)}


def _renders_otherwise(new: Renderings, old: Renderings) -> bool:
    """Whether the chart, or what the configuration hands to it, is another one."""
    handed = [(one.config.release_name, one.config.namespace, one.chart()) for one in (new, old)]
    return handed[0] != handed[1]

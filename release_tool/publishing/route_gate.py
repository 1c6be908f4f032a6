"""What the checks of routing mean for an operation, and for a change that people made.

What breaks a call that works now is wrong. What was wrong before is told, and stops nothing: the way out of it may be
this very change. An operation never makes the pods of another version anew, so a chart that does so is refused; people
may want to, by another chart or other values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused, ReleaseError
from release_tool.manifests import routes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_tool.config import Config
    from release_tool.manifests.routes import Finding
    from release_tool.remote.rendering import Renderings
    from release_tool.remote.snapshot import Files
    from release_tool.remote.source import Source

    Placed = tuple[str, Finding]

_MEANT = frozenset(["rolled", "stopped"])  # what people may do on purpose
_TOLD = 3
_LISTED = 10


def notes(
    config: Config, environment: str, before: str, after: str, others: Callable[[], str] | None = None
) -> tuple[str, ...]:
    """What there is to say of a proposal that may be published.

    Args:
        config: the configuration.
        environment: its name.
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


class Side(NamedTuple):
    """The files of one moment, their configuration, and what renders them."""

    source: Source
    config: Config
    renderings: Renderings


class Before(NamedTuple):
    """The moment before, and the environment's files then."""

    side: Side
    files: Files


class Verdict(NamedTuple):
    """Findings with the file that is to be corrected: what is wrong, and what there is to know beside that."""

    wrong: list[Placed]
    told: list[Placed]


def verdict(side: Side, files: Files, before: Before | None) -> Verdict:
    """What the checks say of an environment.

    Args:
        side: the moment that is checked.
        files: the environment's files at that moment.
        before: the moment before; None: judge the one moment alone.

    Raises:
        ReleaseError: the manifests can't be rendered, or aren't made of objects.
    """
    from release_tool import manifests

    config = side.config
    text = side.renderings.render(files.place.tag_file, files.tags or "", files.place.values_file, files.values)
    manifests.objects(text)
    old = "" if before is None else _manifests_before(before)
    known = _known(old, before.side.config) if before is not None else set()
    result = Verdict([], [])
    for one in routes.check(text, config.namespace):
        if one.identity in known and one.serious:
            result.told.append((place(config, one), one._replace(what=f"{one.what} (so it was before)")))
        else:
            (result.wrong if one.serious else result.told).append((place(config, one), one))
    if before is not None and old:
        chart = _renders_otherwise(side, before.side)
        wanted = chart or before.files.values != files.values
        path = files.place.tag_file if before.files.tags != files.tags else files.place.values_file
        for one in routes.compare(old, text, config.namespace):
            wrong = one.serious and one.rule != "digest" and not (wanted and one.rule in _MEANT)
            (result.wrong if wrong else result.told).append((place(config, one) if chart else path, one))
    return result


def _manifests_before(before: Before) -> str:
    """What was rendered; empty where that is nothing to compare with, for it is being corrected."""
    text = before.side.renderings.of(before.files).text
    try:
        routes.check(text, before.side.config.namespace)
    except ReleaseError:
        return ""
    return text


def _known(rendering: str, config: Config) -> set[tuple[str, str, str]]:
    return {one.identity for one in routes.check(rendering, config.namespace)}


def _renders_otherwise(side: Side, old: Side) -> bool:
    """Whether the chart, or what the configuration hands to it, is another one."""
    handed = [(one.config.release_name, one.config.namespace, one.renderings.chart()) for one in (side, old)]
    return handed[0] != handed[1]

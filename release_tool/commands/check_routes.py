"""What the checks of routing mean for a change that people made: part of `release check`.

What breaks a call that works now is wrong. What was wrong before is a warning, and stops nothing: the way out
of it may be this very change. An operation never makes the pods of another version anew; people may want to, by another
chart or other values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool import manifests
from release_tool.errors import ReleaseError, TryAgain
from release_tool.manifests import admission, contradictions, routes
from release_tool.manifests.templates import Templates
from release_tool.model import history
from release_tool.publishing.route_gate import known, leaves, place_of

if TYPE_CHECKING:
    from release_tool.config import Config
    from release_tool.manifests.routes import RouteFinding
    from release_tool.model.records import Change
    from release_tool.remote.rendering import Renderings
    from release_tool.remote.snapshot import Files

    Placed = tuple[str, RouteFinding]

_MEANT = frozenset(["rolled", "stopped"])  # what people may do on purpose


class Before(NamedTuple):
    """What renders the moment before, and the environment's files then."""

    renderings: Renderings
    files: Files


class Checked(NamedTuple):
    """Findings with the file that is to be corrected: what is wrong, and what there is to know beside that."""

    wrong: list[Placed]
    told: list[Placed]


def check(renderings: Renderings, files: Files, before: Before | None) -> Checked:
    """What the checks say of an environment."""
    config = renderings.config
    text = renderings.render(files)
    manifests.objects(text)
    old, chart = "", False
    if before is not None:
        chart = _renders_otherwise(renderings, before.renderings)
        same = not chart and (before.files.tags, before.files.values) == (files.tags, files.values)
        old = text if same else _manifests_before(before)
    wrong_before = known(old, before.renderings.config) if before is not None else set()
    refused = admission.check(text)
    wrong_before |= {one.identity for one in admission.check(old)} if refused else set()
    result = Checked([], [])
    for one in (*routes.check(text, config.namespace), *refused):
        if one.identity in wrong_before and one.serious:
            result.told.append((place_of(renderings, one), one._replace(what=f"{one.what} (so it was before)")))
        else:
            (result.wrong if one.serious else result.told).append((place_of(renderings, one), one))
    # Of a chart that stays as it is: an operation has asked a person whether to go on all the same.
    to = result.wrong if before is None or chart else result.told
    to.extend((_line_of(renderings, files, one), one) for one in _contradictions(text, config, files))
    if before is not None and old:
        wanted = chart or before.files.values != files.values
        other = [path for path, text in files.values if (path, text) not in before.files.values]
        path = files.place.tag_file if before.files.tags != files.tags or not other else other[0]
        was, now = before.renderings.steady(old, before.files), renderings.steady(text, files)
        found = routes.compare(was.rendering, now.rendering, config.namespace)
        meant = _MEANT if wanted else frozenset()
        gone_on = [] if wanted else _new_changes(before.files, files)
        for one in found:
            wrong = one.serious and one.rule != "digest" and one.rule not in meant and not leaves(one, gone_on)
            (result.wrong if wrong else result.told).append((place_of(renderings, one) if chart else path, one))
    return result


def _line_of(renderings: Renderings, files: Files, one: RouteFinding) -> str:
    templates = Templates(renderings.chart(), renderings.place)
    return templates.place(one.source, "", rf"\b{re.escape(files.place.key.rpartition('.')[2])}\.(?:quarantined|tag)\b")


def _contradictions(text: str, config: Config, files: Files) -> tuple[RouteFinding, ...]:
    try:
        return contradictions.check(text, config.namespace, files.state(empty=True), files.place.key) if text else ()
    except ReleaseError:  # it was wrong before
        return ()


def _new_changes(before: Files, after: Files) -> list[Change]:
    """What the new lines of an environment's record change: the gate before publishing has judged that."""
    seen = {line.id for line in history.readable_lines(before.record)}
    new = (line for line in history.readable_lines(after.record) if line.id not in seen)
    return [change for line in new for change in line.changes]


def _manifests_before(before: Before) -> str:
    """What was rendered; empty where that is nothing to compare with, for it is being corrected."""
    text = before.renderings.render_if_possible(before.files)
    try:
        routes.check(text, before.renderings.config.namespace)
    except ReleaseError:
        return ""
    return text


def _renders_otherwise(new: Renderings, old: Renderings) -> bool:
    """Whether the chart, or what the configuration hands to it, is another one."""
    try:
        handed = [(one.config.release_name, one.config.namespace, one.chart()) for one in (new, old)]
    except TryAgain:
        raise
    except ReleaseError:  # there was no chart, or none that can be read
        return True
    return handed[0] != handed[1]

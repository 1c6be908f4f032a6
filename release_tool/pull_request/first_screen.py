"""The first screen of a pull request: what changes for callers, who asked why, the risk, the images, the warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from release_tool.model.versions import is_newer
from release_tool.pull_request.builds import images
from release_tool.pull_request.callers import callers, moved
from release_tool.pull_request.markdown import (
    Markup,
    alert,
    join,
    link,
    listed,
    plain,
    safe_url,
    version,
    within_share,
)
from release_tool.pull_request.messages import subject
from release_tool.rules import outlook
from release_tool.rules.plan import held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.manifests.routes.reach import Reach
    from release_tool.model.records import Line
    from release_tool.pull_request.proposal import Proposed

_NAMES = 24  # in one sentence
_ASKED = 5  # operations
_SAID = 12  # warnings


def first_screen(proposed: Proposed) -> list[Markup]:
    """All that a reader needs for a decision, each fact once."""
    said = list(_warnings(proposed))
    shown = within_share(said, _SAID)
    more = [Markup(f"and {len(said) - len(shown)} more")] if len(said) > len(shown) else []
    return [
        *callers(proposed),
        *_asked(proposed),
        _risk(proposed),
        *images(proposed),
        *([alert("WARNING", [*shown, *more])] if said else []),
    ]


# -- who asked for it, and why ----------------------------------------------------------------------------------------


def _asked(proposed: Proposed) -> list[Markup]:
    if len(proposed.lines) == 1:  # the title names the operation
        said = _by(proposed.lines[0])
        return [Markup(f"**Asked for**{said}")] if said else []
    rows = [Markup(f"- {plain(subject(line.intent))}{said}") for line in proposed.lines if (said := _by(line))]
    shown = within_share(rows, _ASKED)
    if len(shown) < len(rows):
        shown.append(Markup(f"- and {len(rows) - len(shown)} more: see “Where it comes from”"))
    return [join("\n", [Markup("**Asked for**:"), Markup(""), *shown])] if rows else []


def _by(line: Line) -> str:
    """Who, why, in which run: ` by ada: a customer waits ([run at ci.example.com](…))`."""
    intent = line.intent
    safe = safe_url(intent.run)
    run = f" ({link(f'run at {urlsplit(safe).netloc}', intent.run)})" if safe else ""
    reason = f": {plain(intent.arguments.reason)}" if intent.arguments.reason else ""
    return f"{f' by {plain(intent.by)}' if intent.by else ''}{reason}{run}"


# -- the risk ---------------------------------------------------------------------------------------------------------


def _risk(proposed: Proposed) -> Markup:
    """One line: how much of what callers get changes, and the way back (docs/explanation/publishing.md: the levels)."""
    level, why = _level(proposed)
    before, after, order = proposed.before, proposed.plan.after, proposed.order
    back = False
    if before.default is not None and after.default is not None:
        here, there = ((name, held.versions[name]) for name, held in ((before.default, before), (after.default, after)))
        back = is_newer(order, here, there)
    more = ["the default moves **back**"] if back else []
    seen = proposed.ahead
    if seen is not None and after.default is not None and level != "none":
        if seen.fallback is not None:
            which = "another" if back else "a"
            more += [f"{which} downgrade would go back to {seen.fallback}"] if before.default != after.default else []
        else:
            to = " (a downgrade needs `--to NAME`)" if set(after.live) - {after.default} else ""
            more.append(f"there is no version to fall back to{to}")
    return Markup(f"**Risk: {level}**: {'; '.join([why, *more])}.")


def _level(proposed: Proposed) -> tuple[str, str]:
    gates = [gate for line in proposed.lines for gate in line.intent.gates]
    if proposed.notes or any(gate.verdict in {"forced", "refused"} for gate in gates):
        return "high", "see the warnings"
    if proposed.manifests is not None and not proposed.manifests:
        return "none", "no rendered object changes"
    both = moved(proposed)
    if both is None:
        return "unknown", "the manifests don't tell which calls get another version"
    return _of_routes(*both)


def _of_routes(before: Reach, after: Reach) -> tuple[str, str]:
    if not before.running:
        return "low", "nothing runs here yet"
    went = before.own - after.own
    if not after.unnamed() and (went or before.unnamed()):
        return "high", "calls that are answered today find no route"
    if went or before.first != after.first:
        return "medium", "calls of today get another version"
    return "low", "each call of today keeps its version"


# -- warnings that need a decision ------------------------------------------------------------------------------------


def _warnings(proposed: Proposed) -> Iterator[Markup]:
    for line in proposed.lines:
        for gate in line.intent.gates:
            if gate.verdict in {"forced", "refused"}:
                what = f"{plain(subject(line.intent))}: the gate {plain(gate.name)} said no"
                yield Markup(f"{what}{' and was overruled' if gate.verdict == 'forced' else ''}: {plain(gate.reason)}")
    yield from _held_default(proposed)
    for those, said in (
        (held(proposed.lines), "waits, without effect for now"),
        (proposed.plan.left_out, "is left out"),
    ):
        for one in those:
            yield Markup(f"{plain(subject(one.line.intent))} {said}: {plain(one.reason)}")
    for name, tag, day in proposed.ending:
        keeps = f"`{proposed.place.command('pin', name, '--until', 'DAY', '--reason', 'WHY')}` keeps it."
        yield Markup(f"The pin of {version(name, tag)} ends: its last day is {plain(day)}. {keeps}")
    for note in proposed.notes:
        yield plain(note)
    yield from _images(proposed)


def _held_default(proposed: Proposed) -> Iterator[Markup]:
    """A bump that moves no default, because of a version that was quarantined before."""
    names = [] if proposed.ahead is None else [n for n in proposed.ahead.holding if n in proposed.before.quarantined]
    if names and any(line.intent.operation == "bump" for line in proposed.lines):
        which = listed([plain(name) for name in names], _NAMES)
        ways = (("clear", names[0]), ("default", "NAME"))
        frees = " or ".join(f"`{proposed.place.command(verb, name)}`" for verb, name in ways)
        verb = "is" if len(names) == 1 else "are"
        yield Markup(f"The default is held: {which} {verb} quarantined and newer. {frees} frees it.")


def _images(proposed: Proposed) -> Iterator[Markup]:
    """Tags that stand for another image elsewhere."""
    states = {**proposed.environments, proposed.place.environment: proposed.plan.after}
    for one in outlook.differences(states):
        if proposed.place.environment in one.digests:
            others = [plain(name) for name in one.digests if name != proposed.place.environment]
            yield Markup(f"{version(one.name, one.tag)} is another image here than in {listed(others, _NAMES)}.")

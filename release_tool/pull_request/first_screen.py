"""The first screen of a pull request: what changes for callers, and what to be careful about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.records import name_number
from release_tool.model.versions import is_newer
from release_tool.pull_request.markdown import (
    NOTHING,
    Markup,
    alert,
    bold,
    gone,
    join,
    listed,
    plain,
    table,
    version,
    within_share,
)
from release_tool.pull_request.messages import subject
from release_tool.rules import outlook
from release_tool.rules.plan import held

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from release_tool.manifests.routes.reach import Reach
    from release_tool.model.records import Name, State, Tag
    from release_tool.pull_request.proposal import Proposed

_NAMES = 24  # in one cell
_MOVED = 8  # versions in one sentence
_SAID = 12  # warnings


def first_screen(proposed: Proposed) -> list[Markup]:
    """The default and the sets before and after, what that means for callers, and the warnings."""
    moved = [Markup(f"- {one}") for one in _moved(proposed)]
    said = list(_warnings(proposed))
    shown = within_share(said, _SAID)
    more = [Markup(f"and {len(said) - len(shown)} more")] if len(said) > len(shown) else []
    return [
        _sets(proposed),
        *([join("\n", moved)] if moved else []),
        *([alert("WARNING", [*shown, *more])] if said else []),
    ]


def _sets(proposed: Proposed) -> Markup:
    before, after = proposed.before, proposed.plan.after
    sides = [_Side(state, proposed.reach(after=later)) for state, later in ((before, False), (after, True))]
    word = "routed" if any(side.reach for side in sides) else "live"
    rows = [
        [Markup("default"), _default(before, after, is_new=False), _default(after, before, is_new=True)],
        [Markup(word), *_both(*(side.routed for side in sides))],
    ]
    if any(side.others for side in sides):
        what = "deployed without a route" if word == "routed" else "quarantined or retired"
        rows.append([Markup(what), *_both(*(side.others for side in sides))])
    return table(("", "now", "once this lands"), rows, "see below")


class _Side(NamedTuple):
    """The versions before or after; `reach`: who answers calls, None where routes tell no versions apart."""

    state: State
    reach: Reach | None

    @property
    def routed(self) -> list[Name]:
        """The versions that can be called by name; by the file, where no route tells."""
        return list(self.state.live) if self.reach is None else [*self.reach.own]

    @property
    def others(self) -> list[Name]:
        """Those that are deployed beside them."""
        if self.reach is None:
            return [*self.state.quarantined, *self.state.retired]
        return [name for name in self.reach.running if not self.reach.routed(name)]


def _default(one: State, other: State, *, is_new: bool) -> Markup:
    if one.default is None:
        return NOTHING
    text = version(one.default, one.versions[one.default])
    same = other.default is not None and other.versions[other.default] == one.versions[one.default]
    return bold(text) if is_new and not same else text


def _both(before: Collection[Name], after: Collection[Name]) -> tuple[Markup, Markup]:
    """The names of a set now, those struck out that leave it, and later, those in bold that join it."""
    now = [plain(name) if name in after else gone(plain(name)) for name in _sorted(before, after)]
    then = [plain(name) if name in before else bold(plain(name)) for name in _sorted(after, before)]
    return listed(now, _NAMES), listed(then, _NAMES)


def _sorted(names: Iterable[Name], others: Collection[Name]) -> list[Name]:
    """Newest names first; where they are many, those that the other side doesn't have come before the rest."""
    found = sorted(names, key=name_number, reverse=True)
    return found if len(found) <= _NAMES else sorted(found, key=lambda name: name in others)


# -- callers ----------------------------------------------------------------------------------------------------------


def _moved(proposed: Proposed) -> Iterator[Markup]:
    """What callers notice, in sentences, as the renderings tell."""
    before, after = proposed.reached or (None, None)
    if before is None or after is None:
        return
    versions = proposed.all_versions()
    known = not (before.apart or after.apart)  # by hosts, paths, callers: which calls name a version nobody knows
    if known and before.first != after.first and after.unnamed():
        here, there = (_told(one.first, versions) if one.first else Markup("nobody") for one in (before, after))
        yield Markup(f"Calls that name no version, or an unknown one: {here} → {there}.")
    elif known and before.unnamed() and not after.unnamed():
        yield Markup("Calls that name no version, or an unknown one, find no route from then on.")
    came, went = after.own - before.own, before.own - after.own
    if came:
        yield Markup(f"{_told(came, versions)} can be called by name from then on.")
    if went:
        it, its = ("it", "loses its route") if len(went) == 1 else ("one of them", "lose their routes")
        get = "get what calls without a version get" if after.unnamed() else "find no route"
        if after.first == {proposed.plan.after.default}:
            get = "get the default"
        yield Markup(f"{_told(went, versions)} {its}: calls that name {it} {get}.")
    if not (before.header or after.header):
        came = frozenset(after.running.keys() - before.running.keys())
        went = frozenset(before.running.keys() - after.running.keys())
        if came:
            yield Markup(f"{_told(came, versions)} {'run' if len(came) > 1 else 'runs'} from then on.")
        if went:
            yield Markup(f"{_told(went, versions)} {'run' if len(went) > 1 else 'runs'} no more.")


def _told(names: Iterable[Name], versions: Mapping[Name, Tag]) -> Markup:
    found = sorted(names, key=name_number, reverse=True)
    return listed([version(name, versions[name]) for name in found], _MOVED)


# -- warnings ---------------------------------------------------------------------------------------------------------


def _warnings(proposed: Proposed) -> Iterator[Markup]:
    yield from _about_the_default(proposed)
    for line in proposed.lines:
        for gate in line.intent.gates:
            if gate.verdict in ("forced", "refused"):
                what = f"{plain(subject(line.intent))}: the gate {plain(gate.name)} said no"
                yield Markup(f"{what}{' and was overruled' if gate.verdict == 'forced' else ''}: {plain(gate.reason)}")
    for those, said, where in (
        (held(proposed.lines), "without effect for now", "Without effect for now"),
        (proposed.plan.left_out, "left out", "Left out"),
    ):
        if those:
            what = "operations are" if len(those) > 1 else "operation is"
            yield Markup(f"{len(those)} pending {what} {said}: see “{where}” below.")
    for name, tag, day in proposed.ending:
        yield Markup(f"The pin of {version(name, tag)} ends: its last day is {plain(day)}.")
    for note in proposed.notes:
        yield plain(note)
    yield from _images(proposed)


def _about_the_default(proposed: Proposed) -> Iterator[Markup]:
    before, after, order = proposed.before, proposed.plan.after, proposed.order
    if before.default is not None and after.default is not None:
        here = (before.default, before.versions[before.default])
        there = (after.default, after.versions[after.default])
        if is_newer(order, here, there):
            yield Markup(f"The default moves **back**, from {version(*here)} to {version(*there)}.")
    seen = proposed.ahead
    if seen is not None and seen.holding:
        verb = "is" if len(seen.holding) == 1 else "are"
        names = listed([plain(name) for name in seen.holding], _NAMES)
        yield Markup(f"The default is held: {names} {verb} quarantined and newer, so a bump moves no default.")
    if seen is not None and after.default is not None and seen.fallback is None:
        to = "need `--to NAME`" if set(after.live) - {after.default} else "have nowhere to go"
        yield Markup(f"There is no version to fall back to: a downgrade would {to}.")


def _images(proposed: Proposed) -> Iterator[Markup]:
    """Tags that stand for another image elsewhere."""
    states = {**proposed.environments, proposed.place.environment: proposed.plan.after}
    for one in outlook.differences(states):
        if proposed.place.environment in one.digests:
            others = [plain(name) for name in one.digests if name != proposed.place.environment]
            yield Markup(f"{version(one.name, one.tag)} is another image here than in {listed(others, _NAMES)}.")

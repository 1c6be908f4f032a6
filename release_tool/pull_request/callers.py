"""What changes for callers, in sentences; and what changes beside that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.records import name_number
from release_tool.model.times import duration_text
from release_tool.pull_request.markdown import Markup, bold, join, listed, plain, version, within_share

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from release_tool.manifests.routes.reach import Reach
    from release_tool.model.records import Change, Name, State, Tag
    from release_tool.pull_request.proposal import Proposed

_MOVED = 8  # versions in one sentence
_SENTENCES = 8

_SILENT = Markup("Callers notice nothing.")
_DONE = {
    "add": "is added",
    "set-default": "becomes the default",
    "retire": "retires",
    "remove": "is removed",
    "deploy": "is deployed and not routed yet",
    "restore": "comes back",
    "pin": "is pinned",
    "unpin": "is no longer pinned",
    "quarantine": "is quarantined",
    "clear": "is cleared",
}


_ENTERS = {
    **dict.fromkeys(("add", "restore"), ("versions",)),
    **dict.fromkeys(("deploy", "retire"), ("retired",)),
    "pin": ("pinned",),
    "quarantine": ("quarantined",),
}
_LEAVES = {"remove": ("versions", "retired"), "unpin": ("pinned",), "clear": ("quarantined",)}
"""Action -> the sections of the file that hold the version afterwards, or that don't."""


class Said(NamedTuple):
    """One sentence, and the changes that it tells: an action and the version that it is about."""

    sentence: Markup
    tells: frozenset[tuple[str, str]]


class _Versions:
    """Versions in sentences that stand below each other: the first that names one shows its tag."""

    def __init__(self, tags: Mapping[Name, Tag]) -> None:
        self._tags = tags
        self._shown: set[Name] = set()

    def told(self, names: Iterable[Name]) -> Markup:
        """The newest name first."""
        found = sorted(names, key=name_number, reverse=True)
        parts = [plain(name) if name in self._shown else version(name, self._tags[name]) for name in found]
        self._shown.update(found[:_MOVED])
        return listed(parts, _MOVED)


def callers(proposed: Proposed) -> list[Markup]:
    """A list: what callers notice, as the renderings tell; then each other change that stays once this lands."""
    versions = _Versions(proposed.all_versions())
    said = list(_noticed(proposed, versions))
    told = {change for one in said for change in one.tells}
    sentences = [one.sentence for one in said] or _nothing(proposed)
    sentences += [_other(change, versions, proposed) for change in _changes(proposed, told)]
    shown = within_share([Markup(f"- {one}") for one in sentences], _SENTENCES)
    if len(shown) < len(sentences):
        shown.append(Markup(f"- and {len(sentences) - len(shown)} more: see “What changes, and why”"))
    return [join("\n", shown)] if shown else []


def moved(proposed: Proposed) -> tuple[Reach, Reach] | None:
    """Who answers calls before and after; None where nobody knows which calls name a version, or what stands there."""
    before, after = proposed.reached or (None, None)
    if before is None or after is None or before.apart or after.apart:
        return None
    return before, after


# -- what callers notice ----------------------------------------------------------------------------------------------


def _noticed(proposed: Proposed, versions: _Versions) -> Iterator[Said]:
    before, after = proposed.reached or (None, None)
    if before is None or after is None:
        return
    if moved(proposed) is not None:
        yield from _unnamed(versions, before, after)
    came, went = after.own - before.own, before.own - after.own
    if came:
        sentence = Markup(f"{versions.told(came)} can be called by name from then on.")
        yield Said(sentence, _about(("add", "restore", "clear"), came))
    if went:
        yield from _without_route(proposed, went, after, versions)
    if not (before.header or after.header):
        yield from _running(versions, before.running.keys(), after.running.keys())


def _unnamed(versions: _Versions, before: Reach, after: Reach) -> Iterator[Said]:
    """Calls that name no version."""
    tells = _about(("set-default",), after.first)
    if before.first != after.first and after.unnamed():
        here = versions.told(before.first) if before.first else Markup("nobody")
        there = versions.told(after.first) if after.first else Markup("nobody")
        yield Said(Markup(f"Calls that name no version, or an unknown one: {here} → {bold(there)}."), tells)
    elif before.unnamed() and not after.unnamed():
        yield Said(Markup("Calls that name no version, or an unknown one, find no route from then on."), tells)


def _without_route(proposed: Proposed, went: Collection[Name], after: Reach, versions: _Versions) -> Iterator[Said]:
    """Versions that lose their routes, together where that has one reason."""
    get = "get what calls without a version get" if after.unnamed() else "find no route"
    if after.first == {proposed.plan.after.default}:
        get = "get the default"
    for reason, names in _by_reason(proposed, went).items():
        it, its = ("it", "loses its route") if len(names) == 1 else ("one of them", "lose their routes")
        why = f" ({plain(reason)})" if reason else ""
        sentence = Markup(f"{versions.told(names)} {its}{why}: calls that name {it} {get}.")
        yield Said(sentence, _about(("retire", "remove", "quarantine"), names))


def _by_reason(proposed: Proposed, names: Collection[Name]) -> dict[str, list[Name]]:
    """Why the sweep takes some versions away; what a person asked for has its reason elsewhere on the first screen."""
    why = {change.version: change.reason for change in proposed.changes if change.sweep and change.action == "retire"}
    found: dict[str, list[Name]] = {}
    for name in names:
        found.setdefault(why.get(name, ""), []).append(name)
    return dict(sorted(found.items())) if len(found) <= _SENTENCES // 2 else {"": list(names)}


def _running(versions: _Versions, before: Collection[Name], after: Collection[Name]) -> Iterator[Said]:
    """What runs, where no route tells versions apart."""
    came, went = set(after) - set(before), set(before) - set(after)
    if came:
        sentence = Markup(f"{versions.told(came)} {'run' if len(came) > 1 else 'runs'} from then on.")
        yield Said(sentence, _about(("add", "restore"), came))
    if went:
        sentence = Markup(f"{versions.told(went)} {'run' if len(went) > 1 else 'runs'} no more.")
        yield Said(sentence, _about(("retire", "remove"), went))


def _nothing(proposed: Proposed) -> list[Markup]:
    """That callers notice nothing, where that is sure."""
    both = moved(proposed)
    if proposed.manifests is not None and not proposed.manifests:
        return [_SILENT]
    same = both is not None and both[0].rows == both[1].rows and both[1].header
    return [_SILENT] if same else []


def _about(actions: Iterable[str], names: Iterable[Name]) -> frozenset[tuple[str, str]]:
    those = list(actions)
    return frozenset((action, name) for name in names for action in those)


# -- what else changes ------------------------------------------------------------------------------------------------


def _changes(proposed: Proposed, told: Collection[tuple[str, str]]) -> list[Change]:
    """The changes that no sentence has told, of versions that are something else once this lands.

    One that a later one takes back is none of them: what was to go stays, or what was to come does not.
    """
    last = {(one.action, one.version): one for one in proposed.changes}
    return [
        one
        for key, one in last.items()
        if key not in told
        and one.action in _DONE
        and _what(proposed.before, one.version) != _what(proposed.plan.after, one.version)
        and _holds(one, proposed.plan.after)
    ]


def _holds(change: Change, after: State) -> bool:
    """Whether a version is what a change makes of it once all are made."""
    name, action = change.version, change.action
    if action == "set-default":
        return name == after.default
    if action in _ENTERS:
        return any(name in getattr(after, section) for section in _ENTERS[action])
    return not any(name in getattr(after, section) for section in _LEAVES[action])


def _what(state: State, name: Name) -> tuple[object, ...]:
    """All that a file says of a version."""
    entries = (state.versions, state.retired, state.pinned, state.quarantined)
    return (*(held.get(name) for held in entries), state.default == name)


def _other(change: Change, versions: _Versions, proposed: Proposed) -> Markup:
    """One change as a sentence; the reason of whoever asked for it stands elsewhere on the first screen."""
    if change.action == "deploy":
        waits, place = duration_text(proposed.warm_up), proposed.place
        return Markup(
            f"{versions.told([change.version])} {_DONE[change.action]}: calls that name it are answered as before. "
            f"Once this has landed, the first clean-up after {waits} routes it, or "
            f"`{place.command('restore', change.version)}` at once."
        )
    was = f" (was {plain(change.before)})" if change.action == "set-default" and change.before is not None else ""
    until = f" until {change.until.isoformat()}" if change.until is not None else ""
    why = f": {plain(change.reason)}" if change.sweep else ""
    return Markup(f"{versions.told([change.version])} {_DONE[change.action]}{was}{until}{why}.")

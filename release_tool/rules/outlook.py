"""About an environment: what holds its default, what later sweeps do, and images that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.versions import is_newer, newest_first, tag_part
from release_tool.rules import forecast
from release_tool.rules.retention import Facts, fallback_target, sweep

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from release_tool.config import Environment
    from release_tool.model.records import Change, Name, State, Tag
    from release_tool.rules.forecast import Coming


class Outlook(NamedTuple):
    """What to know about the versions of an environment, beside their states."""

    holding: tuple[Name, ...] = ()  # the quarantined versions that keep bumps from moving the default, newest first
    fallback: Name | None = None  # the version that a downgrade would go back to
    due: tuple[Change, ...] = ()  # what a cleanup would change now
    coming: tuple[Coming, ...] = ()  # what later ones will change, if nothing else happens


class ImageDifference(NamedTuple):
    """One tag that stands for different images: environment -> the digest that is written there."""

    name: Name
    tag: str
    digests: Mapping[str, str]


def ahead(state: State, environment: Environment, order: str, facts: Facts) -> Outlook:
    """What to know about the versions of an environment in the base; needs all ages."""
    policy = environment.retention
    due = sweep(state, policy, order, facts).changes
    return Outlook(
        holding=_holding(state, order) if environment.default == "newest" else (),
        fallback=fallback_target(state, facts.former, order),
        due=due,
        coming=forecast.coming(state, policy, order, facts)[len(due) :],  # it begins with what is due
    )


def _holding(state: State, order: str) -> tuple[Name, ...]:
    if state.default is None:
        return ()
    here = (state.default, state.versions[state.default])
    bad = {name: state.versions[name] for name in state.quarantined}
    return tuple(name for name, tag in newest_first(order, bad.items()) if is_newer(order, (name, tag), here))


def where(state: State, name: Name) -> str:
    """What a version is, in a word: `live`, `quarantined` or `retired`; it is one of the state's."""
    if name in state.retired:
        return "retired"
    return "quarantined" if name in state.quarantined else "live"


def cell(state: State | None, name: Name, tag: Tag, restored: Collection[Name] = ()) -> str:
    """What the matrix of versions and environments says of a version in an environment; empty where it isn't there.

    A tag other than that of the row's head, `tag`, is named. Digests don't count: `differences` has those. `restored`:
    the versions that came back, and have no route yet.
    """
    here = {} if state is None else {**state.versions, **state.retired}
    if state is None or name not in here:
        return ""
    words = ["default" if name == state.default else where(state, name)]
    if words == ["retired"] and name in restored:
        words = ["restored"]
    if name in state.pinned:
        words.append("pinned")
    if tag_part(here[name]) != tag_part(tag):
        words.append(tag_part(here[name]))
    return ", ".join(words)


def all_of(state: State | None) -> Iterator[tuple[Name, Tag]]:
    """All versions that are deployed: live, quarantined and retired ones."""
    if state is not None:
        yield from state.versions.items()
        yield from state.retired.items()


def differences(states: Mapping[str, State | None]) -> list[ImageDifference]:
    """The tags whose digests differ between environments; one that is written without a digest tells nothing."""
    found: dict[str, tuple[Name, dict[str, str]]] = {}
    for environment, state in states.items():
        for name, tag in all_of(state):
            part, _, digest = tag.partition("@")
            if digest:
                found.setdefault(part, (name, {}))[1][environment] = digest
    return [ImageDifference(name, tag, held) for tag, (name, held) in found.items() if len(set(held.values())) > 1]

"""Verdicts about whether a guard's downgrade reaches the base with nobody awake."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.doctor.diagnosis import Diagnosis, ok

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from release_tool.config import Environment
    from release_tool.doctor.github_branch import Demands


class Ways(NamedTuple):
    """What a downgrade could take.

    Attributes:
        found: what holds for the base.
        auto_merge: whether the repository allows auto-merge; None: hidden.
        web: the repository's page.
    """

    found: Demands
    auto_merge: bool | None
    web: str

    @property
    def page(self) -> str:
        """Where auto-merge is allowed."""
        return f"{self.web}/settings"

    @property
    def rules(self) -> str:
        """Where what is demanded of the base is set."""
        return f"{self.web}/settings/{'rules' if 'rulesets' in self.found.by else 'branches'}"


def guard(environments: Iterable[Environment], ways: Ways) -> Iterator[Diagnosis]:
    """Whether a downgrade of each environment with health checks lands by itself."""
    for one in environments:
        if one.health is not None:
            yield _lands(one, ways)


def _lands(one: Environment, ways: Ways) -> Diagnosis:
    """Whether one does, and what is in the way."""
    if one.downgrade_mode == "direct" and ways.found.pushable:
        return ok("guard", f"a downgrade of {one.name} is pushed to the base")
    if one.downgrade_mode == "direct" and ways.found.pushable is None:
        return _unsure(one, "may be pushed", ways.rules, "the token's owner may bypass")
    if one.downgrade.auto_merge and not ways.found.reviews:
        if not ways.found.by or ways.auto_merge:
            return ok("guard", f"a downgrade of {one.name} merges by itself")
        if ways.auto_merge is None:
            return _unsure(one, "merges by itself", ways.page, "auto-merge is allowed")
    return _waits(one, ways)


def _unsure(one: Environment, what: str, page: str, look: str) -> Diagnosis:
    words = f"whether a downgrade of {one.name} {what} can't be told"
    return Diagnosis("unknown", "guard", words, page, _WHY.format(one.name), f"look whether {look}: {page}")


def _waits(one: Environment, ways: Ways) -> Diagnosis:
    """A person must merge it."""
    what = f"a downgrade of {one.name} waits for a person: neither a bypass nor auto-merge"
    page, mend = ways.page, f"Allow auto-merge: {ways.page}"
    if ways.found.reviews and one.downgrade.auto_merge:
        what = f"a downgrade of {one.name} waits for a review: the base asks for {ways.found.reviews}"
        page = ways.rules
        mend = f"let the token's owner bypass the rule, and set `downgrade: {{publish: direct}}`: {page}"
    elif not one.downgrade.auto_merge:
        page = ways.rules
        mend = f"set `downgrade: {{auto_merge: true}}`, or `publish: direct` with a bypass: {page}"
    return Diagnosis("error", "guard", what, page, _WHY.format(one.name), mend)


_WHY = "when the default of {} turns bad at night, its callers wait for a person"

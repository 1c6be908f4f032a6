"""What a pull request brings, as far as its text tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.records import State
from release_tool.rules import outlook
from release_tool.rules.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from release_tool.config import Place
    from release_tool.manifests import ObjectChange
    from release_tool.manifests.routes.reach import Reach
    from release_tool.model.records import Change, Line, Name, Tag
    from release_tool.rules.outlook import Outlook


class Proposed(NamedTuple):
    """What a pull request brings. The same values give the same text, so none of them may tell when it was written.

    Attributes:
        place: the environment.
        lines: all lines that it brings.
        before: the environment's versions in the base.
        plan: what they become once it lands, what stays, and what the base refuses.
        order: the configured order of versions.
        environments: all environments of the service in promotion order: name -> its versions in the base; None where
            they can't be read. This environment's are those of `before`.
        ahead: what holds the default once it lands, the fallback target, and what later sweeps change.
        ending: the pins that end within a week: name, tag, the last day.
        notes: what the checks of the manifests have to say.
        manifests: the difference of the rendered manifests; None where nothing was rendered.
        reached: who answers calls before and after it, as the rendering tells; None where nothing was rendered, or,
            of what stands there, where that can't be.
        image: repository of the image as configured; empty: it isn't known.
        builds: tag part -> where its image comes from, as the record tells.
        branch: the branch, where it isn't the rolling one.
        restoring: the versions that came back to the base, and have no route there yet.
        warm_up: how long one that comes back is deployed before it is routed.
    """

    place: Place
    lines: Sequence[Line]
    before: State = State()
    plan: Plan = Plan((), (), State())
    order: str = "semver"
    environments: Mapping[str, State | None] = {}
    ahead: Outlook | None = None
    ending: Sequence[tuple[str, str, str]] = ()
    notes: Sequence[str] = ()
    manifests: Sequence[ObjectChange] | None = None
    reached: tuple[Reach | None, Reach] | None = None
    image: str = ""
    builds: Mapping[str, Mapping[str, str]] = {}
    branch: str = ""
    restoring: Collection[Name] = ()
    warm_up: timedelta = timedelta(0)

    @property
    def changes(self) -> list[Change]:
        """All that changes, in the order of the lines."""
        return [change for line in self.lines for change in line.changes]

    def reach(self, *, after: bool) -> Reach | None:
        """Who answers calls before or after it; None where no route tells versions apart, or nobody knows."""
        found = None if self.reached is None else self.reached[after]
        return found if found is not None and found.header else None

    def all_versions(self) -> dict[Name, Tag]:
        """Name -> tag of all that is deployed before or after."""
        return {**dict(outlook.all_of(self.before)), **dict(outlook.all_of(self.plan.after))}

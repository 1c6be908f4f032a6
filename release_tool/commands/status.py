"""`release status`: the version x environment matrix, and what stands, waits and comes in each environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError, TryAgain
from release_tool.manifests.routes.reach import reach
from release_tool.model import history
from release_tool.model.records import Name, State, Tag, name_number
from release_tool.remote import strays
from release_tool.remote.ages import EXACTLY, Ages
from release_tool.remote.applied import Applied, due, with_applied
from release_tool.remote.branch import look
from release_tool.remote.judged_versions import Asking
from release_tool.remote.landings import Landings, recorded
from release_tool.remote.rendering import Renderings
from release_tool.remote.snapshot import take_all
from release_tool.rules import forecast, outlook
from release_tool.rules.retention import Facts, without_route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from release_tool.config import Environment, Place
    from release_tool.forges.base import Forge
    from release_tool.health.source import ToJudge
    from release_tool.manifests.routes.reach import Reach
    from release_tool.model.delivery import Delivered
    from release_tool.model.health import Judged
    from release_tool.model.records import Change, Line, PullRequest
    from release_tool.remote.ages import Entry
    from release_tool.remote.snapshot import Files, Snapshot
    from release_tool.remote.strays import Stray
    from release_tool.remote.tool import Tool
    from release_tool.rules.outlook import Outlook


_RENDERED = 24
"""So many environments are rendered, where nobody named any: each takes some hundredths of a second."""


class Waiting(NamedTuple):
    """A release branch."""

    branch: str  # its short name
    pending: tuple[Line, ...]  # the lines that wait on it; may be none
    pull_request: PullRequest | None  # its open pull request


class EnvironmentStatus(NamedTuple):
    """One environment of one service."""

    place: Place  # where it lives
    policy: Environment  # its part of the configuration
    state: State | None = None  # its versions in the base branch; None where the file is missing or broken
    since: Mapping[Entry, datetime] = {}  # since when the base has held each entry as it is
    facts: Facts | None = None  # what the sweep knows beside the state; None where the files can't be read
    outlook: Outlook | None = None  # what holds the default and what comes; None where the files can't be read
    in_use: Mapping[Name, str] | None = None  # name -> who calls it, or why nobody knows; None: nobody was asked
    delivered: Delivered | None = None  # what the delivery tool says; None: nobody was asked
    health: tuple[Judged, ...] | None = None  # what the health checks say of the live versions; None: nobody was asked
    rolling: Waiting | None = None  # its rolling branch; None if there is none
    downgrade: Waiting | None = None  # the branch of its downgrade; None if there is none
    # who answers calls, as the rendering tells, or why nobody knows; None: nothing was rendered
    reach: Reach | ReleaseError | None = None
    errors: tuple[ReleaseError, ...] = ()  # what of it can't be read

    def landed(self, name: Name) -> datetime | None:
        """Since when a version is what it is; None where that isn't known."""
        if self.state is None:
            return None
        word = outlook.where(self.state, name)
        return self.since.get(("versions" if word == "live" else word, name))

    @property
    def default_since(self) -> datetime | None:
        """Since when the default is the default."""
        name = None if self.state is None else self.state.default
        return None if name is None else self.since.get(("default", name))

    @property
    def restoring(self) -> Mapping[Name, Change]:
        """The versions that came back without a route, and are to get one: name -> their `deploy`."""
        return {} if self.state is None or self.facts is None else without_route(self.state, self.facts)

    def drained_at(self, name: Name) -> datetime | None:
        """When a version may be removed; None for one that isn't retired, or is to get a route."""
        return None if name in self.restoring else self._after(name, self.policy.retention.drain)

    def routed_at(self, name: Name) -> datetime | None:
        """When a version that came back may get its route, at the latest; None for others."""
        return self._after(name, self.policy.retention.warm_up) if name in self.restoring else None

    def _after(self, name: Name, time: timedelta) -> datetime | None:
        landed = self.since.get(("retired", name))
        if self.facts is not None:  # it may have been applied later
            landed = self.facts.landed.get(("retired", name))
        return None if landed is None else forecast.later(landed, time)


class ServiceStatus(NamedTuple):
    """The environments of one service."""

    name: str  # of the service; empty where the repository has one without a name
    environments: tuple[EnvironmentStatus, ...]  # those that were asked for; all: in promotion order

    def rows(self) -> list[tuple[Name, Tag]]:
        """Every version of any environment, newest name first; where tags differ, the first environment's."""
        tags: dict[Name, Tag] = {}
        for one in self.environments:
            for name, tag in outlook.all_of(one.state):
                tags.setdefault(name, tag)
        return sorted(tags.items(), key=lambda row: name_number(row[0]), reverse=True)

    def differences(self) -> list[outlook.ImageDifference]:
        """The tags that stand for different images."""
        return outlook.differences({one.place.environment: one.state for one in self.environments})


class Status(NamedTuple):
    """What was found."""

    base: str  # the base branch
    now: datetime  # the time that ages count to
    services: tuple[ServiceStatus, ...]  # in the order of the configuration
    strays: tuple[Stray, ...] = ()  # the release branches that the configuration doesn't reach, where something waits

    def environments(self) -> list[EnvironmentStatus]:
        """All environments of all services."""
        return [one for service in self.services for one in service.environments]


def run(
    tool: Tool, environments: Sequence[str], service: str = "", *, in_use: bool = False, health: bool = False
) -> Status:
    """Look at the environments.

    Args:
        environments: their names; none: all.
        service: the service; empty: all of them.
        in_use: also ask who calls the versions, where the configuration says how.
        health: also judge the health of the live versions, where the configuration says how.

    Returns:
        What was found; what is broken in one environment stands in its `errors` and hides no other one.
    """
    snapshots = take_all(tool, service)
    config = snapshots[0].config
    for name in environments:
        config.environment(name)
    forge = tool.forge(config)
    places = [place for snapshot in snapshots for place in snapshot.config.places()]
    ages = Ages(tool.repository, Landings(tool.repository, lambda: forge), snapshots[0].base, places, tool.config_path)
    wanted = list(dict.fromkeys(environments)) or list(config.environments)
    renders = bool(environments) or len(wanted) * len(snapshots) <= _RENDERED
    look_at = Looking(tool, forge, ages, in_use=in_use, renders=renders, health=health)
    services = [
        ServiceStatus(snapshot.config.service, tuple(look_at.environment(snapshot, name) for name in wanted))
        for snapshot in snapshots
    ]
    if health:
        services = _with_health(tool, snapshots, services, look_at.now)
    found = strays.of(strays.find(tool.repository, tool.forge, snapshots[0]), environments, service)
    return Status(config.base, look_at.now, tuple(services), tuple(one for one in found if one.matters))


def _with_health(
    tool: Tool, snapshots: Sequence[Snapshot], services: Sequence[ServiceStatus], now: datetime
) -> list[ServiceStatus]:
    """The same with what the health checks say; all are asked at once."""
    asking = Asking(tool, snapshots, now)
    asked: dict[tuple[str, str], ToJudge] = {}
    for snapshot, service in zip(snapshots, services, strict=True):
        for one in service.environments:
            about = None if one.state is None else asking.about(snapshot, one.policy.name)
            if about is not None:
                asked[service.name, one.policy.name] = about
    said = dict(zip(asked, tool.judge(list(asked.values()), now), strict=True)) if asked else {}
    return [
        service._replace(
            environments=tuple(
                one._replace(health=said.get((service.name, one.policy.name))) for one in service.environments
            )
        )
        for service in services
    ]


class Looking:
    """One look at many environments."""

    def __init__(
        self, tool: Tool, forge: Forge, ages: Ages, *, in_use: bool, renders: bool, health: bool = False
    ) -> None:
        self._tool = tool
        self._forge = forge
        self._ages = ages
        self._in_use = in_use
        self._health = health
        self._renders = renders
        self._renderings: dict[str, Renderings] = {}  # of each service
        self.now = tool.now()

    def environment(self, snapshot: Snapshot, name: str) -> EnvironmentStatus:
        """One environment, as far as it can be read."""
        files = snapshot.files[name]
        found = EnvironmentStatus(snapshot.config.place(name), snapshot.config.environment(name))
        for part in (self._versions, self._rules, self._outlook, self._routes, self._branches):
            try:
                found = part(snapshot, files, found)
            except TryAgain:
                raise
            except ReleaseError as error:
                # A broken record stops the outlook and the branches alike; it is reported once.
                told = str(error) in map(str, found.errors)
                found = found if told else found._replace(errors=(*found.errors, error))
        return found

    def _versions(self, snapshot: Snapshot, files: Files, found: EnvironmentStatus) -> EnvironmentStatus:
        """What stands in the base, and since when."""
        if files.tags is None:
            return found
        found = found._replace(state=(state := files.state(empty=True)))
        wanted = dict.fromkeys(_entries(state), EXACTLY)
        return found._replace(
            since=self._ages.since(
                found.place, state, recorded(self._tool.repository, snapshot, files), wanted, self.now
            )
        )

    def _rules(self, _: Snapshot, files: Files, found: EnvironmentStatus) -> EnvironmentStatus:
        """That no version is live is told as `release check` tells it."""
        if found.state is not None and not found.state.live:
            files.state()
        return found

    def _outlook(self, snapshot: Snapshot, files: Files, found: EnvironmentStatus) -> EnvironmentStatus:
        """What holds the default and what comes; who calls the versions, where that is asked."""
        state = found.state
        if state is None:
            return found
        lines, config = files.lines(), snapshot.config
        now = max([self.now, *(line.at for line in lines[-1:])])  # an operation is never planned before the last line
        used = None
        if self._in_use and found.policy.retention.in_use is not None:
            used = self._tool.in_use(config, found.policy.name, state.live, now)
        restoring = history.restoring_now(lines, state)
        ready = self._ready(snapshot, found, [name for name in restoring if name in state.retired], now)
        former = history.former_defaults(lines, state.default)
        facts = Facts(now, state, found.since, former, used or {}, restoring, ready)
        found, facts = self._applied(snapshot, found, facts)
        seen = outlook.ahead(state, found.policy, config.versions.ordering, facts)
        return found._replace(facts=facts, outlook=seen, in_use=used)

    def _ready(
        self, snapshot: Snapshot, found: EnvironmentStatus, names: Sequence[Name], now: datetime
    ) -> Mapping[Name, str]:
        """What a source says of the pods of versions that wait for their routes, where sources are asked at all."""
        if not names or found.policy.health is None or not self._health:
            return {}
        from release_tool.remote.readiness import ready

        return ready(self._tool, snapshot, found.policy.name, names, now)

    def _applied(self, snapshot: Snapshot, found: EnvironmentStatus, facts: Facts) -> tuple[EnvironmentStatus, Facts]:
        """What of it is applied, where a delivery tool tells and a sweep would remove something, or health is asked."""
        policy = found.policy
        if policy.health is None or not policy.health.delivered_by:
            return found, facts
        every: list[Entry] = [("retired", name) for name in facts.base.retired]
        entries = every if self._health else due(facts, policy.retention, facts.restoring)
        if entries or self._health:
            found = found._replace(delivered=self._tool.delivered(snapshot.config, policy.name))
        lines = recorded(self._tool.repository, snapshot, snapshot.files[policy.name])
        applied = Applied(self._tool, snapshot, policy.name, self._ages)
        return found, with_applied(facts, applied.of(facts.base, lines, entries, self.now, facts.restoring))

    def _routes(self, snapshot: Snapshot, files: Files, found: EnvironmentStatus) -> EnvironmentStatus:
        """Who answers calls, as the chart of the base renders the environment."""
        state, config = found.state, snapshot.config
        if not self._renders or state is None or not state.live:
            return found
        if config.service not in self._renderings:
            self._renderings[config.service] = Renderings(snapshot.source, config, self._tool.renderer(config))
        try:
            text = self._renderings[config.service].render(files)
            return found._replace(reach=reach(text, config.namespace, {**state.versions, **state.retired}))
        except TryAgain:
            raise
        except ReleaseError as error:  # `release check` tells more of it
            return found._replace(reach=error)

    def _branches(self, snapshot: Snapshot, _: Files, found: EnvironmentStatus) -> EnvironmentStatus:
        """What waits."""
        place = found.place
        return found._replace(
            rolling=self._waiting(snapshot, place, place.branch),
            downgrade=self._waiting(snapshot, place, place.downgrade_branch),
        )

    def _waiting(self, snapshot: Snapshot, place: Place, branch: str) -> Waiting | None:
        """A branch that is there; each look asks the forge."""
        if snapshot.refs.branch(branch) is None:
            return None
        pending = look(self._tool.repository, self._forge, snapshot, place, branch).pending
        return Waiting(branch, pending, self._forge.find_open(branch, snapshot.config.base))


def _entries(state: State) -> Iterator[Entry]:
    """All entries that have an age."""
    for name in state.versions:
        yield ("quarantined" if name in state.quarantined else "versions"), name
    for name in state.retired:
        yield "retired", name
    if state.default is not None:
        yield "default", state.default

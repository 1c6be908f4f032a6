"""Which versions are judged, and since when: what the sources of health need to know of the base branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.health.source import Delivery, Subject, ToJudge
from release_tool.model.health import verdict_of
from release_tool.model.records import name_number
from release_tool.remote.ages import EXACTLY, Ages
from release_tool.remote.applied import Applied
from release_tool.remote.landings import Landings, recorded
from release_tool.remote.rendering import Renderings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from release_tool.config import Health
    from release_tool.model.delivery import Delivered, InForce
    from release_tool.model.records import Line, Name, State, Tag
    from release_tool.remote.ages import Entry
    from release_tool.remote.snapshot import Files, Snapshot
    from release_tool.remote.tool import Tool


class Asking:
    """Puts together what is asked about the versions of one moment, of all services."""

    def __init__(self, tool: Tool, snapshots: Sequence[Snapshot], now: datetime) -> None:
        self._tool = tool
        self._now = now
        forge = tool.forge(snapshots[0].config)
        places = [place for snapshot in snapshots for place in snapshot.config.places()]
        landed = Landings(tool.repository, lambda: forge)
        self._ages = Ages(tool.repository, landed, snapshots[0].base, places, tool.config_path)

    def unseen(self, files: Files) -> bool:
        """Whether versions of an environment count from now, for nobody knows since when they stand in the base."""
        return bool(self._ages.unseen[files.place.tag_file])

    def about(self, snapshot: Snapshot, environment: str, only: Name | None = None) -> ToJudge | None:
        """The live versions of an environment (or `only` one), to be judged; None: no health is configured."""
        health = snapshot.config.environment(environment).health
        if health is None:
            return None
        state = snapshot.files[environment].state(empty=True)
        wanted = sorted(
            (name for name in state.live if only in {None, name}),
            key=lambda name: (name != state.default, -name_number(name)),
        )
        files = snapshot.files[environment]
        lines = recorded(self._tool.repository, snapshot, files)
        last = self._last(files, state, lines, wanted)
        since = {name: at for name, (_, at) in last.items()}
        about = subjects(self._tool, snapshot, environment, since) if wanted else ()
        if about and health.delivered_by:
            entries = {name: entry for name, (entry, _) in last.items()}
            found = Applied(self._tool, snapshot, environment, self._ages).of(state, lines, entries.values(), self._now)
            delivered = self._tool.delivered(snapshot.config, environment)
            about = tuple(
                _with_delivery(one, health, delivered, found.get(entries[one.name]), self._now) for one in about
            )
        return ToJudge(health, about)

    def _last(
        self, files: Files, state: State, lines: Sequence[Line], names: Sequence[Name]
    ) -> dict[Name, tuple[Entry, datetime]]:
        """The last operation on each version, and when it landed: it came, was cleared, or became the default."""
        entries: dict[Name, list[Entry]] = {name: [("versions", name)] for name in names}
        if state.default in entries:
            entries[state.default].append(("default", state.default))
        wanted = {entry: EXACTLY for found in entries.values() for entry in found}
        landed = self._ages.since(files.place, state, lines, wanted, self._now)
        return {
            name: max(((entry, landed.get(entry, self._now)) for entry in found), key=lambda one: one[1])
            for name, found in entries.items()
        }


def _with_delivery(
    subject: Subject, health: Health, delivered: Delivered, found: InForce | None, now: datetime
) -> Subject:
    """The same, judged from when the delivery tool began to apply it; where nobody knows, from its landing."""
    late = subject.since + health.grace <= now
    why = "since when it stands in the base can't be told" if found is None else found.why
    begun = bool(delivered.unknown) or (found is not None and found.begun is not None)
    verdict = verdict_of(health.delivered_by, delivered, subject.workload, why)._replace(
        too_early=not begun and not late, at=now
    )
    since = found.begun if found is not None and found.begun is not None else subject.since
    return subject._replace(since=since, delivery=Delivery(verdict, begun, why))


def subjects(tool: Tool, snapshot: Snapshot, environment: str, since: Mapping[Name, datetime]) -> tuple[Subject, ...]:
    """Versions of the base's file as the sources of health are asked about them; `since`: name -> when they landed."""
    config, files = snapshot.config, snapshot.files[environment]
    state = files.state(empty=True)
    tags = {**state.retired, **state.versions}
    workloads = _workloads(tool, snapshot, files, {name: tags[name] for name in since})
    return tuple(
        Subject(
            environment=environment,
            service=config.service,
            namespace=config.namespace,
            release=config.release_name,
            workload=workloads.get(name, f"{config.release_name}-{name}"),
            name=name,
            tag=tags[name],
            since=landed,
        )
        for name, landed in since.items()
    )


def _workloads(tool: Tool, snapshot: Snapshot, files: Files, versions: Mapping[Name, Tag]) -> dict[Name, str]:
    """Name -> Deployment, as the chart of the base makes them; without those that can't be told apart.

    A Deployment belongs to the version whose tag one of its images has; of several, the one that is named after it.
    """
    from release_tool.manifests.routes.reach import running

    config = snapshot.config
    try:
        rendering = Renderings(snapshot.source, config, tool.renderer(config)).render(files)
        workloads = running(rendering, versions)
    except ReleaseError:  # `release check` says what is wrong with the chart
        return {}
    found: dict[Name, str] = {}
    for name, keys in workloads.items():
        every = [key.name for key in keys if key.kind == "Deployment"]
        named = [workload for workload in every if workload.endswith(f"-{name}")]
        if len(chosen := every if len(every) == 1 else named) == 1:
            found[name] = chosen[0]
    return found

"""`--local`: an operation on the files of a working tree, and no further."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused
from release_tool.model import history
from release_tool.model.records import Line
from release_tool.model.versions import tag_part
from release_tool.publishing import route_gate
from release_tool.publishing.attempt import archived_lines, known
from release_tool.publishing.clock import WAY_BACK, demand_past
from release_tool.publishing.files import new_files
from release_tool.publishing.outcome import Outcome
from release_tool.remote.names import archived, names_of_files
from release_tool.remote.past import loaded
from release_tool.remote.rendering import Renderings
from release_tool.remote.snapshot import read_config, read_files
from release_tool.rules.plan import Ground, plan
from release_tool.rules.retention import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from release_tool.config import Config, Place
    from release_tool.git.working_tree import WorkingTree
    from release_tool.helm import Renderer
    from release_tool.model.records import Intent
    from release_tool.publishing.outcome import Invocation
    from release_tool.remote.snapshot import Files, Source
    from release_tool.rules.operations import Names
    from release_tool.rules.plan import Plan

    # The operation, from the working tree, the configuration as the service sees it, the files of its environments.
    Meant = Callable[[Source, Config, Mapping[str, Files]], Intent]


class Here(NamedTuple):
    """A working tree, and what is needed to work on it."""

    tree: WorkingTree  # the working tree
    config_path: str  # path of the configuration inside the repository
    renderer: Callable[[Config], Renderer]  # the Helm engine of a configuration
    now: datetime  # the time of planning


def run(here: Here, asked: Invocation, meant: Meant) -> Outcome:
    """Do an operation on the files of a working tree, and stop there.

    Ages count from landing, and nothing of a working tree has landed: what depends on an age (drain, `min_age`,
    `max_age`) or on who calls a version is left to the next operation on the remote.
    """
    source: Source = here.tree
    config = read_config(source, here.config_path).view(asked.service)
    place = config.place(asked.environment)
    asked = asked._replace(service=place.service)
    every = read_files(source, config.places())
    intent = meant(source, config, every)
    unmerged = here.tree.unmerged([place.tag_file, place.history_file])
    if unmerged:
        raise Refused("the file has an unresolved conflict", where=unmerged[0], hint="resolve it first")
    files = every[asked.environment]
    done = known(files.lines(), intent, place.history_file)
    if done is not None:
        return Outcome(asked, intent, said=(f"this operation stands in the record already, as {done.id}",))
    names = _names(here, config, every, intent)
    if not asked.force:
        demand_past(files.lines(), here.now, place.history_file, WAY_BACK)
    line = Line(intent, max([here.now, *(line.at for line in files.lines())]))
    ground = _ground(config, every, asked, here.now, names)
    ground = ground._replace(archived=archived_lines(source, place, [intent]))
    renderings = Renderings(source, config, here.renderer(config))
    try:
        outcome, changed = _planned(renderings, asked, files, plan(ground, (), line), intent)
    except route_gate.NotDeployedError:
        in_one_step = plan(ground._replace(one_step=True), (), line)
        outcome, changed = _planned(renderings, asked, files, in_one_step, intent)
    if changed:
        here.tree.write(changed)
    return outcome


def _planned(
    renderings: Renderings, asked: Invocation, files: Files, made: Plan, intent: Intent
) -> tuple[Outcome, Mapping[str, bytes]]:
    """The outcome of a plan, and the files that it changes, once its routes are found to be right."""
    if not made.lines:
        return Outcome(asked, intent, plan=made._replace(kept=(), waiting=())), {}  # nobody has told the ages
    changed = new_files(files, made, renderings.source)
    accepted = asked.force and bool(asked.reason)
    proposal = route_gate.Proposal(files, files, changed, made, intent.operation, accepted)
    manifests, notes, reached = route_gate.publishable(renderings, proposal)
    outcome = Outcome(asked, intent, changed=True, plan=made, routes=notes, manifests=manifests, reached=reached)
    return outcome, changed


def _ground(config: Config, every: Mapping[str, Files], asked: Invocation, now: datetime, names: Names) -> Ground:
    files = every[asked.environment]
    state, lines = files.state(empty=True), files.lines()
    environment = config.environment(asked.environment)
    unknown = "use unknown: a working tree alone asks nobody"
    used = dict.fromkeys(state.live, unknown) if environment.retention.in_use else {}
    facts = Facts(now, state, {}, history.former_defaults(lines, state.default), used)
    return Ground(environment, config.versions.ordering, state, lines, facts, names, service=config.service)


def _names(here: Here, config: Config, every: Mapping[str, Files], intent: Intent) -> Names:
    """The names known, as far as the checkout holds its history: a new one needs all that ever were."""
    source: Source = here.tree
    part = tag_part(intent.tag)
    names = names_of_files(every.values())
    if part in names.landed:
        return names
    places = list(dict.fromkeys([*config.places(), *_older_places(here, config)]))
    paths = [path for place in places for path in (place.tag_file, place.history_file)]
    older = (
        (found.get(place.tag_file, b""), found.get(place.history_file, b""))
        for found in here.tree.committed(paths)
        for place in places
    )
    return names_of_files(every.values(), older, archived(source, places, [part]))


def _older_places(here: Here, config: Config) -> Iterator[Place]:
    """Where the service's environments stood by older configurations; of all services, where one doesn't name it."""
    for files in here.tree.committed([here.config_path]):
        then = loaded(files.get(here.config_path, b""))
        olds = [] if then is None else list(then.places())
        yield from [old for old in olds if old.service == config.service] or olds

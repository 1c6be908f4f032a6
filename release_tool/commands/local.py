"""`--local`: an operation on the files of a working tree, and no further."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused
from release_tool.model import history
from release_tool.model.records import Line
from release_tool.model.versions import tag_part
from release_tool.publishing import route_gate
from release_tool.publishing.attempt import known
from release_tool.publishing.files import new_files
from release_tool.pull_request import messages
from release_tool.remote.names import archived, names_of_files
from release_tool.remote.rendering import Renderings
from release_tool.remote.snapshot import read_config, read_files
from release_tool.remote.source import InTree
from release_tool.remote.tool import Outcome
from release_tool.rules.plan import Ground, plan
from release_tool.rules.retention import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from release_tool.commands.invocation import Asked
    from release_tool.config import Config
    from release_tool.git.working_tree import WorkingTree
    from release_tool.helm import Renderer
    from release_tool.model.records import Intent
    from release_tool.remote.snapshot import Files
    from release_tool.remote.source import Source
    from release_tool.rules.operations import Names

    # The operation, from the working tree, the configuration as the service sees it, the files of its environments.
    Meant = Callable[[Source, Config, Mapping[str, Files]], Intent]


class Here(NamedTuple):
    """A working tree, and what is needed to work on it.

    Attributes:
        tree: the working tree.
        config_path: path of the configuration inside the repository.
        renderer: the Helm engine of a configuration.
        now: the time of planning.
    """

    tree: WorkingTree
    config_path: str
    renderer: Callable[[Config], Renderer]
    now: datetime


def run(here: Here, asked: Asked, meant: Meant) -> Outcome:
    """Do an operation on the files of a working tree, and stop there.

    Ages count from landing, and nothing of a working tree has landed: what depends on an age (drain, `min_age`,
    `max_age`) or on who calls a version is left to the next operation on the remote.

    Args:
        here: the working tree.
        asked: where and why.
        meant: makes the intent.

    Raises:
        ReleaseError: the files can't be used or written; none of them is changed then.
    """
    source = InTree(here.tree)
    config = read_config(source, here.config_path)[0].view(asked.service)
    place = config.place(asked.environment)
    every = read_files(source, config.places())
    intent = meant(source, config, every)
    unmerged = here.tree.unmerged([place.tag_file, place.history_file])
    if unmerged:
        raise Refused("the file has an unresolved conflict", where=unmerged[0], hint="resolve it first")
    files = every[asked.environment]
    done = known(files.lines(), intent, place.history_file)
    if done is not None:
        note = f"this operation stands in the record already, as {done.id}"
        return Outcome(
            intent.operation, messages.subject(intent), asked.environment, False, service=place.service, notes=(note,)
        )
    names = _names(here.tree, source, config, every, intent)
    made = plan(_ground(config, every, asked, here.now, names), (), _line(intent, files, here.now))
    outcome = Outcome(
        intent.operation,
        messages.subject(intent),
        asked.environment,
        changed=bool(made.lines),
        service=place.service,
        notes=made.notes,
    )
    if not made.lines:
        return outcome
    changed = new_files(files, made, source)
    manifests, notes = route_gate.passed(Renderings(source, config, here.renderer(config)), files, files, changed)
    here.tree.write(changed)
    return outcome._replace(
        changes=made.own,
        kept=made.kept,
        waiting=made.waiting,
        notes=(*outcome.notes, *notes),
        manifests=manifests,
    )


def _ground(config: Config, every: Mapping[str, Files], asked: Asked, now: datetime, names: Names) -> Ground:
    files = every[asked.environment]
    state, lines = files.state(empty=True), files.lines()
    environment = config.environment(asked.environment)
    unknown = "use unknown: a working tree alone asks nobody"
    used = dict.fromkeys(state.live, unknown) if environment.retention.in_use else {}
    facts = Facts(now, state, {}, history.former_defaults(lines, state.default), used)
    return Ground(environment, config.versions.order, state, lines, facts, names, service=config.service)


def _names(tree: WorkingTree, source: Source, config: Config, every: Mapping[str, Files], intent: Intent) -> Names:
    """The names known, as far as the checkout holds its history: a new one needs all that ever were."""
    part = tag_part(intent.tag)
    names = names_of_files(every.values())
    if part in names.landed:
        return names
    places = list(config.places())
    paths = [path for place in places for path in (place.tag_file, place.history_file)]
    older = (
        (found.get(place.tag_file, b""), found.get(place.history_file, b""))
        for found in tree.committed(paths)
        for place in places
    )
    return names_of_files(every.values(), older, archived(source, config, [part]))


def _line(intent: Intent, files: Files, now: datetime) -> Line:
    return Line(intent, max([now, *(line.at for line in files.lines())]))

"""`release bump --local`: a bump of the files of a working tree, and no further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool import history
from release_tool.commands.bump import Bump, allowed
from release_tool.errors import Refused
from release_tool.planning import Ground, plan
from release_tool.publishing.facts import names_of_files
from release_tool.publishing.proposal import Renderings, new_files
from release_tool.publishing.snapshot import read_config, read_files
from release_tool.publishing.source import InTree
from release_tool.publishing.tool import Outcome
from release_tool.records import Intent, Line
from release_tool.retention import Facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from release_tool.config import Config
    from release_tool.helm import Renderer
    from release_tool.working_tree import WorkingTree


def run(
    tree: WorkingTree,
    bump: Bump,
    intent: Intent,
    *,
    config_path: str,
    renderer: Callable[[Config], Renderer],
    now: datetime,
) -> Outcome:
    """Do a bump on the files of a working tree, and stop there.

    Ages count from landing, and nothing of a working tree has landed: what depends on an age (drain, `min_age`,
    `max_age`) is left to the next operation on the remote.

    Args:
        tree: the working tree.
        bump: its arguments, checked by `check_usage`.
        intent: its intent.
        config_path: path of the configuration inside the repository.
        renderer: the Helm engine of a configuration.
        now: the time of planning.

    Raises:
        ReleaseError: the files can't be used or written; none of them is changed then.
    """
    source = InTree(tree)
    config, _ = read_config(source, config_path)
    allowed(bump, config)
    place = config.place(bump.environment)
    unmerged = tree.unmerged([place.tag_file, place.history_file])
    if unmerged:
        raise Refused("the file has an unresolved conflict", where=unmerged[0], hint="resolve it first")
    every = read_files(source, config.places())
    files = every[bump.environment]
    state, lines = files.state(empty=True), files.lines()
    facts = Facts(now, state, {}, history.former_defaults(lines, state.default))
    names = names_of_files(every.values())
    ground = Ground(config.environment(bump.environment), config.versions.order, state, lines, facts, names)
    made = plan(ground, (), Line(intent, max([now, *(line.at for line in lines)])))
    outcome = Outcome(
        "bump", f"bump {bump.tag}", bump.environment, changed=bool(made.lines), notes=made.notes, dry_run=False
    )
    if not made.lines:
        return outcome
    changed = new_files(files, made)
    manifests, notes = Renderings(source, config, renderer(config)).judged(files, files, changed)
    tree.write(changed)
    return outcome._replace(changes=made.own, kept=made.kept, notes=(*outcome.notes, *notes), manifests=manifests)

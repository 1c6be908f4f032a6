"""`release cleanup [ENV…]`: the sweep everywhere, on a schedule; then sync, and branches with nothing pending go."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands import sync
from release_tool.errors import Failed, ReleaseError
from release_tool.git.repository import Stale
from release_tool.model.records import CleanupArguments, RefUpdate
from release_tool.publishing.attempt import Work
from release_tool.publishing.outcome import Outcome
from release_tool.publishing.retry import attempt
from release_tool.publishing.retry import run as publish
from release_tool.remote.ages import Ages
from release_tool.remote.branch import look
from release_tool.remote.landings import Landings
from release_tool.remote.snapshot import take_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from release_tool.config import Config, Place
    from release_tool.publishing.outcome import Invocation
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool

    Progress = Callable[[int, int], None]
    """Told how many environments are done, and of how many."""


class Cleanup(NamedTuple):
    """The arguments of a cleanup."""

    environments: Sequence[str]  # their names; none: all
    asked: Invocation  # by whom, and why; its environment and id stay empty, each environment gets its own
    policy: Config | None = None  # for a dry run: its retention and its versions take the place of the base's
    # for a dry run: the configuration of the checkout, and the command that previews what it would do
    checkout: tuple[Config, str] | None = None


def run(
    tool: Tool, command: Cleanup, new_id: Callable[[], str], progress: Progress = lambda _done, _all: None
) -> Iterator[Outcome | Failed]:
    """Sweep; what fails in one environment stops no other one.

    Args:
        progress: told after each environment.

    Yields:
        An outcome for each environment, `changed` where there was something to do; then those of sync, and of branches
        that were deleted.
    """
    snapshots = take_all(tool, command.asked.service)
    if command.policy is not None:
        policy = command.policy
        snapshots = [one._replace(config=_with_policy(one.config, policy)) for one in snapshots]
    for name in command.environments:
        snapshots[0].config.environment(name)
    forge = tool.forge(snapshots[0].config)
    places = [place for snapshot in snapshots for place in snapshot.config.places()]
    ages = Ages(tool.repository, Landings(tool.repository, lambda: forge), snapshots[0].base, places, tool.config_path)
    todo = [(snapshot, name) for snapshot in snapshots for name in command.environments or snapshot.config.environments]
    for done, (snapshot, name) in enumerate(todo, start=1):
        asked = command.asked._replace(environment=name, service=snapshot.config.service, id=new_id())
        outcome = _one(tool, snapshot, asked, ages)
        yield outcome if isinstance(outcome, Failed) else _with_note(outcome, command, snapshot.config)
        progress(done, len(todo))
    if not command.asked.dry_run:
        synced = sync.run(tool, command.environments, service=command.asked.service)
        yield from (one for one in synced if isinstance(one, Failed) or one.commit or one.changed or one.created)
        yield from _emptied(tool, command)


def _with_policy(config: Config, policy: Config) -> Config:
    """A configuration with the retention and the versions of another one; all else is the base's."""
    other = policy.view(config.service)
    environments = {
        name: one._replace(retention=other.environments[name].retention) if name in other.environments else one
        for name, one in config.environments.items()
    }
    return config._replace(environments=environments, versions=other.versions)


def _with_note(outcome: Outcome, command: Cleanup, config: Config) -> Outcome:
    """Say where the checkout has another policy than the base, which is the one that counts."""
    name = outcome.invocation.environment
    if command.checkout is None or config.service not in (command.checkout[0].services or ("",)):
        return outcome
    mine, preview = command.checkout
    there = _with_policy(config, mine)
    if (there.environments[name], there.versions) == (config.environments[name], config.versions):
        return outcome
    note = f"the policy of {config.base} is used; that of this checkout is another one: `{preview}` previews it"
    return outcome._replace(said=(*outcome.said, note))


def _one(tool: Tool, snapshot: Snapshot, asked: Invocation, ages: Ages) -> Outcome | Failed:
    """One environment: planned on what all were looked at, and done on its own only where there is something to do."""
    intent = asked.intent("cleanup", CleanupArguments())
    try:
        work = Work(tool, snapshot, asked, intent, ages=ages)
        idle = _idle(work)
        if idle is not None:
            return idle
        if asked.dry_run:
            return attempt(work)
        return publish(tool, asked, lambda _snapshot, _before: intent)
    except ReleaseError as error:
        return Failed(snapshot.config.place(asked.environment).title, error)


def _idle(work: Work) -> Outcome | None:
    """The outcome where no release branch waits and the sweep of the base has nothing to do; None where it may have."""
    if work.files.tags is None:
        return work.outcome(said=(f"there is no {work.place.tag_file} yet",))
    if work.snapshot.refs.branch(work.place.branch) is not None:
        return None
    made = work.planned(work.files, work.own_line())
    return None if made.lines else work.outcome(plan=made._replace(notes=()))


def _emptied(tool: Tool, command: Cleanup) -> Iterator[Outcome | Failed]:
    """Delete the release branches with nothing pending, unless a person's commits are on them."""
    for snapshot in take_all(tool, command.asked.service):
        for name in command.environments or snapshot.config.environments:
            place = snapshot.config.place(name)
            asked = command.asked._replace(environment=name, service=place.service)
            for branch in (place.branch, place.downgrade_branch):
                try:
                    if snapshot.refs.branch(branch) is not None and _deleted(tool, snapshot, place, branch):
                        note = f"branch {branch} is deleted: nothing was pending on it"
                        yield Outcome(asked, asked.intent("cleanup", CleanupArguments()), changed=True, said=(note,))
                except ReleaseError as error:
                    yield Failed(f"{place.title}, branch {branch}", error)


def _deleted(tool: Tool, snapshot: Snapshot, place: Place, name: str) -> bool:
    forge = tool.forge(snapshot.config)
    found = look(tool.repository, forge, snapshot, place, name)
    if found.pending or found.append_only or forge.find_open(name, snapshot.config.base) is not None:
        return False
    try:
        tool.repository.push([RefUpdate(f"refs/heads/{name}", found.tip, None)])
    except Stale:  # an operation was faster
        return False
    return True

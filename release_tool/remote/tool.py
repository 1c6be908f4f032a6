"""What every command works with, and what it gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from release_tool.config import Config
    from release_tool.forges.base import Forge
    from release_tool.git.repository import Repository
    from release_tool.helm import Renderer
    from release_tool.manifests import ObjectChange
    from release_tool.model.health import Asked, Judged
    from release_tool.model.records import Change, CommitId, Gate, Intent, Kept, Name, PullRequest, Tag
    from release_tool.registry import Registry
    from release_tool.remote.first_look import Look


class Tool(NamedTuple):
    """The outside world, handed in. `wiring` is the only place that makes one.

    Attributes:
        repository: the git remote.
        look: looks at its branches.
        forge: the forge of a configuration.
        renderer: the Helm engine of a configuration.
        registry: the image registry of a service's configuration; None where none is configured.
        in_use: which of some live versions of an environment are called, in words: configuration, environment, name ->
            tag and the present time in, name -> "in use by web" out. Only asked where `retention.in_use` stands.
        judge: what the checks of some environments say of their versions: in and out in the same order. Only asked
            where `health` stands.
        now: the present time (UTC).
        wait: sleeps, given the number of the try that lost a race; the time grows with it, with jitter.
        config_path: path of the configuration inside the repository.
        by: who runs the tool, for the record.
        run: link to the CI run, empty outside CI.
    """

    repository: Repository
    look: Look
    forge: Callable[[Config], Forge]
    renderer: Callable[[Config], Renderer]
    registry: Callable[[Config], Registry | None]
    in_use: Callable[[Config, str, Mapping[Name, Tag], datetime], Mapping[Name, str]]
    judge: Callable[[Sequence[Asked], datetime], Sequence[tuple[Judged, ...]]]
    now: Callable[[], datetime]
    wait: Callable[[int], None]
    config_path: str
    by: str
    run: str

    def close(self) -> None:
        """Give the private store of the repository back."""
        self.look.wait()
        self.repository.close()


class Request(NamedTuple):
    """One operation that somebody asked for.

    Attributes:
        environment: its name.
        intent: operation and arguments; None for sync, which has none of its own.
        direct: push to the base branch instead of proposing; None: as the configuration says.
        dry_run: plan and render, and stop there.
        downgrade: propose on the branch of downgrades, which is never shared with other operations.
        unattended: nobody is there to merge the pull request: the forge shall, as soon as its rules allow it.
        named: whether somebody gave its id: run again, the same command is the same operation then.
        notes: what there is to say of it whatever comes of it, in sentences.
    """

    environment: str
    intent: Intent | None
    direct: bool | None = None
    dry_run: bool = False
    downgrade: bool = False
    unattended: bool = False
    named: bool = False
    notes: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What a changing command did.

    Attributes:
        operation: `bump`, `sync`, …
        subject: the operation in a few words: `bump v1.0.5`.
        environment: its name.
        service: the service's name; empty where the repository has one without a name.
        changed: whether this call changed anything in the remote (for a dry run: whether it would).
        changes: this operation's changes, the sweep's included.
        kept: the live versions that the sweep keeps.
        waiting: the quarantined and retired versions that it leaves as they are.
        proposed: changes of the sweep that wait in the open pull request already, or that somebody said no to.
        gates: what the gates of a promotion said.
        refused: why a person must act: a gate said no, or the server took no push; empty: nothing is left to do.
        branch: the branch that holds the result; None if there is none.
        commit: the commit that this call pushed; None if it pushed none.
        pull_request: the open pull request of the branch.
        created: whether this call opened it.
        merging: what became of auto-merge: `merged`, `waiting` for what the rules ask for, or empty: not asked for.
        notes: what else there is to say, in sentences.
        manifests: the difference of the rendered manifests; None where nothing was rendered.
        file_difference: unified difference of the files, for a dry run.
        text: a text for a person to carry on with (the forge `none`).
        dry_run: whether nothing was written.
    """

    operation: str
    subject: str
    environment: str
    changed: bool
    changes: tuple[Change, ...] = ()
    kept: tuple[Kept, ...] = ()
    waiting: tuple[Kept, ...] = ()
    proposed: tuple[Change, ...] = ()
    gates: tuple[Gate, ...] = ()
    refused: str = ""
    service: str = ""
    branch: str | None = None
    commit: CommitId | None = None
    pull_request: PullRequest | None = None
    created: bool = False
    merging: str = ""
    notes: tuple[str, ...] = ()
    manifests: tuple[ObjectChange, ...] | None = None
    file_difference: str = ""
    text: str = ""
    dry_run: bool = False

"""What an examination may reach, handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from release_tool.config import Config
    from release_tool.doctor.diagnosis import Diagnosis
    from release_tool.forges.probe import FoundServer
    from release_tool.git.repository import Repository
    from release_tool.helm import Renderer
    from release_tool.registry import Registry
    from release_tool.remote.snapshot import Source


class Access(NamedTuple):
    """The outside world. `wiring` is the only place that makes one.

    Attributes:
        open: opens the remote.
        renderer: the Helm engine of a configuration.
        registry: the image registry of a service's configuration; None where none is configured.
        environ: the environment variables.
        look: which forge answers at the host of a remote.
        now: the present time (UTC).
        config_path: path of the configuration inside the repository.
    """

    open: Callable[[], Repository]
    renderer: Callable[[Config], Renderer]
    registry: Callable[[Config], Registry | None]
    environ: Mapping[str, str]
    look: Callable[[str], FoundServer]
    now: Callable[[], datetime]
    config_path: str


class AtForge(NamedTuple):
    """What the examination of a forge works with.

    Attributes:
        access: the outside world.
        config: the configuration of the base branch.
        url: the remote's.
        source: the base branch.
        signs: whether commits are signed.
    """

    access: Access
    config: Config
    url: str
    source: Source
    signs: bool

    @property
    def promoted_to(self) -> tuple[str, ...]:
        """The environments that are promoted to."""
        return tuple(one.name for one in self.config.environments.values() if one.promote_from)

    @property
    def guarded(self) -> bool:
        """Whether an environment has health checks."""
        return any(one.health is not None for one in self.config.environments.values())


class ExaminesForge(Protocol):
    """A module `examine_KIND`: what is looked at on a forge of a kind."""

    def begin(self, at: AtForge, /) -> Callable[[], Iterable[Diagnosis]]:
        """Reads what the look needs of the base branch, which serves one reader; the look runs beside others."""

    def pipelines(self, at: AtForge, /) -> Iterable[Diagnosis]:
        """What the base branch has for the CI of this forge."""

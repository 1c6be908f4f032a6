"""What every command works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from release_tool.config import Config
    from release_tool.forges.base import Forge
    from release_tool.git.repository import Repository
    from release_tool.health.source import ToJudge
    from release_tool.helm import Renderer
    from release_tool.model.delivery import Delivered
    from release_tool.model.health import Judged
    from release_tool.model.records import Name, Tag
    from release_tool.registry import Registry
    from release_tool.remote.first_look import Look


class Tool(NamedTuple):
    """The outside world, handed in. `wiring` is the only place that makes one."""

    repository: Repository  # the git remote
    look: Look  # looks at its branches
    forge: Callable[[Config], Forge]  # the forge of a configuration
    renderer: Callable[[Config], Renderer]  # the Helm engine of a configuration
    # the image registry of a service's configuration; None where none is configured
    registry: Callable[[Config], Registry | None]
    # which of some live versions of an environment are called, in words: configuration, environment, name -> tag and
    # the present time in, name -> "in use by web" out. Only asked where `retention.in_use` stands
    in_use: Callable[[Config, str, Mapping[Name, Tag], datetime], Mapping[Name, str]]
    # what the delivery tool of an environment says of what it applied: configuration and environment in. Only asked
    # where `health.argocd` or `health.flux` stands
    delivered: Callable[[Config, str], Delivered]
    # what the checks of some environments say of their versions: in and out in the same order. Only asked where
    # `health` stands
    judge: Callable[[Sequence[ToJudge], datetime], Sequence[tuple[Judged, ...]]]
    now: Callable[[], datetime]  # the present time (UTC)
    # sleeps, given the number of the try that lost a race; the time grows with it, with jitter
    wait: Callable[[int], None]
    config_path: str  # path of the configuration inside the repository

    def close(self) -> None:
        """Give the private store of the repository back."""
        self.look.wait()
        self.repository.close()

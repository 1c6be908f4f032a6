"""What an examination may reach, handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from release_tool.config import Config
    from release_tool.git.repository import Repository
    from release_tool.helm import Renderer
    from release_tool.registry import Registry


class Access(NamedTuple):
    """The outside world. `wiring` is the only place that makes one.

    Attributes:
        open: opens the remote.
        renderer: the Helm engine of a configuration.
        registry: the image registry of a service's configuration; None where none is configured.
        environ: the environment variables.
        now: the present time (UTC).
        config_path: path of the configuration inside the repository.
    """

    open: Callable[[], Repository]
    renderer: Callable[[Config], Renderer]
    registry: Callable[[Config], Registry | None]
    environ: Mapping[str, str]
    now: Callable[[], datetime]
    config_path: str

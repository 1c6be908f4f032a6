"""The forges: a table from their names to their modules. Each has `connect(repository, now, settings) -> Forge`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.forges import recognise
from release_tool.forges.base import ForgeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import ModuleType

    from release_tool.forges.base import Forge
    from release_tool.git.repository import Repository
    from release_tool.model.forge import Capabilities

MODULES = {
    "github": "release_tool.forges.github.forge",
    "local": "release_tool.forges.local",
    "none": "release_tool.forges.none",
}
"""Name in `forge.kind` -> module, imported when it is used."""


def kind_of(url: str, environ: Mapping[str, str] | None = None) -> str:
    """The forge that `forge.kind: auto` means: `local` for a path, what host or environment tell, else `none`."""
    return recognise.kind_of(url, environ or {})


def known_url(repository: Repository, environ: Mapping[str, str]) -> str:
    """A repository's URL; where only SSH's own configuration shows that the host is a GitHub, with the host of that."""
    url = repository.display_url
    if kind_of(url, environ) == "none" and kind_of(repository.resolved_url, environ) != "none":
        return repository.resolved_url
    return url


def capabilities(kind: str) -> Capabilities:
    """What a kind of forge can do."""
    found: Capabilities = _module(kind).CAPABILITIES
    return found


def connect(
    kind: str, repository: Repository, now: Callable[[], datetime], settings: ForgeSettings | None = None
) -> Forge:
    """The forge of a repository; `kind` is `auto`, or a name in the table.

    Raises:
        ReleaseError: there is no such forge, or the remote isn't one of its kind, or its token can't be read.
    """
    settings = settings or ForgeSettings()
    kind = kind_of(known_url(repository, settings.environ), settings.environ) if kind == "auto" else kind
    forge: Forge = _module(kind).connect(repository, now, settings)
    return forge


def _module(kind: str) -> ModuleType:
    if kind not in MODULES:
        raise ReleaseError(
            f"there is no forge `{kind}`",
            hint=f"forge.kind is one of auto, {', '.join(MODULES)}",
            page="explanation/publishing.md#forges",
        )
    return import_module(MODULES[kind])

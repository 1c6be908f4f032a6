"""The forges: a table from their names to their modules. Each has `connect(repository, now, settings) -> Forge`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.forges import recognise
from release_tool.forges.base import ForgeSettings
from release_tool.forges.remote_url import remote_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import ModuleType

    from release_tool.forges.base import Forge
    from release_tool.forges.unrecognised import Advice
    from release_tool.git.repository import Repository
    from release_tool.model.forge import Capabilities

MODULES = {
    "github": "release_tool.forges.github.forge",
    "gitlab": "release_tool.forges.gitlab.forge",
    "gitea": "release_tool.forges.gitea.forge",
    "azure": "release_tool.forges.azure.forge",
    "local": "release_tool.forges.local",
    "none": "release_tool.forges.none",
}
"""Name in `forge.kind` -> module, imported when it is used."""


def kind_of(url: str, environ: Mapping[str, str] | None = None) -> str:
    """The forge that `forge.kind: auto` means: `local` for a path, what host or environment tell, else `none`."""
    kind = recognise.kind_of(url, environ or {})
    return kind if kind in MODULES else "none"


def known_url(repository: Repository, environ: Mapping[str, str]) -> str:
    """A repository's URL, or where it tells no forge, another one of the same repository that does.

    That is the one with the host that a name in SSH's configuration stands for, or that at which git reads.
    """
    url = repository.display_url
    if recognise.kind_of(url, environ) != "none":
        return url
    others = (one for one in (repository.resolved_url, repository.read_url) if _same_path(one, url))
    return next((one for one in others if recognise.kind_of(one, environ) not in {"none", "local"}), url)


def web_url(repository: Repository) -> str:
    """The URL of a repository that tells most of its web server: of HTTP, where git reads so, else with a real host."""
    read = remote_url(repository.read_url)
    web = read is not None and read.web and _same_path(repository.read_url, repository.display_url)
    return repository.read_url if web else repository.resolved_url


def _same_path(one: str, other: str) -> bool:
    found = remote_url(one), remote_url(other)
    return found[0] is not None and found[1] is not None and found[0].parts == found[1].parts


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
    if kind == "auto":
        kind = kind_of(known_url(repository, settings.environ), settings.environ)
        if kind == "none":
            return _none_found(repository, settings)
    forge: Forge = _module(kind).connect(repository, now, settings)
    return forge


def _none_found(repository: Repository, settings: ForgeSettings) -> Forge:
    from release_tool.forges.none import NoForge

    return NoForge(lambda: advice(repository, settings).sentence)


def advice(repository: Repository, settings: ForgeSettings) -> Advice:
    """Why `auto` finds no forge, and what to do; may look at the server."""
    from release_tool.forges import unrecognised

    url, look = known_url(repository, settings.environ), settings.look
    asked = None if look is None else lambda: look(web_url(repository))
    return unrecognised.advice(url, MODULES, settings.environ, asked)


def _module(kind: str) -> ModuleType:
    if kind not in MODULES:
        raise ReleaseError(
            f"there is no forge `{kind}`",
            hint=f"forge.kind is one of auto, {', '.join(MODULES)}",
            page="explanation/publishing.md#forges",
        )
    return import_module(MODULES[kind])

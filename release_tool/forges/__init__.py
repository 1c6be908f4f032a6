"""The forges: a table from their names to their modules. Each has `connect(repository, now) -> Forge`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from release_tool.forges.base import Forge
    from release_tool.repository import Repository

MODULES = {
    "local": "release_tool.forges.local",
    "none": "release_tool.forges.none",
}
"""Name in `forge.kind` -> module, imported when it is used."""


def kind_of(url: str) -> str:
    """The forge that `forge.kind: auto` means for a remote's URL: `local` for a path, else `none`."""
    is_path = url.startswith(("/", ".", "file://")) or ":" not in url
    return "local" if is_path else "none"


def connect(kind: str, repository: Repository, now: Callable[[], datetime]) -> Forge:
    """The forge of a repository.

    Args:
        kind: `auto`, or a name in the table.
        repository: whose remote it belongs to.
        now: the clock (UTC).

    Raises:
        ReleaseError: there is no such forge.
    """
    kind = kind_of(repository.display_url) if kind == "auto" else kind
    if kind not in MODULES:
        raise ReleaseError(f"there is no forge `{kind}`", hint=f"forge.kind is one of auto, {', '.join(MODULES)}")
    forge: Forge = import_module(MODULES[kind]).connect(repository, now)
    return forge

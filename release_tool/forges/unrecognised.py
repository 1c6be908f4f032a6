"""What is said where `forge.kind: auto` finds no forge: which one a look at the server shows, and what to write down.

A token goes to no server because of what that server says of itself (`forges/token.py`): a look makes no connection.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.forges.recognise import SERVER, kind_of
from release_tool.forges.token import find, first
from release_tool.safe_text import bare_url, phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from release_tool.forges.probe import FoundServer

TITLES = {
    "github": "GitHub Enterprise Server",
    "gitea": "Gitea or Forgejo",
    "gitlab": "GitLab",
    "azure": "Azure DevOps Server",
    "bitbucket": "Bitbucket",
}
"""What the servers of each kind are called."""

_NONE = "`none`: that is wanted"


class Advice(NamedTuple):
    """Why there is no forge, and what to do for one."""

    what: str
    mend: str

    @property
    def sentence(self) -> str:
        return f"{self.what}: the branch is pushed, and nobody opens a pull request; {self.mend}"


def advice(
    url: str, supported: Container[str], environ: Mapping[str, str], look: Callable[[], FoundServer] | None
) -> Advice:
    """Of a remote whose forge is not known.

    Args:
        url: of the remote.
        supported: the kinds that there are.
        look: looks at its server; None: nobody looks.
    """
    named = kind_of(url, environ)
    if named in TITLES:
        return _not_yet(bare_url(url), named)
    found = look() if look is not None else None
    if found is None or not found.kind:
        trouble = f" (its server was asked: {phrase(found.trouble)})" if found is not None and found.trouble else ""
        return Advice(
            f"no forge is known for {url}{trouble}", f"`forge.kind` in release.yaml names the forge ({_NONE})"
        )
    if found.kind not in supported:
        return _not_yet(found.server, found.kind)
    return Advice(
        f"{TITLES[found.kind]} answers at {found.server}, and nothing names it",
        f"write `forge: {{kind: {found.kind}}}` into release.yaml, which saves the look at the server, and "
        f"{_naming(found, environ)} ({_NONE})",
    )


def _naming(found: FoundServer, environ: Mapping[str, str]) -> str:
    """What makes a server that was found known, and lets a token go there."""
    there = None
    with suppress(ReleaseError):  # told once it is to be sent
        there = find(found.kind, environ)
    has = f"where the token of {there.source} may go then" if there else f"with a token in {first(found.kind)}"
    return f"set {SERVER[found.kind]}={found.server} in the environment, {has}"


def _not_yet(where: str, kind: str) -> Advice:
    mend = "open it by hand; `forge: {kind: none}` in release.yaml says that this is wanted"
    return Advice(f"`release` opens no pull requests on {TITLES[kind]} yet ({where})", mend)

"""Where a repository lives on a Gitea or a Forgejo: a server of one's own, gitea.com, or Codeberg.

A server may stand behind a prefix of the path (`ROOT_URL`): the last two parts of a remote's path are owner and name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.forges import recognise, token
from release_tool.forges.remote_url import host_of, is_safe, remote_url
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.token import Token

_API = "/api/v1"
_PART = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]+")


class GiteaAddress(NamedTuple):
    """A repository on a Gitea."""

    server: str  # URL where its pages begin, without a slash at the end
    owner: str
    name: str

    @property
    def api(self) -> str:
        return f"{self.server}{_API}"

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        return f"/repos/{self.full_name}"

    def url(self, number: int) -> str:
        return f"{self.server}/{self.full_name}/pulls/{number}"


def address_of(url: str, override: str, environ: Mapping[str, str]) -> GiteaAddress:
    """The repository behind a remote's URL; `override` is `forge.url`: the server, or its API.

    Raises:
        ReleaseError: the URL is none of a repository on a Gitea.
    """
    remote = remote_url(url)
    parts = remote.parts if remote else ()
    if remote is None or len(parts) < 2 or not all(_PART.fullmatch(part) for part in parts):
        raise ReleaseError(
            "the remote's URL is not that of a repository on a Gitea or a Forgejo",
            where=bare_url(url),
            hint="it should end with OWNER/NAME; or set forge.kind in release.yaml to another forge",
        )
    server = recognise.server_url("gitea", remote, override.rstrip("/").removesuffix(_API), environ)
    if not override and remote.web and not recognise.server_of("gitea", remote, environ):
        server = "/".join((server, *parts[:-2]))
    return GiteaAddress(server, *parts[-2:])


def find_for(address: GiteaAddress, environ: Mapping[str, str]) -> Token | None:
    """The token for the API of a repository; None: there is none.

    Raises:
        ReleaseError: there is a token, and nothing but the repository says that the server is a Gitea, or the token
            would travel in the clear; or as `token.find`.
    """
    hint = f"for a Gitea or a Forgejo of yours set GITEA_SERVER_URL={address.server} in the environment"
    found = token.entitled(token.find("gitea", environ), "gitea", [address.api], environ, hint)
    # Where a runner speaks plain HTTP to its server, the token travels no worse than the runner itself sends it.
    if found and not is_safe(address.api) and not recognise.is_actions_of_another(environ):
        raise ReleaseError(
            f"the token is not sent to {host_of(address.api)}: the address has no TLS",
            where=address.api,
            hint="use https in GITEA_SERVER_URL",
        )
    return found

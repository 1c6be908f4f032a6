"""Where a project lives on GitLab: gitlab.com, or a server of one's own, also below a path (`https://host/gitlab`).

Sources (docs.gitlab.com): "REST API", "Install GitLab under a relative URL", "Predefined CI/CD variables".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit

from release_tool.errors import ReleaseError
from release_tool.forges import recognise, token
from release_tool.forges.remote_url import remote_url
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.token import Token

_PART = re.compile(r"(?![-.])[A-Za-z0-9_.+-]+")  # of a group's or a project's path


class ProjectAddress(NamedTuple):
    """A project on a GitLab."""

    server: str  # where its pages begin: `https://gitlab.com`
    project: str  # `group/subgroup/project`

    @property
    def api(self) -> str:
        """Where the paths of the REST API begin."""
        return f"{self.server}/api/v4"

    @property
    def path(self) -> str:
        return f"/projects/{quote(self.project, safe='')}"

    @property
    def web(self) -> str:
        """The project's page."""
        return f"{self.server}/{self.project}"

    def url(self, number: int) -> str:
        return f"{self.web}/-/merge_requests/{number}"


def address_of(url: str, override: str, environ: Mapping[str, str]) -> ProjectAddress:
    """The project behind a remote's URL; `override` is `forge.url`: the server, or its REST API.

    Raises:
        ReleaseError: the URL is none of a project on a GitLab.
    """
    remote = remote_url(url)
    server = "" if remote is None else recognise.server_url("gitlab", remote, override.rstrip("/"), environ)
    server = server.removesuffix("/api/v4")
    parts = [] if remote is None else list(remote.parts)
    prefix = [part for part in urlsplit(server).path.split("/") if part]
    if remote is not None and remote.web and parts[: len(prefix)] == prefix:
        parts = parts[len(prefix) :]
    if len(parts) < 2 or not all(_PART.fullmatch(part) for part in parts):
        raise ReleaseError(
            "the remote's URL is not that of a project on GitLab",
            where=bare_url(url),
            hint="it should end with GROUP/PROJECT; or set forge.kind in release.yaml to another forge",
        )
    return ProjectAddress(server, "/".join(parts))


def find_for(address: ProjectAddress, environ: Mapping[str, str]) -> Token | None:
    """The token for the API of a project; None: there is none.

    Raises:
        ReleaseError: there is a token, and nothing but the repository says that the server is a GitLab.
    """
    hint = f"for a GitLab of yours set GITLAB_HOST={address.server} in the environment"
    return token.entitled(token.find("gitlab", environ), "gitlab", [address.api], environ, hint)

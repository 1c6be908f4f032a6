"""The header with which git logs in at a forge over HTTP: for the token's own server, and no other."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.forges import recognise, token
from release_tool.forges.remote_url import is_safe, remote_url
from release_tool.forges.token import Token
from release_tool.git.errors import LoginRefused
from release_tool.net.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

# The names of users that a token takes: the forge looks at the token alone, but a name must be there.
_USERS = {"github": "x-access-token", "gitea": "x-access-token", "gitlab": "oauth2", "azure": "release"}
# What lets a token push, as the settings of its forge call it.
_PUSHES = {
    "github": "`Contents: write`",
    "gitea": "`write:repository`",
    "gitlab": "`write_repository` and the role Developer",
    "azure": "`Code (Read & Write)`",
}


def with_next_step(error: ReleaseError, environ: Mapping[str, str]) -> ReleaseError:
    """The same error; where a remote refused git's login, its next step names the variable of the token."""
    if isinstance(error, LoginRefused):
        with suppress(ReleaseError):  # what is set can't be a token: git was given none
            error.hint = next_step(error.where, environ) or error.hint
    return error


def next_step(url: str, environ: Mapping[str, str]) -> str:
    """What to do where a remote refuses git's login; empty where no token of the environment is for it."""
    kind, remote = recognise.kind_of(url, environ), remote_url(url)
    if remote is None or not remote.web:
        return ""
    if kind == "none":
        # Of a server without TLS, no token would go there either: only this machine is spared that.
        scheme = "http" if is_safe(url) and url.startswith("http:") else "https"
        return _unnamed(f"{scheme}://{remote.host}", environ)
    if kind not in _USERS:
        return ""
    found = token.find(kind, environ)
    if found is None:
        if kind == "gitlab" and environ.get("CI_JOB_TOKEN"):
            way = "Settings, CI/CD, Job token permissions, Allow Git push requests to the repository"
            return f"let CI_JOB_TOKEN push ({way}), or set {token.first(kind)} to a token with {_PUSHES[kind]}"
        return f"set {token.first(kind)} to a token with {_PUSHES[kind]}, or check git's own credentials"
    return f"let {found.source} hold a token that is still good, with {_PUSHES[kind]} for this repository"


def _unnamed(server: str, environ: Mapping[str, str]) -> str:
    """The next step where there is a token, and nothing says that the server is the token's."""
    for kind in _USERS:
        found = token.find(kind, environ)
        if found is not None and kind != "github":
            return (
                f"set {recognise.SERVER[kind]} to the address of the server, {server}, if the token of "
                f"{found.source} is for it: nothing names it yet, so that the token was not sent"
            )
    return ""


def header_for_git(url: str, environ: Mapping[str, str]) -> Secret | None:
    """The header with which git shows the token; None where it isn't for that server, or there is none.

    Raises:
        ReleaseError: as `token.find`.
    """
    kind = recognise.kind_of(url, environ)
    if kind not in _USERS or not _may_travel(kind, url, environ):
        return None
    found, user = token.find(kind, environ), _USERS[kind]
    if found is None and kind == "gitlab" and environ.get("CI_JOB_TOKEN"):
        # It opens no merge request, so that the API never gets it; pushing is a setting of the project.
        found, user = token.checked(Token(Secret(environ["CI_JOB_TOKEN"]), "CI_JOB_TOKEN")), "gitlab-ci-token"
    if found is None:
        return None
    pair = base64.b64encode(f"{user}:{found.secret.reveal()}".encode("ascii")).decode("ascii")
    return Secret(f"Authorization: Basic {pair}")


def _may_travel(kind: str, url: str, environ: Mapping[str, str]) -> bool:
    """Whether a token may go to a remote: over HTTP with TLS, or as its runner itself sends it.

    Where the runner of a Gitea or a Forgejo speaks plain HTTP to its server, the token travels no worse for git.
    """
    remote = remote_url(url)
    if remote is None or not remote.web:
        return False
    if is_safe(url):
        return True
    server = recognise.server_of(kind, remote, environ)
    return recognise.is_actions_of_another(environ) and server.startswith("http:")

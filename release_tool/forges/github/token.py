"""The token for GitHub: from environment variables or a file, for the API and for git; never from argv or a URL."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from release_tool.errors import ReleaseError
from release_tool.forges.github.address import is_github, is_known_api, is_of_the_job, is_safe
from release_tool.net.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.github.address import Address

VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN")  # in the order in which GitHub's own `gh` looks
FILE_VARIABLE = "GITHUB_TOKEN_FILE"  # names a file that holds a token; for mounted secrets

_LONGEST = 64 * 1024  # no token comes near it; a wrong path may lead to a large file


class Token(NamedTuple):
    """A token, and the variable that it came from, for messages."""

    secret: Secret
    source: str


def find(environ: Mapping[str, str]) -> Token | None:
    """The token that the environment names; None: there is none.

    Raises:
        ReleaseError: the file can't be read, or what is found can't be a token.
    """
    for name in VARIABLES:
        if environ.get(name, "").strip():
            return _checked(Token(Secret(environ[name]), name))
    path = environ.get(FILE_VARIABLE, "").strip()
    return _checked(Token(_read(path), FILE_VARIABLE)) if path else None


def find_for(address: Address, environ: Mapping[str, str]) -> Token | None:
    """The token for the API of a repository; None: there is none.

    Raises:
        ReleaseError: there is a token, and nothing but the repository says that the server is a GitHub; or as `find`.
    """
    # `release.yaml` belongs to the repository, which may be a stranger's: no file there can name a server that gets the
    # token. Only the environment can, beside GitHub's own hosts.
    token = find(environ)
    if token is None or all(is_known_api(url, environ) for url in (address.api, address.graphql)):
        return token
    host = urlsplit(address.api).netloc
    raise ReleaseError(
        f"the token is not sent to {host}: only the repository says that this is a GitHub",
        where=address.api,
        cause="forge.kind or forge.url of release.yaml names it, and a stranger's repository could do that too",
        hint=f"for an Enterprise Server of yours set GITHUB_SERVER_URL=https://{address.server} in the environment",
    )


def header_for_git(url: str, environ: Mapping[str, str]) -> Secret | None:
    """The header with which git shows the token; None where it isn't for that server, or there is none.

    Raises:
        ReleaseError: as `find`.
    """
    ours = (is_github(url, environ) and is_safe(url)) or is_of_the_job(url, environ)
    token = find(environ) if ours else None
    if token is None:
        return None
    # Any user name will do for a token, for Gitea and Forgejo too; this one stands in GitHub's documentation of Apps.
    pair = base64.b64encode(f"x-access-token:{token.secret.reveal()}".encode("ascii")).decode("ascii")
    return Secret(f"Authorization: Basic {pair}")


def _read(path: str) -> Secret:
    try:
        with Path(path).open("rb") as file:
            return Secret(file.read(_LONGEST).decode("utf-8", "replace"))
    except OSError as error:
        what = f"the file that {FILE_VARIABLE} names can't be read: {error.strerror}"
        raise ReleaseError(what, where=path, hint="let it name a file that holds the token alone") from None


def _checked(token: Token) -> Token:
    if not token.secret.can_be_sent:
        raise ReleaseError(
            f"{token.source} holds what can't be a token: spaces, line ends or letters that are not ASCII, or nothing",
            hint="set it to the token alone",
        )
    return token

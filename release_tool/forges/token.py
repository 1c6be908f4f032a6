"""The token for a forge: from environment variables or a file, for the API and for git; never from argv or a URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.forges.recognise import is_actions_of_another, is_known
from release_tool.forges.remote_url import host_of
from release_tool.net.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Those that hold a token, in their order, and the one that names a file with a token, for mounted secrets.
VARIABLES = {
    "github": (("GH_TOKEN", "GITHUB_TOKEN"), "GITHUB_TOKEN_FILE"),  # the order of GitHub's own `gh`
    "gitea": (("GITEA_TOKEN", "FORGEJO_TOKEN"), "GITEA_TOKEN_FILE"),
    "gitlab": (("GITLAB_TOKEN",), "GITLAB_TOKEN_FILE"),
    "azure": (("AZURE_DEVOPS_TOKEN", "AZURE_DEVOPS_EXT_PAT", "SYSTEM_ACCESSTOKEN"), "AZURE_DEVOPS_TOKEN_FILE"),
}

_LONGEST = 64 * 1024  # no token comes near it; a wrong path may lead to a large file


class Token(NamedTuple):
    """A token, and the variable that it came from, for messages."""

    secret: Secret
    source: str


def first(kind: str) -> str:
    """The variable that a person puts a token into."""
    return VARIABLES[kind][1].removesuffix("_FILE")


def find(kind: str, environ: Mapping[str, str]) -> Token | None:
    """The token for the API of a kind of forge that the environment names; None: there is none.

    Raises:
        ReleaseError: the file can't be read, or what is found can't be a token.
    """
    variables, file = VARIABLES.get(kind, ((), ""))
    if kind == "gitea" and is_actions_of_another(environ):
        variables = (*variables, *VARIABLES["github"][0])  # its runner hands its token out under these names
    for name in variables:
        if environ.get(name, "").strip():
            return checked(Token(Secret(environ[name]), name))
    path = environ.get(file, "").strip()
    return checked(Token(_read(path, file), file)) if path else None


def entitled(
    token: Token | None, kind: str, apis: Iterable[str], environ: Mapping[str, str], hint: str
) -> Token | None:
    """The same token where it may be sent to some addresses of a forge's API.

    Raises:
        ReleaseError: there is a token, and nothing but the repository says that the server is such a forge.
    """
    # `release.yaml` belongs to the repository, which may be a stranger's: no file there can name a server that gets the
    # token. Only the environment can, beside the hosts that are known by their names.
    strange = next((one for one in apis if not is_known(kind, one, environ)), None)
    if token is None or strange is None:
        return token
    raise ReleaseError(
        f"the token is not sent to {host_of(strange)}: only the repository says what this server is",
        where=strange,
        cause="forge.kind or forge.url of release.yaml names it, and a stranger's repository could do that too",
        hint=hint,
    )


def _read(path: str, variable: str) -> Secret:
    try:
        with Path(path).open("rb") as file:
            return Secret(file.read(_LONGEST).decode("utf-8", "replace"))
    except OSError as error:
        what = f"the file that {variable} names can't be read: {error.strerror}"
        raise ReleaseError(what, where=path, hint="let it name a file that holds the token alone") from None


def checked(token: Token) -> Token:
    """The same token; ReleaseError where it can't be one."""
    if not token.secret.can_be_sent:
        raise ReleaseError(
            f"{token.source} holds what can't be a token: spaces, line ends or letters that are not ASCII, or nothing",
            hint="set it to the token alone",
        )
    return token

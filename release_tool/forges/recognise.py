"""Which forge a remote is on, by the name of its host, and by what the environment says. Nothing is asked.

Sources: the default variables of each CI system: GitHub Actions, Gitea Actions and Forgejo Actions (the same names,
with `GITEA_ACTIONS` or `FORGEJO_ACTIONS`), GitLab ("Predefined CI/CD variables"), Azure Pipelines ("Use predefined
variables"), Bitbucket Pipelines ("Variables and secrets").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.forges.remote_url import is_loopback, is_safe, remote_url
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.remote_url import RemoteUrl

_HOSTS = {
    "github.com": "github",
    "gitlab.com": "gitlab",
    "codeberg.org": "gitea",
    "gitea.com": "gitea",
    "dev.azure.com": "azure",
    "bitbucket.org": "bitbucket",
}
_ENDINGS = {".ghe.com": "github", ".visualstudio.com": "azure"}

# Variables with the URL (or the bare host) of a server of one's own, in the order in which they count.
_SERVERS = {
    "github": ("GITHUB_SERVER_URL",),
    "gitea": ("GITEA_SERVER_URL", "FORGEJO_SERVER_URL"),
    "gitlab": ("CI_SERVER_URL", "GITLAB_HOST"),
    "azure": ("SYSTEM_COLLECTIONURI", "AZURE_DEVOPS_URL"),
}

SERVER = {
    "github": "GITHUB_SERVER_URL",
    "gitea": "GITEA_SERVER_URL",
    "gitlab": "GITLAB_HOST",
    "azure": "AZURE_DEVOPS_URL",
}
"""The variable by which a person names a server of one's own."""

_OTHER_ACTIONS = ("GITEA_ACTIONS", "FORGEJO_ACTIONS")


def kind_of(url: str, environ: Mapping[str, str]) -> str:
    """The forge that a remote's URL leads to; `local` for a path, `none` where nothing tells."""
    if url.startswith(("/", ".", "file://")) or ":" not in url:
        return "local"
    remote = remote_url(url)
    if remote is None:
        return "none"
    own = next((kind for kind in _SERVERS if server_of(kind, remote, environ)), "")
    return own or kind_of_host(remote.host) or "none"


def kind_of_host(host: str) -> str:
    """The forge that a host is by its name alone; empty: no name that is known."""
    found = next((kind for ending, kind in _ENDINGS.items() if host.endswith(ending)), "")
    return _HOSTS.get(host, found)


def is_known(kind: str, url: str, environ: Mapping[str, str]) -> bool:
    """Whether an address is on a forge of a kind without a word of the repository: by its name, or the environment."""
    remote = remote_url(url)
    return remote is not None and (kind_of_host(remote.host) == kind or bool(server_of(kind, remote, environ)))


def server_of(kind: str, remote: RemoteUrl, environ: Mapping[str, str]) -> str:
    """The URL of the server of a kind, as the environment names it, that a remote is on; empty: none of those."""
    for url in servers(kind, environ):
        server = remote_url(url)
        if server is None:
            continue
        if remote.web and remote.host == server.host and f"{remote.path}/".startswith(f"{server.path.rstrip('/')}/"):
            return url
        # The ports of SSH and of the web server have nothing in common; its own host may be `ssh.` or `altssh.` there.
        name = server.host.partition(":")[0]
        if not remote.web and (remote.host == name or remote.host.endswith(f".{name}")):
            return url
    if kind == "gitlab" and not remote.web and remote.host == environ.get("CI_SERVER_SHELL_SSH_HOST", "").lower():
        return next(iter(servers(kind, environ)), "")
    return ""


def servers(kind: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The URLs of a kind's servers that the environment names, without a slash at their ends."""
    names = _SERVERS.get(kind, ())
    if is_actions_of_another(environ):
        # Runners of others set the same variables for servers that are no GitHub.
        names = {"github": (), "gitea": ("GITHUB_SERVER_URL", *names)}.get(kind, names)
    found = (environ.get(name, "").strip().rstrip("/") for name in names)
    return tuple(one if "://" in one else f"https://{one}" for one in found if one)


def server_url(kind: str, remote: RemoteUrl, override: str, environ: Mapping[str, str]) -> str:
    """Where the web pages of a remote's server begin: by `forge.url`, by the environment, else by the remote's host.

    Raises:
        ReleaseError: as `checked_override`.
    """
    if override:
        return checked_override(kind, remote, override, environ)
    named = server_of(kind, remote, environ)
    if not (named or remote.web or kind_of_host(remote.host)):  # a host that serves SSH alone
        named = next(iter(servers(kind, environ)), "")
    # Where git uses plain HTTP, nobody knows another port; on the usual one, that is the old address of a server with
    # TLS.
    plain = is_loopback(remote.host) or (remote.plain and ":" in remote.host)
    return named or f"{'http' if plain else 'https'}://{remote.host}"


def checked_override(kind: str, remote: RemoteUrl, override: str, environ: Mapping[str, str]) -> str:
    """`forge.url`, without a slash at its end.

    Raises:
        ReleaseError: it has no TLS, or it leads from the server that the environment names to a public one.
    """
    if not is_safe(override):
        what = "forge.url has no TLS, and a token would be sent to it"
        raise ReleaseError(what, where=bare_url(override), hint="use https")
    forbid_leading_away(kind, remote.host, override, environ)
    return override.rstrip("/")


def forbid_leading_away(kind: str, host: str, url: str, environ: Mapping[str, str]) -> None:
    """Refuse an address on a public server, for a remote on another host, where the environment names a server.

    The token belongs to the environment's server. That a host is known by its name doesn't let release.yaml, which may
    be a stranger's, send the token there.

    Raises:
        ReleaseError: it is one.
    """
    there, own = remote_url(url), servers(kind, environ)
    if own and there and there.host != host and kind_of_host(there.host) and not server_of(kind, there, environ):
        raise ReleaseError(
            f"forge.url leads to {there.host}, and the environment names another server",
            where=bare_url(url),
            cause=f"the token is for {bare_url(own[0])}, and release.yaml alone can't send it elsewhere",
            hint=f"take forge.url out of release.yaml, or set {SERVER[kind]} to the server that is meant",
        )


def is_actions_of_another(environ: Mapping[str, str]) -> bool:
    """Whether the runner of a Gitea or a Forgejo runs this."""
    return any(environ.get(name) for name in _OTHER_ACTIONS)

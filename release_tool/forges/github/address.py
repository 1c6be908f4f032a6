"""Where a repository lives on GitHub: github.com, data residency on ghe.com, or an Enterprise Server of one's own.

Sources: "Getting started with the REST API" of each product (docs.github.com), and
the default variables of GitHub Actions (`GITHUB_SERVER_URL`, `GITHUB_API_URL`, `GITHUB_GRAPHQL_URL`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from release_tool.errors import ReleaseError
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_PUBLIC = "github.com"
_SAME = {"www.github.com": _PUBLIC, "ssh.github.com": _PUBLIC}  # the second: SSH over the port of HTTPS
_LOOPBACK = re.compile(r"(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?")
# What git takes for SSH: `git@host:path`, also with a slash before the path, and with a port as `[git@host:22]:path`.
_SCP = re.compile(r"(?:[^/:@\[]+@)?(?:(?P<host>[^/:@\[]+)|\[(?:[^/:@]+@)?(?P<other>[^/:@]+)(?::\d+)?\]):(?P<path>.+)")
_PART = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]+")

# Runners of others set the same variables for servers that are no GitHub.
_OTHER_ACTIONS = ("GITEA_ACTIONS", "FORGEJO_ACTIONS")


class Address(NamedTuple):
    """A repository on a GitHub."""

    server: str  # host, with its port if that is not the usual one
    api: str  # where the paths of the REST API begin
    graphql: str
    owner: str
    name: str

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        return f"/repos/{self.owner}/{self.name}"

    def url(self, number: int) -> str:
        scheme = "http" if self.api.startswith("http:") else "https"
        return f"{scheme}://{self.server}/{self.full_name}/pull/{number}"


class _Remote(NamedTuple):
    host: str
    path: str


def is_github(url: str, environ: Mapping[str, str]) -> bool:
    """Whether a remote's URL leads to a GitHub that is known as one: by its name, or because Actions runs there."""
    remote = _remote(url)
    if remote is None:
        return False
    return remote.host == _PUBLIC or remote.host.endswith(".ghe.com") or remote.host == actions_host(environ)


def is_known_api(url: str, environ: Mapping[str, str]) -> bool:
    """Whether an API is that of a GitHub without a word of the repository: by its name, or by the environment."""
    host = urlsplit(url).netloc.lower()
    named = {f"api.{_PUBLIC}", actions_host(environ)}
    if actions_host(environ):
        named |= {urlsplit(environ.get(name, "")).netloc.lower() for name in ("GITHUB_API_URL", "GITHUB_GRAPHQL_URL")}
    return bool(host) and (host in named or host.endswith(".ghe.com"))


def is_safe(url: str) -> bool:
    """Whether a token may be sent to a URL: by TLS, or within the machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _LOOPBACK.fullmatch(parts.netloc) is not None)


def actions_host(environ: Mapping[str, str]) -> str:
    """The host of `GITHUB_SERVER_URL`, the GitHub whose Actions runs this; empty: none."""
    if any(environ.get(name) for name in _OTHER_ACTIONS):
        return ""
    return _host_of(environ.get("GITHUB_SERVER_URL", ""))


def is_of_the_job(url: str, environ: Mapping[str, str]) -> bool:
    """Whether a remote is on the server whose Actions runs this, be it a GitHub, a Gitea or a Forgejo, and as safe.

    A token for that server is the runner's to hand out, which uses it itself: where a runner that is not GitHub's
    speaks plain HTTP to its server, the token travels no worse for git.
    """
    given = environ.get("GITHUB_SERVER_URL", "").rstrip("/")
    remote, server = _remote(url), _remote(given) if given else None
    if remote is None or server is None or not url.startswith(("https:", "http:")):
        return False
    if remote.host != server.host or not remote.path.startswith(f"{server.path.rstrip('/')}/"):
        return False
    other = any(environ.get(name) for name in _OTHER_ACTIONS)
    return is_safe(url) or (other and url.startswith("http:") and given.startswith("http:"))


def address_of(url: str, override: str, environ: Mapping[str, str]) -> Address:
    """The repository behind a remote's URL; `override` is `forge.url`: the server, or its REST API.

    Raises:
        ReleaseError: the URL is none of a repository on a GitHub.
    """
    remote = _remote(url)
    parts = remote.path.strip("/").removesuffix(".git").split("/") if remote else []
    if remote is None or len(parts) != 2 or not all(_PART.fullmatch(part) for part in parts):
        raise ReleaseError(
            "the remote's URL is not that of a repository on GitHub",
            where=bare_url(url),
            hint="it should end with OWNER/NAME; or set forge.kind in release.yaml to another forge",
        )
    api, graphql = _of_override(override) if override else _of_host(remote.host, environ)
    return Address(remote.host, api, graphql, *parts)


def _of_host(host: str, environ: Mapping[str, str]) -> tuple[str, str]:
    given = environ.get("GITHUB_API_URL", "").rstrip("/")
    if given and host == actions_host(environ):
        return given, environ.get("GITHUB_GRAPHQL_URL", "") or _graphql(given)
    if host == _PUBLIC or host.endswith(".ghe.com"):
        return f"https://api.{host}", f"https://api.{host}/graphql"
    base = f"{'http' if _LOOPBACK.fullmatch(host) else 'https'}://{host}/api"
    return f"{base}/v3", f"{base}/graphql"


def _of_override(url: str) -> tuple[str, str]:
    url = url.rstrip("/")
    parts = urlsplit(url)
    if not is_safe(url):
        what = "forge.url has no TLS, and a token would be sent to it"
        raise ReleaseError(what, where=bare_url(url), hint="use https")
    if parts.path:
        return url, _graphql(url)
    if parts.netloc.startswith("api."):
        return url, f"{url}/graphql"
    return _of_host(_SAME.get(parts.netloc, parts.netloc), {})


def _graphql(api: str) -> str:
    """The GraphQL API beside a REST API: `/api/v3` has `/api/graphql`."""
    return f"{api.removesuffix('/v3')}/graphql" if api.endswith("/api/v3") else f"{api}/graphql"


def _remote(url: str) -> _Remote | None:
    """Host and path of a remote's URL; None for a path of this machine. An SSH port is not the server's."""
    if "://" not in url:
        found = _SCP.fullmatch(url)
        return _Remote(_same(found["host"] or found["other"]), found["path"]) if found else None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in {"https", "http", "ssh", "git+ssh", "ssh+git", "git"} or not host:
        return None
    usual = parts.scheme not in {"https", "http"} or port in {None, 443 if parts.scheme == "https" else 80}
    host = f"[{host}]" if ":" in host else host
    return _Remote(_same(host if usual else f"{host}:{port}"), parts.path)


def _host_of(url: str) -> str:
    remote = _remote(url) if url else None
    return remote.host if remote else ""


def _same(host: str) -> str:
    return _SAME.get(host.lower(), host.lower())

"""Where a repository lives on GitHub: github.com, data residency on ghe.com, or an Enterprise Server of one's own.

Sources: "Getting started with the REST API" of each product (docs.github.com), and
the default variables of GitHub Actions (`GITHUB_SERVER_URL`, `GITHUB_API_URL`, `GITHUB_GRAPHQL_URL`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from release_tool.errors import ReleaseError
from release_tool.forges import recognise, token
from release_tool.forges.remote_url import host_of, is_loopback, is_safe, remote_url, same_host
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.token import Token

_PUBLIC = "github.com"
_PART = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]+")


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


def find_for(address: Address, environ: Mapping[str, str]) -> Token | None:
    """The token for the API of a repository; None: there is none.

    Raises:
        ReleaseError: there is a token, and nothing but the repository says that the server is a GitHub, or forge.url
            leads from the server of the environment to a public one; or as `token.find`.
    """
    found = token.find("github", environ)
    if found is not None and recognise.kind_of_host(address.server) != "github":
        for url in (address.api, address.graphql):
            recognise.forbid_leading_away("github", address.server, url.replace("://api.", "://", 1), environ)
    strange = [url for url in (address.api, address.graphql) if not _is_known_api(url, environ)]
    hint = f"for an Enterprise Server of yours set GITHUB_SERVER_URL=https://{address.server} in the environment"
    return token.entitled(found, "github", strange, environ, hint)


def _is_known_api(url: str, environ: Mapping[str, str]) -> bool:
    """Whether an API is named by the environment, or GitHub's own."""
    host = urlsplit(url).netloc.lower()
    named = {f"api.{_PUBLIC}"}
    if actions_host(environ):
        named |= {urlsplit(environ.get(name, "")).netloc.lower() for name in ("GITHUB_API_URL", "GITHUB_GRAPHQL_URL")}
    return bool(host) and host in named


def actions_host(environ: Mapping[str, str]) -> str:
    """The host of `GITHUB_SERVER_URL`, the GitHub whose Actions runs this; empty: none."""
    return next((host_of(url) for url in recognise.servers("github", environ)), "")


def address_of(url: str, override: str, environ: Mapping[str, str]) -> Address:
    """The repository behind a remote's URL; `override` is `forge.url`: the server, or its REST API.

    Raises:
        ReleaseError: the URL is none of a repository on a GitHub.
    """
    remote = remote_url(url)
    parts = remote.parts if remote else ()
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
    base = f"{'http' if is_loopback(host) else 'https'}://{host}/api"
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
    return _of_host(same_host(parts.netloc), {})


def _graphql(api: str) -> str:
    """The GraphQL API beside a REST API: `/api/v3` has `/api/graphql`."""
    return f"{api.removesuffix('/v3')}/graphql" if api.endswith("/api/v3") else f"{api}/graphql"

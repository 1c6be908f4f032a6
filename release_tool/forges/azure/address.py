"""Where a repository lives on Azure DevOps: Services (dev.azure.com, visualstudio.com), or a server of one's own.

Sources (learn.microsoft.com): "Clone an existing Git repo", "Use SSH key authentication", "Azure DevOps REST API
reference" (the form of its URLs), "Allowed IP addresses and domain URLs", "Naming restrictions and conventions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from release_tool.errors import ReleaseError
from release_tool.forges import recognise, token
from release_tool.forges.remote_url import remote_url
from release_tool.safe_text import bare_url, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.forges.remote_url import RemoteUrl
    from release_tool.forges.token import Token

_CLOUD = "dev.azure.com"
_OLD_CLOUD = ".visualstudio.com"
_MARKS = {"_git", "_ssh"}  # what stands before a repository's name
_SIZES = {"_full", "_optimized"}  # of what a clone gets of it


class AzureAddress(NamedTuple):
    """A repository on an Azure DevOps; its names are as people write them."""

    collection: str  # the URL of the organization, or of the collection of a server of one's own
    project: str
    name: str

    @property
    def is_cloud(self) -> bool:
        """Whether it is on Azure DevOps Services."""
        return urlsplit(self.collection).netloc == _CLOUD

    @property
    def identities(self) -> str:
        """Where people and groups are looked up."""
        return self.collection.replace(f"//{_CLOUD}", f"//vssps.{_CLOUD}", 1)

    @property
    def area(self) -> str:
        """Where the paths of the project's REST API begin, below the collection."""
        return f"/{quote(self.project, safe='')}/_apis"

    @property
    def path(self) -> str:
        """Where those of the repository begin."""
        return f"{self.area}/git/repositories/{quote(self.name, safe='')}"

    @property
    def web(self) -> str:
        """The repository's page."""
        return f"{self.collection}/{quote(self.project)}/_git/{quote(self.name)}"

    @property
    def settings(self) -> str:
        """The page with the settings of the project's repositories: policies, security."""
        return f"{self.collection}/{quote(self.project)}/_settings/repositories"

    @property
    def tokens(self) -> str:
        """The page on which people make their tokens."""
        return f"{self.collection}/_usersSettings/tokens"

    def url(self, number: int) -> str:
        return f"{self.web}/pullrequest/{number}"


def address_of(url: str, override: str, environ: Mapping[str, str]) -> AzureAddress:
    """The repository behind a remote's URL; `override` is `forge.url`: the server, or its collection.

    Raises:
        ReleaseError: the URL is none of a repository on an Azure DevOps.
    """
    remote = remote_url(url)
    found = None
    if remote is not None:
        parts = [unquote(part) for part in remote.path.split("/") if part]
        if all(_is_name(part) for part in parts):
            cloud = remote.host == _CLOUD or remote.host.endswith(_OLD_CLOUD)
            found = _in_cloud(remote, parts) if cloud and not override else _on_server(remote, parts, override, environ)
    if found is None:
        raise ReleaseError(
            "the remote's URL is not that of a repository on Azure DevOps",
            where=bare_url(url),
            hint="it should end with PROJECT/_git/REPOSITORY; or set forge.kind in release.yaml to another forge",
        )
    return found


def find_for(address: AzureAddress, environ: Mapping[str, str]) -> Token | None:
    """The token for the API of a repository; None: there is none.

    Raises:
        ReleaseError: there is a token, and nothing but the repository says that the server is an Azure DevOps.
    """
    hint = f"for an Azure DevOps Server of yours set AZURE_DEVOPS_URL={address.collection} in the environment"
    return token.entitled(token.find("azure", environ), "azure", [address.collection], environ, hint)


def _is_name(part: str) -> bool:
    return part not in {".", ".."} and not set(part) & set("/\\") and one_line(part) == part


def _in_cloud(remote: RemoteUrl, parts: list[str]) -> AzureAddress | None:
    if parts[:1] == ["v3"]:  # SSH
        return AzureAddress(_organization(parts[1]), parts[2], parts[3]) if len(parts) == 4 else None
    if remote.host == _CLOUD:
        organization, parts = (parts or [""])[0], parts[1:]
    else:
        organization = remote.host.removesuffix(_OLD_CLOUD)
        parts = parts[1:] if parts and parts[0].casefold() == "defaultcollection" else parts
    before, name = _split(parts)
    if not organization or not name or len(before) > 1:
        return None
    return AzureAddress(_organization(organization), before[0] if before else name, name)


def _organization(name: str) -> str:
    return f"https://{_CLOUD}/{quote(name, safe='')}"


def _split(parts: Sequence[str]) -> tuple[list[str], str]:
    """What stands before the mark of a repository, and its name; empty: there is none."""
    at = next((number for number, part in enumerate(parts) if part in _MARKS), len(parts))
    names = [part for part in parts[at + 1 :] if part not in _SIZES]
    return list(parts[:at]), names[0] if len(names) == 1 else ""


def _on_server(remote: RemoteUrl, parts: list[str], override: str, environ: Mapping[str, str]) -> AzureAddress | None:
    """The same on a server of one's own: its applications may live below a path, `tfs` by default until 2019."""
    server = recognise.server_url("azure", remote, override, environ)
    there = [unquote(part) for part in urlsplit(server).path.split("/") if part]
    parts = parts[len(there) :] if parts[: len(there)] == there else parts
    before, name = _split(parts)
    if not name:
        return None
    # `PROJECT/_git/NAME` below the collection; `_git/NAME` where the project has the name of its repository.
    named = bool(there) and there[-1].casefold() != "tfs"  # the address that was given is the collection's
    folder = bool(before) and before[0].casefold() == "tfs"
    alone = len(before) == (0 if named else 2 if folder else 1)
    above, project = (before, name) if alone else (before[:-1], before[-1] if before else "")
    if not project or not (named or above):
        return None
    return AzureAddress("/".join([server, *(quote(part, safe="") for part in above)]), project, name)

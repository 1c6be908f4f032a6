"""What the name of an image means: which host is asked, for which repository, with whose credentials."""

from __future__ import annotations

import re
from typing import NamedTuple

from release_tool.errors import ReleaseError

# The OCI distribution specification 1.1, "Pulling manifests": <name> and <tag>. Of the registered digests only this
# one is in use, and the only one that the tool writes.
_IMAGE = re.compile(
    r"(?:(?P<host>(?:[a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+(?::[0-9]{1,5})?)/)?"
    r"(?P<path>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
)
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_HUB = "registry-1.docker.io"  # what docker.io is asked at; the site of that name is no registry
_HUB_NAMES = ("docker.io", "index.docker.io", _HUB)
_HUB_LOGIN = "https://index.docker.io/v1/"  # the name that `docker login` without a server writes


class ImageRepository(NamedTuple):
    """The repository of an image in its registry."""

    host: str  # with its port if one is named
    path: str
    login: str  # what `docker login` calls the registry

    def __str__(self) -> str:
        return f"{'docker.io' if self.host == _HUB else self.host}/{self.path}"


def parse(image: str) -> ImageRepository:
    """The repository of an image without a tag; ReleaseError: the text is no name of one."""
    # What stands before the first slash is a host if it holds a dot or a colon or is `localhost`; else the whole is on
    # Docker Hub, and a name of one part is under `library/` there. That is how Docker reads names:
    # https://pkg.go.dev/github.com/distribution/reference
    first, slash, rest = image.partition("/")
    has_host = bool(slash) and (any(sign in first for sign in ".:") or first == "localhost")
    host, path = (first, rest) if has_host else (_HUB, image)
    if host in _HUB_NAMES:
        host, path = _HUB, path if "/" in path else f"library/{path}"
    if not _IMAGE.fullmatch(f"{host}/{path}"):
        raise ReleaseError(
            f"{image[:100]!r} is no repository of an image",
            hint="write host and path without a scheme and a tag: registry.example.com/team/engine",
        )
    return ImageRepository(host, path, _HUB_LOGIN if host == _HUB else host)


def is_tag(text: object) -> bool:
    return isinstance(text, str) and _TAG.fullmatch(text) is not None


def is_digest(text: object) -> bool:
    """Whether something is a digest as the tool writes it: `sha256:` and 64 hexadecimal digits."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None

"""Looking up images and Helm charts in a registry, over the OCI distribution API 1.1. Reads only.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from typing import TYPE_CHECKING, Any

from release_tool.errors import ReleaseError
from release_tool.registry import reference
from release_tool.registry.client import RegistryClient
from release_tool.registry.failures import codes, garbage, is_page, no_repository, unexpected

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.net.transport import Answer

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
_MANIFEST_LIMIT = 4 * 1024 * 1024  # bytes; the specification lets no registry refuse less
_PAGE_LIMIT = 16 * 1024 * 1024  # bytes; some registries give all tags as one page
_PAGE = 1000  # tags that are asked for at once
_PAGES = 10_000
# What Helm writes, and wrote before its version 3.8: https://helm.sh/docs/topics/registries
_ARCHIVES = ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip")
_ARCHIVE_LIMIT = 64 * 1024 * 1024  # bytes of a packed chart
_HEADER = 8192  # characters of a header that are looked at
_TAGS = 1_000_000  # more than these is no list that somebody wants
# How long an operation may take, in times of one answer: four or five answers at most, and pages.
_LOOK = 3
_PULL = 12
_LIST = 30
# Of the specification; Harbor and Azure have words of their own for the same.
_NO_MANIFEST = {"MANIFEST_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "TAG_UNKNOWN", "NOT_FOUND"}


class Registry:
    """The repository of one image. Credentials are those of `docker login`, and asked for only when it wants some.

    Args:
        image: its name without a tag: `registry.example.com/team/engine`; without a host it is on Docker Hub.
        plain_http: whether the registry is asked without TLS.
        timeout: the seconds that one answer may take; an operation is several answers, and bounded too.
        wait: sleeps so many seconds.

    Raises:
        ReleaseError: the name is none.
    """

    def __init__(
        self,
        image: str,
        *,
        plain_http: bool = False,
        timeout: float = 10.0,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._repository = reference.parse(image)
        self._timeout = timeout
        self._client = RegistryClient(self._repository, plain_http=plain_http, timeout=timeout, wait=wait)

    def __repr__(self) -> str:
        return f"Registry({str(self._repository)!r})"

    def digest(self, tag: str) -> str | None:
        """The digest of an image's manifest, or of its index where it is made for several platforms.

        `tag` may be a digest: `sha256:…`. None: the registry has no such image.

        Raises:
            TryAgain: the registry is busy, slow or down.
            ReleaseError: no such repository; credentials missing or refused; an answer that is none.
        """
        if not reference.is_tag(tag) and not reference.is_digest(tag):
            raise ReleaseError(f"{tag[:200]!r} is neither a tag nor a digest", where=str(self._repository))
        end = time.monotonic() + _LOOK * self._timeout
        answer = self._manifest("HEAD", tag, end)
        found = answer.headers.get("Docker-Content-Digest", "")
        if answer.status != 200 or not found:  # HEAD has no body that says why, and not every registry answers it
            answer = self._manifest("GET", tag, end)
            if answer.status == 404:
                self._check_missing(answer)
                return None
            found = _hashed(answer)
        if is_page(answer):
            raise garbage(answer.where, "it is an HTML page, perhaps of a login")
        if not reference.is_digest(found):
            raise garbage(answer.where, "its Docker-Content-Digest is no `sha256:` and 64 hexadecimal digits")
        if reference.is_digest(tag) and found != tag:
            raise garbage(answer.where, f"it answers with {found}, which is another image")
        return found

    def chart(self, tag: str) -> tuple[bytes, str] | None:
        """A Helm chart: its archive, and the digest of its manifest; `tag` may be a digest. None: there is no such one.

        Raises:
            ReleaseError: it is no chart, or another one than its digests say; and as `digest`.
        """
        end = time.monotonic() + _PULL * self._timeout
        answer = self._manifest("GET", tag, end)
        if answer.status == 404:
            self._check_missing(answer)
            return None
        found = _hashed(answer)
        if reference.is_digest(tag) and found != tag:
            raise garbage(answer.where, f"it answers with {found}, which is another chart")
        digest, size = _archive(answer)
        if size > _ARCHIVE_LIMIT:
            raise ReleaseError(f"the chart has more than {_ARCHIVE_LIMIT >> 20} MB", where=answer.where)
        url = f"{self._client.base}/blobs/{digest}"
        blob = self._client.ask("GET", url, accept="*/*", limit=_ARCHIVE_LIMIT, end=end)
        if blob.status != 200:
            raise unexpected(blob)
        if f"sha256:{hashlib.sha256(blob.body).hexdigest()}" != digest:
            raise garbage(blob.where, "the archive isn't what its digest says")
        return blob.body, found

    def tags(self) -> list[str]:
        """All tags of the repository, in the order of the registry, mostly by name. Errors as of `digest`."""
        end = time.monotonic() + _LIST * self._timeout
        found: dict[str, None] = {}  # a set that keeps the order
        seen: set[str] = set()
        url: str | None = f"{self._client.base}/tags/list?n={_PAGE}"
        while url is not None:
            if url in seen or len(seen) == _PAGES or len(found) > _TAGS:
                raise garbage(url.partition("?")[0], "its list of tags has no end")
            seen.add(url)
            answer = self._client.ask("GET", url, accept="application/json", limit=_PAGE_LIMIT, end=end)
            found.update(dict.fromkeys(self._page(answer)))
            url = self._next(answer)
        return list(found)

    def _manifest(self, method: str, tag: str, end: float) -> Answer:
        url = f"{self._client.base}/manifests/{tag}"
        return self._client.ask(method, url, accept=_MANIFESTS, limit=_MANIFEST_LIMIT, end=end)

    def _check_missing(self, answer: Answer) -> None:
        """A 404 is about the manifest, and nothing else."""
        said = codes(answer)
        if "NAME_UNKNOWN" in said:
            raise no_repository(answer, self._repository)
        if not said & _NO_MANIFEST:
            raise unexpected(answer)

    def _page(self, answer: Answer) -> list[str]:
        if answer.status == 404 and codes(answer) & {"NAME_UNKNOWN", "NOT_FOUND"}:
            raise no_repository(answer, self._repository)
        page = _json(answer)
        tags = page.get("tags", 0) if isinstance(page, dict) else 0
        if tags is None:  # what a registry says that has lost its last tag
            return []
        if not isinstance(tags, list) or not all(reference.is_tag(tag) for tag in tags):
            raise garbage(answer.where, "it is no list of tags")
        return tags

    def _next(self, answer: Answer) -> str | None:
        """The URL of the next page, of a Link header (RFC 8288); None: this was the last."""
        header = answer.headers.get("Link", "")[:_HEADER]
        link = re.search(r'<([^<>]*)>[^<>]*;\s*rel\s*=\s*"?next\b', header, re.IGNORECASE)
        if link is None:
            return None
        url = self._client.own(answer.url, str(link[1]))
        if url is None:
            raise garbage(answer.where, "its list of tags goes on at another host")
        return url


def _json(answer: Answer) -> Any:
    if answer.status != 200:
        raise unexpected(answer)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        cause = "it is an HTML page, perhaps of a login" if is_page(answer) else "it is no JSON"
        raise garbage(answer.where, cause) from None


def _archive(answer: Answer) -> tuple[str, int]:
    """Digest and size of the archive that the manifest of a chart names."""
    manifest = _json(answer)
    layers = manifest.get("layers")
    for layer in layers if isinstance(layers, list) else ():
        if isinstance(layer, dict) and layer.get("mediaType") in _ARCHIVES and reference.is_digest(layer.get("digest")):
            size = layer.get("size")
            return layer["digest"], size if isinstance(size, int) else 0
    hint = "name a chart, as `helm push` makes it"
    raise ReleaseError(
        "what stands there is no Helm chart",
        where=answer.where,
        cause="it may be an image",
        hint=hint,
        page="reference/configuration.md#the-chart",
    )


def _hashed(answer: Answer) -> str:
    """The digest of a manifest that came as a whole; what its registry says must be the same."""
    manifest = _json(answer)
    if not isinstance(manifest, dict) or manifest.get("schemaVersion") != 2:
        raise garbage(answer.where, "it is no manifest of an image, or one of the old schema 1")
    found = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
    if answer.headers.get("Docker-Content-Digest", found) != found:
        raise garbage(answer.where, "the manifest isn't what its digest says")
    return found

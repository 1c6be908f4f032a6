"""A redirect that git did not follow, because it carries a credential: the address that the remote named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.errors import LOOK_AT_IT, WEB_PAGE
from release_tool.git.process import redact
from release_tool.safe_text import bare_url, phrase

if TYPE_CHECKING:
    from release_tool.git.process import GitAnswer

# The trace of curl that git writes with GIT_TRACE_CURL; it hides what is secret in headers by itself.
TRACE = {"GIT_TRACE_CURL": "1", "GIT_TRACE_CURL_NO_DATA": "1"}
_LOCATION = r"(?im)<= Recv header: location: *(\S+)"


def refused(traced: GitAnswer, url: str, remote: str) -> ReleaseError:
    """The error of a redirect.

    Args:
        traced: what git said when it was asked once more, with `TRACE`.
        url: of the remote, as it may be shown.
        remote: its name in the checkout; empty: it was named on the command line.
    """
    found = re.findall(_LOCATION, traced.err)
    there = bare_url(urljoin(f"{url}/info/refs", found[0])) if found else ""
    there = re.sub(r"/(info/refs|git-(upload|receive)-pack)$", "", there)
    address = phrase(redact(there)) or "URL"
    if found and not re.search(r"/(info/refs|git-(upload|receive)-pack)$", bare_url(found[0])):
        return TryAgain(WEB_PAGE, where=url, cause=f"it sends git on to {address}", hint=LOOK_AT_IT)
    return ReleaseError(
        "the remote has moved, and a credential follows no redirect",
        where=url,
        cause=f"it sends git on to {address}" if there else "it sends git on to an address that it doesn't name",
        hint="if you trust that address, "
        + (f"run `git remote set-url {remote} {address}`" if remote else f"name it: --repo {address}"),
    )

"""What time it is for a server: the header `Date` of any answer, without asking it for anything."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from release_tool.net.transport import Transport
from release_tool.safe_text import bare_url


def server_time(url: str, *, timeout: float = 10.0) -> datetime | None:
    """The time of the server behind a URL, to the second; None: it tells none.

    Args:
        url: `http` or `https`; a credential in it is left out.
        timeout: seconds that the answer may take.

    Raises:
        TryAgain: no answer in time.
        ReleaseError: it can't be asked.
    """
    transport = Transport("the server of the remote", bare_url(url), timeout=timeout, most=64 * 1024)
    try:
        return http_date(transport.ask("HEAD", "").headers.get("Date", ""))
    finally:
        transport.close()


def http_date(header: str) -> datetime | None:
    """The time of a header `Date` (RFC 9110, section 6.6.1); None: it is none."""
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)

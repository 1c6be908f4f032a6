"""What time it is for a server: the header `Date` of any answer, without asking it for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.net.transport import Transport, http_date
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from datetime import datetime


def server_time(url: str, *, timeout: float = 10.0) -> datetime | None:
    """The time of the server behind a URL, to the second; None: it tells none. Errors as of `Transport.ask`."""
    transport = Transport("the server of the remote", bare_url(url), timeout=timeout, most=64 * 1024)
    try:
        return http_date(transport.ask("HEAD", "").headers.get("Date", ""))
    finally:
        transport.close()

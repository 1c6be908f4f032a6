"""What a remote's URL says: the host, and the path of the repository there."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

# What git takes for SSH: `git@host:path`, also with a slash before the path, and with a port as `[git@host:22]:path`.
_SCP = re.compile(r"(?:[^/:@\[]+@)?(?:(?P<host>[^/:@\[]+)|\[(?:[^/:@]+@)?(?P<other>[^/:@]+)(?::\d+)?\]):(?P<path>.+)")
_LOOPBACK = re.compile(r"(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?")
# SSH over the port of HTTPS, and the names of one server for each protocol.
_SAME = {
    "www.github.com": "github.com",
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
    "ssh.dev.azure.com": "dev.azure.com",
}


class RemoteUrl(NamedTuple):
    """Host (in lower case, with its port if that is not the usual one of HTTP) and path, as the URL has it."""

    host: str
    path: str
    web: bool = False  # the URL is one of HTTP: the host's port is the web server's
    plain: bool = False  # it is one of HTTP without TLS

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the path, without the ending `.git`."""
        return tuple(self.path.strip("/").removesuffix(".git").split("/"))


def remote_url(url: str) -> RemoteUrl | None:
    """What a remote's URL says; None for a path of this machine. An SSH port is not the server's."""
    if "://" not in url:
        found = _SCP.fullmatch(url)
        return RemoteUrl(same_host(found["host"] or found["other"]), found["path"]) if found else None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in {"https", "http", "ssh", "git+ssh", "ssh+git", "git"} or not host:
        return None
    web = parts.scheme in {"https", "http"}
    usual = not web or port in {None, 443 if parts.scheme == "https" else 80}
    host = f"[{host}]" if ":" in host else host
    return RemoteUrl(same_host(host if usual else f"{host}:{port}"), parts.path, web, parts.scheme == "http")


def host_of(url: str) -> str:
    """The host of an address; empty: there is none."""
    remote = remote_url(url) if url else None
    return remote.host if remote else ""


def same_host(host: str) -> str:
    """One name for the hosts that are one server."""
    return _SAME.get(host.lower(), host.lower())


def is_safe(url: str) -> bool:
    """Whether a token may be sent to a URL: by TLS, or within the machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.netloc))


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine."""
    return _LOOPBACK.fullmatch(host) is not None

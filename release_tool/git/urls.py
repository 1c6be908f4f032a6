"""The addresses of a remote, by git's rules (git-push(1), "GIT URLS"; `alias_all_urls` in git's remote.c).

Git may read at one address and push to another, or to several (`remote.NAME.pushurl`, `url.BASE.pushInsteadOf`). A plan
must be made on what it is pushed to: the tool reads where git pushes, unless both are the same repository.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.git.process import Setting

# Compiled where it is used: the usual remote needs none of it.
_PARTS = (
    r"(?:(?P<scheme>[\w+.-]+)://)?(?:[^/@]*@)?(?P<host>\[[^]]*\]|[^/:\[]+)(?::(?P<port>\d+)(?=/))?[:/]/*(?P<path>.*)"
)


class RemoteUrls(NamedTuple):
    """Where git reads a remote and where it pushes to, after all its rules."""

    reads: str
    pushes: tuple[str, ...]  # the first one is read, too
    key: str = ""  # of the setting that holds several

    def __repr__(self) -> str:
        return f"RemoteUrls({self.key!r})"  # an address may hold a credential

    @property
    def main(self) -> str:
        """The address that the tool reads and pushes to."""
        return self.reads if same_repository(self.reads, self.pushes[0]) or self.off else self.pushes[0]

    @property
    def off(self) -> bool:
        """Whether somebody has switched pushes off, by a word in the place of an address (`no_push`)."""
        return self.key.endswith(".pushurl") and not re.search("[/:]", self.pushes[0])


def remote_urls(settings: Sequence[Setting], name: str, url: str = "") -> RemoteUrls:
    """The addresses of a remote in git's configuration; `url`: one that stands in no configuration."""
    urls = [url] if url else _values(settings, f"remote.{name}.url")
    given = [] if url else _values(settings, f"remote.{name}.pushurl")
    pushes = [rewritten(settings, one) for one in given]
    key = f"remote.{name}.{'pushurl' if given else 'url'}"
    if not pushes:
        pushes = [other for one in urls if (other := rewritten(settings, one, "pushinsteadof")) != one]
    reads = [rewritten(settings, one) for one in urls]
    return RemoteUrls(reads[0], tuple(pushes or reads), key)


def rewritten(settings: Sequence[Setting], url: str, rule: str = "insteadof") -> str:
    """The URL after the longest matching `url.<base>.insteadOf`."""
    matching = [
        (setting.value, setting.key[len("url.") : -len(rule) - 1])
        for setting in settings
        if setting.key.startswith("url.") and setting.key.endswith(f".{rule}") and url.startswith(setting.value)
    ]
    if not matching:
        return url
    prefix, base = max(matching, key=lambda pair: len(pair[0]))
    return base + url[len(prefix) :]


def same_repository(one: str, other: str) -> bool:
    """Whether two addresses lead to one repository: the same, or by HTTP and by SSH on one host."""
    if one == other:
        return True
    found = [re.fullmatch(_PARTS, url) for url in (one, other)]
    if found[0] is None or found[1] is None or one.startswith(("/", ".")) or other.startswith(("/", ".")):
        return False
    places = {(it["host"].lower(), it["path"].strip("/").removesuffix(".git")) for it in found if it}
    schemes = {(it["scheme"] or "ssh").lower().startswith("http") for it in found if it}
    return len(places) == 1 and len(schemes) == 2  # the ports of one server's HTTP and SSH are never the same


def host_of(url: str) -> str:
    """The host of an address, in lower case, by HTTP with its port; empty for a path."""
    found = None if url.startswith(("/", ".", "file:")) else re.fullmatch(_PARTS, url)
    if found is None:
        return ""
    port = found["port"] if (found["scheme"] or "").startswith("http") else None
    return found["host"].lower() + (f":{port}" if port else "")


def ssh_host(url: str) -> tuple[str, str, str]:
    """What stands before the host of an address that SSH serves, the host, and what follows; else three empty texts."""
    found = re.fullmatch(_PARTS, url)
    if found is None or url.startswith(("/", ".")) or found["scheme"] not in (None, "ssh", "git+ssh", "ssh+git"):
        return "", "", ""
    if not found["scheme"] and ":" not in url:
        return "", "", ""
    return url[: found.start("host")], found["host"], url[found.end("host") :]


def _values(settings: Sequence[Setting], key: str) -> list[str]:
    """The values of a key; an empty one takes back those before it."""
    values: list[str] = []
    for setting in settings:
        if setting.key == key:
            values = [*values, setting.value] if setting.value else []
    return values

"""`release doctor` on registries, Prometheus, and the clock of the remote's server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.checks import health
from release_tool.doctor import base_branch as verdicts
from release_tool.doctor.diagnosis import Diagnosis, ok
from release_tool.errors import ReleaseError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

    from release_tool.config import Config
    from release_tool.doctor.access import Access

_MOST = 8  # so many of a kind are asked


def examinations(access: Access, views: Sequence[Config]) -> Iterator[tuple[str, Callable[[], Iterable[Diagnosis]]]]:
    """One for each registry and each Prometheus that the configuration names: its subject, and how it looks."""
    images = {view.registry.image: view for view in views if view.registry is not None and view.registry.image}
    for view in list(images.values())[:_MOST]:
        yield "registry", lambda view=view: _registry(access, view)  # type: ignore[misc]
    servers = _servers(views)
    for url, timeout in list(servers.items())[:_MOST]:
        yield "Prometheus", lambda url=url, timeout=timeout: _prometheus(access, views, url, timeout)  # type: ignore[misc]
    for about, found in (("registry", images), ("Prometheus", servers)):
        if len(found) > _MOST:
            what = f"{len(found) - _MOST} more were not asked"
            one = Diagnosis("unknown", about, what, "", "", "`release doctor --service NAME`")
            yield about, lambda one=one: [one]  # type: ignore[misc]


def _registry(access: Access, view: Config) -> Iterator[Diagnosis]:
    """Whether a registry answers for its image, whatever tags there are."""
    registry, policy = access.registry(view), view.registry
    if registry is None or policy is None:
        return
    registry.digest("latest")
    yield ok("registry", f"answers for {policy.image} (verify: {policy.verify})")


def _servers(views: Sequence[Config]) -> dict[str, timedelta]:
    """URL -> how long an answer may take, of each Prometheus that is named."""
    found: dict[str, timedelta] = {}
    for environment in (one for view in views for one in view.environments.values()):
        in_use, health = environment.retention.in_use, environment.health
        if in_use is not None:
            found.setdefault(in_use.prometheus, in_use.timeout)
        for check in () if health is None else health.checks.values():
            if health is not None and check.prometheus is not None:
                found.setdefault(check.prometheus.url or health.prometheus, health.timeout)
    return found


def _prometheus(access: Access, views: Sequence[Config], url: str, timeout: timedelta) -> Iterator[Diagnosis]:
    """Whether it answers, and takes the queries that people wrote for it."""
    from release_tool.net.prometheus import TOKEN_VARIABLE, Prometheus
    from release_tool.net.secret import Secret

    token = Secret(access.environ.get(TOKEN_VARIABLE, ""))
    prometheus = Prometheus(url, timeout=timeout.total_seconds(), token=token)
    try:
        prometheus.query("vector(1)", access.now())
        yield ok("Prometheus", f"answers at {url}")
        for keys, query in _queries(views, url):
            try:
                prometheus.query(query, access.now())
            except TryAgain:
                raise
            except ReleaseError as error:
                why = "the check is unknown each time"
                mend = f"correct {keys} in {access.config_path}"
                yield Diagnosis("error", "Prometheus", f"{keys}: {error.what}", url, why, mend)
    finally:
        prometheus.close()


def _queries(views: Sequence[Config], url: str) -> Iterator[tuple[str, str]]:
    """The queries that people wrote for a Prometheus, each once, with something in the place of every placeholder."""
    told: set[str] = set()
    for keys, query, asked in (one for view in views for one in health.queries(view)):
        key = ".".join(keys)
        if asked == url and key not in told:
            told.add(key)
            yield key, health.with_anything(query)


def clock(url: str, now: Callable[[], datetime]) -> Iterator[Diagnosis]:
    """Whether this machine's clock agrees with that of the remote's server.

    Args:
        url: the remote's, `http` or `https`.
    """
    from release_tool.net.server_clock import server_time
    from release_tool.safe_text import bare_url

    server = server_time(url)
    if server is not None:
        yield verdicts.clock(now(), server, bare_url(url))

"""`release doctor` on registries, Prometheus, and the clock of the remote's server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.doctor import base as verdicts
from release_tool.doctor.findings import Finding, ok

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from release_tool.config import Config, InUse
    from release_tool.doctor.means import Means

_MOST = 8  # so many of a kind are asked


def examinations(means: Means, views: Sequence[Config]) -> Iterator[tuple[str, Callable[[], Iterable[Finding]]]]:
    """One for each registry and each Prometheus that the configuration names: its subject, and how it looks.

    Args:
        means: the outside world.
        views: the configuration, as the services see it.
    """
    images = {view.registry.image: view for view in views if view.registry is not None and view.registry.image}
    for view in list(images.values())[:_MOST]:
        yield "registry", lambda view=view: _registry(means, view)  # type: ignore[misc]
    sources = [one.retention.in_use for view in views for one in view.environments.values()]
    servers = {one.prometheus: one for one in sources if one is not None}
    for policy in list(servers.values())[:_MOST]:
        yield "Prometheus", lambda policy=policy: _prometheus(means, policy)  # type: ignore[misc]
    for about, found in (("registry", images), ("Prometheus", servers)):
        if len(found) > _MOST:
            what = f"{len(found) - _MOST} more were not asked"
            one = Finding("unknown", about, what, "", "", "`release doctor --service NAME`")
            yield about, lambda one=one: [one]  # type: ignore[misc]


def _registry(means: Means, view: Config) -> Iterator[Finding]:
    """Whether a registry answers for its image, whatever tags there are."""
    registry, policy = means.registry(view), view.registry
    if registry is None or policy is None:
        return
    registry.digest("latest")
    yield ok("registry", f"answers for {policy.image} (verify: {policy.verify})")


def _prometheus(means: Means, policy: InUse) -> Iterator[Finding]:
    from release_tool.outside import Secret
    from release_tool.prometheus import TOKEN_VARIABLE, Prometheus

    token = Secret(means.environ.get(TOKEN_VARIABLE, ""))
    prometheus = Prometheus(policy.prometheus, timeout=policy.timeout.total_seconds(), token=token)
    try:
        prometheus.query("vector(1)", means.now())
    finally:
        prometheus.close()
    yield ok("Prometheus", f"answers at {policy.prometheus}")


def clock(url: str, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Whether this machine's clock agrees with that of the remote's server.

    Args:
        url: the remote's, `http` or `https`.
        now: this machine's clock.
    """
    from release_tool.outside import bare
    from release_tool.server_clock import server_time

    server = server_time(url)
    if server is not None:
        yield verdicts.clock(now(), server, bare(url))

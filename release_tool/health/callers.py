"""Asks Prometheus who still calls a version. Whatever goes wrong, the answer is "use unknown", and the version stays.

**An empty answer is no answer.** "Nobody called v3" and "nobody counted" look alike, so three things must hold before a
version counts as unused:

1. The answer names at least one of the versions, called or not. Else the query looks at the wrong place, or the metric
   isn't collected. (Not even the default is called then: keeping all of them costs nothing that matters.)
2. The same question, over a seventh of the window that ends where the window begins, finds something: Prometheus
   watched the service before the window began. One that lost its data, keeps less than the window, or got to know the
   service later, finds nothing. `prometheus_tsdb_lowest_timestamp_seconds` would not do: it is there only if Prometheus
   scrapes itself, and says nothing about when this metric began to be collected.
3. Over the last seventh of the window it finds something as well: it is still being collected.

What this does not see: an outage of Prometheus in the midst of the window. Counters outlive it, and so do the calls,
but for those of a client and a version whose proxies both came and went within the outage.

A warning (Thanos, when a store does not answer) makes the versions without a call unknown too. A call that was seen
counts in any case.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.model.times import duration_text
from release_tool.net.prometheus import TOKEN_VARIABLE, Prometheus
from release_tool.net.secret import Secret
from release_tool.rules.in_use import Placeholders, Usage, edge, expression, names_any, uses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from release_tool.config import Config, InUse
    from release_tool.model.records import Name, Tag


def words(
    config: Config, environment: str, policy: InUse, versions: Mapping[Name, Tag], now: datetime
) -> dict[Name, str]:
    """Which versions of an environment are in use, or may be, each with the reason to keep it.

    Args:
        config: the configuration, as the service sees it.
        environment: the name of the environment.
        policy: its `retention.in_use`.
        versions: name -> tag of the versions that are asked for.
        now: the end of the window.

    Returns:
        name -> `in use by …` or `use unknown: …`; a version without a reason is called by nobody.
    """
    if not versions:
        return {}
    token = Secret(os.environ.get(TOKEN_VARIABLE, ""))
    prometheus = Prometheus(policy.prometheus, timeout=policy.timeout.total_seconds(), token=token)
    placeholders = Placeholders(environment, config.namespace, config.service, config.release_name)
    try:
        return look(prometheus, policy, placeholders, versions, now).words(versions)
    finally:
        prometheus.close()


def look(
    prometheus: Prometheus, policy: InUse, placeholders: Placeholders, versions: Mapping[Name, Tag], at: datetime
) -> Usage:
    """Who called which version in the window before a time. Raises nothing that Prometheus could be the cause of."""
    try:
        answer = prometheus.query(expression(policy, placeholders), at)
    except ReleaseError as error:
        return Usage(unknown=_why(error))
    found = uses(answer.samples, versions)
    if answer.warnings:
        return Usage(found, f"Prometheus warns: {answer.warnings[0]}")
    if not names_any(answer.samples, versions):
        return Usage(found, "Prometheus knows no calls of any live version")
    try:
        return Usage(found, _unwatched(prometheus, policy, placeholders, at))
    except ReleaseError as error:
        return Usage(found, _why(error))


def _unwatched(prometheus: Prometheus, policy: InUse, placeholders: Placeholders, at: datetime) -> str:
    """Why the window was not watched from its begin to its end; empty: it was."""
    question = expression(policy, placeholders, edge(policy.window))
    if not prometheus.query(question, at - policy.window).samples:
        return f"Prometheus knows less than the window of {duration_text(policy.window)}"
    if not prometheus.query(question, at).samples:
        return "Prometheus got no news of the service lately"
    return ""


def _why(error: ReleaseError) -> str:
    return f"{error.what} ({error.cause})" if error.cause else error.what

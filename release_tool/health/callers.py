"""Asks Prometheus who still calls a version. Whatever goes wrong means "use unknown", and the version stays."""

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

    A version without a reason is called by nobody. `now` is the end of the window.
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
    # An empty answer is no answer: "nobody called v3" and "nobody counted" look alike. So three things must hold before
    # a version counts as unused. First, the answer names at least one of the versions, called or not; else the query
    # looks at the wrong place, or the metric isn't collected. (Not even the default is called then: keeping all of them
    # costs nothing that matters.) The other two: `_unwatched`.
    try:
        answer = prometheus.query(expression(policy, placeholders), at)
    except ReleaseError as error:
        return Usage(unknown=_why(error))
    found = uses(answer.samples, versions)
    if answer.warnings:  # of Thanos, when a store does not answer; a call that was seen counts in any case
        return Usage(found, f"Prometheus warns: {answer.warnings[0]}")
    if not names_any(answer.samples, versions):
        return Usage(found, "Prometheus knows no calls of any live version")
    try:
        return Usage(found, _unwatched(prometheus, policy, placeholders, at))
    except ReleaseError as error:
        return Usage(found, _why(error))


def _unwatched(prometheus: Prometheus, policy: InUse, placeholders: Placeholders, at: datetime) -> str:
    """Why the window was not watched from its begin to its end; empty: it was."""
    # An outage of Prometheus in the midst of the window is not seen. Counters outlive the outage, and so do the calls,
    # but for those of a client and a version whose proxies both came and went within it.
    question = expression(policy, placeholders, edge(policy.window))
    # Over a seventh of the window that ends where the window begins: a Prometheus that lost its data, keeps less than
    # the window, or got to know the service later, finds nothing. `prometheus_tsdb_lowest_timestamp_seconds` would not
    # do: it is there only if Prometheus scrapes itself, and doesn't say when this metric began to be collected.
    if not prometheus.query(question, at - policy.window).samples:
        return f"Prometheus knows less than the window of {duration_text(policy.window)}"
    # Over the last seventh: the metric is still being collected.
    if not prometheus.query(question, at).samples:
        return "Prometheus got no news of the service lately"
    return ""


def _why(error: ReleaseError) -> str:
    return f"{error.what} ({error.cause})" if error.cause else error.what

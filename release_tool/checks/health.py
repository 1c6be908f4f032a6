"""Health checks that can't work, told before the night they matter.

What a single value or section shows is refused when the configuration is read; here is what only a look at the whole
shows, or at a query's grammar.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.checks import promql
from release_tool.checks.findings import Finding
from release_tool.model.printed_command import installing
from release_tool.rules.promql import reach_of
from release_tool.yamledit.parser import documents
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.config import Config, Health
    from release_tool.config.health import Check

_TIMES = frozenset({"window", "range"})
_BY_CALLS = frozenset({"error-rate", "grpc-status", "latency"})


def wrong(config: Config, text: str, path: str) -> Iterator[Finding]:
    """The queries that Prometheus would refuse, or that give no number."""
    yield from (finding for finding, sure in _queries(config, _Places(text, path)) if sure)


def doubtful(config: Config, text: str, path: str) -> Iterator[Finding]:
    """What somebody should know: arguments as for `wrong`."""
    places = _Places(text, path)
    yield from (finding for finding, sure in _queries(config, places) if not sure)
    for name, environment in config.environments.items():
        health = environment.health
        if health is not None and health.checks and not _has_one_without_calls(health):
            what = (
                f"every health check of {name} needs calls: a version that nobody calls is unknown, so the default "
                "can't go back to it"
            )
            hint = "add a check that needs none: the preset `available`, `kubernetes`, `grpc`, `http` or `command`"
            yield Finding(places.of("environments", name, "health", "checks"), what, hint)
    yield from _same_questions(config, places)
    yield from _same_objects(config, places)
    if promql.library() is None and any(True for _ in queries(config)):
        what = "the grammar of the queries was not looked at: the library promql-parser is not installed"
        yield Finding(path, what, installing("promql"))


def _same_questions(config: Config, places: _Places) -> Iterator[Finding]:
    """Environments whose checks ask the same of the same source: one would be judged by what happens in the other."""
    asked: dict[object, str] = {}
    for name, environment in config.environments.items():
        health = environment.health
        for key, check in ({} if health is None else health.checks).items():
            if health is None or "{environment}" in repr(check) or check.command is not None:
                continue
            prometheus = check.prometheus
            source = check if prometheus is None else (prometheus.url or health.prometheus, prometheus)
            other = asked.setdefault((source, config.namespace), name)
            if other != name:
                what = f"{name} and {other} ask the same: each would be judged by what happens in the other"
                hint = "write {environment} into it: a label (`matchers`), the query, the address, or the context"
                yield Finding(places.of("environments", name, "health", "checks", key), what, hint)


def _same_objects(config: Config, places: _Places) -> Iterator[Finding]:
    """Environments of which one would count as applied when the other is."""
    seen: dict[object, str] = {}
    for name, environment in config.environments.items():
        key = "" if environment.health is None else environment.health.delivered_by
        told = getattr(environment.health, key) if key else None
        if told is not None and "{environment}" not in repr(told) and seen.setdefault(told, name) != name:
            what = f"{name} and {seen[told]} name the same object: what is applied in one would count for the other"
            yield Finding(places.of("environments", name, "health", key), what, "name the object of each environment")


def _has_one_without_calls(health: Health) -> bool:
    return health.argocd is not None or any(map(_needs_no_calls, health.checks.values()))


def _needs_no_calls(check: Check) -> bool:
    prometheus = check.prometheus
    return prometheus is None or (prometheus.preset not in _BY_CALLS and not prometheus.samples)


def _queries(config: Config, places: _Places) -> Iterator[tuple[Finding, bool]]:
    for keys, query, _ in queries(config):
        found = promql.complaint(with_anything(query)) or _unread(keys, query)
        if found is not None:
            what = f"{'.'.join(keys)}: Prometheus would refuse it: {found.what}"
            hint = "try it in Prometheus' own page, with the placeholders filled in"
            yield Finding(places.of(*keys), what if found.sure else what.replace("would", "may"), hint), found.sure


def _unread(keys: tuple[str, ...], query: str) -> promql.Complaint | None:
    """A query of a health check of which nobody can tell how far back it looks is never asked."""
    if "health" not in keys or reach_of(with_anything(query)) is not None:
        return None
    return promql.Complaint("nobody can tell how far back it looks, so its check would be unknown each time (`@`?)")


def queries(config: Config) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Every query that people wrote: its keys, its text, and the Prometheus that is asked."""
    for name, environment in config.environments.items():
        at = ("environments", name)
        in_use = environment.retention.in_use
        if in_use is not None and in_use.query:
            yield (*at, "retention", "in_use", "query"), in_use.query, in_use.prometheus
        if environment.health is not None:
            yield from _of_health((*at, "health", "checks"), environment.health)


def _of_health(at: tuple[str, ...], health: Health) -> Iterator[tuple[tuple[str, ...], str, str]]:
    for name, check in health.checks.items():
        if check.prometheus is not None:
            for key in ("query", "samples"):
                query = getattr(check.prometheus, key)
                if query:
                    yield (*at, name, "prometheus", key), query, check.prometheus.url or health.prometheus


def with_anything(query: str) -> str:
    """A query with something in the place of each placeholder."""
    return re.sub(r"\{(\w+)\}", lambda found: "5m" if found[1] in _TIMES else "x", query)


class _Places:
    """Where keys stand in a file."""

    def __init__(self, text: str, path: str) -> None:
        self._path = path
        try:
            self._root = next(iter(documents(text)), None)
        except YamlError:
            self._root = None

    def of(self, *keys: str) -> str:
        """`release.yaml:12:9` of a key; behind an alias that of what is around it."""
        node, where = self._root, self._path
        for key in keys:
            node = None if node is None else node.target or node
            pair = next((pair for pair in ([] if node is None else node.pairs) if pair[0].value == key), None)
            if pair is None:
                break
            where = f"{self._path}:{pair[0].start.line}:{pair[0].start.column}"
            node = pair[1]
        return where

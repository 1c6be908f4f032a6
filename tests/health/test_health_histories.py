"""Every line of the table of histories, asked of one real Prometheus that holds them all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from counted import NOW, Run, series
from histories import TABLE, History
from real_prometheus import real_prometheus

from release_tool.config import DowngradePolicy, Health
from release_tool.config.health import Check
from release_tool.health.judge import judge_all
from release_tool.health.source import Subject, ToJudge
from release_tool.model.health import Judged
from release_tool.model.records import Name, State, Tag
from release_tool.rules import fallback

NAMES = ("v3", "v4", "v5")
TAGS = {Name(name): Tag(f"1.0.{name[1:]}") for name in NAMES}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    held = (
        one
        for history in TABLE
        for name in NAMES
        for one in series(history.runs.get(name, Run()), _place(history), name)
        if one.samples
    )
    with real_prometheus(tmp_path_factory.mktemp("histories"), held) as url:
        yield url


@pytest.mark.parametrize("history", TABLE, ids=[history.name for history in TABLE])
def test_a_history_is_judged_and_decided(history: History, url: str) -> None:
    checks = {name: Check(prometheus=check) for name, check in history.checks.items()}
    health = Health(checks=checks, prometheus=url)
    subjects = tuple(_subject(history, name) for name in NAMES)
    (judged,) = judge_all([ToJudge(health, subjects)], NOW, {})
    by_name = {one.name: one for one in judged}
    said = {name: (by_name[name].health, _reasons(by_name[name])) for name in NAMES}
    for name, (verdict, piece) in history.says.items():
        assert said[name][0] == verdict, said
        assert piece in said[name][1], said
    action, reason = _decided(by_name)
    assert action == history.decides[0], reason
    assert history.decides[1] in reason


def test_the_table_has_histories_of_every_decision_and_verdict() -> None:
    assert len({_place(history) for history in TABLE}) == len(TABLE) >= 60
    assert {history.decides[0] for history in TABLE} == {"stay", "halt", "downgrade v4"}
    assert {word for history in TABLE for word, _ in history.says.values()} == {"healthy", "unhealthy", "unknown"}


def _place(history: History) -> str:
    return re.sub(r"[^a-z0-9]+", "-", history.name.lower())


def _subject(history: History, name: str) -> Subject:
    place, since = _place(history), NOW - timedelta(minutes=history.runs.get(name, Run()).landed)
    return Subject(place, "", place, "engine", f"engine-grpc-manifest-{name}", Name(name), TAGS[Name(name)], since)


def _reasons(judged: Judged) -> str:
    return "; ".join(f"{verdict.check}: {verdict.reason}" for verdict in judged.verdicts)


def _decided(judged: Mapping[Name, Judged]) -> tuple[str, str]:
    found = fallback.decide(
        fallback.Case(
            state=State(TAGS, written_default=Name("v5")),
            former=[Name(name) for name in NAMES],
            order="semver",
            judged=judged.values(),
            policy=DowngradePolicy(),
            lines=(),
            now=NOW,
        )
    )
    return f"{found.action} {found.to}" if found.to else found.action, found.reason

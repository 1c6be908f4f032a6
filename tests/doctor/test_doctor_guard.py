"""`release doctor` where a guard is configured: does a downgrade land with nobody awake, and do its queries work?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from doctor_world import OnGitHub, workflow_files
from real_prometheus import real_prometheus
from standin import Protection

HEALTH = "    health: {checks: {up: {command: {argv: [probe]}}}}\n"


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[str]:
    directory = tmp_path / "prometheus"
    directory.mkdir()
    with real_prometheus(directory, ()) as url:
        yield url


def guarded(github: OnGitHub, more: str = "") -> None:
    text = github.world.file("release.yaml")
    environment = "  devel:\n"
    assert environment in text
    github.commit({"release.yaml": text.replace(environment, f"{environment}{HEALTH}{more}")})


def test_without_health_checks_nothing_is_said_of_a_guard(github: OnGitHub) -> None:
    assert github.look().of("guard") == []


def test_auto_merge_is_a_way(github: OnGitHub) -> None:
    guarded(github)
    github.commit(workflow_files("guard"))
    assert "a downgrade of devel merges by itself" in github.look().one("guard", "ok")["what"]
    github.repository.allow_auto_merge = False
    found = github.look()
    assert "neither a bypass nor auto-merge" in found.one("guard", "error")["what"]
    assert found.code == 1
    github.repository.protections.clear()  # nothing to wait for: merged at once
    assert github.look().one("guard", "ok")


def test_a_review_that_is_asked_for_is_in_the_way(github: OnGitHub) -> None:
    guarded(github)
    github.repository.protections["main"] = Protection(1, contexts=("check",))
    one = github.look().one("guard", "error")
    assert "waits for a review: the base asks for 1" in one["what"]
    assert "publish: direct" in one["mend"]


def test_auto_merge_that_is_switched_off_is_in_the_way(github: OnGitHub) -> None:
    guarded(github, "    downgrade: {auto_merge: false}\n")
    assert "auto_merge: true" in github.look().one("guard", "error")["mend"]


def test_a_bypass_is_a_way(github: OnGitHub) -> None:
    guarded(github, "    downgrade: {publish: direct, auto_merge: false}\n")
    github.repository.protections["main"] = Protection(1, contexts=("check",))
    assert "is pushed to the base" in github.look().one("guard", "ok")["what"]


def test_the_workflow_may_be_elsewhere(github: OnGitHub) -> None:
    guarded(github)
    one = github.look().one("workflows", "unknown")
    assert "none runs `release guard`" in one["what"]
    github.commit(workflow_files("guard"))
    assert github.look().of("workflows", "unknown") == []


@pytest.mark.parametrize(("query", "verdict"), [("up{v='{version}'}", "ok"), ("rate(up{v='{version}'})", "error")])
def test_queries_are_tried_where_prometheus_answers(
    github: OnGitHub, query: str, verdict: str, prometheus: str
) -> None:
    text = github.world.file("release.yaml")
    check = f'    health: {{checks: {{up: {{prometheus: {{url: "{prometheus}", max: 1, query: "{query}"}}}}}}}}\n'
    github.commit({"release.yaml": text.replace("  devel:\n", f"  devel:\n{check}")})
    found = github.look()
    assert found.of("Prometheus", verdict)
    assert bool(found.of("Prometheus", "error")) is (verdict == "error")

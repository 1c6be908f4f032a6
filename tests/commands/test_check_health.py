"""`release check` finds health checks that can't work before the night they matter."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import CONFIG, WITH_DEFAULT, World

QUERY = "sum(rate(errors{version='{version}'}[{range}]))"


def world_with(path: Path, *checks: str, in_use: str = "") -> World:
    lines = "".join(f"        {check}\n" for check in checks)
    health = f"    health:\n      prometheus: http://prometheus:9090\n      checks:\n{lines}" if checks else ""
    more = f"      in_use: {{prometheus: 'http://prometheus:9090', query: \"{in_use}\"}}\n" if in_use else ""
    retention = f"    retention:\n      keep: 8\n{more}"
    text = CONFIG.format(default="newest", keep=8).replace("    retention: {keep: 8, drain: 1h}\n", retention + health)
    assert health in text
    return World.make(path, tags=WITH_DEFAULT, config=text)


def own(query: str, more: str = "") -> str:
    return f'own: {{prometheus: {{query: "{query}", max: 1{more}}}}}'


def test_right_checks_are_no_finding(tmp_path: Path) -> None:
    world = world_with(tmp_path, own(QUERY), "up: {prometheus: {preset: available, min: 1}}")
    found = world.json("check")
    assert (found["findings"], found["warnings"]) == ([], [])


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("sum(rate(errors{version='{version}'}[{range}])", "unclosed left parenthesis"),
        ("rate(errors{version='{version}'})", "expected type matrix"),
        ("errors{version='{version}'}[{range}]", "it gives a range of values, and a number is wanted"),
        ("errors{version=~'{version}('}", "illegal regex"),
    ],
)
def test_a_query_that_prometheus_would_refuse_is_an_error(tmp_path: Path, query: str, what: str) -> None:
    found = world_with(tmp_path, own(query)).json("check", code=1)
    (finding,) = found["findings"]
    assert "environments.devel.health.checks.own.prometheus.query: Prometheus would refuse it: " in finding["what"]
    assert what in finding["what"]
    assert finding["where"] == "release.yaml:13:28"
    assert finding["hint"]


def test_the_query_that_counts_calls_is_looked_at_too(tmp_path: Path) -> None:
    found = world_with(tmp_path, own(QUERY, ", samples: \"increase(calls{v='{version}'})\"")).json("check", code=1)
    assert "checks.own.prometheus.samples: Prometheus would refuse it" in found["findings"][0]["what"]


def test_a_function_that_this_grammar_does_not_know_is_a_warning(tmp_path: Path) -> None:
    found = world_with(tmp_path, own("brand_new(errors{version='{version}'})")).json("check")
    (warning,) = found["warnings"]
    assert "Prometheus may refuse it: unknown function" in warning["what"]


def test_checks_that_all_need_calls_are_a_warning(tmp_path: Path) -> None:
    world = world_with(tmp_path, "errors: {prometheus: {preset: error-rate, max: 0.05}}")
    (warning,) = world.json("check")["warnings"]
    assert warning["what"].startswith("every health check of devel needs calls")
    assert warning["where"] == "release.yaml:12:7"
    (tmp_path / "another").mkdir()
    world = world_with(tmp_path / "another", own(QUERY, ", samples: \"increase(calls{v='{version}'}[{window}])\""))
    assert world.json("check")["warnings"]


def test_a_query_of_which_nobody_can_tell_how_far_back_it_looks_is_an_error(tmp_path: Path) -> None:
    found = world_with(tmp_path, own("errors{version='{version}'} @ 1700000000")).json("check", code=1)
    assert "nobody can tell how far back it looks" in found["findings"][0]["what"]


def test_environments_that_ask_the_same_are_a_warning(tmp_path: Path) -> None:
    world = world_with(tmp_path, "up: {prometheus: {preset: available, min: 1}}")
    text = world.file("release.yaml")
    health = text[text.index("    health:") : text.index("  staging:")]
    both = text.replace("  production:\n", f"{health}  production:\n")
    world.commit({"release.yaml": both}, "Both")
    (warning,) = world.json("check")["warnings"]
    words = "staging and devel ask the same: each would be judged by what happens in the other"
    assert warning["what"].startswith(words)
    apart = both.replace("min: 1}", """min: 1, matchers: 'cluster="{environment}"'}""")
    world.commit({"release.yaml": apart}, "Apart")
    assert world.json("check")["warnings"] == []


def test_the_query_of_who_is_in_use_is_looked_at(tmp_path: Path) -> None:
    found = world_with(tmp_path, in_use="sum(increase(calls[{window}])").json("check", code=1)
    assert "environments.devel.retention.in_use.query" in found["findings"][0]["what"]


def test_without_the_grammar_it_says_that_it_did_not_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from release_tool.checks import promql

    monkeypatch.setattr(promql, "library", lambda: None)
    found = world_with(tmp_path, own("rate(up{v='{version}'}")).json("check")
    (warning,) = found["warnings"]
    assert "was not looked at" in warning["what"]
    assert warning["hint"] == "pip install 'gitops-release[promql] @ git+https://github.com/OWNER/release@COMMIT'"


def test_a_check_of_a_proposal_starts_nothing(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    world = world_with(tmp_path, f"own: {{command: {{argv: [touch, '{ran}']}}}}")
    world.json("check")
    world.commit({"README.md": "x"}, "Propose", branch="proposal")
    world.json("check", "--ref", "proposal")
    world.json("diff", "devel", "--ref", "proposal")
    assert not ran.exists()

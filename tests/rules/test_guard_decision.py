"""What a guard decides, from verdicts and the record."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from model_builders import DAY, HOUR, NOW, change, intent, law, line, state

from release_tool.config import DowngradePolicy
from release_tool.model import history
from release_tool.model.health import Judged, Verdict, evidence_of, failing, spark
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN, DowngradeArguments, Evidence, Line, Name, State, Tag
from release_tool.rules import fallback
from release_tool.rules.retention import fallback_target

FOUR = ("1.0.1", "1.0.2", "1.0.3", "1.0.4")


def judged(one: State, **said: str) -> list[Judged]:
    """`judged(state, v4="unhealthy")`; who isn't named wasn't judged."""
    return [
        Judged(Name(name), one.versions[Name(name)], (Verdict("errors", word, f"{name} is {word}"),))
        for name, word in said.items()
    ]


def decide(
    one: State, *, former: str = "v3", lines: Any = (), policy: DowngradePolicy | None = None, **said: str
) -> Any:
    stood = [Name(name) for name in former.split()]
    return fallback.decide(
        fallback.Case(one, stood, "semver", judged(one, **said), policy or DowngradePolicy(), lines, NOW)
    )


ALL_GOOD = {"v1": HEALTHY, "v2": HEALTHY, "v3": HEALTHY, "v4": HEALTHY}


def test_a_healthy_default_stays() -> None:
    found = decide(state(*FOUR, default="v4"), **ALL_GOOD)
    assert (found.action, found.reason) == ("stay", "v4 (1.0.4) is healthy: errors: v4 is healthy")


def test_an_unknown_default_stays_whatever_the_others_are() -> None:
    found = decide(state(*FOUR, default="v4"), **{**ALL_GOOD, "v4": UNKNOWN})
    assert (found.action, found.reason) == ("stay", "v4 (1.0.4) is unknown: errors: v4 is unknown")


def test_an_unhealthy_default_gives_way_to_the_fallback_target() -> None:
    found = decide(state(*FOUR, default="v4"), former="v1 v2 v4", **{**ALL_GOOD, "v4": UNHEALTHY})
    assert (found.action, found.leave, found.to) == ("downgrade", "v4", "v2")
    assert found.reason == "v4 (1.0.4) is unhealthy: errors: v4 is unhealthy"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({**ALL_GOOD, "v3": UNKNOWN}, "v3 (1.0.3), which it would go back to, is unknown: errors: v3 is unknown"),
        ({**ALL_GOOD, "v3": UNHEALTHY}, "v3 (1.0.3), which it would go back to, is unhealthy: errors: v3 is unhealthy"),
        ({"v1": HEALTHY}, "v3 (1.0.3), which it would go back to, is not judged yet"),
        (dict.fromkeys(ALL_GOOD, UNHEALTHY), "So is every other live version: the cause is shared"),
    ],
)
def test_it_halts_where_going_back_would_not_be_better(said: dict[str, str], reason: str) -> None:
    found = decide(state(*FOUR, default="v4"), **{**said, "v4": UNHEALTHY})
    assert (found.action, found.to) == ("halt", None)
    assert reason in found.reason
    assert found.reason.startswith("v4 (1.0.4) is unhealthy: ")


def test_it_halts_where_no_other_version_is_live() -> None:
    one = state(*FOUR[:2], default="v2", quarantined={"v1": "slow"})
    assert "No other version is live" in decide(one, v2=UNHEALTHY).reason


def test_it_halts_where_there_is_no_version_to_go_back_to() -> None:
    one = state("1.0.5", "1.0.6", default="v1")  # only a newer one, that never was the default
    found = decide(one, former="v1", v1=UNHEALTHY, v2=HEALTHY)
    assert (found.action, "no version to go back to" in found.reason) == ("halt", True)


def test_what_changed_while_it_was_judged_counts_as_not_judged() -> None:
    one = state(*FOUR, default="v4")
    old = [Judged(Name("v4"), "1.0.0", (Verdict("errors", UNHEALTHY, "bad"),))]  # type: ignore[arg-type]
    case = fallback.Case(one, (), "semver", [*old, *judged(one, v3=HEALTHY)], DowngradePolicy(), (), NOW)
    assert fallback.decide(case).reason == "v4 was not judged: it became the default in the meantime"
    gone = [*judged(state(*FOUR, "1.0.5"), v5=UNHEALTHY), *judged(one, v4=HEALTHY)]
    found = fallback.decide(case._replace(judged=gone, policy=DowngradePolicy(quarantine_unhealthy=True)))
    assert (found.action, found.quarantine) == ("stay", ())


def test_an_empty_environment_stays() -> None:
    assert decide(State()).reason == "it has no version yet"


def by_guard(hours: float, line_id: str = "x", **more: Any) -> Line:
    rows = [{"version": "v4", "check": "errors", "health": "unhealthy", "reason": "bad"}]
    moved = change("set-default", "v3")
    at = NOW - hours * HOUR
    return line(line_id, moved, at=at, operation="downgrade", arguments={"evidence": rows}, **more)


@pytest.mark.parametrize(
    ("lines", "most", "action"),
    [
        ([by_guard(1)], 1, "halt"),
        ([by_guard(1)], 2, "downgrade"),
        ([by_guard(1, "a"), by_guard(23, "b")], 2, "halt"),
        ([by_guard(1, "a"), by_guard(25, "b")], 2, "downgrade"),
        ([by_guard(-48, "a")], 1, "halt"),  # a clock that was wrong
        ([line("a", change("set-default", "v3"), operation="downgrade", at=NOW)], 1, "downgrade"),  # a person's
        ([by_guard(1)._replace(changes=(change("quarantine", "v4"),))], 1, "downgrade"),  # it moved nothing
    ],
)
def test_so_many_downgrades_within_a_day_and_no_more(lines: list[Line], most: int, action: str) -> None:
    policy = DowngradePolicy(max_downgrades=most)
    found = decide(state(*FOUR, default="v4"), lines=lines, policy=policy, **{**ALL_GOOD, "v4": UNHEALTHY})
    assert found.action == action
    assert action != "halt" or "within a day already" in found.reason


def test_others_that_are_unhealthy_are_quarantined_only_where_that_is_wanted() -> None:
    one = state(*FOUR, default="v4")
    said = {**ALL_GOOD, "v1": UNHEALTHY}
    assert decide(one, **said).quarantine == ()
    wanted = DowngradePolicy(quarantine_unhealthy=True)
    assert decide(one, policy=wanted, **said).quarantine == ("v1",)
    assert decide(one, policy=wanted, **{**said, "v4": UNKNOWN}).quarantine == ()  # their callers would go there
    found = decide(one, policy=wanted, **{**said, "v4": UNHEALTHY})
    assert (found.action, found.to, found.quarantine) == ("downgrade", "v3", ())  # they would get the bad default
    assert decide(one, policy=wanted, **{**said, "v4": UNHEALTHY, "v3": UNKNOWN}).quarantine == ()


WORDS = st.sampled_from([HEALTHY, UNHEALTHY, UNKNOWN, None])


@law(
    st.lists(WORDS, min_size=4, max_size=4),
    st.sampled_from(["v1", "v2", "v3", "v4"]),
    st.lists(st.sampled_from(["v1", "v2", "v3", "v4"]), max_size=4),
    st.booleans(),
    st.integers(0, 3),
    examples=300,
)
def test_only_an_unhealthy_default_is_left_and_only_for_a_healthy_version(
    words: list[str | None], default: str, former: list[str], quarantines: bool, before: int
) -> None:
    one = state(*FOUR, default=default)
    said = {f"v{number}": word for number, word in enumerate(words, start=1) if word}
    found = decide(
        one,
        former=" ".join(former),
        lines=[by_guard(1 + number, f"line-{number}") for number in range(before)],
        policy=DowngradePolicy(quarantine_unhealthy=quarantines),
        **said,
    )
    if found.action == "downgrade":
        assert (said[default], said[found.to]) == (UNHEALTHY, HEALTHY)
        assert before < 2
        assert found.to == fallback_target(one, [Name(name) for name in former], "semver")
    if found.action == "halt":
        assert said[default] == UNHEALTHY
        assert found.quarantine == ()
    assert found.action == "stay" or said[default] == UNHEALTHY
    assert all(said[name] == UNHEALTHY and name not in {default, found.to} for name in found.quarantine)
    assert quarantines or not found.quarantine
    left = set(one.live) - set(found.quarantine) - ({default} if found.action == "downgrade" else set())
    assert left  # a version stays live


# -- verdicts together ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("words", "health"), [
    ([], UNKNOWN), ([UNKNOWN, UNKNOWN], UNKNOWN), ([HEALTHY, UNKNOWN], HEALTHY),
    ([HEALTHY, UNHEALTHY, UNKNOWN], UNHEALTHY)
])  # fmt: skip
def test_several_checks_together(words: list[str], health: str) -> None:
    verdicts = tuple(Verdict(f"check-{place}", word, word) for place, word in enumerate(words))
    assert Judged(Name("v1"), "1.0.1", verdicts).health == health  # type: ignore[arg-type]


def test_the_reason_is_that_of_the_checks_which_decided() -> None:
    verdicts = (Verdict("a", HEALTHY, "fine"), Verdict("b", UNHEALTHY, "bad"), Verdict("c", UNHEALTHY, "worse"))
    assert Judged(Name("v1"), "1.0.1", verdicts).reason == "b: bad; c: worse"  # type: ignore[arg-type]


# -- evidence ---------------------------------------------------------------------------------------------------------
SEEN = Verdict("errors", UNHEALTHY, "0.213 is more than 0.05", 0.2134, "max 0.05", 4170.0, NOW, (0.0, None, 0.1, 0.2))


def test_evidence_goes_into_an_intent_and_comes_back() -> None:
    rows = evidence_of([Judged(Name("v4"), "1.0.4", (SEEN, Verdict("up", UNKNOWN, "away")))])  # type: ignore[arg-type]
    written = history.intent("x", "downgrade", DowngradeArguments("v4", Tag("1.0.4"), evidence=rows))
    one = intent("x", "downgrade", json.loads(json.dumps(written.written)))
    assert one == written
    assert one.evidence == (
        Evidence(
            "v4", "errors", "unhealthy", "0.213 is more than 0.05", "0.213", "max 0.05", "4170", "2026-11-23T12:00:00Z",
            "▁ ▅█",
        ),
        Evidence("v4", "up", "unknown", "away"),
    )  # fmt: skip
    assert failing(one) == {("v4", "errors")}


@pytest.mark.parametrize("found", [None, "x", [1, None], [{"version": 3, "check": ["a"]}], {"a": 1}])
def test_evidence_that_somebody_else_wrote_is_no_evidence(found: object) -> None:
    one = intent("x", "downgrade", {"version": "v4", "tag": "1.0.4", "evidence": found})
    assert all(isinstance(text, str) for row in one.evidence for text in row)
    assert failing(one) == frozenset()


@pytest.mark.parametrize(("points", "shown"), [
    ((), ""), ((0.0, 0.0), "▁▁"), ((None, 1.0, None), " █ "), ((0.0, 0.5, 1.0), "▁▅█"), ((-1.0, 1.0), "▁█"),
    ((1e300, 1.0), "█▁")
])  # fmt: skip
def test_a_sparkline(points: tuple[float | None, ...], shown: str) -> None:
    assert spark(points) == shown


def test_a_long_sparkline_keeps_its_peaks() -> None:
    shown = spark([0.0] * 50 + [1.0] + [0.0] * 49, most=10)
    assert (len(shown), shown.count("█")) == (10, 1)


def test_the_day_is_a_day() -> None:
    assert DAY == fallback.DAY == timedelta(hours=24)

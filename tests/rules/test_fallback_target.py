"""The fallback target: the version that a downgrade goes back to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from model_builders import ORDERS, law, state, states

from release_tool.model.records import Name, State
from release_tool.model.versions import is_newer, newest_first
from release_tool.rules.retention import fallback_target

FIVE = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", default="v4")


@pytest.mark.parametrize(
    ("why", "one", "former", "target"),
    [
        ("the latest former default that is live and below", FIVE, ["v1", "v3", "v2", "v4"], "v2"),
        ("one above the default doesn't count before those below", FIVE, ["v2", "v5", "v4"], "v2"),
        ("one that is gone doesn't count", FIVE, ["v2", "v9", "v4"], "v2"),
        ("one that is quarantined doesn't count",
         state("1.0.1", "1.0.2", "1.0.3", default="v3", quarantined={"v2": "slow"}), ["v1", "v2", "v3"], "v1"),
        ("one that is retired doesn't count",
         state("1.0.1", named={"v3": "1.0.3"}, default="v3", retired={"v2": "1.0.2"}), ["v1", "v2", "v3"], "v1"),
        ("else the newest live one below", FIVE, ["v4"], "v3"),
        ("else the newest live one below, before a former default above", FIVE, ["v5", "v4"], "v3"),
        ("not a quarantined one below",
         state("1.0.1", "1.0.2", "1.0.3", default="v3", quarantined={"v2": "slow"}), [], "v1"),
        ("else the latest former default that is live", state("1.0.1", "1.0.2", "1.0.3", default="v1"), ["v3", "v2", "v1"], "v2"),
        ("else none", state("1.0.1", "1.0.2", "1.0.3", default="v1"), ["v1"], None),
        ("none beside the default", state("1.0.1"), ["v1"], None),
        ("none without versions", State(), ["v1"], None),
        ("an implied default has one too", state(named={"v2": "1.0.2", "v3": "1.0.1"}), [], "v3"),
        ("a version of the same precedence is not below", state("1.0.1", "v1.0.1", default="v1"), [], None),
        ("a tag that can't be read is below all others", state("latest", "1.0.1", default="v2"), [], "v1"),
        ("a former default below goes before a newer one below", state("latest", "1.0.1", "1.0.2", default="v3"), ["v1"], "v1"),
        ("of tags that can't be read the lower names are below", state("zzz", "aaa", "bbb", default="v2"), [], "v1"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_the_version_to_go_back_to(why: str, one: State, former: list[str], target: str | None) -> None:
    assert fallback_target(one, [Name(name) for name in former], "semver") == target


def test_below_means_below_in_the_configured_order() -> None:
    one = state("2.0.0", "1.0.0", "1.5.0", default="v2")
    assert fallback_target(one, [], "semver") is None
    assert fallback_target(one, [], "arrival") == "v1"


@st.composite
def asked(draw: Any) -> tuple[State, list[Name], str]:
    one = draw(states(least=1))
    names = sorted((*one.versions, *one.retired, Name("v99")))
    return one, draw(st.lists(st.sampled_from(names), max_size=5)), draw(ORDERS)


@law(asked())
def test_the_clauses_are_tried_in_their_order(question: tuple[State, list[Name], str]) -> None:
    one, former, order = question
    target = fallback_target(one, former, order)
    default = one.default
    assert default is not None
    live = {name: tag for name, tag in one.live.items() if name != default}
    below = {name for name, tag in live.items() if is_newer(order, (default, one.versions[default]), (name, tag))}
    known = [name for name in former if name in live]
    if any(name in below for name in known):
        assert target == [name for name in known if name in below][-1]
    elif below:
        assert target == next(name for name, _ in newest_first(order, live.items()) if name in below)
    else:
        assert target == (known[-1] if known else None)

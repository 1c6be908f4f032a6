"""A version that somebody still calls is kept, and so is every version while nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from calls import AT, busy, calls
from hostile import Hostile, answer
from real_prometheus import real_prometheus
from world import CONFIG, WITH_DEFAULT, World, pairs


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """v4 is called by the web shop, v1 by an old mobile gateway; nobody calls v2 and v3."""
    series = [
        calls("v4", "web.shop", busy, namespace="engine"),
        calls("v1", "mobile-gw.edge", busy, namespace="engine"),
        calls("v2", "web.shop", lambda _: 5.0, namespace="engine"),
    ]
    with real_prometheus(tmp_path_factory.mktemp("prometheus"), series) as url:
        yield url


def world_with(tmp_path: Path, url: str) -> World:
    config = CONFIG.format(default="newest", keep=1).replace(
        "drain: 1h}", f"drain: 1h, in_use: {{prometheus: '{url}', window: 1d, timeout: 2s}}}}"
    )
    world = World.make(tmp_path, tags=WITH_DEFAULT, config=config)
    world.now = AT - timedelta(minutes=1)
    return world


def test_a_version_in_use_is_kept_and_its_callers_are_named(tmp_path: Path, prometheus: str) -> None:
    world = world_with(tmp_path, prometheus)
    (outcome,) = (one for one in world.json("cleanup", "devel") if one["changed"])
    assert pairs(outcome["changes"]) == [("retire", "v2")]
    kept = {one["version"]: one["reason"] for one in outcome["kept"]}
    assert kept == {"v1": "in use by mobile-gw.edge", "v3": "fallback target", "v4": "default"}
    assert "in use by mobile-gw.edge" in world.json("pulls", "show", "1")["body"]


BUSY_UNTIL_NO_DATE = answer(503, b"", "Retry-After: Mon, 01 Jan 99999999999999999999 00:00:00 GMT")


@pytest.mark.parametrize("answers", [[], [BUSY_UNTIL_NO_DATE]], ids=["closed port", "busy until no date"])
def test_while_nobody_knows_every_version_is_kept(tmp_path: Path, answers: list[bytes]) -> None:
    with Hostile() as server:
        server.answers = [*answers]
        check_that_every_version_is_kept(world_with(tmp_path, server.url if answers else "http://127.0.0.1:9"))


def check_that_every_version_is_kept(world: World) -> None:
    (outcome,) = world.json("cleanup", "devel")
    assert outcome["changed"] is False
    reasons = {one["version"]: one["reason"] for one in outcome["kept"]}
    assert reasons["v1"].startswith("use unknown: ")
    assert reasons["v4"] == "default"
    assert world.json("bump", "devel", "v1.0.5")["changed"] is True, "an operation does not fail over it"

"""Where a delivery tool tells what is applied: nothing is removed before its retirement is, and times count from then.

The Application is what the tests make of it; `tests/real` does the same with a running Argo CD.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, application, at
from world import CONFIG, WITH_DEFAULT, World

APPLICATION = CONFIG.replace(
    "    retention: {{keep: {keep}, drain: 1h}}\n",
    "    retention: {{keep: {keep}, drain: 1h}}\n    health: {{argocd: {{application: 'engine-{{environment}}'}}}}\n",
).replace("    default: promoted\n", "    default: promoted\n    soak: 2h\n", 1)
HOUR = timedelta(hours=1)


class Delivered:
    """A world whose `devel` an Application of Argo CD applies, as far as a test says so."""

    def __init__(self, world: World, server: ApiServer) -> None:
        self.world = world
        self.server = server
        self.history: list[dict[str, Any]] = []

    @property
    def tip(self) -> str:
        return self.world.refs()["refs/heads/main"]

    def apply(self, commit: str = "", **status: Any) -> None:
        """Argo CD has synced a commit, now; without one the tip of the base."""
        commit = commit or self.tip
        self.history.append({"id": len(self.history), "revision": commit, "deployedAt": at(self.world.now)})
        self.server.objects = [application("engine-devel", commit, **{"history": self.history, **status})]

    def removed(self) -> list[str]:
        devel = self.world.json("cleanup", "devel")[0]
        return [change["version"] for change in devel["changes"] if change["action"] == "remove"]

    def notes(self) -> list[str]:
        devel = self.world.json("cleanup", "devel")[0]
        assert not devel["changes"]
        return list(devel["notes"])


@pytest.fixture
def delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Delivered]:
    world = World.make(tmp_path, tags=WITH_DEFAULT, config=APPLICATION.format(default="newest", keep=8))
    with ApiServer() as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        made = Delivered(world, server)
        made.apply()
        yield made


def test_nothing_is_removed_before_its_retirement_is_applied(delivered: Delivered) -> None:
    world, before = delivered.world, delivered.tip
    world.land("retire", "devel", "v1")
    retirement = delivered.tip
    world.now += 5 * HOUR
    why = f"its retirement ({retirement[:7]}) is not applied yet: Application engine-devel has applied {before[:7]}"
    assert delivered.notes() == [f"v1 stays: {why}"]
    assert f"wait  v1  v1.0.1  {why}" in world.release("cleanup", "devel", "--dry-run").out
    (row,) = [one for one in world.json("status", "devel")["environments"][0]["versions"] if one["version"] == "v1"]
    assert row["unapplied"] == why
    shown = world.release("status", "devel").out
    assert f"stays as it is: {why}" in " ".join(shown.split())
    assert f"Application engine-devel: {before[:7]} (Synced, Healthy)" in shown
    explained = world.json("explain", "devel", "v1")
    assert [one["reason"] for one in explained["rules"] if one["rule"] == "drain"] == [why]

    delivered.apply()
    assert delivered.removed() == [], "it drains from when it was applied"
    world.now += HOUR
    assert delivered.removed() == ["v1"]


def test_an_outage_keeps_what_it_can_not_be_told_of_and_fails_nothing(delivered: Delivered) -> None:
    world = delivered.world
    world.land("retire", "devel", "v1")
    delivered.apply()
    world.now += 5 * HOUR
    delivered.server.raw = (503, b"{}")
    found = world.json("cleanup")
    assert [one["changed"] for one in found] == [False, False, False]
    (note,) = found[0]["notes"]
    assert note == (
        "v1 stays: nobody can tell whether its retirement is applied: Application engine-devel: the API server answers "
        "with status 503: Service Unavailable"
    )
    delivered.server.raw = None
    assert delivered.removed() == ["v1"]


def test_nobody_is_asked_before_it_matters(delivered: Delivered) -> None:
    world = delivered.world
    world.land("bump", "devel", "v1.0.5")
    world.land("retire", "devel", "v1")
    world.release("cleanup")
    world.release("status")
    assert delivered.server.paths == []


def test_what_came_back_is_not_said_to_be_routed_before_that_is_applied(delivered: Delivered) -> None:
    world = delivered.world
    world.land("retire", "devel", "v1")
    delivered.apply()
    world.now += 2 * HOUR
    world.release("cleanup", "--direct")
    world.land("restore", "devel", "v1")
    world.now += HOUR
    shown = " ".join(world.release("status", "devel").out.split())
    assert "not routed yet: its return (" in shown
    assert "`release restore devel v1` routes it at once" in shown
    assert "the first clean-up" not in shown
    delivered.apply()
    world.now += HOUR
    assert "not routed yet: the first clean-up does that" in " ".join(world.release("status", "devel").out.split())


def test_a_rollback_in_the_cluster_keeps_what_it_brought_back(delivered: Delivered) -> None:
    world, before = delivered.world, delivered.tip
    world.land("retire", "devel", "v1")
    delivered.apply()
    delivered.apply(before)
    world.now += 5 * HOUR
    assert "is not applied yet" in delivered.notes()[0]


def test_a_shallow_clone_knows_what_is_applied(delivered: Delivered, tmp_path: Path) -> None:
    world = delivered.world
    world.land("retire", "devel", "v1")
    delivered.apply()
    for number in range(3):
        world.commit({"note": str(number)}, "more")
    world.now += 5 * HOUR
    shallow = tmp_path / "shallow"
    world.git("clone", "-q", "--depth", "1", f"file://{world.origin}", str(shallow))
    out = world.release("cleanup", "devel", "--dry-run", "-C", str(shallow)).out
    assert "remove  v1" in out


def refusal(world: World) -> str:
    with world.unchanged():
        return " ".join(world.release("promote", "devel", "staging", code=1).err.split())


def test_a_promotion_waits_until_its_version_is_applied(delivered: Delivered) -> None:
    world, before = delivered.world, delivered.tip
    world.land("bump", "devel", "v1.0.5")
    bump = delivered.tip
    world.now += 5 * HOUR
    said = refusal(world)
    assert f"soak: the default of devel in Git, but its being the default ({bump[:7]}) is not applied yet" in said
    assert f"health: nothing of it can be judged in devel: its last operation ({bump[:7]}) is not applied yet" in said
    assert f"Application engine-devel has applied {before[:7]}" in said
    delivered.apply()
    world.now += HOUR
    said = refusal(world)
    assert "soak: the default of devel since" in said, "it counts from when it was applied"
    assert "health:" not in said
    world.now += HOUR
    world.release("promote", "devel", "staging")


def test_a_guard_judges_nothing_that_is_not_there_yet(delivered: Delivered) -> None:
    world = delivered.world
    world.land("bump", "devel", "v1.0.5")
    (found,) = world.json("guard", "devel")
    assert "is not applied yet" in found["versions"][0]["checks"][0]["reason"]
    world.now += HOUR
    assert "the health of v5, the default, is unknown: argocd: " in world.release("guard", "devel").err
    delivered.apply()
    world.now += HOUR
    (found,) = world.json("guard", "devel")
    assert found["versions"][0]["health"] == "healthy"
    assert found["versions"][0]["checks"][0]["check"] == "argocd"

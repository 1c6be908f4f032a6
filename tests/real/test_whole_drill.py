"""The drill, whole: a default turns bad, and nobody is awake. Nodes and pods are played, and nothing else.

`make drill` runs this file and prints its time line; `WINDOW` is how many seconds the checks look back, ten minutes as a
rule.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argo_cd import Application, ArgoCD
from callers import Call, Callers
from control_plane import Cluster, until
from whole_drill import GITOPS, Drill, drill_on

from release_tool import tagfile

WINDOW = int(os.environ.get("WINDOW", "60"))


@pytest.fixture
def drill(cluster: Cluster, argo_cd: ArgoCD, tmp_path: Path) -> Iterator[Drill]:
    with drill_on(cluster, argo_cd, tmp_path, WINDOW) as found:
        yield found


def test_a_default_turns_bad_in_a_cluster_and_its_callers_are_served_by_the_last_good_one(drill: Drill) -> None:
    application = drill.set_up("1.0.3", "1.0.4")
    drill.code()
    apply(drill, application)
    drill.watcher.until_ready(v1=2, v2=2)
    drill.tell(drill.versions)
    with drill.callers("", "", "v1", "v2") as callers:
        until(lambda: callers.first(0, "", "v2") and callers.first(0, "v1", "v1"), 30, "calls are answered")
        drill.tell("v1 and v2 run, v2 is the default; two callers name no version, one names v1, one v2")
        bump(drill, application, callers)
        downgrade(drill, application, callers)
        hold(drill, application, callers)
    assert drill.watcher.breaches() == []


def bump(drill: Drill, application: Application, callers: Callers) -> None:
    begun = drill.tell("a person tags the code 1.0.5")
    pull = drill.build("1.0.5")
    drill.tell(f"Gitea's runner has built the image and run the bump; #{pull['number']} is open: {pull['title']}")
    drill.merge(pull)
    drill.tell("its check is green, and a person has merged it")
    first = until(lambda: callers.first(begun, "", "v3"), 120, "v3 answers")
    drill.tell("a call without a version is answered by v3, the new default, for the first time", first.at)
    apply(drill, application)
    end = drill.tell("Argo CD says that it has applied the commit")
    assert state(drill).default == "v3"
    calls = callers.between(begun, end)
    told(drill, "since the tag", calls)
    assert not Callers.failed(calls)
    drill.mesh.settle()
    drill.scrape()


def downgrade(drill: Drill, application: Application, callers: Callers) -> None:
    good = drill.guard(lambda found: found["decision"] == "stay" and all_healthy(found, "v3"), "v3 is healthy")
    drill.tell(f"release guard: {good['reason']}")
    for pod in drill.mesh.servers:
        if pod.version == "v3":
            pod.fails_every = 5
    bad = drill.tell("v3 begins to fail 20 % of its calls")
    moved = drill.guard(lambda found: found["decision"] == "downgrade", "the default is left")
    assert (moved["leave"], moved["to"]) == ("v3", "v2")
    decided = drill.tell(f"release guard: from v3 back to v2. {moved['reason']}")
    (outcome,) = moved["operations"]
    assert outcome["branch"] == "release/devel-downgrade"
    pull = drill.show(outcome)
    drill.tell(f"#{pull['number']} is open, of a branch of its own: {pull['title']}")
    drill.merge(pull)
    drill.tell("its check is green, and it is merged with nobody looking")
    left = until(lambda: last_but(callers, decided, "v2"), 60, "no call without a version is answered by v3")
    drill.tell("a call without a version has met v3 for the last time", left)
    apply(drill, application)
    now = state(drill)
    assert (now.default, set(now.quarantined)) == ("v2", {"v3"})
    calls = callers.between(bad, left)
    told(drill, "from bad to downgraded", calls)
    assert not [one for one in Callers.failed(calls) if one.named]
    drill.tell(
        f"from bad to downgraded: {left - bad:.1f} s, {decided - bad:.1f} s of them to be sure, by checks that look back "
        f"{drill.window} s, and {left - decided:.1f} s to act"
    )


def hold(drill: Drill, application: Application, callers: Callers) -> None:
    """The next build does not bring it back."""
    begun = drill.tell("a person tags the code 1.0.6")
    drill.merge(drill.build("1.0.6"))
    apply(drill, application)
    end = drill.tell("it is built, merged and applied as v4: added and held, v2 stays the default")
    now = state(drill)
    assert (now.default, set(now.live)) == ("v2", {"v1", "v2", "v4"})
    calls = callers.between(begun, end)
    assert {one.by for one in calls if not one.named} == {"v2"}
    told(drill, "since the tag", calls)
    assert not Callers.failed(calls)


def apply(drill: Drill, application: Application) -> None:
    """Wait until what is in Git has reached the cluster: Gitea tells Argo CD of each push, and nobody asks it to look."""
    commit = drill.tip
    try:
        until(lambda: application.synced_to(commit), 120, f"Argo CD has applied {commit}")
    except AssertionError as error:
        raise AssertionError(application.status) from error


def state(drill: Drill) -> Any:
    path = "environments/devel/image_tag.yaml"
    return tagfile.read(drill.gitea.file(GITOPS, path), path, key="image").state


def all_healthy(found: Any, version: str) -> bool:
    checks = [check["health"] for one in found["versions"] if one["version"] == version for check in one["checks"]]
    return set(checks) == {"healthy"}


def last_but(callers: Callers, since: float, good: str) -> float | None:
    """When a call without a version met another one than this for the last time, if that is two seconds ago."""
    calls = [one for one in list(callers.calls) if one.at >= since and not one.named]
    last = max((one.at for one in calls if one.by != good), default=since)
    return last if calls and calls[-1].at > last + 2 else None


def told(drill: Drill, when: str, calls: list[Call]) -> None:
    parts = []
    for named in ("", "v1", "v2"):
        mine = [one for one in calls if one.named == named]
        parts.append(f"{len(Callers.failed(mine))} of {len(mine):,} that name {named or 'no version'}")
    drill.tell(f"calls that failed {when}: {', '.join(parts)}")

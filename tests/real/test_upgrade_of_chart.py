"""The chart's upgrade from one DestinationRule for all versions to one for each, by who applies it; Argo CD has its own tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import appliers
import cluster as small
import pytest
from appliers import Applier
from control_plane import Cluster
from flux import Flux
from rendering import VERSION_RULES, with_one_rule
from watcher import Watcher

TAGS = "image: {default: v2, tag: {v1: 1.0.1, v2: 1.0.2}, retired: {v3: 1.0.3}}\n"
pytestmark = pytest.mark.slow


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The chart with one rule, as it was."""
    chart = tmp_path / "before"
    shutil.copytree(appliers.CHART, chart)
    (chart / VERSION_RULES).write_text(with_one_rule((chart / VERSION_RULES).read_text("utf-8")), "utf-8")
    return chart


def test_rules_of_versions_take_the_place_of_one_for_all(
    by: Applier, cluster: Cluster, namespace: str, before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        old.setattr(appliers, "CHART", before)
        by.apply(small.ROUTED, TAGS)
    with Watcher(cluster.kubeconfig, namespace) as watcher:
        watcher.until_ready(v1=1, v2=1, v3=1)
        begin = watcher.revision
        by.apply(small.ROUTED, TAGS)
        watcher.until_ready(v1=1, v2=1, v3=1)
        lost = [one for one in watcher.breaches() if one.cause.revision > begin]
    print(type(by).__name__, [(one.value, f"{one.end - one.begin:.3f} s") for one in lost])  # -s shows it
    by_name = isinstance(by, Flux)  # what is of one kind: the rule that loses its subsets comes before the others
    assert {one.value for one in lost} == ({"v1", "v2", "1.0.1", "1.0.2"} if by_name else set()), watcher.told()

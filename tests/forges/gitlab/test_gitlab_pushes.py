"""GitLab takes in a push in the background: what it shows of a merge request is older for a while."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from gitlab_standin import GitLab
from gitlab_world import SICK, SICK_TAGS, GitLabWorld

from release_tool.forges.gitlab import merging


@pytest.fixture(params=[0, 1, 6])
def slow(request: pytest.FixtureRequest, no_proxy: None) -> Iterator[GitLab]:
    """A GitLab that answers so many requests before it takes in a push."""
    with GitLab(lazy_pushes=request.param, lazy_checks=2) as found:
        yield found
        found.verify()


def test_a_push_that_is_taken_in_late_costs_no_request_more(
    tmp_path: Path, slow: GitLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = GitLabWorld(tmp_path, slow, monkeypatch)
    for tag in ("v1.0.5", "v1.0.6", "v1.0.7"):
        before = len(world.calls())
        world.bump(tag)
        assert len(world.calls()) - before == 3
    assert world.only.title == "devel: bump v1.0.5, v1.0.6, v1.0.7"


def test_a_downgrade_waits_for_the_head_that_it_pushed(
    tmp_path: Path, slow: GitLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "_PAUSES", (0.01,) * 8)
    world = GitLabWorld(tmp_path, slow, monkeypatch, tags=SICK_TAGS, config=SICK)
    world.project.needs_pipeline = world.project.pipelines_on_push = True
    world.world.now += timedelta(hours=1)
    world.release("guard", "devel", code=None)
    assert world.only.auto_merge is not None
    assert world.only.auto_merge.sha == world.project.bare.tip("release/devel-downgrade")

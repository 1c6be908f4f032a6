"""`release pulls` on any forge: what a forge doesn't do is said before anything is asked of it."""

from __future__ import annotations

import pytest
from git_server import serving
from world import World

from release_tool.cli.setup import number
from release_tool.forges.local import CAPABILITIES, LocalForge


@pytest.mark.parametrize(
    ("methods", "said", "hint"),
    [
        ((), "GitLab leaves merging to people", "merge !1 there"),
        (("merge", "squash"), "GitLab doesn't merge by rebase", "possible: --method merge, --method squash"),
    ],
)
def test_a_way_of_merging_that_the_forge_has_not_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, methods: tuple[str, ...], said: str, hint: str
) -> None:
    world.release("bump", "devel", "v1.0.5")
    monkeypatch.setattr(
        LocalForge, "capabilities", CAPABILITIES._replace(kind="gitlab", title="GitLab", methods=methods)
    )
    get = LocalForge.get
    monkeypatch.setattr(LocalForge, "get", lambda forge, one: get(forge, one)._replace(sigil="!"))
    refused = world.release("pulls", "merge", "!1", "--method", "rebase", code=1)
    assert said in refused.err
    assert hint in refused.err


@pytest.mark.parametrize("text", ["12", "#12", "!12"])
def test_a_number_may_be_written_as_the_forge_does(text: str) -> None:
    assert number(text) == 12


def test_without_a_forge_the_list_says_what_to_do(world: World) -> None:
    with serving(world.path) as server:
        said = world.release("pulls", "list", "--repo", server.url)
        assert f"no forge is known for {server.url}" in said.err
        refused = world.release("pulls", "show", "1", "--repo", server.url, code=1)
        assert "the forge is `none`: there are no pull requests" in refused.err
        assert f"no forge is known for {server.url}" in refused.err

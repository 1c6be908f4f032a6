"""The sealed world of every test: a new HOME, no system configuration of git, a fixed identity, no prompts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from world import World

pytest.register_assert_rewrite("conformance")

# No timing is asserted in a test, and two cores are shared by all of them.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def seal(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the machine's user reaches a test, and nothing of a test reaches the machine's user."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(
            ("GIT_", "GITHUB_", "GITLAB_", "CI", "GH_", "RELEASE_", "HELM_", "XDG_", "TF_BUILD", "SYSTEM_", "BUILD_")
        ):
            monkeypatch.delenv(name)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Test Person\n\temail = person@example.com\n"
        '[init]\n\tdefaultBranch = main\n\ttemplateDir =\n[protocol "file"]\n\tallow = always\n'
        "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[core]\n\tfsync = none\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    monkeypatch.setenv("GIT_EDITOR", "false")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TZ", "UTC")
    return home


@pytest.fixture(scope="session", autouse=True)
def outputs_are_as_documented() -> Iterator[None]:
    """Every JSON of every command that a test runs in this process is held against its schema."""
    from outputs import watch

    end = watch()
    yield
    end()


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Three environments with a written default; `pytestmark = pytest.mark.world(keep=4)` says what is otherwise."""
    from world import WITH_DEFAULT, World

    mark = request.node.get_closest_marker("world")
    return World.make(tmp_path, **{"tags": WITH_DEFAULT, **(mark.kwargs if mark else {})})

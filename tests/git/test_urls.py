"""Where a remote is read and pushed to: a plan is made on what it is pushed to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from opened import fetched
from origin import BEGIN, TAGS, Origin, bump, git

from release_tool import forges
from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.process import GitAnswer, Setting
from release_tool.git.redirect import refused
from release_tool.git.repository import Repository
from release_tool.git.urls import remote_urls, same_repository
from release_tool.model.records import RefUpdate


@pytest.fixture
def other(origin: Origin, tmp_path: Path) -> Origin:
    """Where pushes go; it is ahead of the mirror that is read."""
    git("clone", "--quiet", "--mirror", origin.path, tmp_path / "other.git")
    found = Origin(tmp_path / "other.git")
    found.commit({"theirs": "1"})
    return found


def _push_url(clone: Path, other: Origin) -> None:
    git("config", "remote.origin.pushurl", other.url, cwd=clone)


def _push_rule(clone: Path, other: Origin) -> None:
    url = git("config", "remote.origin.url", cwd=clone)
    git("config", f"url.{other.url}.pushInsteadOf", url, cwd=clone)
    git("config", "url.nowhere:.insteadOf", str(other.url)[:8], cwd=clone)  # nothing is rewritten twice


@pytest.mark.parametrize("differs", [_push_url, _push_rule])
def test_the_tool_reads_where_it_pushes(
    origin: Origin, other: Origin, clone: Path, differs: Callable[[Path, Origin], None]
) -> None:
    differs(clone, other)
    tip = origin.tip()
    with Repository.open(clone) as repository:
        assert fetched(repository) == other.tip()
        assert repository.display_url == other.url
        bump(repository)
    assert origin.tip() == tip
    assert other.file(TAGS).endswith("v1.0.2")
    assert other.file("theirs") == "1"


def test_a_url_that_is_named_is_read_where_it_is_pushed_to(origin: Origin, other: Origin, clone: Path) -> None:
    git("config", "--global", f"url.{other.url}.pushInsteadOf", origin.url, cwd=clone)
    with Repository.open(None, origin.url) as repository:
        bump(repository)
    assert other.file(TAGS).endswith("v1.0.2")


@pytest.mark.parametrize("key", ["remote.origin.pushurl", "remote.origin.url"])
def test_a_push_to_several_addresses_is_refused_before_it_begins(
    origin: Origin, other: Origin, clone: Path, key: str
) -> None:
    git("config", key, origin.url, cwd=clone)
    git("config", "--add", key, other.url, cwd=clone)
    before = (origin.refs(), other.refs())
    with Repository.open(clone) as repository:
        tip = fetched(repository)
        with pytest.raises(ReleaseError, match="git would push to 2 addresses") as caught:
            repository.push([RefUpdate("refs/heads/a", None, repository.commit([tip], tip, {}, "x", when=BEGIN))])
    assert f"`git config --replace-all {key} {origin.url}`" in caught.value.hint
    assert (origin.refs(), other.refs()) == before


def test_where_pushes_are_switched_off_reading_goes_on(origin: Origin, clone: Path) -> None:
    git("remote", "set-url", "--push", "origin", "no_push", cwd=clone)
    with Repository.open(clone) as repository:
        assert fetched(repository) == origin.tip()
        with pytest.raises(ReleaseError, match="pushes are switched off") as caught:
            bump(repository)
    assert "`git config --unset-all remote.origin.pushurl`" in caught.value.hint


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://h/o/r.git", "git@h:o/r.git", True),
        ("https://h/o/r", "ssh://git@H:2222/o/r.git/", True),
        ("https://h:3000/o/r", "git@h:/o/r", True),
        ("https://mirror/o/r", "git@h:o/r", False),
        ("http://h:1/o/r", "http://h:2/o/r", False),
        ("git@h:o/r", "git@h:o/s", False),
        ("/a/r.git", "/b/r.git", False),
        ("h:o/r", "/o/r", False),
    ],
)
def test_one_repository_by_two_protocols_is_read_as_configured(one: str, other: str, same: bool) -> None:
    settings = [Setting("remote.origin.url", one, ""), Setting("remote.origin.pushurl", other, "")]
    assert same_repository(one, other) is same
    assert remote_urls(settings, "origin").main == (one if same else other)


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [("push.gpgSign", "true", "push.gpgSign"), ("push.pushOption", "ci.skip", "push.pushOption")],
)
def test_what_the_remote_lacks_for_a_push_is_mended_by_a_person(
    origin: Origin, clone: Path, key: str, value: str, what: str
) -> None:
    git("config", key, value, cwd=clone)
    origin.git("config", "receive.advertisePushOptions", "false")
    with Repository.open(clone) as repository, pytest.raises(ReleaseError, match=what) as caught:
        bump(repository)
    assert caught.value.exit_code == 1
    assert what in caught.value.hint
    git("config", "push.gpgSign", "if-asked", cwd=clone)  # what the first hint says
    git("config", "--unset-all", "push.pushOption", cwd=clone, ok=False)
    with Repository.open(clone) as repository:
        bump(repository)


def _sign_in(address: str) -> ReleaseError:
    return refused(GitAnswer(1, b"", f"<= Recv header: Location: {address}"), "https://h/o/r.git", "origin")


def test_a_redirect_to_something_that_is_no_repository_is_no_move() -> None:
    assert isinstance(_sign_in("https://sso/login?to=x"), TryAgain)
    moved = _sign_in("https://new/o/r.git/info/refs?service=git-upload-pack")
    assert "git remote set-url origin https://new/o/r.git" in moved.hint
    assert not isinstance(moved, TryAgain)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("git@hub:/o/r.git", "github"),
        ("git@git:o/r.git", "github"),
        ("ssh://hub/o/r", "github"),
        ("git@elsewhere:o/r", "none"),
    ],
)
def test_a_name_of_ssh_finds_its_forge(clone: Path, tmp_path: Path, url: str, kind: str) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("Host hub git\n  HostName github.com\nHost elsewhere\n  HostName git.example.com\n")
    git("config", "core.sshCommand", f"ssh -F {config}", cwd=clone)
    git("remote", "set-url", "origin", url, cwd=clone)
    with Repository.open(clone) as repository:
        assert forges.kind_of(forges.known_url(repository, {})) == kind
        forge = forges.connect("auto", repository, lambda: BEGIN)
        assert forge.capabilities.kind == kind

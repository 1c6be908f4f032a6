"""The forge of a remote is told by its host, by what the environment says, and by SSH's and git's own settings."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from certificates import certificate
from git_server import serving
from origin import git
from world import World

from release_tool import forges
from release_tool.config.sections import ForgeChoice
from release_tool.errors import ReleaseError
from release_tool.forges import recognise
from release_tool.forges.base import ForgeSettings
from release_tool.forges.github import address as github_address
from release_tool.forges.none import NoForge
from release_tool.forges.probe import FoundServer
from release_tool.forges.remote_url import remote_url
from release_tool.git.repository import Repository

GITLAB_JOB = {"CI_SERVER_URL": "https://git.acme.example:8443/code", "CI_SERVER_SHELL_SSH_HOST": "shell.acme.example"}
GITEA_JOB = {"GITHUB_SERVER_URL": "https://code.acme.example/git", "GITEA_ACTIONS": "true"}


@pytest.mark.parametrize(
    ("url", "environ", "kind"),
    [
        ("https://github.com/acme/shop.git", {}, "github"),
        ("git@github.com:acme/shop.git", {}, "github"),
        ("https://acme.ghe.com/acme/shop", {}, "github"),
        ("https://gitlab.com/acme/web/shop.git", {}, "gitlab"),
        ("ssh://git@altssh.gitlab.com:443/acme/shop.git", {}, "gitlab"),
        ("https://codeberg.org/acme/shop", {}, "gitea"),
        ("https://ada@dev.azure.com/acme/Shop/_git/engine", {}, "azure"),
        ("git@ssh.dev.azure.com:v3/acme/Shop/engine", {}, "azure"),
        ("https://acme.visualstudio.com/Shop/_git/engine", {}, "azure"),
        ("git@bitbucket.org:acme/shop.git", {}, "bitbucket"),
        ("https://git.acme.example:8443/code/web/shop.git", GITLAB_JOB, "gitlab"),
        ("https://git.acme.example:8443/other/shop.git", GITLAB_JOB, "none"),
        ("https://git.acme.example/code/web/shop.git", GITLAB_JOB, "none"),  # another port is another server
        ("ssh://git@git.acme.example:2222/web/shop.git", GITLAB_JOB, "gitlab"),
        ("git@ssh.git.acme.example:web/shop.git", GITLAB_JOB, "gitlab"),
        ("git@shell.acme.example:web/shop.git", GITLAB_JOB, "gitlab"),
        ("git@notgit.acme.example:web/shop.git", GITLAB_JOB, "none"),
        ("https://git.acme.example/web/shop.git", {"GITLAB_HOST": "git.acme.example"}, "gitlab"),
        ("http://git.acme.example/web/shop.git", {"GITLAB_HOST": "https://git.acme.example/"}, "gitlab"),
        ("https://code.acme.example/git/web/shop.git", GITEA_JOB, "gitea"),
        ("https://code.acme.example/git/web/shop.git", {**GITEA_JOB, "GITEA_ACTIONS": ""}, "github"),
        ("https://github.com/acme/shop.git", GITEA_JOB, "github"),
        ("https://tfs.acme.example/tfs/Main/Shop/_git/engine",
            {"SYSTEM_COLLECTIONURI": "https://tfs.acme.example/tfs/Main/"}, "azure"),
        ("/srv/git/shop.git", {}, "local"),
        ("file:///srv/git/shop.git", {}, "local"),
        ("https://git.acme.example/web/shop.git", {}, "none"),
    ],
)  # fmt: skip
def test_host_and_environment_tell_the_forge(url: str, environ: dict[str, str], kind: str) -> None:
    assert recognise.kind_of(url, environ) == kind


@pytest.mark.parametrize(
    ("url", "environ", "server"),
    [
        ("https://git.acme.example/web/shop.git", {}, "https://git.acme.example"),
        ("http://git.acme.example/web/shop.git", {}, "https://git.acme.example"),
        ("http://git.acme.example:3000/web/shop.git", {}, "http://git.acme.example:3000"),
        ("https://git.acme.example:8443/web/shop.git", {}, "https://git.acme.example:8443"),
        ("ssh://git@git.acme.example:2222/web/shop.git", {}, "https://git.acme.example"),
        ("git@ssh-only.example:web/shop.git", {"GITLAB_HOST": "git.acme.example"}, "https://git.acme.example"),
        ("git@gitlab.com:web/shop.git", {"GITLAB_HOST": "git.acme.example"}, "https://gitlab.com"),
        ("https://git.acme.example/web/shop.git", {"GITLAB_HOST": "other.example"}, "https://git.acme.example"),
    ],
)
def test_where_the_web_pages_of_a_server_begin(url: str, environ: dict[str, str], server: str) -> None:
    remote = remote_url(url)
    assert remote is not None
    assert recognise.server_url("gitlab", remote, "", environ) == server


def checkout(tmp_path: Path, url: str, *settings: tuple[str, str]) -> Path:
    git("init", "--quiet", tmp_path)
    git("remote", "add", "origin", url, cwd=tmp_path)
    for key, value in settings:
        git("config", key, value, cwd=tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("url", "setting", "known"),
    [
        # pushed by SSH to a host that serves nothing else, read by HTTP
        ("https://github.com/acme/shop.git", ("remote.origin.pushurl", "git@push.example:acme/shop.git"), "github"),
        ("https://github.com/acme/shop.git", ("url.git@push.example:.pushInsteadOf", "https://github.com/"), "github"),
        ("https://github.com/acme/shop.git", ("url.git@github.com:.pushInsteadOf", "https://github.com/"), "github"),
        ("gh:acme/shop.git", ("url.https://github.com/.insteadOf", "gh:"), "github"),
        # pushed to another repository: that one counts
        ("https://github.com/acme/shop.git", ("remote.origin.pushurl", "git@push.example:ada/shop.git"), "none"),
    ],
)
def test_gits_own_rewriting_is_understood(tmp_path: Path, url: str, setting: tuple[str, str], known: str) -> None:
    with Repository.open(checkout(tmp_path, url, setting)) as repository:
        assert recognise.kind_of(forges.known_url(repository, {}), {}) == known


def test_a_name_of_sshs_configuration_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ssh").write_text("#!/bin/sh\necho hostname git.acme.example\n")
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with Repository.open(checkout(tmp_path / "it", "work:web/shop.git")) as repository:
        known = forges.known_url(repository, {"GITLAB_HOST": "git.acme.example"})
        assert known == "git.acme.example:web/shop.git"
        assert forges.web_url(repository) == "git.acme.example:web/shop.git"


# where nothing tells


def unknown(tmp_path: Path, url: str, found: FoundServer, environ: dict[str, str]) -> tuple[NoForge, list[str]]:
    asked: list[str] = []

    def look(url: str) -> FoundServer:
        asked.append(url)
        return found

    repository = Repository.open(checkout(tmp_path, url))
    settings = ForgeSettings(environ=environ, look=look)
    forge = forges.connect("auto", repository, lambda: datetime.now(timezone.utc), settings)
    repository.close()
    assert isinstance(forge, NoForge)
    assert asked == [], "nobody looks before it matters"
    return forge, asked


URL = "https://git.acme.example/web/shop.git"
SERVER = "https://git.acme.example"


def test_what_a_look_finds_is_told_with_what_saves_the_look(tmp_path: Path) -> None:
    forge, asked = unknown(tmp_path, URL, FoundServer("github", SERVER), {})
    assert "GitHub Enterprise Server answers at https://git.acme.example, and nothing names it" in forge.advice
    assert "write `forge: {kind: github}` into release.yaml, which saves the look at the server" in forge.advice
    assert "set GITHUB_SERVER_URL=https://git.acme.example in the environment, with a token in GITHUB_TOKEN" in (
        forge.advice
    )
    assert forge.advice
    assert asked == [URL], "once"


def test_a_token_that_is_there_is_named_and_goes_nowhere(tmp_path: Path) -> None:
    forge, _ = unknown(tmp_path, URL, FoundServer("github", SERVER), {"GH_TOKEN": "a-secret"})
    assert "where the token of GH_TOKEN may go then" in forge.advice
    assert "a-secret" not in forge.advice


@pytest.mark.parametrize("found", [FoundServer("bitbucket", SERVER)])
def test_a_forge_that_is_not_there_yet_is_named(tmp_path: Path, found: FoundServer) -> None:
    forge, _ = unknown(tmp_path, URL, found, {})
    assert "`release` opens no pull requests on Bitbucket yet (https://git.acme.example)" in forge.advice
    assert "`forge: {kind: none}` in release.yaml" in forge.advice


def test_a_host_of_a_forge_that_is_not_there_yet_needs_no_look(tmp_path: Path) -> None:
    forge, asked = unknown(tmp_path, "git@bitbucket.org:acme/shop.git", FoundServer(), {})
    assert "`release` opens no pull requests on Bitbucket yet" in forge.advice
    assert asked == []


def test_a_look_that_failed_says_why(tmp_path: Path) -> None:
    forge, _ = unknown(tmp_path, URL, FoundServer(trouble="it did not answer within 3 s"), {})
    assert f"no forge is known for {URL} (its server was asked: it did not answer within 3 s)" in forge.advice


def test_release_yaml_can_name_every_forge_that_there_is() -> None:
    kinds = get_args(get_args(get_type_hints(ForgeChoice, include_extras=True)["kind"])[0])
    assert set(kinds) == {"auto", *forges.MODULES}


def test_one_variable_is_enough_for_git_and_for_the_look(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certificate(tmp_path, "127.0.0.1")
    with serving(world.path) as server:
        server.socket = made.context().wrap_socket(server.socket, server_side=True)
        url = server.url.replace("http:", "https:")
        refused = world.release("bump", "devel", "v1.0.5", "--repo", url, code=1)
        assert "let RELEASE_CA_BUNDLE name a file with the certificates of your authorities" in refused.err
        monkeypatch.setenv("GIT_SSL_CAINFO", str(made.path))
        said = world.release("bump", "devel", "v1.0.5", "--repo", url)
        assert "its server was asked: the certificate of the server can't be verified" in said.out
        monkeypatch.delenv("GIT_SSL_CAINFO")
        monkeypatch.setenv("RELEASE_CA_BUNDLE", str(made.path))
        said = world.release("bump", "devel", "v1.0.6", "--repo", url)
        assert f"no forge is known for {url}: the branch is pushed" in said.out


@pytest.mark.parametrize("public", ["https://github.com", "https://api.github.com", "https://evil.ghe.com"])
def test_the_same_holds_for_github(public: str) -> None:
    environ = {"GITHUB_SERVER_URL": "https://git.example.com", "GITHUB_TOKEN": "t0ken"}
    address = github_address.address_of("https://git.example.com/acme/shop", public, environ)
    with pytest.raises(ReleaseError, match="the environment names another server"):
        github_address.find_for(address, environ)
    own = github_address.address_of("https://git.example.com/acme/shop", "", environ)
    assert github_address.find_for(own, environ) is not None


@pytest.mark.parametrize(
    ("kind", "name", "public"),
    [
        ("gitea", "GITEA_SERVER_URL", "https://codeberg.org"),
        ("gitlab", "GITLAB_HOST", "https://gitlab.com/api/v4"),
        ("azure", "AZURE_DEVOPS_URL", "https://dev.azure.com/other"),
    ],
)
def test_forge_url_leads_no_token_of_an_own_server_to_a_public_one(kind: str, name: str, public: str) -> None:
    own = "https://git.example.com"
    remote = remote_url(f"{own}/acme/shop.git")
    assert remote is not None
    with pytest.raises(ReleaseError, match="the environment names another server"):
        recognise.checked_override(kind, remote, public, {name: own})
    assert recognise.checked_override(kind, remote, f"{own}/", {name: own}) == own
    assert recognise.checked_override(kind, remote, public, {name: public.removesuffix("/api/v4")}) == public
    assert recognise.checked_override(kind, remote, public, {}) == public

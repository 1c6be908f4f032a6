"""What a checkout's configuration names is not run, and no program that is run gets a secret that it doesn't need."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from opened import fetched, touched
from origin import TAGS, Origin, bump, git

from release_tool.errors import ReleaseError
from release_tool.git.repository import Repository
from release_tool.git.working_tree import WorkingTree

SECRETS = {
    "GH_TOKEN": "s3cret",
    "GITHUB_TOKEN": "s3cret",
    "GITHUB_TOKEN_FILE": "/run/s3cret",
    "RELEASE_WEBHOOK_URL": "https://chat.example/s3cret",
    "RELEASE_PROMETHEUS_TOKEN": "s3cret",
    "DOCKER_AUTH_CONFIG": '{"auths": "s3cret"}',
    "ACTIONS_RUNTIME_TOKEN": "s3cret",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s3cret",
}

# What a key of the configuration says, with `{program}` for one that leaves a mark.
PROGRAMS: dict[str, dict[str, str]] = {
    "core.alternateRefsCommand": {},
    "core.fsmonitor": {},
    "core.pager": {},
    "core.editor": {},
    "diff.external": {},
    "uploadpack.packObjectsHook": {},
    "remote.origin.uploadpack": {},
    "remote.origin.receivepack": {},
    "gpg.program": {"log.showSignature": "true"},
    "core.hooksPath": {"core.hooksPath": "{folder}"},
    "merge.own.driver": {"merge.default": "own"},
    "merge.text.driver": {"merge.default": "text"},
    "merge.other.driver": {"core.attributesFile": "{folder}/attributes"},
    "filter.own.clean": {"core.attributesFile": "{folder}/attributes", "merge.renormalize": "true"},
}


def _program(folder: Path, mark: Path) -> Path:
    folder.mkdir()
    (folder / "attributes").write_text("* merge=other filter=own\n")
    for name in ("program", "pre-push", "reference-transaction", "post-index-change"):
        (folder / name).write_text(f'#!/bin/sh\necho "$0 $*" >> "{mark}"\nexit 1\n')
        (folder / name).chmod(0o755)
    return folder / "program"


@pytest.mark.parametrize("key", PROGRAMS)
def test_no_program_of_the_checkouts_configuration_is_run(origin: Origin, tmp_path: Path, key: str) -> None:
    mark = tmp_path / "mark"
    program = _program(tmp_path / "folder", mark)
    clone = origin.clone(tmp_path / "clone")
    for name, value in {key: "{program}", **PROGRAMS[key]}.items():
        git("config", name, value.format(program=program, folder=program.parent), cwd=clone)
    text = "".join(f"{number}\n" for number in range(9))
    origin.commit({"file": text})
    origin.git("branch", "other", "main")
    main = origin.commit({"file": text.replace("1\n", "one\n")})
    other = origin.commit({"file": text.replace("7\n", "seven\n")}, "other")
    with Repository.open(clone) as repository:
        fetched(repository, main, other)
        assert not repository.merge(main, other).conflicts
        bump(repository)
        assert len(list(touched(repository, main, [TAGS, "file"]))) == 3
    if not key.startswith("filter."):  # what git needs to tell whether a file has changed
        tree = WorkingTree.open(clone)
        (clone / "README.md").touch()
        assert tree.changed([TAGS]) == ()
        assert list(tree.committed([TAGS]))
    assert not mark.exists(), mark.read_text()
    assert origin.file(TAGS).endswith("v1.0.2")


def test_a_url_that_is_a_program_is_refused_whatever_the_checkout_allows(origin: Origin, tmp_path: Path) -> None:
    clone = origin.clone(tmp_path / "clone")
    for name, value in {
        "protocol.ext.allow": "always",
        "protocol.allow": "always",
        "remote.origin.url": f"ext::sh -c touch% {tmp_path}/mark",
    }.items():
        git("config", name, value, cwd=clone)
    with Repository.open(clone) as repository, pytest.raises(ReleaseError, match="can't speak the protocol"):
        repository.refs("refs/heads/*")
    assert not (tmp_path / "mark").exists()


def test_the_refs_of_the_checkout_are_still_offered(origin: Origin, tmp_path: Path) -> None:
    """What it has is not fetched again: the program in its place does what git does."""
    clone = origin.clone(tmp_path / "clone")
    origin.commit({"large": os.urandom(500_000)})
    git("fetch", "--quiet", cwd=clone)
    tip = origin.commit({"small": "1"})
    with Repository.open(clone) as repository:
        fetched(repository, tip)
        packs = [file.stat().st_size for file in (repository._store / "objects" / "pack").glob("*.pack")]
    assert sum(packs) < 50_000


def test_git_and_what_it_starts_get_no_secret(origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "environment"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(f'#!/bin/sh\nenv >> "{log}"\nexec {shutil.which("git")} "$@"\n')
    (tmp_path / "bin" / "git").chmod(0o755)
    clone = origin.clone(tmp_path / "clone")
    origin.hook("pre-receive", f'env >> "{log}"')  # the server's hooks are children too where the remote is a path
    kept = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "SSH_AUTH_SOCK": "/run/agent",
        "HTTPS_PROXY": "http://p:1",
    }
    for name, value in {**SECRETS, **kept}.items():
        monkeypatch.setenv(name, value)
    with Repository.open(clone) as repository:
        bump(repository)
    WorkingTree.open(clone).changed([TAGS])
    seen = log.read_text()
    assert "s3cret" not in seen
    for name in ("HOME", "SSH_AUTH_SOCK", "HTTPS_PROXY"):
        assert f"\n{name}=" in seen

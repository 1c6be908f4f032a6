"""Commits of a job are signed with a key that is in no file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from origin import git
from world import World

from release_tool.actions import rerun, signing
from release_tool.errors import ReleaseError, UsageError

COMMITTER = "Release <release@example.com>"

pytestmark = pytest.mark.skipif(
    shutil.which("ssh-agent") is None, reason="there is no OpenSSH: apt install openssh-client"
)


def made(place: Path, passphrase: str = "") -> str:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "release", "-f", str(place / "key")]
    subprocess.run(command, check=True, timeout=60)
    return (place / "key").read_text("utf-8")


def test_a_bump_is_signed_and_the_key_is_in_no_log_and_no_file(world: World, tmp_path: Path) -> None:
    (keys := tmp_path / "keys").mkdir()
    key = made(keys)
    (keys / "allowed").write_text(f"release@example.com {(keys / 'key.pub').read_text('utf-8')}", "utf-8")
    (keys / "key").unlink()
    asked = {"RELEASE_COMMAND": "bump", "RELEASE_ARGUMENTS": "devel\nv1.0.5", "RELEASE_COMMITTER": COMMITTER}
    # As a secret that went through a form of a browser.
    environ = {**os.environ, **asked, "RELEASE_TIMEOUT": "0", "RELEASE_SIGNING_KEY": key.replace("\n", "\r\n").strip()}
    module = [sys.executable, "-I", "-m", "release_tool.actions.rerun"]
    done = subprocess.run(
        module, cwd=world.clone, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PRIVATE KEY" not in done.stdout + done.stderr
    tip = world.refs()["refs/heads/release/devel"]
    allowed = ("-c", f"gpg.ssh.allowedSignersFile={keys / 'allowed'}")
    git(*allowed, "verify-commit", tip, cwd=world.origin)
    assert world.git("log", "-1", "--format=%cn <%ce>", tip, cwd=world.origin) == COMMITTER


def test_the_agent_ends_with_the_command(tmp_path: Path) -> None:
    with signing.agent({**os.environ, "RELEASE_SIGNING_KEY": made(tmp_path), "GIT_CONFIG_COUNT": "1"}) as found:
        assert found["GIT_CONFIG_COUNT"] == "4", "what is there already stays"
        assert found["GIT_CONFIG_VALUE_3"].startswith("key::ssh-ed25519 ")
        socket = Path(found["SSH_AUTH_SOCK"])
        assert socket.exists()
    assert not socket.parent.exists()


def test_a_key_may_be_named_by_its_file_as_gitlab_hands_it_on(tmp_path: Path) -> None:
    made(tmp_path)
    with signing.agent({**os.environ, "RELEASE_SIGNING_KEY": str(tmp_path / "key")}) as found:
        assert found["GIT_CONFIG_VALUE_2"].startswith("key::ssh-ed25519 ")
    missing = {**os.environ, "RELEASE_SIGNING_KEY": str(tmp_path / "none")}
    with pytest.raises(ReleaseError, match="no private SSH key"), signing.agent(missing):
        pass


def test_without_a_key_no_agent_runs() -> None:
    with signing.agent({"RELEASE_SIGNING_KEY": " \n"}) as found:
        assert found == {}


def test_a_key_that_cannot_be_used_is_told_without_a_word_of_it(tmp_path: Path) -> None:
    (other := tmp_path / "other").mkdir()
    for key in ("s3cret", made(tmp_path, passphrase="s3cret"), made(other)[:200]):
        with pytest.raises(ReleaseError, match="the signing key is no private SSH key") as error, \
                signing.agent({**os.environ, "RELEASE_SIGNING_KEY": key}):  # fmt: skip
            pass
        assert "s3cret" not in str(error.value)
        assert "without a passphrase" in error.value.hint


def test_a_runner_without_openssh_is_told_what_to_install(tmp_path: Path) -> None:
    key = made(tmp_path)
    with (
        pytest.raises(ReleaseError, match="no `ssh-agent`"),
        signing.agent({"RELEASE_SIGNING_KEY": key, "PATH": str(tmp_path)}),
    ):
        pass


def test_a_committer_has_a_name_and_an_address() -> None:
    found = rerun.identity({"RELEASE_COMMITTER": f" {COMMITTER}\n"}, lambda: True)
    assert found["GIT_COMMITTER_NAME"] == found["GIT_AUTHOR_NAME"] == "Release"
    assert found["GIT_COMMITTER_EMAIL"] == "release@example.com"
    for wrong in ("release@example.com", "Release", "<a@b>", "Release <a>", "Release <a@b>\nx", "A <a@b> <c@d>"):
        with pytest.raises(UsageError, match="no name with an address"):
            rerun.identity({"RELEASE_COMMITTER": wrong}, lambda: False)


def test_a_signature_needs_somebody_whose_it_is() -> None:
    with pytest.raises(UsageError, match="nobody whose key it is"):
        rerun.identity({"RELEASE_SIGNING_KEY": "x"}, lambda: False)
    assert rerun.identity({"RELEASE_SIGNING_KEY": "x"}, lambda: True) == {}, "git's configuration names one"

"""Signs the commits of a job with a key that is in no file: an ssh-agent of the job's own holds it.

git gives the agent what is to be signed (git-config(1), `user.signingKey` with `key::`). A key of GnuPG can't come this
way: a step before has to set git up for it.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.net.child_environment import for_helpers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATIENCE = 10.0  # seconds in which the agent begins to listen


@contextmanager
def agent(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Variables by which git signs commits, while the agent runs; none without a key.

    Raises:
        ReleaseError: there is no OpenSSH, or the key is none, or has a passphrase.
    """
    key = environ.get("RELEASE_SIGNING_KEY", "").replace("\r", "").strip()
    if key.startswith("/") and Path(key).is_file():  # what GitLab makes of a variable of the type *File*
        key = Path(key).read_text("utf-8").replace("\r", "").strip()
    if not key:
        yield {}
        return
    with tempfile.TemporaryDirectory() as scratch:  # the path of a socket must be short
        quiet = {**for_helpers(environ), "SSH_AUTH_SOCK": f"{scratch}/agent", "SSH_ASKPASS_REQUIRE": "never"}
        command = ["ssh-agent", "-D", "-a", quiet["SSH_AUTH_SOCK"]]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=quiet
            )
        except FileNotFoundError:
            hint = "install OpenSSH's client on the runner (ssh-agent, ssh-add, ssh-keygen)"
            raise ReleaseError("commits can't be signed: there is no `ssh-agent`", hint=hint) from None
        try:
            yield {"SSH_AUTH_SOCK": quiet["SSH_AUTH_SOCK"], **_configuration(_public(key, quiet), environ)}
        finally:
            process.terminate()
            process.wait()


def _public(key: str, environ: Mapping[str, str]) -> str:
    """Give the agent the key; its public half."""
    end = time.monotonic() + _PATIENCE
    while not Path(environ["SSH_AUTH_SOCK"]).exists() and time.monotonic() < end:
        time.sleep(0.02)
    for command, given in ((["ssh-add", "-q", "-"], f"{key}\n"), (["ssh-add", "-L"], "")):
        done = subprocess.run(command, input=given, env=environ, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            # Not what ssh-add says: no word of a key goes to a log.
            what = "commits can't be signed: the signing key is no private SSH key that can be used"
            hint = (
                "`ssh-keygen -t ed25519 -N '' -f signing` makes one without a passphrase; the secret is the whole file"
            )
            raise ReleaseError(what, hint=hint)
    return done.stdout.splitlines()[0]


def _configuration(public: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Configuration of git by variables (git-config(1), ENVIRONMENT), behind what is there already."""
    count = int(environ.get("GIT_CONFIG_COUNT") or 0)
    found: dict[str, str] = {}
    wanted = {"commit.gpgSign": "true", "gpg.format": "ssh", "user.signingKey": f"key::{public}"}
    for number, (key, value) in enumerate(wanted.items(), count):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**found, "GIT_CONFIG_COUNT": str(count + len(wanted))}

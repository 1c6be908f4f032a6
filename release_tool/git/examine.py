"""What this git and the git of a remote can do. Nothing is written anywhere: pushes are dry runs of what stands there.

What a server can do is in the first packets that it sends (gitprotocol-v2(5), gitprotocol-capabilities(5)); git shows
them when GIT_TRACE_PACKET is set, with every transport. No header of HTTP, so no credential, is among them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.git.errors import complaint, explain
from release_tool.git.opening import is_true
from release_tool.git.process import run
from release_tool.git.remote import lacks_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.git.process import GitAnswer
    from release_tool.git.remote import Remote
    from release_tool.model.records import CommitId

_ANY = tuple(range(256))  # every exit status: this module says what each means

# `packet:    ls-remote< version 2`; over HTTP the helper that reads it is called `git`. A server on this machine
# inherits the variable and is not meant.
_PACKET = re.compile(r"packet:\s+(?!upload-pack|receive-pack)\S+< (?P<text>.*)$", re.MULTILINE)


class ProtocolCapabilities(NamedTuple):
    """What a server of git can do."""

    protocol: int  # version of git's protocol: 0, 1 or 2
    filters: bool  # whether the server leaves out files that nobody asked for (partial clones)


class Signing(NamedTuple):
    """How commits are signed."""

    wanted: bool  # commit.gpgSign
    form: str  # gpg.format: `openpgp`, `ssh` or `x509`
    key: bool  # whether user.signingKey names one


def version() -> str:
    """The version of git as git says it: `2.39.5`, `2.39.5 (Apple Git-154)`."""
    return run(("version",), "/").text.strip().removeprefix("git version ")


def capabilities(remote: Remote) -> ProtocolCapabilities:
    """What the server of a remote can do, by one more look at its default branch."""
    # `local` and not `ask`, for it takes variables.
    answer = remote.local("ls-remote", "--quiet", remote.remote_name, "HEAD", extra={"GIT_TRACE_PACKET": "1"}, ok=_ANY)
    if answer.code != 0:
        raise ReleaseError("the remote answered once, and not when it was asked again", where=remote.display_url)
    return capabilities_of(answer.err)


def capabilities_of(trace: str) -> ProtocolCapabilities:
    """What a server can do, by git's trace of its packets."""
    protocol, filters = 0, False
    for found in _PACKET.finditer(trace):
        text = found["text"]
        if text in ("version 1", "version 2"):
            protocol = int(text[-1])
        elif text.startswith("fetch="):
            filters = "filter" in text.removeprefix("fetch=").split()
        elif "\\0" in text:  # before version 2, capabilities stand behind the first ref
            filters = filters or "filter" in text.partition("\\0")[2].split()
    return ProtocolCapabilities(protocol, filters)


def try_push(remote: Remote, branch: str, commit: CommitId) -> bool:
    """Tries a push that changes nothing, with --dry-run: whether the server changes several refs as one.

    Raises:
        TryAgain: the remote can't be reached.
        ReleaseError: no push is taken with these credentials.
    """
    remote.demand_one_address()
    answer = _dry(remote, branch, commit, "--atomic")
    atomic = not lacks_atomic(answer)
    if not atomic:
        answer = _dry(remote, branch, commit)
    # A branch that somebody moved meanwhile is "rejected" here, by git itself: the server let us in.
    if answer.code != 0 and "[rejected]" not in answer.text:
        raise explain(answer, "push", remote.display_url)
    return atomic


def _dry(remote: Remote, branch: str, commit: CommitId, *options: str) -> GitAnswer:
    return remote.ask("push", "--dry-run", "--porcelain", *options, remote.remote_name, f"{commit}:refs/heads/{branch}")


def checked_out(url: str, cwd: str) -> str:
    """The branch that a remote on this machine (a path, or `file://`) has checked out and refuses; empty: none."""
    place = ("-C", url.removeprefix("file://"))
    if run((*place, "rev-parse", "--is-bare-repository"), cwd).text.strip() != "false":
        return ""
    takes = run((*place, "config", "receive.denyCurrentBranch"), cwd).text.strip()
    if takes in ("ignore", "warn", "false", "no", "off", "0", "updateInstead"):
        return ""
    return run((*place, "symbolic-ref", "--quiet", "--short", "HEAD"), cwd).text.strip()


def signing(config: Mapping[str, str]) -> Signing:
    """How commits are signed, by git's configuration."""
    wanted = is_true(config.get("commit.gpgsign"))
    return Signing(wanted, config.get("gpg.format") or "openpgp", bool(config.get("user.signingkey")))


def nameless(remote: Remote) -> str:
    """Why git does not know who commits, in its own words; empty: it knows."""
    answer = remote.local("var", "GIT_COMMITTER_IDENT", ok=_ANY)
    return complaint(answer.err) if answer.code != 0 else ""

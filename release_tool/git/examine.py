"""What this git and the git of a remote can do. Nothing is written anywhere: pushes are dry runs of what stands there.

What a server can do is in the first packets that it sends (gitprotocol-v2(5), gitprotocol-capabilities(5)); git shows
them when GIT_TRACE_PACKET is set, with every transport. No header of HTTP, so no credential, is among them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.git.errors import complaint, explain
from release_tool.git.process import run
from release_tool.git.push import lacks_atomic
from release_tool.git.store import is_true, last

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.git.process import Answer
    from release_tool.git.remote import Remote
    from release_tool.git.store import Setting
    from release_tool.model.records import CommitId

_ANY = tuple(range(256))  # every exit status: its meaning is told here

# `packet:    ls-remote< version 2`; over HTTP the helper that reads it is called `git`. A server on this machine
# inherits the variable and is not meant.
_PACKET = re.compile(r"packet:\s+(?!upload-pack|receive-pack)\S+< (?P<text>.*)$", re.MULTILINE)


class Talk(NamedTuple):
    """How a server of git talks.

    Attributes:
        protocol: version of git's protocol: 0, 1 or 2.
        filters: whether it leaves out files that nobody asked for (partial clones).
    """

    protocol: int
    filters: bool


class Signing(NamedTuple):
    """How commits are signed.

    Attributes:
        wanted: whether commit.gpgSign is on.
        form: gpg.format: `openpgp`, `ssh` or `x509`.
        key: whether user.signingKey names one.
    """

    wanted: bool
    form: str
    key: bool


def version() -> str:
    """The version of git as it says it: `2.39.5`, `2.39.5 (Apple Git-154)`.

    Raises:
        ReleaseError: there is no git.
    """
    return run(("version",), "/").text.strip().removeprefix("git version ")


def talk(remote: Remote) -> Talk:
    """How the server of a remote talks, by one more look at its default branch.

    Raises:
        ReleaseError: it doesn't answer a second time.
    """
    # `local` and not `ask`, for it takes variables.
    answer = remote.local("ls-remote", "--quiet", remote.name, "HEAD", extra={"GIT_TRACE_PACKET": "1"}, ok=_ANY)
    if answer.code != 0:
        raise ReleaseError("the remote answered once, and not when it was asked again", where=remote.url)
    return talk_of(answer.err)


def talk_of(trace: str) -> Talk:
    """How a server talks, by git's trace of its packets."""
    protocol, filters = 0, False
    for found in _PACKET.finditer(trace):
        text = found["text"]
        if text in ("version 1", "version 2"):
            protocol = int(text[-1])
        elif text.startswith("fetch="):
            filters = "filter" in text.removeprefix("fetch=").split()
        elif "\\0" in text:  # before version 2, capabilities stand behind the first ref
            filters = filters or "filter" in text.partition("\\0")[2].split()
    return Talk(protocol, filters)


def try_push(remote: Remote, branch: str, commit: CommitId) -> bool:
    """Asks for a push that would change nothing, and lets git stop before it: that a branch holds what it holds.

    Args:
        remote: whom to ask.
        branch: the short name of a branch of it.
        commit: its tip.

    Returns:
        Whether the server changes several refs as one.

    Raises:
        TryAgain: the remote can't be reached.
        ReleaseError: no push is taken with these credentials.
    """
    answer = _dry(remote, branch, commit, "--atomic")
    atomic = not lacks_atomic(answer)
    if not atomic:
        answer = _dry(remote, branch, commit)
    # A branch that somebody moved meanwhile is "rejected" here, by git itself: the server let us in.
    if answer.code != 0 and "[rejected]" not in answer.text:
        raise explain(answer, "push", remote.url)
    return atomic


def _dry(remote: Remote, branch: str, commit: CommitId, *options: str) -> Answer:
    return remote.ask("push", "--dry-run", "--porcelain", *options, remote.name, f"{commit}:refs/heads/{branch}")


def checked_out(url: str, cwd: str) -> str:
    """The branch that a remote on this machine has checked out and therefore refuses; empty: none, or elsewhere.

    Args:
        url: the remote's URL: a path, or `file://`.
        cwd: where relative paths count from.
    """
    place = ("-C", url.removeprefix("file://"))
    if run((*place, "rev-parse", "--is-bare-repository"), cwd).text.strip() != "false":
        return ""
    takes = run((*place, "config", "receive.denyCurrentBranch"), cwd).text.strip()
    if takes in ("ignore", "warn", "false", "no", "off", "0", "updateInstead"):
        return ""
    return run((*place, "symbolic-ref", "--quiet", "--short", "HEAD"), cwd).text.strip()


def signing(settings: Sequence[Setting]) -> Signing:
    """How commits are signed, by git's configuration."""
    wanted = is_true(last(settings, "commit.gpgsign"))
    return Signing(wanted, last(settings, "gpg.format") or "openpgp", bool(last(settings, "user.signingkey")))


def nameless(remote: Remote) -> str:
    """Why git does not know who commits, in its own words; empty: it knows."""
    answer = remote.local("var", "GIT_COMMITTER_IDENT", ok=_ANY)
    return complaint(answer.err) if answer.code != 0 else ""

"""Verdicts about git: this one, and that of the remote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.doctor.diagnosis import Diagnosis, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.doctor.diagnosis import Verdict
    from release_tool.git.examine import ProtocolCapabilities, Signing

OLDEST = (2, 38)
"""The git that `git merge-tree --write-tree` came with, by which branches are merged without a working tree."""


def version(said: str) -> Diagnosis:
    """Whether git is new enough."""
    found = re.match(r"(\d+)\.(\d+)", said)
    if found is None:
        return Diagnosis(
            "unknown", "git", f"git calls its version {said!r}", "", "git 2.38 or newer is needed", _UPGRADE
        )
    if (int(found[1]), int(found[2])) < OLDEST:
        why = "branches are merged with `git merge-tree --write-tree`, which came with 2.38"
        return Diagnosis("error", "git", f"git {said} is too old", "", why, _UPGRADE)
    return ok("git", said)


_UPGRADE = "install git 2.38 or newer, first on PATH"


def identity(complaint: str, *, strict: bool) -> Diagnosis:
    """Whether git knows who commits.

    Args:
        complaint: why it does not; empty: it does.
        strict: whether nobody may be made up (user.useConfigOnly).
    """
    if not complaint:
        return ok("committer", "git knows who commits")
    why = "commits are made as `release <release@localhost>` then, whom no forge links to an account"
    if strict:
        why = "no commit can be made: user.useConfigOnly forbids to make somebody up"
    mend = "`git config user.name NAME` and `git config user.email MAIL`, or GIT_COMMITTER_* and GIT_AUTHOR_*"
    verdict: Verdict = "error" if strict else "warning"
    return Diagnosis(verdict, "committer", f"git does not know who commits ({complaint})", "", why, mend)


def signing(found: Signing) -> Diagnosis:
    """What signing needs; never an error, for only the try would tell."""
    if not found.wanted:
        return ok("signing", "commits are not signed (commit.gpgSign is off)")
    if not found.key and found.form != "openpgp":
        what = f"commits are to be signed ({found.form}), and user.signingKey names no key"
        mend = "`git config user.signingKey KEY`, or switch commit.gpgSign off"
        return Diagnosis("warning", "signing", what, "", "a commit that can't be signed stops every operation", mend)
    return ok("signing", f"commits are signed ({found.form}); the key must be usable without a prompt")


def talk(found: ProtocolCapabilities, where: str) -> Iterator[Diagnosis]:
    """What the server of the remote can do when it is read."""
    if found.protocol >= 2:
        yield ok("protocol", "git's protocol, version 2")
    else:
        yield Diagnosis(
            "warning",
            "protocol",
            f"git's protocol, version {found.protocol}",
            where,
            "every look at the remote brings all its refs, not just those that were asked for",
            "`git config --unset protocol.version`; else a server with git 2.18 or newer, or AcceptEnv GIT_PROTOCOL "
            "in its sshd",
        )
    if found.filters:
        yield ok("partial clone", "the server leaves out files that nobody asked for")
    else:
        yield Diagnosis(
            "warning",
            "partial clone",
            "the server sends whole commits only",
            where,
            "without a full checkout (--repo, shallow ones) every look brings all files of the base",
            "on the server: `git config uploadpack.allowFilter true`",
        )


def push(where: str, *, atomic: bool, local: bool) -> Iterator[Diagnosis]:
    """What the server takes of pushes.

    Args:
        atomic: whether it changes several refs as one.
        local: whether pull requests live in it (the forge `local`), which needs that.
    """
    yield ok("push", "the server takes pushes with these credentials (asked with --dry-run)")
    if atomic:
        yield ok("atomic push", "the server changes several refs as one")
        return
    why = (
        "the forge `local` changes a branch and its pull request as one: none can be opened, merged or closed"
        if local
        else "operations that change several refs at once are refused"
    )
    mend = "on the server: `git config --unset receive.advertiseAtomic`; or another server"
    what = "the server can't change several refs as one"
    yield Diagnosis("error" if local else "warning", "atomic push", what, where, why, mend)


def checked_out(branch: str, base: str, where: str, *, pushed: bool) -> Diagnosis | None:
    """Whether a remote on this machine has the base branch checked out.

    Args:
        branch: what it has checked out and refuses; empty: nothing.
        pushed: whether operations push to the base themselves: the forge `local` merges, or `publish.mode: direct`.
    """
    if branch != base:
        return None
    mend = "use a bare repository as the remote: `git clone --bare`"
    why = "a branch that is checked out takes no pushes, so nothing can be merged there"
    what = f"the remote is somebody's checkout, with `{base}` in it"
    return Diagnosis("error" if pushed else "warning", "remote", what, where, why, mend)

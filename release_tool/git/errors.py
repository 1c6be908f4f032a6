"""What git's complaints mean: who has to act, what the likely cause is, and the next step.

git has no error codes beyond "it failed", so its words are matched; `process.py` makes it speak English. Each pattern
was seen in a real answer: of git 2.38 to 2.50, of curl, of OpenSSH or of one of the large hosts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError, TryAgain

if TYPE_CHECKING:
    from release_tool.git.process import Answer


class Stale(ReleaseError):
    """Somebody was faster: a ref doesn't hold what the push expects. Plan again on the new tip."""


class Forgotten(TryAgain):
    """The remote answers, and doesn't hold a commit (any more)."""


class Protected(ReleaseError):
    """The server's rules refuse the change of a ref (a hook, a protected branch). Trying again changes nothing."""


class _Meaning(NamedTuple):
    """What a complaint means: if a pattern is found in it, then so much."""

    patterns: tuple[str, ...]  # compiled when something has failed: that takes 5 ms
    what: str
    hint: str
    kind: type[ReleaseError]

    def fits(self, err: str) -> bool:
        return re.search("|".join(self.patterns), err, re.IGNORECASE | re.MULTILINE) is not None


def _meaning(*patterns: str, what: str, hint: str, kind: type[ReleaseError] = ReleaseError) -> _Meaning:
    return _Meaning(patterns, what, hint, kind)


# The first that matches counts, so what says more stands further up.
_MEANINGS = (
    _meaning(
        r"dubious ownership",
        r"is owned by someone else",
        what="git refuses a repository that belongs to another user",
        hint="run `git config --global --add safe.directory DIRECTORY` if you trust it",
    ),
    _meaning(
        r"Host key verification failed",
        what="the host key of the remote is unknown or has changed",
        hint="add the host's key to ~/.ssh/known_hosts",
    ),
    _meaning(
        r"Authentication failed",
        r"could not read (Username|Password)",
        r"terminal prompts disabled",
        r"Permission denied \(",
        r"error: 401",
        r"Invalid username or (password|token)",
        r"HTTP Basic: Access denied",
        r"support for password auth",
        what="the remote doesn't accept the credentials",
        hint="check the credential helper, the token or the SSH key (an agent must hold a key with a passphrase)",
    ),
    _meaning(
        r"error: 403",
        r"Permission to \S+ denied",
        r"Write access to repository not granted",
        r"deploy key .*read.only",
        r"insufficient permission for adding an object",
        r"unable to create temporary",
        r": Permission denied$",
        r"Read-only file system",
        r"you don.t have (enough )?permission",
        r"not allowed to (push|upload|download)",
        r"marked as read only",
        what="no permission on the remote",
        hint="give the token or key read and write access to the contents of the repository",
    ),
    _meaning(
        r"SSL certificate problem",
        r"server certificate verification failed",
        r"certificate subject name",
        what="the certificate of the remote isn't trusted",
        hint="set http.sslCAInfo, or correct the URL",
    ),
    _meaning(
        r"does not appear to be a git repository",
        r"Repository not found",
        r"repository '.*' (does not exist|not found)",
        r"error: 404",
        r"not found: did you run",
        r"project you were looking for could not be found",
        what="there is no git repository at the remote's URL",
        hint="check the URL; a private repository looks the same without permission to read it",
    ),
    _meaning(
        r"dumb http",
        what="the remote is a plain web server without git, which can't be pushed to",
        hint="use the URL of a git server; for a directory of one's own, `git http-backend` or ssh",
    ),
    _meaning(
        r"transport '\w+' not allowed",
        r"unable to find remote helper",
        r"protocol '.*' is not supported",
        what="git can't speak the protocol of the remote's URL",
        hint="use an https, ssh or file URL or a path",
    ),
    _meaning(
        r"No space left on device",
        r"Disk quota exceeded",
        what="no space left for git's objects",
        hint="free space, or point TMPDIR at another disk",
    ),
    _meaning(
        r"empty ident name",
        r"auto-detect (email|name)",
        r"tell me who you are",
        r"no (email|name) was given",
        what="git doesn't know who commits",
        hint="set user.name and user.email, or GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL with their GIT_AUTHOR_ twins",
    ),
    _meaning(
        r"bad (numeric )?config",
        r"unable to access '.*config'",
        what="git's configuration can't be read",
        hint="correct the file that git names",
    ),
    _meaning(
        r"unknown option",
        r"unknown switch",
        r"unrecognized argument",
        r"is not a git command",
        r"^usage: git",
        what="this git is too old",
        hint="install git 2.38 or newer",
    ),
    _meaning(
        r"Could(n't| not) resolve (host|proxy)",
        r"Name or service not known",
        r"Temporary failure",
        r"Connection (refused|reset|closed)",
        r"Failed to connect",
        r"Couldn't connect",
        r"timed? ?out",
        r"Network is unreachable",
        r"No route to host",
        r"Empty reply",
        r"hung up",
        r"early EOF",
        r"RPC failed",
        r"unexpected disconnect",
        r"error: (429|5\d\d)",
        r"SSL_ERROR_SYSCALL",
        r"gnutls_handshake",
        r"SSL_(read|connect)",
        r"Broken pipe",
        r"internal server error",
        r"server is busy",
        r"too many (requests|connections)",
        r"Could not read from remote repository",
        what="the remote can't be reached",
        hint="run the same command again; if it stays so, check the network and the URL",
        kind=TryAgain,
    ),
)
# Advice, empty lines, and the rules that some hosts draw around their words.
_NOISE = re.compile(
    r"(remote: *)?[\s=*#-]*$|hint:|warning:|Please make sure|and the repository exists|error: failed to push"
)


def explain(answer: Answer, doing: str, where: str) -> ReleaseError:
    """The error that a failed git command means.

    Args:
        answer: what git left.
        doing: what it was to do, as in "git can't ...": `read the remote's refs`.
        where: the redacted URL, ref or path.
    """
    for meaning in _MEANINGS:
        if meaning.fits(answer.err):
            return meaning.kind(meaning.what, where=where, cause=complaint(answer.err), hint=meaning.hint)
    return ReleaseError(f"git can't {doing}", where=where, cause=complaint(answer.err) or f"status {answer.code}")


def complaint(err: str) -> str:
    """The words of git and of the server on one line, without advice and warnings unless there is nothing else."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    telling = [line for line in lines if not re.match(_NOISE, line)] or lines
    return "; ".join(telling[:8])

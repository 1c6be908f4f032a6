"""What git's complaints mean: who has to act, what the likely cause is, and the next step.

git has no error codes beyond "it failed", so its words are matched; `process.py` makes it speak English. Each pattern
was seen in a real answer: of git 2.38 to 2.50, of curl, of OpenSSH or of one of the large hosts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError, TryAgain
from release_tool.safe_text import one_line

if TYPE_CHECKING:
    from release_tool.git.process import GitAnswer


class Stale(ReleaseError):
    """Somebody was faster: a ref doesn't hold what the push expects. Plan again on the new tip."""


class Forgotten(TryAgain):
    """The remote answers, and doesn't hold a commit (any more)."""


class Locked(Stale):
    """The server lets nobody change a ref for a while. Wait, and plan again: it may look different then."""


class LoginRefused(ReleaseError):
    """The remote takes no login, or not this one, or lets it do less than is needed."""


class Protected(ReleaseError):
    """The server's rules refuse the change of a ref (a hook, a protected branch). Trying again changes nothing."""

    of_branch = True  # whether the same commit may get through on another branch


WEB_PAGE = "the remote answers with a web page, not as a git server does"
LOOK_AT_IT = (
    "run the same command again; if it stays so, open the address in a browser: a login, a proxy or a notice of an "
    "outage may stand before the server, or the URL is wrong"
)
_AWAY = ("the remote can't be reached", "run the same command again; if it stays so, check the network and the URL")
_CUT_OFF = (
    "the answer of the remote was cut off",
    "run the same command again; if it stays so, look at the server or the proxy in between",
)

# Patterns (compiled when something has failed: that takes 5 ms), what they mean, the next step, and the kind of error.
# The first that matches counts, so what says more stands further up.
_MEANINGS: tuple[tuple[str, str, str, type[ReleaseError]], ...] = (
    (
        r"dubious ownership|is owned by someone else",
        "git refuses a repository that belongs to another user",
        "run `git config --global --add safe.directory DIRECTORY` if you trust it",
        ReleaseError,
    ),
    (
        r"Host key verification failed",
        "the host key of the remote is unknown or has changed",
        "add the host's key to ~/.ssh/known_hosts",
        ReleaseError,
    ),
    (
        (
            r"Authentication failed|could not read (Username|Password)|terminal prompts disabled"
            r"|Permission denied \(|error: 401|Invalid username or (password|token)|HTTP Basic: Access denied"
            r"|support for password auth"
        ),
        "the remote doesn't accept the credentials",
        "check the credential helper, the token or the SSH key (an agent must hold a key with a passphrase)",
        LoginRefused,
    ),
    (
        r"read-only GitLab instance|\(read-only\) maintenance mode|temporarily read-only",
        "the server is read-only for now",
        "run the same command again once its maintenance is over",
        TryAgain,
    ),
    (
        r"(was|is|an) archived",
        "the repository is archived, and takes no pushes",
        "take it out of the archive in its settings",
        ReleaseError,
    ),
    (
        (
            r"error: 403|Permission to \S+ denied|Write access to repository not granted|deploy key .*read.only"
            r"|insufficient permission for adding an object|unable to create temporary|: Permission denied$"
            r"|Read-only file system|you don.t have (enough )?permission|not allowed to (push|upload|download)"
            r"|marked as read only"
        ),
        "no permission on the remote",
        "give the token or key read and write access to the contents of the repository",
        LoginRefused,
    ),
    (
        r"error (setting|adding) (certificate|trust)|Problem with the SSL CA cert",
        "the file with the certificates of authorities, which git's settings name, can't be read",
        "correct GIT_SSL_CAINFO, or http.sslCAInfo in git's configuration",
        ReleaseError,
    ),
    (
        r"SSL certificate problem|server certificate verification failed|certificate subject name",
        "the certificate of the remote isn't trusted",
        (
            "let RELEASE_CA_BUNDLE name a file with the certificates of your authorities (git alone: http.sslCAInfo), "
            "or correct the URL"
        ),
        ReleaseError,
    ),
    (
        (
            r"does not appear to be a git repository|Repository not found"
            r"|repository '.*' (does not exist|not found)|error: 404|not found: did you run"
            r"|project you were looking for could not be found"
        ),
        "there is no git repository at the remote's URL",
        "check the URL; a private repository looks the same without permission to read it",
        ReleaseError,
    ),
    (  # HTML in the place of packets or of refs, or an address that is none of a repository
        (
            r"bad line length character: [<\s]|not valid: (could not determine hash algorithm|is this a git)"
            r"|unable to update url base from redirection"
        ),
        WEB_PAGE,
        LOOK_AT_IT,
        TryAgain,
    ),
    (
        r"bad line length character",
        "something on the server speaks before git does",
        "let the shell profile of the server's user print nothing where there is no terminal",
        ReleaseError,
    ),
    (
        r"receiving end does not support --signed",
        "git's configuration asks for signed pushes (push.gpgSign), and the remote takes none",
        "set push.gpgSign to `if-asked`: pushes are signed where the remote can check that",
        ReleaseError,
    ),
    (
        r"receiving end does not support push options",
        "git's configuration sends options with a push (push.pushOption), and the remote takes none",
        "unset push.pushOption, or on the server: `git config receive.advertisePushOptions true`",
        ReleaseError,
    ),
    (
        r"failed to sign the push certificate|gpg failed to sign",
        "the push can't be signed",
        "make `git push --signed` work here, or switch push.gpgSign off",
        ReleaseError,
    ),
    (
        r"-pack['\"]?: (command )?not found|-pack['\"]?: No such file|Interactive git shell is not enabled",
        "the server has no git where it is looked for",
        "install git there on the PATH, or correct remote.NAME.uploadpack and remote.NAME.receivepack",
        ReleaseError,
    ),
    (
        (
            r"Bad owner or permissions|bad configuration option|no matching (host key|key exchange|cipher|MAC)"
            r"|Too many authentication failures|account is (currently not available|locked|expired)"
        ),
        "SSH can't log in to the remote",
        "make `ssh -T` to the host of the URL work here",
        ReleaseError,
    ),
    (
        r"returned error: 4(?!08|29)\d\d",
        "the remote refuses the request",
        "see in the cause which status; 413 is a limit of the server or a proxy to the size of a push",
        ReleaseError,
    ),
    (
        r"dumb http",
        "the remote is a plain web server without git, which can't be pushed to",
        "use the URL of a git server; for a directory of one's own, `git http-backend` or ssh",
        ReleaseError,
    ),
    (
        r"transport '\w+' not allowed|unable to find remote helper|protocol '.*' is not supported",
        "git can't speak the protocol of the remote's URL",
        "use an https, ssh or file URL or a path",
        ReleaseError,
    ),
    (
        r"No space left on device|Disk quota exceeded",
        "no space left for git's objects",
        "free space, or point TMPDIR at another disk",
        ReleaseError,
    ),
    (
        r"empty ident name|auto-detect (email|name)|tell me who you are|no (email|name) was given",
        "git doesn't know who commits",
        "set user.name and user.email, or GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL with their GIT_AUTHOR_ twins",
        ReleaseError,
    ),
    (
        r"bad (numeric )?config|unable to access '.*config'",
        "git's configuration can't be read",
        "correct the file that git names",
        ReleaseError,
    ),
    (
        r"unknown option|unknown switch|unrecognized argument|is not a git command|^usage: git",
        "this git is too old",
        "install git 2.38 or newer",
        ReleaseError,
    ),
    (
        (
            # curl 8 says "end of response with 12 bytes missing", older ones "transfer closed with 12 bytes remaining".
            r"transfer closed with|end of response with|body are still expected|expected (flush|packfile|'packfile')"
            r"|unexpected (EOF|end of)"
            r"|index-pack (failed|output)|bad pack header|bad band|bad line length \d|invalid (server response|pkt)"
        ),
        *_CUT_OFF,
        TryAgain,
    ),
    (
        (
            r"Could(n't| not) resolve (host|proxy)|Name or service not known|Temporary failure"
            r"|Connection (refused|reset|closed)|Failed to connect|Couldn't connect|timed? ?out"
            r"|Network is unreachable|No route to host|Empty reply|hung up|early EOF|RPC failed"
            r"|unexpected disconnect|error: (429|5\d\d)|SSL_ERROR_SYSCALL|gnutls_handshake|SSL_(read|connect)"
            r"|Broken pipe|internal server error|server is busy|too many (requests|connections)"
            r"|unavailable|try again"
        ),
        *_AWAY,
        TryAgain,
    ),
)
# Advice, empty lines, and the rules that some hosts draw around their words.
_NOISE = r"(remote: *)?[\s=*#-]*$|hint:|warning:|Please make sure|and the repository exists|error: failed to push"
# What git, and GitHub itself, put before the words of a server.
_MARK = r"(?i)^remote: *((error|fatal): *)?"


def explain(answer: GitAnswer, doing: str, where: str) -> ReleaseError:
    """The error that a failed git command means; doing: as in "git can't ...": `read the remote's refs`."""
    err = answer.err
    if re.search(r"(?m)^fatal: (?!the remote end hung)", err):  # then git says why it has ended, and the end follows
        err = re.sub(r"(?m)^fatal: the remote end hung up.*", "", err)
    for pattern, what, hint, kind in _MEANINGS:
        if re.search(pattern, err, re.IGNORECASE | re.MULTILINE):
            return kind(what, where=where, cause=complaint(answer.err), hint=hint)
    if re.search(r"(?m)^(remote: *)?ERROR: ", err):  # GitHub's and GitLab's own words, by SSH
        hint = "do what the server's words in the cause ask for"
        return ReleaseError("the remote refuses the request", where=where, cause=complaint(answer.err), hint=hint)
    if "Could not read from remote repository" in err:  # git's last words by SSH whatever happened; by HTTP, of an end
        what, hint = _CUT_OFF if where.startswith("http") else _AWAY
        return TryAgain(what, where=where, cause=complaint(answer.err), hint=hint)
    return ReleaseError(f"git can't {doing}", where=where, cause=complaint(answer.err) or f"status {answer.code}")


def web_page(where: str, traced: GitAnswer) -> TryAgain | None:
    """The error of a remote whose answer git took for an empty list of refs; traced: with `redirect.TRACE`."""
    types = re.findall(r"(?im)<= Recv header: content-type: *([^\s;]+)", traced.err)
    if not types or any(one.lower().startswith("application/x-git") for one in types):  # an empty repository
        return None
    return TryAgain(WEB_PAGE, where=where, cause=f"its answer is {types[0]}", hint=LOOK_AT_IT)


def complaint(err: str) -> str:
    """The words of git and of the server on one line, without advice and warnings unless there is nothing else."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    telling = [line for line in lines if not re.match(_NOISE, line)] or lines
    parts: list[str] = []
    for line, words in [(line, words) for line in telling if (words := _unmarked(line))][:8]:  # Gitea sends blank ones
        # GitHub breaks its sentences into lines.
        if parts and words != line and words[:1].islower() and parts[-1][-1:] not in ".:;!?":
            parts[-1] += f" {words}"
        else:
            parts.append(words)
    return "; ".join(parts)


def server_words(err: str) -> str:
    """What the server said, without the marks that git puts before it."""
    return "\n".join(_unmarked(line) for line in err.splitlines() if line.startswith("remote:"))


def link_of(err: str) -> str:
    """The address where a server that takes a push says that a pull request is opened or seen; empty: it says none."""
    # GitHub, GitLab, Gitea and Bitbucket: the sentence, and the address on its line or the next. Other addresses, as
    # that of a list of weaknesses, stand behind other sentences.
    found = re.search(r"(?i)\b(?:pull|merge) request\b[^\n]*?\n?\s*(https?://[^\s<>\"']+)", server_words(err))
    return one_line(found[1]) if found else ""


def option_error(err: str) -> str:
    """What a server that took a push found wrong with its options, in GitLab's words; empty: nothing."""
    # GitLab repeats all options before its words, with the whole text of the merge request among them.
    _, found, words = server_words(err).partition("Error encountered with push options")
    return one_line(" ".join(words.rpartition("': ")[2].split()).strip("= ")) if found else ""


def _unmarked(line: str) -> str:
    return re.sub(_MARK, "", line)

"""What git's words mean. Those here can't be had from a real server on one machine, so they are quoted."""

from __future__ import annotations

import pytest

from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.errors import LoginRefused, complaint, explain
from release_tool.git.process import GitAnswer, redact

GITHUB = (
    "remote: Permission to acme/engine.git denied to bot.\n"
    "fatal: unable to access 'https://github.com/acme/engine/': The requested URL returned error: 403"
)
SSH = (
    "Could not read from remote repository.\n\n"
    "Please make sure you have the correct access rights\nand the repository exists."
)
PROTECTED = """\
warning: old
remote:
remote: ====
remote: GH006: Protected branch
error: failed to push some refs
hint: x
"""


@pytest.mark.parametrize(
    ("words", "what", "kind"),
    [
        (GITHUB, "no permission on the remote", LoginRefused),
        (f"git@github.com: Permission denied (publickey).\r\nfatal: {SSH}", "the credentials", LoginRefused),
        (f"Host key verification failed.\r\nfatal: {SSH}", "host key", ReleaseError),
        (f"ssh: Could not resolve hostname nowhere: Name or service not known\nfatal: {SSH}", "reached", TryAgain),
        (f"ssh: connect to host h port 22: Connection timed out\nfatal: {SSH}", "can't be reached", TryAgain),
        (f"kex_exchange_identification: Connection closed by remote host\nfatal: {SSH}", "reached", TryAgain),
        (f"ERROR: Repository not found.\nfatal: {SSH}", "no git repository at the remote's URL", ReleaseError),
        ("fatal: unable to access 'https://h/': Could not resolve host: h", "can't be reached", TryAgain),
        ("fatal: unable to access 'https://h/': SSL certificate problem: self signed", "certificate", ReleaseError),
        ("fatal: unable to access 'https://h/': error setting certificate file: /x", "settings name", ReleaseError),
        ("error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly", "can't be reached", TryAgain),
        ("fatal: the remote end hung up unexpectedly", "can't be reached", TryAgain),
        ("remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://h/'", "credent", LoginRefused),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", "credentials", LoginRefused),
        ("remote: error: insufficient permission for adding an object to repository database", "permi", LoginRefused),
        ("error: file write error: No space left on device", "no space left", ReleaseError),
        ("git: 'merge-tree' is not a git command", "too old", ReleaseError),
        ("usage: git merge-tree <base-tree> <branch1> <branch2>", "too old", ReleaseError),
        (f"ERROR: This repository was archived so it is read-only.\nfatal: {SSH}", "is archived", ReleaseError),
        (f"ERROR: The 'acme' organization has enforced SAML SSO.\nfatal: {SSH}", "refuses the request", ReleaseError),
        (f"ERROR: Service unavailable\nfatal: {SSH}", "can't be reached", TryAgain),
        (f"bash: line 1: git-upload-pack: command not found\nfatal: {SSH}", "has no git", ReleaseError),
        (f"sh: 1: /opt/git-receive-pack: not found\nfatal: {SSH}", "has no git", ReleaseError),
        (f"Bad owner or permissions on /home/me/.ssh/config\nfatal: {SSH}", "SSH can't log in", ReleaseError),
        (f"Unable to negotiate with h: no matching host key type found.\nfatal: {SSH}", "SSH can't", ReleaseError),
        ("error: 8 bytes of body are still expected\nfatal: early EOF", "was cut off", TryAgain),
        ("fatal: fetch-pack: invalid index-pack output\nfatal: the remote end hung up", "was cut off", TryAgain),
        ("fatal: protocol error: bad line length character: Welc", "speaks before git", ReleaseError),
        ("error: inflate: data stream error\nfatal: loose object x is corrupt", "git can't fetch", ReleaseError),
        ("fatal: bad object x\nfatal: the remote end hung up unexpectedly", "git can't fetch", ReleaseError),
        ("fatal: something new", "git can't fetch", ReleaseError),
    ],
)
def test_words_of_git_and_hosts(words: str, what: str, kind: type[ReleaseError]) -> None:
    error = explain(GitAnswer(128, b"", words), "fetch", "https://h/r.git")
    assert type(error) is kind
    assert what in error.what
    assert error.where == "https://h/r.git"
    assert error.cause


def test_a_complaint_is_one_line_without_advice() -> None:
    assert complaint(PROTECTED) == "GH006: Protected branch"
    assert complaint("warning: only this") == "warning: only this"
    assert complaint("") == ""


def test_blank_lines_of_a_server_leave_nothing_in_a_complaint() -> None:
    said = "remote: \nremote: error:\nremote: error: Not allowed to push to protected branch main\nremote: error:\n"
    assert complaint(said) == "Not allowed to push to protected branch main"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://person:s3cret@h/r", "https://***@h/r"),
        ("https://s3cret@h/r", "https://***@h/r"),
        ("ssh://git:s3cret@h/r", "ssh://git:***@h/r"),
        ("ssh://git@h/r and git@h:r", "ssh://git@h/r and git@h:r"),
        ("AUTHORIZATION: basic s3cret==", "AUTHORIZATION: ***"),
        ("http.extraheader=Authorization: Bearer s3cret", "http.extraheader=Authorization: ***"),
        ("Proxy-Authorization: s3cret x", "Proxy-Authorization: *** x"),
        ("token ghp_s3crets3cret and github_pat_s3cret_x", "token ghp_*** and github_pat_***"),
        ("glpat-s3cret-s3cret", "glpat-***"),
        ("https://h/r?private_token=s3cret&x=1", "https://h/r?private_token=***&x=1"),
    ],
)
def test_credentials_are_never_shown(text: str, shown: str) -> None:
    assert redact(text) == shown

"""Commits made without a working tree: exactly what git itself would have made."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opened import fetched
from origin import BEGIN, TAGS, Origin, git

from release_tool.errors import ReleaseError
from release_tool.git.objects import TreeEntry, parse_tree, tree_body
from release_tool.git.repository import Repository
from release_tool.model.records import CommitId, RefUpdate


def _pushed(repository: Repository, commit: CommitId, tip: CommitId) -> CommitId:
    repository.push([RefUpdate("refs/heads/main", tip, commit)])
    return commit


def test_a_commit_changes_what_it_names_and_nothing_else(origin: Origin, repository: Repository) -> None:
    origin.commit({"keep/a": "a", "gone/only": "x", "run": ("100755", "old"), "link": ("120000", "run")})
    tip = fetched(repository)
    changes = {"run": b"new", "gone/only": None, "new/deep/file": b"1\r\n", "never": None}
    changes |= {"a-b": b"", "a.b": b"", "a/b": b""}  # sorted by git as `a-b`, `a.b`, `a/`
    commit = _pushed(repository, repository.commit([tip], tip, changes, "Change\n\nBody\n\n\n", when=BEGIN), tip)
    assert origin.git("diff", "--raw", "--abbrev=4", "--no-renames", tip, commit).splitlines() == [
        ":000000 100644 0000 e69d A\ta-b",
        ":000000 100644 0000 e69d A\ta.b",
        ":000000 100644 0000 e69d A\ta/b",
        ":100644 000000 c1b0 0000 D\tgone/only",
        ":000000 100644 0000 f33d A\tnew/deep/file",
        ":100755 100755 489c 3e51 M\trun",
    ]
    assert origin.git("cat-file", "commit", commit) == (
        f"tree {repository.tree_id(commit)}\nparent {tip}\n"
        "author Test Person <person@example.com> 1793534400 +0000\n"
        "committer Test Person <person@example.com> 1793534400 +0000\n\nChange\n\nBody"
    )
    assert origin.healthy()


def test_the_same_input_gives_the_same_commit(repository: Repository) -> None:
    tip = fetched(repository)
    made = {repository.commit([tip], tip, {"a": b"1"}, "Same", when=BEGIN) for _ in range(2)}
    assert len(made) == 1


def test_a_commit_without_changes_has_the_same_tree(repository: Repository) -> None:
    tip = fetched(repository)
    assert repository.tree_id(repository.commit([tip], tip, {}, "Nothing", when=BEGIN)) == repository.tree_id(tip)
    assert repository.write_tree(tip, {"README.md": None, "none/at/all": None}) != repository.tree_id(tip)


def test_an_empty_tree_is_one(origin: Origin, repository: Repository) -> None:
    assert repository.write_tree(None, {}) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    tip = fetched(repository)
    everything = dict.fromkeys(repository.files(tip))
    assert repository.write_tree(tip, everything) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("link", "a symbolic link stands where a file"),
        ("linked/file", "a symbolic link stands where a directory"),
        ("environments", "a directory stands where a file"),
        ("README.md/below", "a file stands where a directory"),
        ("../out", "not a path inside"),
        (".git/hooks/x", "not a path inside"),
    ],
)
def test_what_stands_in_the_way_is_named(origin: Origin, repository: Repository, path: str, what: str) -> None:
    origin.commit({"link": ("120000", "README.md"), "linked": ("120000", "/tmp")})
    tip = fetched(repository)
    with pytest.raises(ReleaseError, match=what):
        repository.commit([tip], tip, {path: b"x"}, "Bad")


def test_only_small_parts_are_fetched_to_write(origin: Origin, remote: Repository) -> None:
    origin.commit({f"big/{number}": "x" * 10_000 for number in range(20)})
    tip = fetched(remote)
    commit = _pushed(remote, remote.commit([tip], tip, {TAGS: b"new\n"}, "Change", when=BEGIN), tip)
    assert origin.file(TAGS) == "new"
    assert len(origin.git("ls-tree", "-r", commit).splitlines()) == 23
    assert origin.healthy()


names = st.text(st.sampled_from("ab.-0_~"), min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))


@given(names=st.lists(names, unique=True, min_size=1), data=st.data())
def test_law_a_tree_put_together_is_the_tree_taken_apart(names: list[str], data: st.DataObject) -> None:
    modes = st.sampled_from(["100644", "100755", "40000", "120000", "160000"])
    entries = {name: TreeEntry(data.draw(modes), f"{number:040x}") for number, name in enumerate(names)}
    assert parse_tree(tree_body(entries), 20) == entries


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(
        st.lists(names, min_size=1, max_size=3).map("/".join), st.sampled_from([b"1", b"2", None]), max_size=12
    )
)
def test_law_any_tree_is_the_one_that_git_makes(origin: Origin, files: dict[str, bytes | None]) -> None:
    apart = {path: data for path, data in files.items() if not any(other.startswith(f"{path}/") for other in files)}
    with Repository.open(None, origin.url) as repository:
        tip = fetched(repository)
        mine = repository.write_tree(tip, apart)
    theirs = origin.commit({**apart}, "law", parents=(tip,))
    assert mine == origin.git("rev-parse", f"{theirs}^{{tree}}")


# -- who commits
def test_author_and_committer_are_those_of_the_environment(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "An <Author>\n")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "bot@example.com")
    tip = fetched(repository)
    berlin = timezone(timedelta(hours=1))
    commit = repository.commit([tip], tip, {}, "Who", when=datetime(2026, 12, 1, tzinfo=berlin))
    assert repository.commit_info(commit).authored == "An Author <person@example.com> 1796079600 +0100"
    body = repository._database.find(commit)
    assert body is not None
    assert b"committer Test Person <bot@example.com> 1796079600 +0100\n" in body[1]


def test_without_an_identity_the_error_says_what_to_set(seal: Path, clone: Path) -> None:
    git("config", "--global", "--unset", "user.email")
    git("config", "--global", "user.useConfigOnly", "true")
    with Repository.open(clone) as repository:
        tip = fetched(repository)
        with pytest.raises(ReleaseError, match="git doesn't know who commits") as caught:
            repository.commit([tip], tip, {}, "Who")
    assert "user.email" in caught.value.hint


def test_a_ci_job_without_an_identity_commits_in_the_name_of_the_tool(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("config", "--global", "--remove-section", "user")
    git("config", "--global", "user.name", "Only A Name")
    monkeypatch.delenv("EMAIL", raising=False)
    with Repository.open(clone) as repository:
        tip = fetched(repository)
        authored = repository.commit_info(repository.commit([tip], tip, {}, "Who", when=BEGIN)).authored
    assert authored.startswith("Only A Name <")


def test_a_commit_is_signed_where_git_is_told_to(origin: Origin, clone: Path, seal: Path) -> None:
    key = seal / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (seal / "allowed").write_text(f"person@example.com {key.with_suffix('.pub').read_text()}")
    git("config", "--global", "gpg.format", "ssh")
    git("config", "--global", "gpg.ssh.allowedSignersFile", str(seal / "allowed"))
    git("config", "--global", "user.signingKey", str(key))
    git("config", "commit.gpgSign", "yes", cwd=clone)
    with Repository.open(clone) as repository:
        tip = fetched(repository)
        commit = _pushed(repository, repository.commit([tip], tip, {"a": b"1"}, "Signed", when=BEGIN), tip)
    origin.git("verify-commit", commit)
    assert origin.git("log", "-1", "--format=%an <%ae> %at %cn %ct %s", commit) == (
        "Test Person <person@example.com> 1793534400 Test Person 1793534400 Signed"
    )


def test_a_signature_that_fails_is_an_error(clone: Path, seal: Path) -> None:
    git("config", "--global", "gpg.format", "ssh")
    git("config", "--global", "user.signingKey", str(seal / "missing"))
    git("config", "--global", "commit.gpgSign", "true")
    with Repository.open(clone) as repository:
        tip = fetched(repository)
        with pytest.raises(ReleaseError, match="the commit can't be signed"):
            repository.commit([tip], tip, {}, "Signed")


def test_operations_are_the_trailers_of_the_last_paragraph(origin: Origin, repository: Repository) -> None:
    message = "Subject\n\nRelease-Operation: not-this\n\nBy: me\nRelease-Operation: one\nRelease-Operation:two \n"
    commit = origin.commit({"a": "1"}, message=message)
    fetched(repository, commit)
    info = repository.commit_info(commit)
    assert (info.subject, info.operations) == ("Subject", ("one", "two"))

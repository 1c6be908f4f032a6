"""Files at a commit: found, listed, refused; and with how few requests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from opened import fetched, touched
from origin import BEGIN, TAGS, Origin, Requests, git

from release_tool.errors import ReleaseError
from release_tool.git.repository import Repository, TreeEntry
from release_tool.model.records import CommitId


def test_files_come_byte_for_byte_and_missing_ones_are_absent(origin: Origin, repository: Repository) -> None:
    origin.commit({"crlf": b"\xef\xbb\xbfa\r\nb", "empty": b"", "bytes": bytes(range(256)), "d/e/f": "deep"})
    found = repository.read(fetched(repository), ["d/e/f", "crlf", "none", "empty", "bytes", "d/none", "crlf/below"])
    assert found == {"d/e/f": b"deep", "crlf": b"\xef\xbb\xbfa\r\nb", "empty": b"", "bytes": bytes(range(256))}
    assert list(found) == ["d/e/f", "crlf", "empty", "bytes"]


def test_files_below_directories_are_listed(origin: Origin, repository: Repository) -> None:
    origin.commit({"charts/a/link": ("120000", "run"), "charts/b": "b", "chartsx/c": "c", "z/\udcff\u00e9": "odd"})
    tip = fetched(repository)
    listed = repository.files(tip, ["charts", "README.md", "none", "charts/"])
    assert list(listed) == ["charts/a/link", "charts/a/run", "charts/b", "README.md"]
    assert [entry.mode for entry in listed.values()] == ["120000", "100755", "100644", "100644"]
    assert list(repository.files(tip)) == [
        "README.md",
        "charts/a/link",
        "charts/a/run",
        "charts/b",
        "chartsx/c",
        TAGS,
        "z/\udcff\u00e9",
    ]
    assert repository.read(tip, ["z/\udcff\u00e9"]) == {"z/\udcff\u00e9": b"odd"}


@pytest.mark.parametrize(("path", "what"), [
    ("link", "a symbolic link"), ("directory/values.yaml", "a symbolic link"), ("module", "a submodule"),
    ("module/file", "a submodule"), ("environments", "a directory"),
])  # fmt: skip
def test_what_is_no_file_is_refused_by_name(origin: Origin, repository: Repository, path: str, what: str) -> None:
    origin.commit(
        {"link": ("120000", "/etc/passwd"), "directory": ("120000", "../outside"), "module": ("160000", "1" * 40)}
    )
    tip = fetched(repository)
    with pytest.raises(ReleaseError, match=what) as caught:
        repository.read(tip, ["README.md", path])
    assert caught.value.where.startswith(f"{tip[:12]}:{path.partition('/')[0]}")


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "", ".", "a//b", ".git/config", "a/.GIT/b", "a\0b"]
)
def test_a_path_that_leads_out_is_refused(repository: Repository, path: str) -> None:
    with pytest.raises(ReleaseError, match="not a path inside the repository"):
        repository.read(fetched(repository), [path])


def test_a_huge_file_is_refused_before_it_is_read(origin: Origin, repository: Repository) -> None:
    origin.commit({"huge": b"x" * 5000, "small": b"y"})
    tip = fetched(repository)
    with pytest.raises(ReleaseError, match="5,000 bytes, more than the 4,999") as caught:
        repository.read(tip, ["huge"], limit=4999)
    assert caught.value.where == "huge"
    assert repository.read(tip, ["huge", "small"], limit=5000)["small"] == b"y"


def test_without_a_checkout_all_missing_files_come_in_one_request(
    origin: Origin, remote: Repository, tmp_path: Path
) -> None:
    origin.commit({f"charts/{number}": f"{number}\n" for number in range(50)})
    requests = Requests(tmp_path)
    tip = fetched(remote)
    assert requests.seen() == ["upload-pack"] * 2
    assert len(remote.read(tip, remote.files(tip, ["charts"]))) == 51
    assert requests.seen() == ["upload-pack"]
    remote.read(tip, remote.files(tip, ["charts"]))
    remote.fetch(tip)
    assert requests.seen() == []


def test_without_a_checkout_only_what_is_read_comes(origin: Origin, remote: Repository) -> None:
    origin.commit({"big": bytes(range(256)) * 40_000})
    tip = fetched(remote)
    assert remote.read(tip, [TAGS])[TAGS].startswith(b"image:")
    objects = remote._store / "objects"
    assert sum(file.stat().st_size for file in objects.rglob("*") if file.is_file()) < 20_000


def test_files_of_few_can_come_along(origin: Origin, remote: Repository, tmp_path: Path) -> None:
    tip = remote.refs("refs/heads/main").branch("main")
    assert tip is not None
    requests = Requests(tmp_path)
    remote.fetch(tip, with_files=True)
    assert remote.read(tip, [TAGS, "README.md"])
    assert requests.seen() == ["upload-pack"]


def test_a_file_at_many_commits_comes_in_one_request(origin: Origin, remote: Repository, tmp_path: Path) -> None:
    commits = [origin.commit({TAGS: f"{number}\n", "other": f"{number}"}) for number in range(20)]
    fetched(remote)
    remote.fetch(*commits)
    requests = Requests(tmp_path)
    assert [found[TAGS] for found in remote.read_at(commits, [TAGS, "none"]).values()] == [
        f"{number}\n".encode() for number in range(20)
    ]
    assert requests.seen() == ["upload-pack"]


@pytest.mark.parametrize("allowed", ["filters", "ids", "neither"])
@pytest.mark.parametrize("protocol", ["0", "2"])
def test_a_server_that_offers_less_is_asked_in_another_way(
    origin: Origin, remote: Repository, allowed: str, protocol: str
) -> None:
    git("config", "--global", "protocol.version", protocol)
    origin.git("config", "uploadpack.allowFilter", str(allowed == "filters").lower())
    origin.git("config", "uploadpack.allowAnySHA1InWant", str(allowed == "ids").lower())
    for number in range(5):
        origin.commit({TAGS: f"{number}\n"})
    tip = fetched(remote)
    assert remote.read(tip, [TAGS, "README.md"])["README.md"] == b"Hello\n"
    assert len(remote.read(tip, remote.files(tip))) == 3
    texts = [remote.read(commit, [TAGS])[TAGS] for commit, _ in touched(remote, tip, [TAGS])]
    assert texts == [b"4\n", b"3\n", b"2\n", b"1\n", b"0\n", b"image:\n  tag:\n  - v1.0.1\n"]


OLD_SERVER = """
import os, subprocess, sys
server = subprocess.Popen(["git", "upload-pack", *sys.argv[1:]], stdout=subprocess.PIPE)
while data := os.read(server.stdout.fileno(), 65536):
    os.write(1, data.replace(b" shallow deepen", b" sha11ow deepen"))
"""


def test_a_server_without_shallow_fetches_is_asked_for_all(origin: Origin, remote: Repository, tmp_path: Path) -> None:
    """git's own server always has them, so a word of its greeting is made unreadable."""
    old = tmp_path / "old-upload-pack"
    old.write_text(f"#!{sys.executable}\n{OLD_SERVER}")
    old.chmod(0o755)
    git("config", "--global", "remote.origin.uploadpack", str(old))
    git("config", "--global", "protocol.version", "0")
    origin.line(3)
    tip = fetched(remote)
    assert remote.read(tip, ["count"]) == {"count": b"main 2"}
    assert len(remote.commits(None, tip)) == 4


def test_what_was_fetched_by_name_is_what_was_seen(origin: Origin, remote: Repository) -> None:
    """The branch moves between the look and a fetch by name: the commit that was seen is gone from its tip."""
    git("config", "--global", "protocol.version", "0")
    origin.git("config", "uploadpack.allowAnySHA1InWant", "false")
    seen = remote.refs("refs/heads/main").branch("main")
    assert seen is not None
    origin.commit({"new": "1"})
    with pytest.raises(ReleaseError, match="any more") as caught:
        remote.fetch(seen)
    assert caught.value.exit_code == 75


def test_a_tree_tells_whether_two_commits_hold_the_same(origin: Origin, repository: Repository) -> None:
    one = origin.commit({"a": "1"})
    origin.commit({"a": "2"})
    three = origin.commit({"a": "1"})
    fetched(repository)
    assert repository.tree_id(one) == repository.tree_id(three)
    assert repository.commit_info(three).committed_at > BEGIN
    assert isinstance(repository.files(three, ["a"])["a"], TreeEntry)


def test_a_broken_checkout_is_named(origin: Origin, clone: Path) -> None:
    blob = origin.git("rev-parse", f"main:{TAGS}")
    for pack in (clone / ".git" / "objects" / "pack").glob("*.pack"):
        git("unpack-objects", "-q", cwd=clone, stdin=_taken(pack))
    (clone / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    origin.git("update-ref", "-d", "refs/heads/main")  # nor does the remote have it to give
    origin.path.rename(origin.path.with_name("gone"))
    with Repository.open(clone) as repository, pytest.raises(ReleaseError):
        repository.read(CommitId(git("rev-parse", "HEAD", cwd=clone)), [TAGS])


def _taken(pack: Path) -> bytes:
    content = pack.read_bytes()
    for file in pack.parent.glob(f"{pack.stem}.*"):
        file.unlink()
    return content

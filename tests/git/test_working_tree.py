"""The user's own files, for `--local`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from origin import TAGS, Origin, git

from release_tool.errors import ReleaseError
from release_tool.git.reading import MAX_FILE
from release_tool.git.working_tree import WorkingTree


def test_a_checkout_is_found_from_below(clone: Path, origin: Origin) -> None:
    tree = WorkingTree.open(clone / "environments" / "devel")
    assert (tree.top, tree.branch, tree.head) == (clone, "main", origin.tip())
    git("checkout", "--quiet", "--detach", cwd=clone)
    assert WorkingTree.open(clone).branch is None


def test_a_repository_without_a_commit_has_no_head(tmp_path: Path) -> None:
    git("init", "--quiet", tmp_path / "new")
    tree = WorkingTree.open(tmp_path / "new")
    assert (tree.branch, tree.head) == ("main", None)


def test_what_is_no_checkout_is_refused(tmp_path: Path, origin: Origin) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(ReleaseError, match="not a git repository"):
        WorkingTree.open(tmp_path / "plain")
    with pytest.raises(ReleaseError, match="not a git repository"):
        WorkingTree.open(tmp_path / "nowhere")
    with pytest.raises(ReleaseError, match="bare"):
        WorkingTree.open(origin.path)


def test_changed_and_unmerged_paths_are_told(clone: Path, origin: Origin) -> None:
    tree = WorkingTree.open(clone)
    assert tree.changed(["environments", "README.md"]) == ()
    (clone / TAGS).write_text("mine\n")
    (clone / "environments" / "new \u00e9").write_text("")
    assert tree.changed(["environments"]) == (TAGS, "environments/new \u00e9")
    assert tree.changed(["README.md"]) == ()
    assert tree.unmerged(["environments"]) == ()
    git("commit", "--quiet", "-am", "Mine", cwd=clone)
    origin.commit({TAGS: "theirs\n"})
    git("fetch", "--quiet", cwd=clone)
    git("merge", "origin/main", cwd=clone, ok=False)
    assert tree.unmerged(["environments"]) == (TAGS,)


def test_files_are_read_and_listed_as_they_lie_there(clone: Path) -> None:
    tree = WorkingTree.open(clone)
    (clone / TAGS).write_bytes(b"\xef\xbb\xbfa\r\n")
    assert tree.read([TAGS, "none"]) == {TAGS: b"\xef\xbb\xbfa\r\n"}
    assert tree.paths("environments") == [TAGS]
    assert tree.paths("nowhere") == []
    with pytest.raises(ReleaseError, match="a directory stands where a file of the repository should"):
        tree.read(["environments"])


@pytest.mark.parametrize("path", ["out", "folder/passwd", "../outside", "/etc/passwd", ".git/config", "inside/../../x"])
def test_nothing_outside_is_read_or_written(clone: Path, path: str) -> None:
    (clone / "out").symlink_to("/etc/passwd")
    (clone / "folder").symlink_to("/etc")
    tree = WorkingTree.open(clone)
    with pytest.raises(ReleaseError, match=r"symbolic link|leads out of the repository"):
        tree.read([path])
    with pytest.raises(ReleaseError, match=r"symbolic link|leads out of the repository"):
        tree.write({"README.md": b"changed", path: b"evil"})
    assert (clone / "README.md").read_text() == "Hello\n"


def test_files_are_replaced_with_their_mode_and_made_with_their_directories(clone: Path) -> None:
    WorkingTree.open(clone).write({"charts/a/run": b"new", "deep/er/file": b"made\r\n"})
    assert (clone / "charts/a/run").read_bytes() == b"new"
    assert (clone / "charts/a/run").stat().st_mode & 0o777 == 0o755
    assert (clone / "deep/er/file").read_bytes() == b"made\r\n"
    assert git("status", "--porcelain", cwd=clone).splitlines() == ["M charts/a/run", "?? deep/"]


def test_a_link_inside_the_repository_is_not_followed_either(clone: Path) -> None:
    (clone / "linked").symlink_to("charts/a/run")
    before = (clone / "charts/a/run").read_bytes()
    with pytest.raises(ReleaseError, match="symbolic link"):
        WorkingTree.open(clone).write({"linked": b"new"})
    assert (clone / "charts/a/run").read_bytes() == before


def test_a_write_that_fails_changes_nothing(clone: Path) -> None:
    with pytest.raises(ReleaseError, match="can't write"):
        WorkingTree.open(clone).write({"README.md": b"changed", "charts": b"a directory is there"})
    with pytest.raises(ReleaseError, match="can't write"):
        WorkingTree.open(clone).write({"README.md": b"changed", "README.md/below": b""})
    assert (clone / "README.md").read_text() == "Hello\n"
    assert git("status", "--porcelain", cwd=clone) == ""


def test_gitpython_is_loaded_for_nothing_else() -> None:
    code = "import sys, release_tool.git.repository, release_tool.git.working_tree; print({'git', 'logging'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("path", ["pipe", "pipes/x"])
def test_a_fifo_is_named_and_hangs_nothing(clone: Path, path: str) -> None:
    (clone / path).parent.mkdir(exist_ok=True)
    os.mkfifo(clone / path)
    (clone / "README.md").unlink()
    (clone / "README.md").symlink_to("/dev/zero")
    tree = WorkingTree.open(clone)
    with pytest.raises(ReleaseError, match="a FIFO"):
        tree.read([path])
    with pytest.raises(ReleaseError, match="symbolic link"):
        tree.read(["README.md"])
    assert tree.paths("pipes") == []


def test_git_waits_for_no_pipe_in_the_place_of_its_own_files(clone: Path) -> None:
    os.mkfifo(clone / "charts/.gitignore")
    (clone / "charts/new").write_text("")
    tree = WorkingTree.open(clone)
    for use in (lambda: tree.paths("charts/a"), lambda: tree.paths(""), lambda: tree.changed(["charts/new"])):
        with pytest.raises(ReleaseError, match="a FIFO") as caught:
            use()
        assert caught.value.where == "charts/.gitignore"
    with pytest.raises(ReleaseError, match="a FIFO"):
        tree.read(["charts/new"])
    (clone / ".gitattributes").write_text("*.tgz filter=lfs\n")
    git("add", ".gitattributes", cwd=clone)
    os.mkfifo(clone / "environments/.gitattributes")
    with pytest.raises(ReleaseError, match="a FIFO"):
        WorkingTree.open(clone)


@pytest.mark.parametrize("options", [(), ("--filter=blob:none",)])
@pytest.mark.parametrize("form", ["--no-sparse-index", "--sparse-index"])
def test_what_a_sparse_checkout_leaves_out_is_read_from_git(
    origin: Origin, tmp_path: Path, options: tuple[str, ...], form: str
) -> None:
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = origin.clone(tmp_path / "sparse", "--sparse", *options)
    git("sparse-checkout", "set", form, "charts", cwd=clone)
    (clone / "charts/a/run").unlink()
    tree = WorkingTree.open(clone)
    assert not (clone / TAGS).exists()
    assert tree.read([TAGS, "charts/a/run", "nowhere"]) == {TAGS: origin.file(TAGS).encode() + b"\n"}
    assert tree.paths("environments") == [TAGS]
    assert "charts/a/run" not in tree.paths("charts"), "that one is deleted"


def test_files_that_git_ignores_are_none(clone: Path) -> None:
    (clone / ".gitignore").write_text("*.tgz\nout/\n")
    for path in ("charts/a/dep.tgz", "charts/out/x", "charts/new"):
        (clone / path).parent.mkdir(exist_ok=True)
        (clone / path).write_text("here")
    tree = WorkingTree.open(clone)
    assert tree.read(["charts/a/dep.tgz", "charts/new"]) == {"charts/new": b"here"}
    assert [path for path in tree.paths("charts") if path != "charts/a/run"] == ["charts/new"]


@pytest.mark.parametrize("path", ["part", "part/inside"])
@pytest.mark.parametrize("there", [True, False])
def test_a_submodule_is_named_whether_its_files_are_there_or_not(clone: Path, path: str, there: bool) -> None:
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD', cwd=clone)},part", cwd=clone)
    if there:
        (clone / "part").mkdir()
        (clone / "part/inside").write_text("of the submodule")
    tree = WorkingTree.open(clone)
    for use in (lambda: tree.read([path]), lambda: tree.paths(path)):
        with pytest.raises(ReleaseError, match="a submodule stands where"):
            use()


def test_a_pointer_that_a_filter_fills_here_is_what_git_holds(clone: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (clone / TAGS).write_bytes(pointer)
    git("add", TAGS, cwd=clone)
    (clone / TAGS).write_text("image: {tag: {}}\n")
    assert WorkingTree.open(clone).read([TAGS]) == {TAGS: b"image: {tag: {}}\n"}, "a person has mended it"
    (clone / ".gitattributes").write_text("*.yaml filter=lfs\n")
    git("add", ".gitattributes", cwd=clone)
    assert WorkingTree.open(clone).read([TAGS]) == {TAGS: pointer}


def test_a_file_that_is_too_large_at_a_commit_is_too_large_here(clone: Path) -> None:
    with (clone / "history.jsonl").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(ReleaseError, match="more than the 20,971,520 that are read"):
        WorkingTree.open(clone).read(["history.jsonl"])

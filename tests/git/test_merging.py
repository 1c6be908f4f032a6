"""Merges and replays in the private store, with and without a checkout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from opened import fetched
from origin import BEGIN, TAGS, Origin

from release_tool.errors import ReleaseError
from release_tool.git.repository import Merged, Repository
from release_tool.model.records import CommitId


@pytest.fixture(params=["checkout", "shallow checkout", "URL"])
def opened(request: pytest.FixtureRequest, origin: Origin, tmp_path: Path) -> Iterator[Repository]:
    options = ["--depth=1"] if "shallow" in request.param else []
    clone = origin.clone(tmp_path / "c", *options) if "checkout" in request.param else None
    with Repository.open(clone, None if clone else origin.url) as repository:
        yield repository


def _sides(origin: Origin, repository: Repository, ours: str, theirs: str) -> tuple[CommitId, CommitId]:
    """Two branches that changed the file, with other changes around."""
    text = "".join(f"{number}\n" for number in range(9))
    origin.commit({"file": text, "other": "1"})
    origin.git("branch", "b", "main")
    main = origin.commit({"file": text.replace("1\n", ours), "main": "1"})
    origin.commit({"b": "1"}, "b")
    branch = origin.commit({"file": text.replace("7\n", theirs) if theirs else text.replace("1\n", "b\n")}, "b")
    fetched(repository, main, branch)
    return main, branch


def test_two_sides_are_merged(origin: Origin, opened: Repository) -> None:
    main, branch = _sides(origin, opened, "one\n", "seven\n")
    merged = opened.merge(main, branch)
    assert merged.conflicts == ()
    assert merged.tree is not None
    commit = opened.commit([main, branch], merged.tree, {}, "Merge", when=BEGIN)
    assert opened.read(commit, ["file", "main", "b"]) == {
        "file": b"0\none\n2\n3\n4\n5\n6\nseven\n8\n",
        "main": b"1",
        "b": b"1",
    }


def test_a_conflict_names_its_paths_and_leaves_nothing(origin: Origin, opened: Repository) -> None:
    main, branch = _sides(origin, opened, "one\n", "")
    assert opened.merge(main, branch) == Merged(None, ("file",))


def test_unrelated_histories_are_not_merged(origin: Origin, opened: Repository) -> None:
    main = origin.tip()
    assert main is not None
    other = origin.commit({"a": "1"}, "other", parents=())
    fetched(opened, main, other)
    with pytest.raises(ReleaseError, match="nothing in common"):
        opened.merge(main, other)


def test_a_commit_is_replayed_with_its_author_and_message(origin: Origin, opened: Repository) -> None:
    main, branch = _sides(origin, opened, "one\n", "seven\n")
    opened.merge_base(main, branch)
    replayed = opened.replay(branch, main, when=BEGIN)
    assert isinstance(replayed, str)
    info, before = opened.commit_info(replayed), opened.commit_info(branch)
    assert (info.parents, info.message, info.authored) == ((main,), before.message + "\n", before.authored)
    assert info.committed_at == BEGIN
    assert opened.read(replayed, ["file", "main", "b"]) == {"file": b"0\none\n2\n3\n4\n5\n6\nseven\n8\n", "main": b"1"}


def test_a_replay_that_conflicts_names_its_paths(origin: Origin, opened: Repository) -> None:
    main, branch = _sides(origin, opened, "one\n", "")
    opened.merge_base(main, branch)
    assert opened.replay(branch, main) == Merged(None, ("file",))


def test_two_appends_conflict(origin: Origin, opened: Repository) -> None:
    """The lock on which the record's order rests: two new last lines are never merged."""
    origin.commit({TAGS: "1\n"})
    origin.git("branch", "b", "main")
    main, branch = origin.commit({TAGS: "1\n2\n"}), origin.commit({TAGS: "1\n3\n"}, "b")
    fetched(opened, main, branch)
    assert opened.merge(main, branch).conflicts == (TAGS,)

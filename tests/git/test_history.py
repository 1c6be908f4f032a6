"""Questions about history: the same answers from a full clone, a shallow one, and none at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from opened import Late, fetched, touched
from origin import BEGIN, TAGS, Origin, Requests, git

from release_tool.git.repository import Repository
from release_tool.model.records import CommitId


@pytest.fixture(params=["full", "shallow", "URL", "full at the beginning"])
def history(request: pytest.FixtureRequest, origin: Origin, tmp_path: Path) -> Iterator[Late]:
    """A repository that is opened when the origin has its commits, by `opened`."""
    found = Late(origin, tmp_path / "c", request.param, depth=2)
    if request.param == "full at the beginning":
        found.open()
    yield found
    if found.repository is not None:
        found.repository.close()


def test_the_merge_base_is_found_however_far_away(history: Late) -> None:
    fork = history.origin.tip()
    assert fork is not None
    history.origin.git("branch", "release/devel", fork)
    main, branch = history.origin.line(60)[-1], history.origin.line(3, "release/devel")[-1]
    repository = history.at(main, branch)
    assert repository.merge_base(main, branch) == fork
    assert repository.is_ancestor(fork, main)
    assert not repository.is_ancestor(branch, main)


def test_the_nearest_merge_base_is_found_behind_merges(history: Late) -> None:
    """A shallow history shows an older common ancestor first: the branch merged the base twice."""
    origin = history.origin
    origin.git("branch", "b", "main")
    origin.line(3)
    first = origin.commit({"b": "1"}, "b", "Merge main", parents=("refs/heads/b", "refs/heads/main"))
    origin.line(3)
    middle = origin.tip()
    origin.commit({"b": "2"}, "b", "Merge main again", parents=(first, "refs/heads/main"))
    main, branch = origin.line(5)[-1], origin.line(5, "b")[-1]
    assert history.at(main, branch).merge_base(main, branch) == middle


def test_unrelated_histories_have_no_merge_base(history: Late) -> None:
    main = history.origin.tip()
    other = history.origin.commit({"a": "1"}, "other", parents=())
    assert main is not None
    assert history.at(main, other).merge_base(main, other) is None


def test_a_branch_on_top_of_the_base_needs_no_history(origin: Origin, remote: Repository, tmp_path: Path) -> None:
    main = origin.line(5)[-1]
    origin.git("branch", "release/devel", main)
    branch = origin.line(2, "release/devel")[-1]
    fetched(remote, main, branch, origin.git("rev-parse", f"{branch}^"))  # type: ignore[arg-type]
    requests = Requests(tmp_path)
    assert remote.merge_base(main, branch) == main
    assert remote.is_ancestor(main, branch)
    assert len(remote.commits(main, branch)) == 2
    assert requests.seen() == []


def test_commits_of_a_branch_come_with_their_operations(history: Late) -> None:
    origin = history.origin
    origin.line(3)
    origin.git("branch", "b", "main")
    one = origin.commit({"x": "1"}, "b", "Bump\n\nRelease-Operation: 01A\n")
    two = origin.commit({"x": "2"}, "b", "By hand\n\nText\n")
    base = origin.line(2)[-1]
    merge = origin.commit({}, "b", "Merge branch 'main'\n", parents=(two, base))
    repository = history.at(base, merge)
    found = repository.commits(base, merge)
    assert [(info.id, info.operations) for info in found] == [(one, ("01A",)), (two, ()), (merge, ())]
    assert [len(info.parents) for info in found] == [1, 1, 2]
    assert [info.subject for info in found] == ["Bump", "By hand", "Merge branch 'main'"]
    assert repository.commits(merge, base) == []


def test_all_commits_down_to_the_root(history: Late) -> None:
    line = history.origin.line(70)
    found = history.at(line[-1]).commits(None, line[-1])
    assert [info.id for info in found][1:] == line
    assert found[0].parents == ()


def _touching(origin: Origin) -> tuple[list[CommitId], CommitId]:
    """The commits that touch TAGS, newest first, among 60 that don't; and the tip."""
    root = origin.tip()
    assert root is not None
    found = [root]
    for number in range(3):
        origin.line(20)
        found.append(origin.commit({TAGS: f"{number}\n"}))
    side = origin.commit({TAGS: "side\n"}, "side", parents=("refs/heads/main",))
    origin.line(1)
    merge = origin.commit({TAGS: "side\n"}, "main", "Merge side", parents=("refs/heads/main", side))
    found.append(merge)
    return found[::-1], origin.line(2)[-1]


def test_first_parents_that_touch_a_file_come_newest_first(history: Late) -> None:
    expected, tip = _touching(history.origin)
    repository = history.at(tip)
    walked = list(touched(repository, tip, [TAGS]))
    assert [commit for commit, _ in walked] == expected
    assert walked[-1][1] == BEGIN + timedelta(minutes=1)
    assert list(touched(repository, tip, ["none"])) == []


def test_a_file_that_was_gone_for_a_while_is_seen_before(history: Late) -> None:
    origin = history.origin
    root = origin.tip()
    gone = origin.commit({TAGS: None})
    tip = origin.line(60)[-1]
    assert [commit for commit, _ in touched(history.at(tip), tip, [TAGS])] == [gone, root]


def test_a_walk_that_stops_early_reads_no_more(origin: Origin, remote: Repository, tmp_path: Path) -> None:
    expected, tip = _touching(origin)
    fetched(remote, tip)
    requests = Requests(tmp_path)
    walk = touched(remote, tip, [TAGS])
    assert next(walk)[0] == expected[0]
    walk.close()
    assert requests.seen() == ["upload-pack"] * 2  # 50 commits deeper, and the files that they touch
    assert len(remote.commits(None, expected[0])) > 50


def test_the_files_along_a_walk_come_together(origin: Origin, remote: Repository, tmp_path: Path) -> None:
    tip = [origin.commit({TAGS: f"{number}\n"}) for number in range(30)][-1]
    fetched(remote, tip)
    requests = Requests(tmp_path)
    texts = [remote.read(commit, [TAGS])[TAGS] for commit, _ in touched(remote, tip, [TAGS])]
    assert texts[:2] == [b"29\n", b"28\n"]
    assert len(texts) == 31
    assert len(requests.seen()) <= 3


def test_history_is_deepened_by_name_where_ids_are_refused(origin: Origin, tmp_path: Path) -> None:
    git("config", "--global", "protocol.version", "0")
    origin.git("config", "uploadpack.allowAnySHA1InWant", "false")
    fork = origin.tip()
    origin.git("branch", "b", "main")
    main, branch = origin.line(10)[-1], origin.line(10, "b")[-1]
    with Repository.open(None, origin.url) as repository:
        fetched(repository, main, branch)
        assert repository.merge_base(main, branch) == fork

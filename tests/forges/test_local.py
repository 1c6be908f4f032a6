"""Pull requests that live in the git remote: opened, adopted, merged, closed, by many at once, against real git."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from origin import BEGIN, TAGS, Origin, Requests, git

from release_tool import forges
from release_tool.errors import Refused, ReleaseError
from release_tool.forges.local import LocalForge
from release_tool.git.repository import Protected, Repository
from release_tool.model.records import CommitId, PullRequest

DEVEL = "release/devel"


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN + timedelta(days=1)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin.make(tmp_path / "origin.git")
    made.git("branch", DEVEL)
    made.commit({TAGS: "image:\n  tag:\n  - v1.0.1\n  - v1.0.2\n"}, DEVEL, "Add v1.0.2\n\nRelease-Operation: 01A\n")
    return made


everywhere = pytest.mark.parametrize("repository", ["checkout", "shallow checkout", "URL"], indirect=True)


@pytest.fixture
def repository(request: pytest.FixtureRequest, origin: Origin, tmp_path: Path) -> Iterator[Repository]:
    kind = getattr(request, "param", "URL")
    options = ["--depth=1"] if "shallow" in kind else []
    clone = origin.clone(tmp_path / "clone", *options) if "checkout" in kind else None
    with Repository.open(clone, None if clone else origin.url) as opened:
        yield opened


@pytest.fixture
def forge(repository: Repository) -> LocalForge:
    return LocalForge(repository, Clock())


def _open(forge: LocalForge, title: str = "Add v1.0.2") -> PullRequest:
    return forge.open(DEVEL, "main", title, "Body\n", ["release"]).pull_request


@everywhere
def test_a_pull_request_is_opened_and_found(origin: Origin, forge: LocalForge) -> None:
    assert forge.find_open(DEVEL, "main") is None
    opened = forge.open(DEVEL, "main", "Add v1.0.2", "Body – in *Markdown*\n", ["release", "devel"])
    assert opened.created
    assert opened.pull_request == PullRequest(
        number=1,
        url=f"{origin.url}#refs/pulls/1",
        state="open",
        head=DEVEL,
        base="main",
        head_commit=CommitId(str(origin.tip(DEVEL))),
        title="Add v1.0.2",
        body="Body – in *Markdown*\n",
        labels=("release", "devel"),
    )
    assert forge.find_open(DEVEL, "main") == opened.pull_request == forge.get(1)
    assert forge.find_open(DEVEL, "other") is None
    assert forge.find_open("release/staging", "main") is None
    assert forge.last_finished(DEVEL, "main") is None
    assert sorted(origin.refs()) == [
        "refs/heads/main",
        "refs/heads/release/devel",
        "refs/pulls/1",
        "refs/pulls/by-head/release%2Fdevel",
    ]
    assert json.loads(origin.file("pull.json", "refs/pulls/1"))["title"] == "Add v1.0.2"


def test_the_open_one_is_adopted_as_it_is(origin: Origin, forge: LocalForge) -> None:
    first = _open(forge)
    again = forge.open(DEVEL, "main", "Another title", "Another body")
    assert not again.created
    assert again.pull_request == first
    with pytest.raises(Refused, match="proposes `release/devel` to `main` already"):
        forge.open(DEVEL, "other", "Title", "")


def test_title_body_and_labels_are_set_and_the_rest_stays(origin: Origin, forge: LocalForge) -> None:
    first = _open(forge)
    updated = forge.update(1, "New title", "New body", ["devel", "release"])
    assert updated == first._replace(title="New title", body="New body", labels=("release", "devel"))
    assert forge.find_open(DEVEL, "main") == updated
    before = origin.refs()
    assert forge.update(1, "New title", "New body") == updated
    assert origin.refs() == before, "nothing to change, nothing pushed"


def test_comments_are_kept_in_order_also_after_the_end(forge: LocalForge) -> None:
    _open(forge)
    forge.comment(1, "one")
    assert forge.close(1, "two").comments == ("one", "two")
    forge.comment(1, "three")
    assert forge.get(1).comments == ("one", "two", "three")
    assert forge.get(1).state == "closed"


@everywhere
def test_a_closed_one_is_finished_and_its_branch_stays(origin: Origin, forge: LocalForge) -> None:
    first = _open(forge)
    closed = forge.close(1)
    assert (closed.state, closed.merged_at) == ("closed", None)
    assert closed.closed_at is not None
    assert forge.find_open(DEVEL, "main") is None
    assert forge.last_finished(DEVEL, "main") == closed
    assert closed.head_commit == first.head_commit == origin.tip(DEVEL)
    assert forge.close(1, "again") == closed
    with pytest.raises(Refused, match="#1 is closed"):
        forge.update(1, "Title", "Body")
    with pytest.raises(Refused, match="#1 is closed"):
        forge.merge(1)
    second = forge.open(DEVEL, "main", "Once more", "")
    assert (second.created, second.pull_request.number) == (True, 2)
    assert forge.last_finished(DEVEL, "main") == closed
    assert forge.last_finished(DEVEL, "other") is None


def test_a_branch_that_vanished_closes_its_pull_request(origin: Origin, forge: LocalForge) -> None:
    first = _open(forge)
    origin.git("branch", "-D", DEVEL)
    assert forge.find_open(DEVEL, "main") is None
    finished = forge.last_finished(DEVEL, "main")
    assert finished is not None
    assert (finished.number, finished.state, finished.head_commit) == (1, "closed", first.head_commit)
    assert forge.list() == ()
    with pytest.raises(Refused, match="#1 is closed"):
        forge.merge(1)


@everywhere
def test_lists_are_by_state_and_the_newest_comes_first(origin: Origin, forge: LocalForge) -> None:
    for name in ("a", "b", "c"):
        origin.git("branch", name, DEVEL)
        forge.open(name, "main", name, "")
    forge.close(2)
    forge.merge(1, "squash")
    assert [pull.number for pull in forge.list("all")] == [3, 2, 1]
    assert [[pull.number for pull in forge.list(state)] for state in ("open", "closed", "merged")] == [[3], [2], [1]]


def test_an_unknown_number_is_an_error(forge: LocalForge) -> None:
    for use in (forge.get, forge.close, forge.merge, lambda number: forge.comment(number, "x")):
        with pytest.raises(ReleaseError, match="no pull request #7") as caught:
            use(7)
        assert "pulls list" in caught.value.hint


# -- merging
def _two_commits(origin: Origin, forge: LocalForge) -> tuple[str, str, str]:
    """The branch has two commits, and the base has moved on. Base, first and second commit."""
    first = str(origin.tip(DEVEL))
    _open(forge)
    second = origin.commit({"second": "2"}, DEVEL, "Second\n\nBy hand\n")
    return origin.commit({"base": "1"}), first, second


@everywhere
def test_a_merge_has_both_parents(origin: Origin, forge: LocalForge) -> None:
    base, _, second = _two_commits(origin, forge)
    pull = forge.merge(1)
    assert origin.git("log", "-1", "--format=%P%n%B", "main") == (
        f"{base} {second}\nMerge pull request #1 from release/devel\n\nAdd v1.0.2"
    )
    assert (pull.state, pull.merge_commit, pull.head_commit) == ("merged", origin.tip(), second)
    assert pull.merged_at == pull.closed_at
    assert pull.merged_at is not None
    assert origin.git("log", "-1", "--format=%ct %at", "main") == f"{pull.merged_at:%s} {pull.merged_at:%s}"
    assert DEVEL not in str(sorted(origin.refs())[:2])
    assert origin.file(TAGS).endswith("v1.0.2")
    assert forge.last_finished(DEVEL, "main") == pull == forge.merge(1), "merged once"
    assert forge.find_open(DEVEL, "main") is None


@everywhere
def test_a_squash_is_one_commit_with_all_operations(origin: Origin, forge: LocalForge) -> None:
    base, _, _ = _two_commits(origin, forge)
    origin.commit({"third": "3"}, DEVEL, "Third\n\nRelease-Operation: 01B\n")
    forge.merge(1, "squash")
    assert origin.git("log", "-1", "--format=%P%n%B", "main") == (
        f"{base}\nAdd v1.0.2 (#1)\n\n* Add v1.0.2\n* Second\n* Third\n\nRelease-Operation: 01A\nRelease-Operation: 01B"
    )
    assert origin.file("third") == "3"


@everywhere
def test_a_rebase_makes_each_commit_again(origin: Origin, forge: LocalForge) -> None:
    base, first, second = _two_commits(origin, forge)
    merged = origin.commit({"base": "1"}, DEVEL, "Merge branch 'main'\n", parents=(second, base))
    origin.commit({"last": "4"}, DEVEL, "Last\n", parents=(merged,))
    pull = forge.merge(1, "rebase")
    assert origin.git("log", "--format=%s|%at", f"{base}..main").splitlines() == [
        line
        for commit in (str(pull.head_commit), second, first)
        for line in [origin.git("log", "-1", "--format=%s|%at", commit)]
    ]
    assert origin.git("log", "--format=%ct", f"{base}..main").splitlines() == [f"{pull.merged_at:%s}"] * 3
    assert pull.merge_commit == origin.tip()
    assert [origin.file(name) for name in ("base", "second", "last")] == ["1", "2", "4"]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_conflict_is_refused_with_its_paths(origin: Origin, forge: LocalForge, method: str) -> None:
    _open(forge)
    origin.commit({TAGS: "image:\n  tag:\n  - v1.0.1\n  - v9\n"})
    before = origin.refs()
    with pytest.raises(Refused, match=f"#1 conflicts with `main` in {TAGS}") as caught:
        forge.merge(1, method)
    assert "release sync" in caught.value.hint
    assert origin.refs() == before


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_the_check_sees_what_the_base_would_become_and_may_refuse(
    origin: Origin, repository: Repository, forge: LocalForge, method: str
) -> None:
    _two_commits(origin, forge)
    before = origin.refs()
    seen = []

    def check(commit: CommitId) -> None:
        seen.append({path: repository.read(commit, [path])[path] for path in ("base", "second", TAGS)})
        raise Refused("no route left")

    with pytest.raises(Refused, match="no route left"):
        forge.merge(1, method, check)
    assert seen == [{"base": b"1", "second": b"2", TAGS: b"image:\n  tag:\n  - v1.0.1\n  - v1.0.2\n"}]
    assert origin.refs() == before


@pytest.mark.parametrize("moved", ["base", "head", "pull request"])
def test_what_moves_during_a_merge_is_merged_again(origin: Origin, forge: LocalForge, moved: str) -> None:
    _two_commits(origin, forge)
    moves: dict[str, Callable[[], object]] = {
        "base": lambda: origin.commit({"moved": "1"}),
        "head": lambda: origin.commit({"moved": "1"}, DEVEL),
        "pull request": lambda: forge.comment(1, "wait"),
    }
    checked = []

    def check(commit: CommitId) -> None:
        if not checked:
            moves[moved]()
        checked.append(commit)

    pull = forge.merge(1, "merge", check)
    assert len(checked) == 2
    assert pull.merge_commit == checked[1] == origin.tip()
    assert moved == "pull request" or origin.file("moved") == "1"
    assert pull.comments == (("wait",) if moved == "pull request" else ())


def test_what_the_base_holds_already_is_merged_without_a_commit(origin: Origin, forge: LocalForge) -> None:
    _open(forge)
    tip = origin.tip(DEVEL)
    origin.git("update-ref", "refs/heads/main", str(tip))
    assert forge.merge(1).merge_commit == tip == origin.tip()


def test_an_unknown_method_is_an_error(forge: LocalForge) -> None:
    _open(forge)
    with pytest.raises(ReleaseError, match="no merge method `octopus`"):
        forge.merge(1, "octopus")


def test_a_protected_base_stays_and_the_pull_request_open(origin: Origin, forge: LocalForge) -> None:
    _open(forge)
    origin.hook("update", 'test "$1" != refs/heads/main')
    with pytest.raises(Protected, match="`main`"):
        forge.merge(1)
    assert forge.get(1).state == "open"


def test_a_landing_by_its_merge_is_known_and_no_other(origin: Origin, forge: LocalForge) -> None:
    _open(forge)
    pull = forge.merge(1, "rebase")
    assert pull.merge_commit is not None
    assert forge.landed_at(pull.merge_commit) == pull.merged_at
    pushed = origin.commit({"other": "pushed straight"})
    forge._repository.fetch(pushed)
    assert forge.landed_at(pushed) is None


@everywhere
def test_the_head_of_a_finished_one_survives_its_branch_and_gc(origin: Origin, forge: LocalForge) -> None:
    _, first, second = _two_commits(origin, forge)
    forge.comment(1, "the first head is kept by the first version, the second by this one")
    forge.merge(1, "squash")
    origin.git("gc", "--quiet", "--prune=now")
    for commit in (first, second):
        assert origin.git("cat-file", "-t", commit) == "commit"
    assert origin.healthy()
    with Repository.open(None, origin.url) as elsewhere:
        finished = LocalForge(elsewhere, Clock()).last_finished(DEVEL, "main")
        assert finished is not None
        elsewhere.fetch(finished.head_commit)
        assert elsewhere.read(finished.head_commit, ["second"]) == {"second": b"2"}


# -- many at once
def _at_once(origin: Origin, count: int, work: Callable[[LocalForge, int], object]) -> list[object]:
    results: list[object] = []

    def person(number: int) -> None:
        try:
            with Repository.open(None, origin.url) as repository:
                results.append(work(LocalForge(repository, Clock()), number))
        except BaseException as error:
            results.append(error)

    threads = [threading.Thread(target=person, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [result for result in results if isinstance(result, BaseException)]
    return results


def test_sixteen_at_once_open_one(origin: Origin) -> None:
    opened = _at_once(origin, 16, lambda forge, number: forge.open(DEVEL, "main", f"By {number}", ""))
    assert len({result.pull_request.title for result in opened}) == 1  # type: ignore[attr-defined]
    assert [result.created for result in opened].count(True) == 1  # type: ignore[attr-defined]
    assert sorted(ref for ref in origin.refs() if "pulls" in ref) == [
        "refs/pulls/1",
        "refs/pulls/by-head/release%2Fdevel",
    ]
    assert origin.healthy()


def test_many_branches_at_once_get_a_number_each(origin: Origin, forge: LocalForge) -> None:
    for number in range(8):
        origin.git("branch", f"b{number}", DEVEL)
    _at_once(origin, 8, lambda forge, number: forge.open(f"b{number}", "main", f"By {number}", ""))
    assert {f"refs/pulls/{number}" for number in range(1, 9)} <= set(origin.refs())
    assert sorted(pull.head for pull in forge.list()) == [f"b{number}" for number in range(8)]


# -- trust and cost
@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        "null",
        '{"number": 1}',
        "HEAD -> --upload-pack=evil",
        "HEAD -> a:refs/heads/main",
        "HEAD_COMMIT -> main:refs/x",
        "STATE -> half open",
        "NUMBER -> 2",
        "PREVIOUS -> 1",
    ],
)
def test_a_hostile_pull_request_is_refused_by_name(origin: Origin, forge: LocalForge, content: str) -> None:
    _open(forge)
    if "->" in content:
        key, _, value = content.partition(" -> ")
        values = json.loads(origin.file("pull.json", "refs/pulls/1"))
        content = json.dumps({**values, key.lower(): int(value) if value.isdecimal() else value})
    evil = origin.commit({"pull.json": content}, "evil", parents=())
    origin.git("update-ref", "refs/pulls/1", evil)
    for use in (forge.get, forge.merge, forge.close):
        with pytest.raises(ReleaseError, match="can't be read") as caught:
            use(1)
        assert caught.value.where == "refs/pulls/1"


def test_branches_of_different_times_do_not_stand_in_each_others_way(origin: Origin, forge: LocalForge) -> None:
    _open(forge)
    forge.merge(1)
    origin.git("branch", "release", "main")
    origin.commit({"x": "1"}, "release")
    assert forge.open("release", "main", "Another time", "").created
    assert forge.last_finished(DEVEL, "main") is not None


def test_finding_costs_the_same_however_many_there_were(origin: Origin, forge: LocalForge, tmp_path: Path) -> None:
    for _ in range(3):
        forge.close(_open(forge).number)
    _open(forge)
    requests = Requests(tmp_path)
    with Repository.open(None, origin.url) as repository:
        found = LocalForge(repository, Clock()).find_open(DEVEL, "main")
        assert found is not None
        assert found.number == 4
    assert requests.seen() == ["upload-pack"] * 2


def test_an_ordinary_clone_sees_nothing_of_it(origin: Origin, forge: LocalForge, tmp_path: Path) -> None:
    _open(forge)
    assert "pulls" not in git("for-each-ref", cwd=origin.clone(tmp_path / "plain"))


def test_the_table_knows_its_forges(repository: Repository) -> None:
    assert isinstance(forges.connect("auto", repository, Clock()), LocalForge)
    assert {forges.kind_of(url) for url in ("/a/b", "../x", "x", "file:///a", "/a:b")} == {"local"}
    assert {forges.kind_of(url) for url in ("https://h/x", "git@h:x", "ssh://h/x")} == {"none"}
    with pytest.raises(ReleaseError, match="no forge `gitbucket`"):
        forges.connect("gitbucket", repository, Clock())

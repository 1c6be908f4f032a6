"""Walks over many files at once: what each commit made of them, whatever somebody's git is set to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from opened import Late, fetched, touched
from origin import BEGIN, TAGS, Origin, Requests, git

from release_tool.git.reading import _pathspecs
from release_tool.git.repository import Repository, WalkStep

OTHER = "environments/staging/image_tag.yaml"
ROOT_TEXT = b"image:\n  tag:\n  - v1.0.1\n"


@pytest.fixture(params=["full", "shallow", "URL"])
def opened(request: pytest.FixtureRequest, origin: Origin, tmp_path: Path) -> Iterator[Late]:
    found = Late(origin, tmp_path / "c", request.param, depth=1)
    yield found
    if found.repository is not None:
        found.repository.close()


def told(repository: Repository, steps: Iterator[WalkStep]) -> list[tuple[str, dict[str, tuple[bytes, bytes]]]]:
    """The steps that touch a file, each with the texts before and after; without the ends of what was fetched."""
    return [
        (step.commit, {path: tuple(repository.blob(b) if b else b"" for b in blobs) for path, blobs in step.files.items()})  # type: ignore[misc]
        for step in steps
        if step.files
    ]  # fmt: skip


def test_each_step_tells_what_became_of_the_files(opened: Late) -> None:
    origin = opened.origin
    root = origin.tip()
    origin.line(60)
    one = origin.commit({TAGS: "1\n", OTHER: "other\n", "README.md": "new\n"})
    side = origin.commit({TAGS: "side\n"}, "side", parents=("refs/heads/main",))
    origin.line(2)
    merge = origin.commit({TAGS: "side\n"}, "main", "Merge side", parents=("refs/heads/main", side))
    gone = origin.commit({OTHER: None})
    link = origin.commit({TAGS: ("120000", "README.md")})
    tip = origin.line(1)[-1]
    repository = opened.at(tip)
    assert told(repository, repository.touching(tip, [TAGS, OTHER])) == [
        (link, {TAGS: (b"side\n", b"")}),
        (gone, {OTHER: (b"other\n", b"")}),
        (merge, {TAGS: (b"1\n", b"side\n")}),
        (one, {TAGS: (ROOT_TEXT, b"1\n"), OTHER: (b"", b"other\n")}),
        (root, {TAGS: (b"", ROOT_TEXT)}),
    ]


def test_steps_come_with_their_times(opened: Late) -> None:
    origin = opened.origin
    tip = origin.commit({TAGS: "1\n"}, at=BEGIN - timedelta(days=9999))
    repository = opened.at(tip)
    steps = {step.commit: step.committed_at for step in repository.touching(tip, [TAGS])}
    assert list(steps.values()) == [BEGIN - timedelta(days=9999), BEGIN + timedelta(minutes=1)]


def test_many_files_are_walked_as_one_directory_or_as_everything() -> None:
    few = [f"e{number}/s/f" for number in range(32)]
    assert _pathspecs(few) == few
    assert _pathspecs([f"environments/e{n % 5}/s{n}/f" for n in range(500)]) == [f"environments/e{n}" for n in range(5)]
    assert _pathspecs([f"environments/s{n}/e/f" for n in range(500)]) == ["environments"]
    assert _pathspecs([f"s{n}/e/f" for n in range(500)]) == []
    assert _pathspecs(["f", *(f"e/s{n}/f" for n in range(99))]) == ["f", "e"]


@pytest.mark.parametrize("count", [1, 40])
def test_a_walk_over_many_files_tells_the_same(opened: Late, count: int) -> None:
    files = [f"services/s{number}/image_tag.yaml" for number in range(count)]
    first = opened.origin.commit(dict.fromkeys(files, "1\n"))
    second = opened.origin.commit({files[-1]: "2\n", "services/notes": "x\n", "README.md": "x\n"})
    tip = opened.origin.commit({"services/notes": "y\n"})
    repository = opened.at(tip)
    assert told(repository, repository.touching(tip, files)) == [
        (second, {files[-1]: (b"1\n", b"2\n")}),
        (first, dict.fromkeys(files, (b"", b"1\n"))),
    ]


@pytest.mark.parametrize(
    "path", ["höhe/{}", 'say "x"/{}', "a*/[b]?/{}", ":(exclude)x/{}", "a -> b/{}", "tab'$(x)/{}", " {}"]
)
def test_a_path_may_hold_what_git_takes_for_something_else(opened: Late, path: str) -> None:
    file = path.format("image_tag.yaml")
    quoted = '"' + file.replace('"', '\\"') + '"' if '"' in file else file
    commit = opened.origin.commit({quoted: "1\n"})
    repository = opened.at(commit)
    assert told(repository, repository.touching(commit, [file])) == [(commit, {file: (b"", b"1\n")})]


@pytest.mark.parametrize("setting", [
    ("log.showRoot", "false"), ("log.showSignature", "true"), ("log.follow", "true"),
    ("log.diffMerges", "separate"), ("log.decorate", "full"), ("log.date", "relative"), ("diff.renames", "copies"),
    ("diff.relative", "true"), ("core.abbrev", "7"), ("core.quotePath", "true"), ("color.ui", "always"),
    ("format.pretty", "oneline"),
])  # fmt: skip
def test_no_setting_of_git_changes_a_walk(opened: Late, setting: tuple[str, str]) -> None:
    git("config", "--global", *setting)
    origin = opened.origin
    root = origin.tip()
    moved = origin.commit({TAGS: None, "ä": ROOT_TEXT})
    side = origin.commit({"ä": "1\n"}, "side", parents=("refs/heads/main",))
    origin.line(1)
    tip = origin.commit({"ä": "1\n"}, parents=("refs/heads/main", side))
    repository = opened.at(tip)
    assert told(repository, repository.touching(tip, ["ä"])) == [
        (tip, {"ä": (ROOT_TEXT, b"1\n")}),
        (moved, {"ä": (b"", ROOT_TEXT)}),
    ]
    assert told(repository, repository.touching(moved, [TAGS])) == [
        (moved, {TAGS: (ROOT_TEXT, b"")}),
        (root, {TAGS: (b"", ROOT_TEXT)}),
    ]


def test_a_walk_goes_on_where_somebody_else_fetched_history_meanwhile(origin: Origin, remote: Repository) -> None:
    """The older commits that come in between stand beyond the end that the walk has seen."""
    expected = [origin.commit({TAGS: f"{number}\n"}) for number in range(200)][::-1]
    tip = expected[0]
    fetched(remote, tip)
    walk, ours = remote.touching(tip, [TAGS]), touched(remote, tip, [TAGS])
    found = [step.commit for step in (next(walk), next(walk)) if step.files]
    seen = [next(ours)[0]]
    assert len(remote.commits(None, tip)) == 201
    found += [step.commit for step in walk if step.files]
    seen += [commit for commit, _ in ours]
    assert found[:-1] == expected
    assert seen[:-1] == expected


def test_the_end_of_a_cut_history_tells_its_time_alone(origin: Origin, remote: Repository, tmp_path: Path) -> None:
    origin.line(5)
    tip = origin.commit({TAGS: "1\n"})
    fetched(remote, tip)
    requests = Requests(tmp_path)
    step = next(iter(remote.touching(tip, [TAGS])))
    assert (step.commit, dict(step.files)) == (tip, {})
    assert requests.seen() == []


def test_the_files_of_a_long_walk_come_in_few_requests(origin: Origin, remote: Repository, tmp_path: Path) -> None:
    files = [f"services/s{number}/image_tag.yaml" for number in range(40)]
    for number in range(150):
        origin.commit({files[number % 40]: f"{number}\n"})
    tip = origin.line(1)[-1]
    fetched(remote, tip)
    requests = Requests(tmp_path)
    steps = told(remote, remote.touching(tip, files, since=BEGIN))
    assert len(steps) == 150
    assert len(requests.seen()) <= 6  # twice older commits, then the files of up to 32, 64, 128 of them


def test_a_walk_goes_on_with_paths_that_a_caller_has_learned_of(opened: Late) -> None:
    origin = opened.origin
    old = origin.commit({OTHER: "1\n"})
    moved = origin.commit({OTHER: None, TAGS: "1\n"})
    tip = origin.line(60)[-1]
    repository = opened.at(tip)
    paths = [TAGS]
    found = []
    for step in repository.touching(tip, paths):
        found += [(step.commit, sorted(step.files))] if step.files else []
        paths += [OTHER] if step.commit == moved else []
    assert found[:2] == [(moved, [TAGS]), (old, [OTHER])]


def test_a_walk_that_is_left_ends_with_its_repository(origin: Origin, clone: Path) -> None:
    for number in range(20):
        origin.commit({TAGS: f"{number}\n"})
    git("fetch", "-q", cwd=clone)
    with Repository.open(clone) as repository:
        tip = repository.refs("refs/heads/main").branch("main")
        assert tip is not None
        walk = repository.touching(tip, [TAGS])
        assert next(walk).commit == tip
    assert list(walk) == []

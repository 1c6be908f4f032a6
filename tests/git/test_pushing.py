"""Compare and swap: nobody's push is lost, and every rejection says what it means."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from opened import fetched
from origin import BEGIN, TAGS, Origin, Requests, bump, contents, git

from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.repository import Protected, Repository, Stale
from release_tool.model.records import CommitId, RefUpdate

MAIN = "refs/heads/main"


def _commit(repository: Repository, tip: CommitId, path: str = "a") -> CommitId:
    return repository.commit([tip], tip, {path: b"1\n"}, "Change\n", when=BEGIN)


def test_a_ref_is_made_moved_and_deleted(origin: Origin, repository: Repository) -> None:
    tip = fetched(repository)
    new = _commit(repository, tip)
    assert repository.push([RefUpdate("refs/heads/release/devel", None, new)])
    assert origin.refs() == {MAIN: tip, "refs/heads/release/devel": new}
    assert repository.push([RefUpdate("refs/heads/release/devel", new, tip)])  # also backwards
    assert repository.push([RefUpdate("refs/heads/release/devel", tip, None)])
    assert origin.refs() == {MAIN: tip}


@pytest.mark.parametrize("expected", ["older", "absent", "present"])
def test_a_ref_that_does_not_hold_what_is_expected_stays(origin: Origin, repository: Repository, expected: str) -> None:
    tip = fetched(repository)
    theirs = origin.commit({"theirs": "1"})
    new = _commit(repository, tip)
    update = {
        "older": RefUpdate(MAIN, tip, new),
        "absent": RefUpdate(MAIN, None, new),
        "present": RefUpdate("refs/heads/none", tip, new),
    }[expected]
    with pytest.raises(Stale, match="has moved meanwhile"):
        repository.push([update])
    assert origin.refs() == {MAIN: theirs}


def test_a_deletion_of_what_moved_is_stale(origin: Origin, repository: Repository) -> None:
    tip = fetched(repository)
    theirs = origin.commit({"theirs": "1"})
    with pytest.raises(Stale):
        repository.push([RefUpdate(MAIN, tip, None)])
    assert origin.tip() == theirs


def test_several_refs_move_together_or_not_at_all(origin: Origin, repository: Repository) -> None:
    tip = fetched(repository)
    new = _commit(repository, tip)
    origin.git("update-ref", "refs/pulls/1", tip)
    with pytest.raises(Stale, match="refs/pulls/1"):
        repository.push([RefUpdate(MAIN, tip, new), RefUpdate("refs/pulls/1", None, new)])
    assert origin.tip() == tip
    assert repository.push([RefUpdate(MAIN, tip, new), RefUpdate("refs/pulls/1", tip, None)])
    assert origin.refs() == {MAIN: new}


def test_an_earlier_push_whose_answer_was_lost_counts_as_done(origin: Origin, repository: Repository) -> None:
    tip = fetched(repository)
    origin.git("update-ref", "refs/heads/old", tip)
    new = _commit(repository, tip)
    updates = [RefUpdate(MAIN, tip, new), RefUpdate("refs/heads/b", None, new), RefUpdate("refs/heads/old", tip, None)]
    assert repository.push(updates) is True
    assert repository.push(updates) is False
    assert repository.push(updates[:2]) is False
    assert origin.refs() == {MAIN: new, "refs/heads/b": new}


def test_an_answer_lost_on_the_way_is_looked_up(origin: Origin, repository: Repository) -> None:
    tip = fetched(repository)
    new = _commit(repository, tip)
    origin.hook("post-receive", "kill $(ps -o ppid= -p $PPID) $PPID")  # the server dies when the ref is moved
    assert repository.push([RefUpdate(MAIN, tip, new)]) is False
    assert origin.tip() == new


def test_a_race_that_only_the_server_sees_is_stale(origin: Origin, repository: Repository) -> None:
    """Somebody moves the ref between the server's first word and its taking the push."""
    tip = fetched(repository)
    theirs = origin.commit({"theirs": "1"}, "elsewhere")
    origin.hook("pre-receive", f"env -u GIT_QUARANTINE_PATH git update-ref {MAIN} {theirs}")
    with pytest.raises(Stale):
        repository.push([RefUpdate(MAIN, tip, _commit(repository, tip))])
    assert origin.tip() == theirs


def test_a_ref_that_is_locked_can_be_tried_again(origin: Origin, repository: Repository) -> None:
    tip = fetched(repository)
    (origin.path / "refs" / "heads" / "main.lock").touch()
    with pytest.raises(Stale, match="being changed by somebody else"):
        repository.push([RefUpdate(MAIN, tip, _commit(repository, tip))])


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_protected_branch_is_named_with_the_words_of_the_server(
    origin: Origin, repository: Repository, hook: str
) -> None:
    tip = fetched(repository)
    origin.hook(hook, "echo main needs a review >&2; exit 1")
    with pytest.raises(Protected, match="refuses the push to `main`") as caught:
        repository.push([RefUpdate(MAIN, tip, _commit(repository, tip))])
    assert "main needs a review" in caught.value.cause
    assert "hook declined" in caught.value.cause
    assert origin.tip() == tip


def test_of_several_refs_the_protected_one_is_named(origin: Origin, repository: Repository) -> None:
    tip = fetched(repository)
    new = _commit(repository, tip)
    origin.hook("update", f'test "$1" != {MAIN}')
    with pytest.raises(Protected, match="`main`"):
        repository.push([RefUpdate("refs/heads/a", None, new), RefUpdate(MAIN, tip, new)])


@pytest.mark.parametrize("key", ["receive.denyDeletes", "receive.denyNonFastForwards"])
def test_what_the_server_denies_is_protected(origin: Origin, repository: Repository, key: str) -> None:
    tip = fetched(repository)
    origin.git("update-ref", "refs/heads/other", tip)
    origin.git("config", key, "true")
    root = repository.commit([], tip, {}, "Root", when=BEGIN)
    with pytest.raises(Protected):
        repository.push([RefUpdate("refs/heads/other", tip, None if "Deletes" in key else root)])


@pytest.mark.parametrize(
    ("there", "wanted"), [("release", "release/devel"), ("release/devel/x", "release/devel"), ("a", "a/b/c")]
)
def test_a_branch_in_the_way_is_named(origin: Origin, repository: Repository, there: str, wanted: str) -> None:
    tip = fetched(repository)
    origin.git("update-ref", f"refs/heads/{there}", tip)
    with pytest.raises(ReleaseError, match=f"`{there}` is in the way") as caught:
        repository.push([RefUpdate(f"refs/heads/{wanted}", None, _commit(repository, tip))])
    assert not isinstance(caught.value, (Stale, TryAgain))


def test_a_branch_that_is_checked_out_in_the_remote_is_named(tmp_path: Path, origin: Origin) -> None:
    there = origin.clone(tmp_path / "there")
    with Repository.open(None, str(there)) as repository:
        tip = fetched(repository)
        with pytest.raises(ReleaseError, match="is checked out in the remote") as caught:
            repository.push([RefUpdate(MAIN, tip, _commit(repository, tip))])
        assert "bare" in caught.value.hint


def test_without_atomic_pushes_one_ref_can_be_pushed(origin: Origin, repository: Repository) -> None:
    origin.git("config", "receive.advertiseAtomic", "false")
    tip = fetched(repository)
    new = _commit(repository, tip)
    with pytest.raises(ReleaseError, match="several refs as one"):
        repository.push([RefUpdate(MAIN, tip, new), RefUpdate("refs/pulls/1", None, new)])
    assert repository.push([RefUpdate(MAIN, tip, new)])
    assert origin.refs() == {MAIN: new}


def test_a_remote_that_went_away_is_named(origin: Origin, clone: Path) -> None:
    with Repository.open(clone) as repository:
        tip = fetched(repository)
        new = _commit(repository, tip)
        origin.path.rename(origin.path.with_name("away"))
        with pytest.raises(ReleaseError, match="no git repository"):
            repository.push([RefUpdate(MAIN, tip, new)])


def test_a_remote_without_an_answer_ends_in_time_and_leaves_no_process(
    origin: Origin, clone: Path, tmp_path: Path
) -> None:
    script = tmp_path / "sleeps"
    script.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/pids\nsleep 60 &\necho $! >> {tmp_path}/pids\nwait\n")
    script.chmod(0o755)
    for key, value in {
        "core.sshCommand": script,
        "ssh.variant": "ssh",
        "remote.origin.url": "ssh://git@host/o.git",
    }.items():
        git("config", key, str(value), cwd=clone)
    with Repository.open(clone, timeout=0.5) as repository, pytest.raises(TryAgain, match=r"no answer within 0\.5 s"):
        repository.refs("refs/heads/*")
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    assert not [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    for _ in range(50):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        time.sleep(0.02)
    return True


def test_sixteen_at_once_all_get_through(origin: Origin) -> None:
    failures: list[BaseException] = []

    def person(number: int) -> None:
        try:
            with Repository.open(None, origin.url) as repository:
                while True:
                    try:
                        bump(repository, tag=f"v2.0.{number}")
                    except Stale:
                        continue
                    return
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=person, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    tags = [line.removeprefix("  - ") for line in origin.file(TAGS).splitlines()[2:]]
    assert sorted(tags) == sorted(["v1.0.1", *(f"v2.0.{number}" for number in range(16))])
    assert origin.healthy()


PUSHER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from origin import bump
from release_tool.git.repository import Repository
with Repository.open(Path(sys.argv[1])) as repository:
    print("go", flush=True)
    for number in range(1000):
        bump(repository, tag=f"v3.0.{number}")
"""


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGINT])
def test_killed_at_any_point_nothing_is_broken(
    origin: Origin, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deadly: signal.Signals
) -> None:
    stores = tmp_path / "stores"
    stores.mkdir()
    monkeypatch.setenv("TMPDIR", str(stores))
    before = contents(clone)
    arguments = [sys.executable, "-c", PUSHER, str(clone), str(Path(__file__).parents[1] / "support")]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    time.sleep(0.33)
    process.send_signal(deadly)
    process.wait(30)
    process.stdout.close()
    if deadly == signal.SIGINT:
        assert not list(stores.iterdir()), "the private store is gone"
        assert not [pid for pid in _working_on(stores) if _runs(pid)]
    for _ in range(250):  # what the server has begun it finishes by itself
        if not _working_on(origin.path) and not list(origin.path.rglob("*.lock")):
            break
        time.sleep(0.02)
    assert origin.healthy()
    assert contents(clone) == before
    for _ in range(5):  # the push that was under way may land in between: then it is planned again, as the tool does
        with contextlib.suppress(Stale), Repository.open(clone) as repository:
            bump(repository, tag="v9")
            break
    lines = origin.file(TAGS).splitlines()
    assert lines[2:] == ["  - v1.0.1", *(f"  - v3.0.{number}" for number in range(len(lines) - 4)), "  - v9"]


def _working_on(directory: Path) -> list[int]:
    """Processes with a path below the directory in their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if bytes(directory) in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def test_a_push_costs_one_request(repository: Repository, tmp_path: Path, clone: Path) -> None:
    tip = fetched(repository)
    requests = Requests(tmp_path)
    repository.push([RefUpdate(MAIN, tip, _commit(repository, tip))])
    assert requests.seen() == ["receive-pack"]

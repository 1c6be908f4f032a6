"""Many at once: clients of the forge, and whole commands in processes of their own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from conformance.workshop import BASE, HEAD, Workshop
from release_tool.wiring import utc_now

BUSY = 75
MOST_TRIES = 12
PATIENT = "publish: {labels: [release], timeout: 4m}\n"

CLIENTS = pytest.mark.parametrize("clients", [6, pytest.param(32, marks=pytest.mark.nightly)])
BUILDS = pytest.mark.parametrize(
    "builds", [pytest.param(10, marks=pytest.mark.slow), pytest.param(32, marks=pytest.mark.nightly)]
)


@CLIENTS
def test_many_who_open_one_get_the_same(workshop: Workshop, clients: int) -> None:
    workshop.push()
    opened = workshop.at_once(
        clients, lambda forge, number: forge.open(HEAD, BASE, f"By {number}", f"Text {number}", ["release"])
    )
    assert [one.created for one in opened].count(True) <= 1
    (truth,) = (one for one in workshop.pulls() if one.state == "open")
    assert {one.pull_request.number for one in opened} == {truth.number}
    assert workshop.can.opens_once is False or len(workshop.pulls()) == 1
    assert workshop.forge.last_finished(HEAD, BASE) is None, "one that was opened twice is no decision"
    assert (truth.state, truth.labels) == ("open", ("release",) if workshop.can.labels else ())
    assert truth.title.removeprefix("By ") == truth.body.removeprefix("Text ")


@CLIENTS
def test_what_many_say_stands_once_each(workshop: Workshop, clients: int) -> None:
    number = workshop.open().number
    workshop.at_once(clients, lambda forge, at: forge.comment(number, f"word {at}"))
    assert sorted(workshop.only.comments) == sorted(f"word {at}" for at in range(clients))


@CLIENTS
def test_many_who_change_and_close_it_leave_one_of_their_texts(workshop: Workshop, clients: int) -> None:
    number = workshop.open().number
    workshop.at_once(clients, lambda forge, at: forge.update(number, f"By {at}", f"Text {at}", [f"label {at % 3}"]))
    truth = workshop.only
    assert truth.title.removeprefix("By ") == truth.body.strip().removeprefix("Text ")
    assert sorted(truth.labels) == (["label 0", "label 1", "label 2"] if workshop.can.labels else [])
    closed = workshop.at_once(4, lambda forge, _: forge.close(number))
    assert {one.state for one in closed} == {"closed"}


def test_many_who_merge_it_merge_it_once(workshop: Workshop) -> None:
    if not workshop.can.methods:
        return
    number = workshop.open().number
    before = workshop.tip()
    merged = workshop.at_once(4, lambda forge, _: forge.merge(number, workshop.methods[0]))
    assert {one.state for one in merged} == {"merged"}
    assert workshop.only.state == "merged"
    assert workshop.tip() != before


# -- whole commands


def build(workshop: Workshop, tag: str) -> int:
    """A build's job: a bump in a process of its own, run again after an exit 75 as the pipelines do it; its number."""
    for _ in range(MOST_TRIES):
        process = workshop.start("bump", "devel", tag, "--output", "json")
        out, err = process.communicate(timeout=400)
        assert "Traceback" not in err, err
        if process.returncode != BUSY:
            assert process.returncode == 0, err
            said = json.loads(out)
            assert said["branch"] == HEAD
            return int(said["pull_request"]["number"])
    pytest.fail(f"{tag} is still busy: {err}")


@BUILDS
@pytest.mark.parametrize("publish", [PATIENT])
def test_builds_at_once_are_all_in_one_pull_request(workshop: Workshop, builds: int) -> None:
    tags = [f"v1.1.{number}" for number in range(builds)]
    workshop.world.now = utc_now()  # that of other processes
    with ThreadPoolExecutor(builds) as pool:
        numbers = set(pool.map(lambda tag: build(workshop, tag), tags))
    assert numbers == {workshop.only.number}
    assert sorted(workshop.proposed()) == sorted(tags)
    lines = workshop.world.lines(ref=HEAD)
    assert sorted(line.intent.written["tag"] for line in lines) == sorted(tags)
    names = {change.version for line in lines for change in line.changes if change.action == "add"}
    assert len(names) == builds, "each has a name of its own"
    truth = workshop.only
    assert truth.state == "open"
    assert all(tag in f"{truth.title}{truth.body}" for tag in tags[-1:])
    workshop.world.now = utc_now()
    before = len(workshop.calls())
    workshop.bump("v1.2.0")
    assert len(workshop.calls(before)) <= 6
    assert "v1.2.0" in workshop.only.body


@pytest.mark.slow
@pytest.mark.parametrize("publish", [PATIENT])
def test_the_same_build_many_times_is_one_version(workshop: Workshop) -> None:
    workshop.world.now = utc_now()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda tag: build(workshop, tag), ["v1.1.0"] * 6)) == {workshop.only.number}
    assert workshop.proposed() == ["v1.1.0"]
    assert len(workshop.world.lines(ref=HEAD)) == 1

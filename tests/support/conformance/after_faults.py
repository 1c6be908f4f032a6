"""What goes wrong at each request: nothing is doubled, nothing is half done, and the same again finishes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from faulty_proxy import FOR_EVER
from forge_standin.faults import Fault
from standin import faults

from conformance.workshop import BASE, HEAD, Workshop, quick
from release_tool.errors import ReleaseError
from release_tool.forges.base import KeepsComments

FAULTS: dict[str, Callable[[], Fault]] = {
    "500": lambda: faults.status(500),
    "500 after the effect": lambda: faults.status(500, after=True),
    "502 after the effect": lambda: faults.status(502, after=True),
    "503": lambda: faults.status(503),
    "429": lambda: faults.status(429, Retry_After="0"),
    "409": lambda: faults.status(409),
    "422": lambda: faults.status(422),
    "reset before": faults.reset_before,
    "reset after": faults.reset_after,
    "truncated": faults.truncated_json,
    "cut off": faults.cut_off,
    "slow": lambda: faults.delay(0.3),
}
HANGS: dict[str, Callable[[], Fault]] = {
    "hang": lambda: faults.hang(4),
    "hang after the effect": lambda: faults.hang(4, after=True),
}
REFUSALS = {"409", "422"}  # what a forge may mean by them, only its own module knows
MARKER = "<!-- release: kept -->"
MOST = 8  # requests of one method


def once_broken(
    workshop: Workshop, name: str, act: Callable[[], Any], nth: int, times: float = 1, *, git: bool = False
) -> bool:
    """Something is done with a fault, and again without; whether the fault was met."""
    fault = {**FAULTS, **HANGS}[name]()
    order = workshop.proxy.fault(fault, nth=nth, times=times, git=git)
    raised: ReleaseError | None = None
    try:
        act()
    except ReleaseError as error:
        raised = error
    workshop.proxy.drop_faults()
    if raised is not None:
        said = f"{name} at request {nth}: {raised!r} {raised.what}"
        assert order.fired, said
        assert raised.exit_code == 75 or (raised.exit_code == 1 and name in REFUSALS), said
        assert not workshop.bench.token or workshop.bench.token not in f"{raised} {raised.where} {raised.hint}", said
    act()
    return order.fired > 0


def acts(workshop: Workshop) -> dict[str, Callable[[], Any]]:
    """Each method of the forge, on the pull request of the branch; they are done one after the other."""
    forge = workshop.another(patience=0.5)  # limits of the rate are not waited for
    reviewers = [workshop.bench.reviewer] if workshop.can.reviewers and workshop.bench.reviewer else []
    workshop.push()

    def number() -> int:
        return workshop.pulls()[-1].number

    def keep() -> None:
        if isinstance(forge, KeepsComments):
            forge.keep_comment(number(), MARKER, f"{MARKER}\nkept")

    return {
        "open": lambda: forge.open(HEAD, BASE, "Title", "Body", ["release"], reviewers=reviewers),
        "find": lambda: forge.find_open(HEAD, BASE),
        "update": lambda: forge.update(number(), "New", "Text", ["release", "devel"], reviewers=reviewers),
        "comment": lambda: forge.comment(number(), "a word"),
        "keep": keep,
        "get": lambda: forge.get(number()),
        "list": lambda: forge.list("all"),
        "close": lambda: forge.close(number(), "nothing is left"),
        "last": lambda: forge.last_finished(HEAD, BASE),
    }


def settled(workshop: Workshop) -> None:
    """What the acts lead to, whatever went wrong."""
    truth = workshop.only
    assert (truth.state, truth.title, truth.body.strip()) == ("closed", "New", "Text")
    assert set(truth.labels) == ({"release", "devel"} if workshop.can.labels else set())
    assert truth.reviewers == ((workshop.bench.reviewer,) if workshop.can.reviewers and workshop.bench.reviewer else ())
    kept = [f"{MARKER}\nkept"] if workshop.can.keeps_comments else []
    if workshop.can.kind != "local":  # which takes comments as they come
        assert list(truth.comments) == ["a word", *kept, "nothing is left"]


USUAL = {"500 after the effect", "422", "reset after"}
"""The faults of an ordinary run; the others are for the night."""


def each_fault(*more: str) -> pytest.MarkDecorator:
    names = [name if name in USUAL else pytest.param(name, marks=pytest.mark.nightly) for name in (*FAULTS, *more)]
    return pytest.mark.parametrize("name", names)


@each_fault()
def test_a_fault_at_a_method_is_mended_by_the_same_again(workshop: Workshop, name: str) -> None:
    shift = list(FAULTS).index(name)
    for at, act in enumerate(acts(workshop).values()):
        once_broken(workshop, name, act, 1 + (at + shift) % 3)
    settled(workshop)


@pytest.mark.slow
@each_fault()
@pytest.mark.parametrize("times", [1, pytest.param(FOR_EVER, marks=pytest.mark.nightly)], ids=["once", "for ever"])
def test_each_fault_at_each_request_of_each_method(workshop: Workshop, name: str, times: float) -> None:
    for nth in range(1, MOST):
        met = [once_broken(workshop, name, act, nth, times) for act in acts(workshop).values()]
        settled_last(workshop)
        if not any(met):
            break


def settled_last(workshop: Workshop) -> None:
    pulls = workshop.pulls()
    assert [one.state for one in pulls] == ["closed"] * len(pulls)
    assert (pulls[-1].title, pulls[-1].body.strip()) == ("New", "Text")
    assert set(pulls[-1].labels) == ({"release", "devel"} if workshop.can.labels else set())


@pytest.mark.slow
@each_fault(*HANGS)
def test_each_fault_at_each_request_of_a_merge(workshop: Workshop, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in HANGS:
        quick(monkeypatch, timeout=2.0)
    for nth in range(1, MOST):
        branch = f"release/merged-{nth}"
        pull = workshop.open(branch)
        forge = workshop.another()
        if workshop.can.methods and nth % 2:
            met = once_broken(workshop, name, partial(forge.merge, pull.number, workshop.methods[0]), nth)
        elif workshop.can.auto_merge != "no":
            met = once_broken(workshop, name, partial(forge.merge_when_ready, pull.number, pull.head_commit), nth)
        else:
            return
        assert workshop.truth(pull.number).state == "merged"
        if name not in REFUSALS:  # which may well mean that there is no such commit
            once_broken(workshop, name, partial(workshop.landed_at, workshop.tip()), 1)
            assert workshop.landed_at(workshop.tip()) is not None
        if not met and nth > 1:
            break


# -- whole commands


def proposed(workshop: Workshop, tags: list[str]) -> None:
    """All tags are proposed, in one pull request, which says so; nothing else is there."""
    assert workshop.proposed() == tags
    (truth,) = (one for one in workshop.pulls() if one.state == "open")
    assert tags[-1] in f"{truth.title}{truth.body}"
    if workshop.can.labels:
        assert set(truth.labels) == {"release", "devel"}


def bumped(workshop: Workshop, name: str, tag: str, nth: int, times: float = 1, *, git: bool = False) -> bool:
    order = workshop.proxy.fault({**FAULTS, **HANGS}[name](), nth=nth, times=times, git=git)
    done = workshop.bump(tag, code=None)
    assert done.code in ({0, 1, 75} if name in REFUSALS else {0, 75}), f"{name} at {nth}: {done.code}\n{done.err}"
    assert done.code == 0 or done.err.startswith("release: error: "), done.err
    workshop.proxy.drop_faults()
    workshop.bump(tag)
    return order.fired > 0


@pytest.mark.slow
def test_a_lost_answer_at_any_change_leaves_one_pull_request(workshop: Workshop) -> None:
    workshop.proxy.fault(faults.reset_after(), method="POST", times=1)
    workshop.proxy.fault(faults.reset_after(), method="PATCH", times=1)
    workshop.proxy.fault(faults.reset_after(), method="PUT", times=1)
    workshop.bump("v1.1.0", code=None)
    workshop.proxy.drop_faults()
    workshop.bump("v1.1.0")
    workshop.proxy.fault(faults.reset_after(), method="POST", pattern="receive-pack", git=True)
    workshop.bump("v1.1.1", code=None)
    workshop.proxy.drop_faults()
    workshop.bump("v1.1.1")
    proposed(workshop, ["v1.1.0", "v1.1.1"])


@pytest.mark.slow
@each_fault(*HANGS)
def test_a_fault_in_a_bump_leaves_one_pull_request(
    workshop: Workshop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in HANGS:
        quick(monkeypatch, timeout=2.0)
    shift = list(FAULTS).index(name) if name in FAULTS else 0
    bumped(workshop, name, "v1.1.0", 1 + shift % 4)
    proposed(workshop, ["v1.1.0"])
    bumped(workshop, name, "v1.1.1", 1 + shift % 3)
    proposed(workshop, ["v1.1.0", "v1.1.1"])


@pytest.mark.nightly
@pytest.mark.parametrize("times", [1, FOR_EVER], ids=["once", "for ever"])
@pytest.mark.parametrize("name", [*FAULTS, *HANGS])
def test_each_fault_at_each_request_of_a_bump(
    workshop: Workshop, name: str, times: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in HANGS:
        quick(monkeypatch, timeout=2.0)
    for nth in range(1, MOST):
        opened = f"v{nth + 1}.0.0"
        met = bumped(workshop, name, opened, nth, times)
        proposed(workshop, [opened])
        updated = f"v{nth + 1}.0.1"
        met |= bumped(workshop, name, updated, nth, times)
        proposed(workshop, [opened, updated])
        (truth,) = (one for one in workshop.pulls() if one.state == "open")
        workshop.bench.merge(truth.number, workshop.methods[0])
        workshop.bench.delete_branch(HEAD)
        if not met:
            break


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["reset after", *(pytest.param(one, marks=pytest.mark.nightly) for one in ("503", "reset before", "cut off"))],
)
def test_a_fault_in_gits_requests_is_no_other(workshop: Workshop, name: str) -> None:
    tags: list[str] = []
    for nth in range(1, 8):
        tags.append(f"v1.1.{nth}")
        bumped(workshop, name, tags[-1], nth, git=True)
        proposed(workshop, tags)


@pytest.mark.slow
def test_a_limit_that_lasts_ends_the_command(workshop: Workshop) -> None:
    if workshop.can.kind == "local":
        return
    began = time.monotonic()
    workshop.proxy.fault(faults.status(429, Retry_After="1800"), times=FOR_EVER)
    done = workshop.bump("v1.0.5", code=75)
    assert time.monotonic() - began < 60
    assert "limit" in done.err
    workshop.proxy.drop_faults()
    workshop.bump("v1.0.5")
    proposed(workshop, ["v1.0.5"])

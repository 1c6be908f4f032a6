"""Whole commands: the life of a version, a downgrade, and how often the forge is asked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from conformance.bench import Truth
from conformance.workshop import BASE, HEAD, Workshop
from documentation import forges as recorded

SHORT = """\
version: 1
chart: charts/grpc-manifest
release_name: engine
namespace: engine
publish: {labels: [release], timeout: 20s}
environments:
  devel:
    default: newest
    retention: {keep: 2, drain: 2s}
  staging:
    promote_from: devel
    default: promoted
"""


def opened(workshop: Workshop, branch: str) -> Truth:
    (found,) = (one for one in workshop.pulls() if one.state == "open" and one.head == branch)
    return found


def land(workshop: Workshop, branch: str, method: str) -> str:
    """A person merges what waits on a branch, and deletes it."""
    workshop.bench.later(timedelta(seconds=1))
    tip = workshop.bench.merge(opened(workshop, branch).number, method)
    workshop.bench.delete_branch(branch)
    return tip


@pytest.mark.slow
def test_the_life_of_a_version(workshop: Workshop) -> None:
    """Built, reviewed, promoted, taken back, retired and removed; by each way of merging in turn."""
    ways = [workshop.methods[at % len(workshop.methods)] for at in range(6)]
    kind = "" if workshop.bench.kind == "auto" else f"forge: {{kind: {workshop.bench.kind}}}\n"
    workshop.bench.push(BASE, {"release.yaml": SHORT + kind, "environments/production/image_tag.yaml": None})
    workshop.world.landed.clear()
    workshop.bump("v1.0.5")
    workshop.bench.comment(opened(workshop, HEAD).number, "looks good")
    workshop.bump("v1.0.6")
    first = opened(workshop, HEAD)
    assert "v1.0.5" in first.body
    assert "v1.0.6" in first.body
    land(workshop, HEAD, ways[0])
    assert workshop.world.state().versions[workshop.world.state().default] == "v1.0.6"

    workshop.release("promote", "devel", "staging")
    land(workshop, "release/staging", ways[1])
    assert "v1.0.6" in workshop.world.state("staging").versions.values()

    workshop.release("downgrade", "devel", "--reason", "error rate")
    beside = opened(workshop, "release/devel-downgrade")
    workshop.bump("v1.0.7")
    assert opened(workshop, HEAD).number != beside.number
    land(workshop, "release/devel-downgrade", ways[2])
    state = workshop.world.state()
    assert state.versions[state.default] != "v1.0.6"
    assert [state.versions[name] for name in state.quarantined] == ["v1.0.6"]

    workshop.release("sync")
    land(workshop, HEAD, ways[3])
    assert "v1.0.7" in workshop.world.state().versions.values()
    workshop.bench.later(timedelta(seconds=5))
    workshop.release("cleanup")
    if any(one.state == "open" for one in workshop.pulls()):
        land(workshop, HEAD, ways[4])
    workshop.bench.later(timedelta(seconds=5))
    workshop.release("cleanup")
    state = workshop.world.state()
    assert set(state.live.values()) >= {"v1.0.7"}
    assert not {"v1.0.2", "v1.0.3"} & {*state.versions.values(), *state.retired.values()}
    workshop.release("check")
    workshop.release("status")
    operations = [line.intent.operation for line in workshop.world.lines()]
    assert operations[:4] == ["bump", "bump", "downgrade", "bump"]
    assert [line.intent.tag for line in workshop.world.lines()][:4] == ["v1.0.5", "v1.0.6", "v1.0.6", "v1.0.7"]


@pytest.mark.slow
def test_what_people_refuse_or_take_back_is_not_proposed_again(workshop: Workshop) -> None:
    workshop.bump("v1.0.5")
    workshop.bench.later(timedelta(seconds=1))
    workshop.bench.close(opened(workshop, HEAD).number)
    workshop.release("sync")
    assert [one.state for one in workshop.pulls()] == ["closed"]
    workshop.bump("v1.0.6")
    assert workshop.proposed() == ["v1.0.6"]
    tip = land(workshop, HEAD, workshop.methods[-1])
    workshop.bench.later(timedelta(seconds=1))
    workshop.revert(tip)
    workshop.bump("v1.0.7")
    assert workshop.proposed() == ["v1.0.7"]
    assert [one.state for one in workshop.pulls()] == ["closed", "merged", "open"]
    assert workshop.world.state(ref=HEAD).versions["v7"] == "v1.0.7", "the names stay taken"


@pytest.mark.slow
def test_a_persons_commit_on_the_branch_stays(workshop: Workshop) -> None:
    workshop.bump("v1.0.5")
    workshop.push(HEAD, **{"NOTES.md": "mine\n"})
    workshop.push(BASE, **{"README.md": "moved\n"})
    workshop.bump("v1.0.6")
    assert workshop.proposed() == ["v1.0.5", "v1.0.6"]
    assert workshop.world.file("NOTES.md", HEAD) == "mine\n"
    assert workshop.only.state == "open"


@pytest.mark.slow
def test_a_base_that_was_forced_to_another_history_is_followed(workshop: Workshop) -> None:
    began = workshop.tip()
    workshop.push(BASE, **{"README.md": "one\n"})
    workshop.bump("v1.0.5")
    workshop.bench.force_push(BASE, began)
    workshop.push(BASE, **{"README.md": "another history\n"})
    workshop.release("sync")
    workshop.bump("v1.0.6")
    assert workshop.proposed() == ["v1.0.5", "v1.0.6"]
    assert [one.state for one in workshop.pulls()].count("open") == 1


# -- a downgrade with nobody there

HEALTH = """\
downgrade: {{publish: pull_request}}
environments:
  devel:
    default: newest
    health:
      failures: 1
      grace: 1s
      checks:
        answers:
          command: {{argv: [python3, {program}, '{{tag}}']}}
  staging:
    promote_from: devel
    default: promoted
"""
DOWNGRADE = "release/devel-downgrade"


@pytest.fixture
def guarded(workshop: Workshop, tmp_path: Path) -> Workshop:
    """The newest version is the default, and its check says that it is sick."""
    program = tmp_path / "probe.py"
    program.write_text("import sys\nsys.exit(sys.argv[1] == 'v1.0.5')\n")
    kind = "" if workshop.bench.kind == "auto" else f"forge: {{kind: {workshop.bench.kind}}}\n"
    config = SHORT.partition("environments:")[0] + kind + HEALTH.format(program=program)
    workshop.bench.push(BASE, {"release.yaml": config, "environments/production/image_tag.yaml": None})
    workshop.world.landed.clear()
    workshop.bump("v1.0.5")
    land(workshop, HEAD, workshop.methods[0])
    workshop.bench.later(timedelta(seconds=5))
    return workshop


def default(workshop: Workshop) -> str:
    state = workshop.world.state()
    return str(state.versions[state.default])


def downgrade(workshop: Workshop) -> Truth:
    """The one pull request of a downgrade that there is."""
    (found,) = (one for one in workshop.pulls() if one.head == DOWNGRADE)
    return found


@pytest.mark.slow
def test_a_guards_downgrade_is_merged_with_nobody_looking(guarded: Workshop) -> None:
    guarded.release("guard", "devel", code=0 if guarded.can.auto_merge != "no" else None)
    assert downgrade(guarded).state == ("open" if guarded.can.auto_merge == "no" else "merged")
    assert (default(guarded) == "v1.0.5") is (guarded.can.auto_merge == "no")
    guarded.bench.later(timedelta(minutes=1))
    guarded.release("guard", "devel", code=None)
    assert downgrade(guarded).number


@pytest.mark.slow
def test_a_guards_downgrade_waits_for_what_the_rules_ask_for(guarded: Workshop) -> None:
    if guarded.can.auto_merge == "no":
        return
    guarded.bench.ask_for_approval(BASE)
    for _ in range(2):
        guarded.release("guard", "devel", code=None)
        assert downgrade(guarded).state == "open"
        guarded.bench.later(timedelta(seconds=5))
    guarded.bench.approve(downgrade(guarded).number)
    if guarded.can.auto_merge == "pass":
        guarded.release("guard", "devel", code=None)
    assert downgrade(guarded).state == "merged"
    assert default(guarded) != "v1.0.5"


@pytest.mark.slow
def test_what_a_person_added_to_a_guards_downgrade_is_not_merged_by_itself(guarded: Workshop) -> None:
    if guarded.can.auto_merge == "no":
        return
    guarded.bench.ask_for_approval(BASE)
    guarded.release("guard", "devel", code=None)
    guarded.push(DOWNGRADE, **{"NOTES.md": "mine\n"})
    for _ in range(2):
        guarded.bench.later(timedelta(seconds=5))
        guarded.release("guard", "devel", code=None)
    assert not downgrade(guarded).auto_merge
    guarded.bench.approve(downgrade(guarded).number)
    guarded.release("guard", "devel", code=None)
    assert downgrade(guarded).state == "open"
    assert default(guarded) == "v1.0.5"
    assert guarded.world.file("NOTES.md") == ""


# -- how often the forge is asked


def test_how_often_a_bump_asks_the_forge_is_as_documented(workshop: Workshop) -> None:
    asked: dict[str, list[str]] = {}

    def count(what: str, tag: str) -> None:
        before = len(workshop.calls())
        workshop.bump(tag)
        asked[what] = workshop.calls(before)

    count("opens", "v1.0.5")
    count("updates", "v1.0.6")
    count("nothing to do", "v1.0.6")
    land(workshop, HEAD, workshop.methods[-1])
    count("opens the next", "v1.0.7")
    told = {what: len(calls) for what, calls in asked.items()}
    assert max(told.values()) <= 6, asked
    if workshop.can.kind != "local":
        assert told == recorded.REQUESTS[workshop.can.kind], asked

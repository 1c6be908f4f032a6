"""Whether a commit of the base is applied, by what a delivery tool says of the commits that it applied."""

from __future__ import annotations

from typing import Any

import pytest
from model_builders import HOUR, NOW

from release_tool.model.delivery import Delivered, Deployed, InForce, in_force
from release_tool.model.records import CommitId

# The first parents of the base, newest first: `c` retired the version, `b` and `a` came later, `d` is older.
A, B, C, D = (CommitId(letter * 40) for letter in "abcd")
LINE = [A, B, C]
LANDED = NOW - 10 * HOUR


def deployed(commit: str, hours: float | None = None) -> Deployed:
    return Deployed(commit, None if hours is None else NOW - hours * HOUR)


def found(*applied: Deployed, **more: Any) -> InForce:
    return in_force(Delivered("Application engine", applied, **more), LINE, LANDED, "its retirement")


NOT_YET = "its retirement (ccccccc) is not applied yet: Application engine "


@pytest.mark.parametrize(
    ("applied", "hours"),
    [
        ([deployed(C, 3), deployed(D, 20)], 3),
        ([deployed(A, 1), deployed(B, 2), deployed(C, 3), deployed(D, 20)], 3),
        ([deployed(A, 1), deployed(D, 20)], 1),  # it was down, and took several commits at once
        ([deployed(A, 1), deployed(D, 2), deployed(B, 5)], 1),  # in between somebody rolled back
        ([deployed(C, 11), deployed(D, 20)], 10),  # never before it landed
        ([deployed(A)], 10),  # nobody knows since when
        ([deployed(B[:12], 2), deployed(D[:12], 3)], 2),
    ],
)
def test_what_is_applied_counts_from_when_it_was(applied: list[Deployed], hours: float) -> None:
    since = NOW - hours * HOUR
    assert found(*applied) == InForce(since, since)


def test_what_was_forgotten_counts_from_the_landing() -> None:
    assert found(deployed(A, 1), deployed(B, 2), forgets=True).since == LANDED
    assert found(deployed(A, 1), deployed(B, 2)).since == NOW - 2 * HOUR
    assert found(deployed(A, 1), deployed(B, 2), deployed(D, 20), forgets=True).since == NOW - 2 * HOUR


@pytest.mark.parametrize(
    ("applied", "more", "why"),
    [
        ([], {}, "has applied no commit that it names"),
        ([deployed(D, 1)], {}, "has applied ddddddd"),
        ([deployed(D, 1), deployed(A, 2)], {}, "has applied ddddddd"),  # rolled back
        ([deployed("e" * 40, 1)], {}, "has applied eeeeeee"),  # of another branch, or another repository
        ([deployed("", 1), deployed(A, 2)], {}, "has applied no commit that it names"),
        ([deployed("aaaa", 1)], {}, "has applied aaaa"),  # too short to be a commit
        ([deployed(D, 1)], {"problem": "sync Running"}, "has applied ddddddd and doesn't go on: sync Running"),
    ],
)
def test_older_foreign_and_unnamed_commits_are_not_enough(
    applied: list[Deployed], more: dict[str, str], why: str
) -> None:
    assert found(*applied, **more) == InForce(None, None, NOT_YET + why)


def test_what_is_being_applied_has_begun() -> None:
    begun = found(deployed(D, 20), attempt=deployed(B, 2))
    assert (begun.since, begun.begun) == (None, NOW - 2 * HOUR)
    assert found(deployed(D, 20), attempt=deployed(D, 2)).begun is None
    assert found(deployed(D, 20), attempt=deployed(A, 12)).begun == LANDED


def test_an_outage_is_told_and_proves_nothing() -> None:
    told = found(unknown="the API server can't be reached: refused")
    why = "nobody can tell whether its retirement is applied: Application engine: the API server can't be reached: refused"
    assert told == InForce(None, None, why)

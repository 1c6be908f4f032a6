"""Ages from landing: the same from a full clone, a shallow one, and none at all."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from landing import FILE, Base, hour, place, tags
from model_builders import intent
from origin import Requests

from release_tool.config import Retention
from release_tool.errors import ReleaseError
from release_tool.model.records import Change, Line, Name, Tag
from release_tool.remote.ages import EXACTLY, Entry, wanted_by

DAY = timedelta(days=1)


@pytest.fixture(params=["full", "shallow", "URL"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Base]:
    found = Base.make(tmp_path, request.param)
    found.commit(0, {FILE: tags("v1"), "README.md": "Hello\n"})
    yield found
    found.close()


@pytest.fixture
def by_url(tmp_path: Path) -> Iterator[Base]:
    found = Base.make(tmp_path, "URL")
    found.write(0, tags("v1"))
    yield found
    found.close()


def entry(section: str, name: str) -> Entry:
    return section, Name(name)


def line(at: float, action: str, name: str, before: str | None = None) -> Line:
    change = Change(action, Name(name), Tag(f"v1.0.{name[1:]}"), "", Name(before) if before else None)
    return Line(intent("1", "bump", {}), hour(at), (change,))


# -- what a landing is
def test_what_the_first_commit_brought_landed_with_it(base: Base) -> None:
    assert base.since("versions", "v1") == hour(0)


def test_a_version_landed_when_it_was_merged(base: Base) -> None:
    base.git("checkout", "-qb", "side")
    base.write(1, tags("v1", "v2"))
    base.git("checkout", "-q", "main")
    base.noise(2, 1)
    base.git("merge", "-q", "--no-ff", "side", at=9)
    assert (base.since("versions", "v2"), base.since("versions", "v1")) == (hour(9), hour(0))


def test_a_version_landed_when_it_was_squashed(base: Base) -> None:
    base.git("checkout", "-qb", "side")
    base.write(1, tags("v1", "v2"))
    base.write(2, tags("v1", "v2", "v3"))
    base.git("checkout", "-q", "main")
    base.git("merge", "-q", "--squash", "side")
    base.git("commit", "-qm", "Squashed", at=9)
    assert base.since("versions", "v2") == hour(9)


def test_a_version_landed_when_it_was_rebased(base: Base) -> None:
    base.git("checkout", "-qb", "side")
    base.write(1, tags("v1", "v2"))
    base.git("checkout", "-q", "main")
    base.noise(2, 1)
    base.git("rebase", "-q", "main", "side", at=9)
    base.git("checkout", "-q", "main")
    base.git("merge", "-q", "--ff-only", "side")
    assert base.since("versions", "v2") == hour(9)


def test_a_fast_forward_is_as_old_as_its_commit_unless_the_forge_knows_better(base: Base) -> None:
    base.git("checkout", "-qb", "side")
    commit = base.write(1, tags("v1", "v2"))
    base.noise(2, 2)
    base.git("checkout", "-q", "main")
    base.git("merge", "-q", "--ff-only", "side")
    assert base.since("versions", "v2") == hour(1)
    base.merged[commit] = hour(9)
    assert base.since("versions", "v2") == hour(9)


def test_a_merge_of_the_base_into_a_branch_that_lands_later_counts_from_its_landing(base: Base) -> None:
    base.git("checkout", "-qb", "side")
    base.write(1, tags("v1", "v2"))
    base.git("checkout", "-q", "main")
    base.noise(2, 1)
    base.git("checkout", "-q", "side")
    base.git("merge", "-q", "--no-ff", "main", at=3)
    base.git("checkout", "-q", "main")
    base.git("merge", "-q", "--no-ff", "side", at=9)
    assert base.since("versions", "v2") == hour(9)


def test_a_revert_takes_a_version_away_and_its_revert_lands_it_anew(base: Base) -> None:
    base.write(1, tags("v1", "v2"))
    base.git("revert", "--no-edit", "HEAD", at=2)
    assert base.since("versions", "v2") is None
    base.git("revert", "--no-edit", "HEAD", at=3)
    base.noise(4, 2)
    assert (base.since("versions", "v2"), base.since("versions", "v1")) == (hour(3), hour(0))


def test_an_entry_that_left_and_came_back_counts_from_its_return(base: Base) -> None:
    base.write(1, tags("v1", "v2"))
    base.write(2, tags("v1", retired=["v2"]))
    base.write(5, tags("v1", "v2"))
    assert base.since("versions", "v2") == hour(5)
    assert base.since("retired", "v2") is None


def test_a_commit_that_changes_other_entries_moves_no_landing(base: Base) -> None:
    base.write(1, tags("v1", "v2"))
    base.write(2, "# by hand\n" + tags("v1", "v2"))
    base.write(3, tags("v2", "v1", "v3"))
    assert base.since("versions", "v2") == hour(1)


@pytest.mark.parametrize("tag", ["v9.9.9", "v1.0.1@sha256:" + "a" * 64])
def test_another_tag_or_digest_under_a_name_is_another_entry(base: Base, tag: str) -> None:
    base.write(1, tags(f"v1={tag}"))
    assert base.since("versions", "v1") == hour(1)


def test_each_state_of_a_version_has_its_own_landing(base: Base) -> None:
    base.write(1, tags("v1", "v2", "v3"))
    base.write(2, tags("v1", "v2", "v3", quarantined=["v2"]))
    assert base.since("quarantined", "v2") == hour(2)
    assert base.since("versions", "v2") is None
    base.write(3, tags("v1", "v3", retired=["v2"]))
    assert base.since("retired", "v2") == hour(3)
    base.write(4, tags("v1", "v2", "v3"))
    assert (base.since("versions", "v2"), base.since("versions", "v3")) == (hour(4), hour(1))


def test_a_default_is_as_old_as_the_run_in_which_it_is_the_default(base: Base) -> None:
    base.write(1, tags("v1", "v2", default="v2"))
    base.write(2, tags("v1", "v2", default="v1"))
    base.write(3, tags("v1", "v2", "v3", default="v2"))
    base.write(4, tags("v1", "v2", "v3", "v4", default="v2"))
    assert base.since("default", "v2") == hour(3)
    assert base.since("default", "v1") is None


def test_an_implied_default_has_an_age_and_writing_it_down_keeps_it(base: Base) -> None:
    base.write(1, tags("v1", "v2"))
    base.write(2, tags("v2", retired=["v1"]))
    base.write(3, tags("v2", "v3", default="v2", retired=["v1"]))
    assert base.since("default", "v2") == hour(2)


def test_a_file_that_could_not_be_read_held_nothing(base: Base) -> None:
    base.write(1, "image: [\n")
    base.write(2, tags("v1"))
    base.write(3, tags("v1", "v2"))
    assert base.since("versions", "v1") == hour(2)


def test_a_link_in_place_of_the_file_held_nothing(base: Base) -> None:
    (base.clone / FILE).unlink()
    (base.clone / FILE).symlink_to("../../README.md")
    base.commit(1, {})
    (base.clone / FILE).unlink()
    base.write(2, tags("v1"))
    assert base.since("versions", "v1") == hour(2)


def test_a_file_that_was_elsewhere_before_landed_when_it_came(base: Base) -> None:
    (base.clone / "environments/staging").mkdir()
    base.git("mv", FILE, "environments/staging/image_tag.yaml")
    base.commit(1, {})
    found = base.ages(place("staging")).since(
        place("staging"), base.state(place("staging")), (), {entry("versions", "v1"): EXACTLY}, hour(10)
    )
    assert found == {entry("versions", "v1"): hour(1)}


def test_a_clock_that_goes_back_moves_no_landing(base: Base) -> None:
    base.write(30, tags("v1", "v2"))
    base.write(20, tags("v1", "v2", "v3"))
    base.noise(25, 1)
    assert base.since("versions", "v2", timedelta(hours=9), now=40) == hour(30)
    assert (base.since("versions", "v2"), base.since("versions", "v3")) == (hour(30), hour(20))


def test_what_the_base_does_not_hold_has_no_age(base: Base) -> None:
    assert base.since("versions", "v7") is None
    assert base.since("retired", "v1") is None
    assert base.since("default", "v2") is None


# -- how far it is looked
def test_the_record_is_believed_where_even_its_age_is_not_enough(by_url: Base, tmp_path: Path) -> None:
    by_url.write(5, tags("v1", "v2"))
    ages, requests = by_url.ages(), Requests(tmp_path)
    lines = [line(2, "add", "v2")]
    assert by_url.since("versions", "v2", timedelta(hours=9), DAY, lines=lines, now=10, by=ages) == hour(2)
    assert requests.seen() == []
    assert by_url.since("versions", "v2", timedelta(hours=8), DAY, lines=lines, now=10, by=ages) == hour(5)
    assert by_url.since("versions", "v2", lines=lines, now=10, by=ages) == hour(5)


def test_the_record_of_a_default_is_its_last_move(base: Base) -> None:
    base.write(5, tags("v1", "v2", default="v2"))
    lines = [line(2, "set-default", "v2", "v1"), line(4, "set-default", "v2", "v2")]
    assert base.since("default", "v2", timedelta(hours=9), lines=lines, now=10) == hour(2)
    assert base.since("default", "v2", timedelta(hours=8), lines=lines, now=10) == hour(5)
    assert base.since("default", "v2", timedelta(hours=8), lines=lines[1:], now=10) == hour(5)


def test_an_entry_without_ages_is_not_looked_up(base: Base) -> None:
    wanted: dict[Entry, list[timedelta] | None] = {entry("versions", "v1"): []}
    assert base.ages().since(place(), base.state(), (), wanted, hour(9)) == {}
    wanted[entry("versions", "v1")] = None
    assert base.ages().since(place(), base.state(), (), wanted, hour(9)) == {entry("versions", "v1"): hour(0)}


@pytest.mark.parametrize("age", [timedelta.max, timedelta(days=365 * 4000)])
def test_no_age_is_too_large(base: Base, age: timedelta) -> None:
    base.write(5, tags("v1", "v2"))
    assert base.since("versions", "v2", timedelta(0), age) == hour(5)


def test_history_beyond_the_ages_that_matter_is_not_fetched(by_url: Base, tmp_path: Path) -> None:
    by_url.write(1, tags("v1", "v2"))
    by_url.noise(10, 60)
    ages, requests = by_url.ages(), Requests(tmp_path)
    assert by_url.since("versions", "v2", timedelta(hours=1), now=200, by=ages) == hour(69)  # the tip is old enough
    assert requests.seen() == []
    assert by_url.since("versions", "v2", timedelta(hours=10), now=90, by=ages) == hour(19)  # the oldest that is here
    assert requests.seen() == ["upload-pack"]  # 50 commits
    assert by_url.since("versions", "v2", now=200, by=ages) == hour(1)


def test_a_landing_needs_no_commit_before_it(by_url: Base, tmp_path: Path) -> None:
    """The commit itself shows that the file did not hold the entry before."""
    by_url.noise(1, 60)
    by_url.write(70, tags("v1", "v2"))
    by_url.noise(71, 2)
    ages, requests = by_url.ages(), Requests(tmp_path)
    assert by_url.since("versions", "v2", now=72, by=ages) == hour(70)
    assert requests.seen() == ["upload-pack"] * 2  # 50 commits, and the file before and after


def test_a_merge_that_the_forge_tells_is_no_older_than_it_says(base: Base) -> None:
    """Old commits that were fast-forwarded a moment ago show nothing about what landed before them."""
    landed = base.write(1, tags("v1", "v2"))
    young = [base.write(number, tags("v1", "v2", f"v{number}")) for number in (3, 4, 5)]
    base.merged |= dict.fromkeys([landed, *young], hour(99))
    assert base.since("versions", "v2", DAY, now=100) == hour(99)
    assert base.since("versions", "v1", DAY, now=100) == hour(0)


# -- many at once
def test_one_walk_serves_many_environments(base: Base, caplog: pytest.LogCaptureFixture) -> None:
    places = [place(f"e{number}") for number in range(40)]
    base.commit(1, {one.tag_file: tags("v1") for one in places})
    for number, one in enumerate(places):
        base.write(2 + number, tags("v1", "v2"), one.tag_file)
    ages = base.ages(*places)
    with caplog.at_level(logging.DEBUG, "release_tool"):
        for number in (7, 39, 0, 39):
            wanted = {entry("versions", "v2"): EXACTLY, entry("versions", "v1"): EXACTLY}
            found = ages.since(places[number], base.state(places[number]), (), wanted, hour(99))
            assert found == {entry("versions", "v2"): hour(2 + number), entry("versions", "v1"): hour(1)}
    rounds = 1 if base.kind == "full" else 2
    assert sum(" log " in record.getMessage() for record in caplog.records) == rounds


def test_a_repository_can_be_closed_in_the_middle_of_a_walk(by_url: Base) -> None:
    for number in range(1, 80):
        by_url.write(number, tags("v1", f"v{number + 1}"))
    ages = by_url.ages()
    found = ages.since(place(), by_url.state(), (), {entry("versions", "v80"): EXACTLY}, hour(100))
    assert found == {entry("versions", "v80"): hour(79)}
    by_url.close()


def test_a_walk_that_broke_off_is_not_taken_for_the_whole_history(by_url: Base) -> None:
    by_url.write(1, tags("v1", "v2"))
    by_url.noise(2, 60)
    ages = by_url.ages()
    by_url.origin.rename(by_url.path / "elsewhere")
    with pytest.raises(ReleaseError):
        by_url.since("versions", "v2", by=ages)
    (by_url.path / "elsewhere").rename(by_url.origin)
    with pytest.raises(ReleaseError):
        by_url.since("versions", "v1", by=ages)
    assert by_url.since("versions", "v1") == hour(0)


def test_retention_asks_for_the_ages_that_its_policy_compares(base: Base) -> None:
    base.write(1, tags("v1", "v2", retired=["v3"], quarantined=["v2"]))
    drain, held = timedelta(hours=2), timedelta(days=3)
    policy = Retention(drain=drain, quarantine_for=held)
    assert wanted_by(base.state(), policy) == {entry("quarantined", "v2"): [held], entry("retired", "v3"): [drain]}
    wanted = wanted_by(base.state(), policy._replace(min_age=DAY, max_age=held))
    assert wanted[entry("versions", "v1")] == [DAY, held]

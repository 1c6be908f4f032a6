"""One walk for all says what a look at every commit says, on random histories."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landing import hour, place, tags
from origin import git, make_bare

from release_tool import tagfile
from release_tool.git.repository import Repository
from release_tool.model.records import CommitId, State
from release_tool.remote.ages import EXACTLY, Ages, Entry

PLACES = [place(name) for name in ("devel", "staging", "production")]
TEXTS = (
    tags("v1"), tags("v1", "v2"), tags("v1", "v2", default="v2"),
    tags("v1", "v2", "v3", default="v2", quarantined=["v3"]),
    tags("v2", "v3", retired=["v1"]), tags("v2=v2.2.2", "v3", retired=["v1"]),
    "# by hand\n" + tags("v1", "v2"), "image: {tag: [v1.0.1, v1.0.2]}\n", "image: [\n", None,
)  # fmt: skip
AGES = [timedelta(hours=hours) for hours in (1, 30, 100, 1000)]
ENTRIES: list[Entry] = [
    (section, name)  # type: ignore[misc]
    for section in ("versions", "quarantined", "retired", "default")
    for name in ("v1", "v2", "v3")
]


class Event(NamedTuple):
    """One commit of the base: what it writes where, how much later, how wrong its clock is, and how it comes.

    Attributes:
        way: `line`; `merge` (a side commit, whose times and text don't matter, and its merge); `told`: a line of which
            the forge tells when it landed, while its own clock is wrong by more than any clock.
    """

    place: int
    text: str | None
    later: int
    skew: int
    way: str


EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from([0, 0, 1, 2]),
        st.sampled_from(TEXTS),
        st.sampled_from([1, 1, 5, 40, 200]),
        st.integers(-12, 12),
        st.sampled_from(["line", "line", "line", "merge", "told"]),
    ),
    min_size=1,
    max_size=25,
)


class World(NamedTuple):
    """A history, oldest first: each commit with its landing and the texts after it."""

    origin: Path
    landings: list[tuple[CommitId, datetime]]
    texts: list[dict[str, str | None]]
    merged: Mapping[CommitId, datetime]
    now: datetime


def build(directory: Path, events: Sequence[Event]) -> World:
    """Makes the history in a bare repository."""
    origin = directory / "origin.git"
    make_bare(origin)
    stream: list[str] = []
    texts: list[dict[str, str | None]] = [{}]
    landings: list[datetime] = []

    def commit(mark: int, number: float, event: Event | None, parents: Sequence[int]) -> None:
        ref, moment = "refs/heads/main" if mark % 2 == 0 else "refs/heads/side", int(hour(number).timestamp())
        stream.append(f"commit {ref}\nmark :{mark}\ncommitter T <t@example.com> {moment} +0000\ndata 1\nx\n")
        stream.extend(f"{word} :{parent}\n" for word, parent in zip(("from", "merge"), parents, strict=False))
        if event is not None:
            path, text = PLACES[event.place].tag_file, event.text
            stream.append(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" if text else f"D {path}\n")

    time = 100
    commit(2, time, None, ())
    for number, event in enumerate(events, 2):  # main has the even marks, the side branches the odd ones
        main, side, new = 2 * number - 2, 2 * number - 1, 2 * number
        time += event.later
        if event.way == "merge":
            commit(side, time - 1, event._replace(text=TEXTS[0]), [main])
        committed = time - 90 if event.way == "told" else time + event.skew
        commit(new, committed, event, [main, side] if event.way == "merge" else [main])
        texts.append({**texts[-1], PLACES[event.place].tag_file: event.text})
        landings.append(hour(time if event.way == "told" else committed))
    git("fast-import", "--quiet", "--force", cwd=origin, stdin="".join(stream).encode())
    commits = [CommitId(one) for one in git("rev-list", "--first-parent", "--reverse", "main", cwd=origin).split()]
    landed = list(zip(commits[1:], landings, strict=True))
    merged = {commit: when for (commit, when), event in zip(landed, events, strict=True) if event.way == "told"}
    return World(origin, landed, texts[1:], merged, hour(time + 20))


def holds(text: str | None, entry: Entry) -> str | None:
    """The tag of an entry in a text; None where the text doesn't hold it."""
    state = tagfile.read_leniently(text or "", "image")
    section, name = entry
    if section == "default":
        return state.versions[name] if state.default == name else None
    if section == "retired":
        return state.retired.get(name)
    return state.versions.get(name) if (name in state.quarantined) == (section == "quarantined") else None


def naive(world: World, path: str, entry: Entry) -> datetime | None:
    """By the rule: back from the tip, commit by commit."""
    tag = holds(world.texts[-1].get(path), entry)
    found = None
    for (_, landed), texts in zip(reversed(world.landings), reversed(world.texts), strict=True):
        if tag is None or holds(texts.get(path), entry) != tag:
            break
        found = landed
        if path not in texts:
            break
    return found


def check(world: World, repository: Repository) -> None:
    """Every entry, exactly and by ages, in one walk."""
    tip = world.landings[-1][0]
    repository.refs("refs/heads/*")
    repository.fetch(tip)
    ages = Ages(repository, lambda step: world.merged.get(step.commit, step.committed_at), tip, PLACES, "release.yaml")
    for number, one in enumerate([*PLACES, *PLACES]):
        text = world.texts[-1].get(one.tag_file)
        state = tagfile.read_leniently(text, "image") if text else State()
        expected = {entry: naive(world, one.tag_file, entry) for entry in ENTRIES}
        expected = {entry: found for entry, found in expected.items() if found is not None}
        for matter in AGES[number % 2 :: 2], AGES, AGES[:1]:
            wanted = dict.fromkeys(ENTRIES, matter)
            found = ages.since(one, state, (), wanted, world.now)
            for age in matter:
                told = {entry: (world.now - at >= age, world.now - at > age) for entry, at in found.items()}
                right = {entry: (world.now - at >= age, world.now - at > age) for entry, at in expected.items()}
                assert told == right
        if number >= len(PLACES):
            assert ages.since(one, state, (), dict.fromkeys(ENTRIES, EXACTLY), world.now) == expected


def law(events: Sequence[Event], *, without_checkout: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        world = build(Path(name), events)
        url = f"file://{world.origin}"
        if without_checkout:
            with Repository.open(None, url) as repository:
                check(world, repository)
        else:
            git("clone", "-q", "--no-checkout", url, "clone", cwd=Path(name))
            with Repository.open(Path(name, "clone")) as repository:
                check(world, repository)


@settings(max_examples=40)
@given(EVENTS)
def test_every_landing_is_the_one_that_a_look_at_every_commit_finds(events: Sequence[Event]) -> None:
    law(events, without_checkout=False)


@settings(max_examples=10)
@given(EVENTS)
def test_landings_are_the_same_without_a_checkout(events: Sequence[Event]) -> None:
    law(events, without_checkout=True)


@pytest.mark.nightly
@settings(max_examples=500)
@given(EVENTS, st.booleans())
def test_every_landing_is_right_on_many_histories(events: Sequence[Event], without_checkout: bool) -> None:
    law(events, without_checkout=without_checkout)

"""The scheduled cleanup over hundreds of services x environments, dry: its time against their number."""

from __future__ import annotations

import random
import subprocess
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from benchmarks.repositories import ROOT, git
from benchmarks.timing import Side, Times, in_turn, nothing, program, ratio, seconds_row
from release_tool import tagfile
from release_tool.config import Place, Retention, place_of
from release_tool.git.repository import Repository
from release_tool.model import history
from release_tool.model.records import BumpArguments, Change, CommitId, Line, State, Tag, name_of
from release_tool.remote.ages import Ages, wanted_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SIZES = (50, 100, 200, 500)
LONGEST = 10.0
"""Seconds for the largest, on two cores."""
UNEVEN = 1.2
"""How much more than linear the growth may look on a machine that does other things too."""
COMMAND = "cleanup --dry-run"

ENVIRONMENTS = ("devel", "testing", "staging", "preview", "production")
VERSIONS = 20
BUMPS = 6
"""So many commits for each service in each environment, each with one version more."""

CONFIG = """\
version: 1
chart: charts/grpc-manifest
path: environments/{{environment}}/{{service}}
publish: {{branch: 'release/{{service}}/{{environment}}'}}
environments:
{environments}services:
{services}"""

POLICY = Retention(keep=VERSIONS, min_age=timedelta(days=1), max_age=timedelta(days=90))
"""Ages that matter reach beyond all history, so every commit is looked at."""


class Repositories:
    """A repository of `size` services x environments, in a bare origin with a clone beside it.

    Every tenth has one version more than its policy keeps. The history holds a commit for each bump, in random order
    and at even distances over the last 60 days.
    """

    def __init__(self, directory: Path, size: int) -> None:
        self.size = size
        self.origin, self.clone = directory / f"{size}.git", directory / f"{size}"
        self._services = [f"service-{number:03}" for number in range(size // len(ENVIRONMENTS))]
        git("init", "-q", "--bare", "-b", "main", str(self.origin), cwd=directory)
        stream = b"".join(self._commits())
        subprocess.run(["git", "fast-import", "--quiet"], cwd=self.origin, input=stream, check=True)
        git("gc", "-q", cwd=self.origin)
        git("clone", "-q", "--no-checkout", str(self.origin), str(self.clone), cwd=directory)

    @property
    def places(self) -> list[Place]:
        return [self._place(environment, service) for service in self._services for environment in ENVIRONMENTS]

    @staticmethod
    def _place(environment: str, service: str) -> Place:
        return place_of(environment, path=f"environments/{{environment}}/{service}", branch=f"release/{service}/x")

    def _commits(self) -> Iterator[bytes]:
        begin = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=60)
        yield _commit(begin, self._beginning())
        states = {place: (_first(number), list[Line]()) for number, place in enumerate(self.places)}
        order = [place for place in self.places for _ in range(BUMPS)]
        random.Random(1).shuffle(order)  # the same repository in every run
        for number, place in enumerate(order, 1):
            state, lines = states[place]
            at = begin + timedelta(days=55) * number / len(order)
            state, line = _bumped(state, number, at)
            lines.append(line)
            states[place] = state, lines
            yield _commit(at, {place.tag_file: _text(state), place.history_file: history.append("", lines)})

    def _beginning(self) -> dict[str, str]:
        retention = f"retention: {{keep: {VERSIONS}, min_age: 1d, max_age: 90d}}"
        moved = ("default: newest", *(f"promote_from: {before}, default: promoted" for before in ENVIRONMENTS))
        environments = "".join(
            f"  {name}: {{{how}, {retention}}}\n" for name, how in zip(ENVIRONMENTS, moved, strict=False)
        )
        services = "".join(f"  {name}: {{}}\n" for name in self._services)
        files = {"release.yaml": CONFIG.format(environments=environments, services=services)}
        charts = (ROOT / "charts").rglob("*")
        files |= {str(path.relative_to(ROOT)): path.read_text() for path in charts if path.is_file()}
        for number, place in enumerate(self.places):
            files[place.tag_file] = _text(_first(number))
            files[place.values_files[0]] = "replicaCount: 1\n"
        return files


def _first(number: int) -> State:
    """The versions of a place before its bumps; each service has tags of its own."""
    count, service = VERSIONS - BUMPS + (number % 10 == 0), number // len(ENVIRONMENTS)
    tags = {name_of(n): Tag(f"v1.{service}.{n}") for n in range(1, count + 1)}
    return State(tags, written_default=name_of(count))


def _bumped(state: State, number: int, at: datetime) -> tuple[State, Line]:
    count = len(state.versions) + 1
    name, tag = name_of(count), Tag(f"{state.versions[name_of(1)].rpartition('.')[0]}.{count}")
    changes = (
        Change("add", name, tag, "bump"),
        Change("set-default", name, tag, "default: newest", before=state.default),
    )
    line = Line(
        history.intent(f"{number:026}", "bump", BumpArguments(tag), "bench"), at - timedelta(minutes=5), changes
    )
    return State({**state.versions, name: tag}, written_default=name), line


def _text(state: State) -> str:
    entries = "".join(f"    {name}: {tag}\n" for name, tag in state.versions.items())
    return f"image:\n  default: {state.default}\n  tag:\n{entries}"


def _commit(at: datetime, files: dict[str, str]) -> bytes:
    stamp = f"bench <bench@example.com> {int(at.timestamp())} +0000"
    parts = [f"commit refs/heads/main\ncommitter {stamp}\ndata 6\nChange\n".encode()]
    for path, text in files.items():
        parts.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text.encode()), text.encode()))
    return b"".join(parts)


def _ages(made: Repositories) -> Callable[[], None]:
    """All ages that the policy asks for, in one process; nothing is rendered or planned."""
    places = made.places

    def run() -> None:
        with Repository.open(made.clone) as repository:
            tip = repository.refs("refs/heads/main").branch("main") or CommitId("")
            repository.fetch(tip)
            ages = Ages(repository, lambda _: None, tip, places, "release.yaml")
            texts = repository.read(tip, [path for place in places for path in (place.tag_file, place.history_file)])
            now = datetime.now(timezone.utc)
            for place in places:
                state = tagfile.read_leniently(texts[place.tag_file].decode(), place.key)
                lines = history.parse(texts[place.history_file].decode(), place.history_file)
                wanted = wanted_by(state, POLICY)
                assert len(ages.since(place, state, lines, wanted, now)) == len(wanted) >= VERSIONS

    return run


def cleanup_rows(directory: Path, runs: int, release: Sequence[str]) -> Iterator[str]:
    """The whole command at each size, and the ages alone; each against the smallest size."""
    (directory / "cleanup").mkdir()
    made = [Repositories(directory / "cleanup", size) for size in SIZES]
    cleanup = [*release, *COMMAND.split()]
    sides: dict[str, list[Side]] = {
        COMMAND: [Side(str(one.size), nothing, program(cleanup, str(one.clone))) for one in made],
        "the ages alone": [Side(str(one.size), nothing, _ages(one)) for one in made],
    }
    for label, ours in sides.items():
        times = in_turn(ours, max(2, runs // 3))
        for size, found in zip(SIZES[1:], times[1:], strict=True):
            yield _row(f"{label}, {size} services x environments / {SIZES[0]}", size, found, times[0])
        if ours is sides[COMMAND]:
            yield seconds_row(f"{label}, {SIZES[-1]} services x environments, seconds", times[-1], LONGEST)


def _row(label: str, size: int, found: Times, smallest: Times) -> str:
    """As `timing.row`, with the time for each of them: where growth is linear, that stays or falls."""
    growth, bound = ratio(found, smallest), size / SIZES[0] * UNEVEN
    each = f"{found.median / size * 1000:8.2f} ms / {smallest.median / SIZES[0] * 1000:8.2f} ms each"
    return f"{label:58} {growth:6.2f}  {f'<= {bound:g}':>7}  {'yes' if growth <= bound else 'NO':3}  {each}"

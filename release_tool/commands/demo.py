"""`release demo`: a story in a temporary repository, step by step, with the real commands."""

from __future__ import annotations

import shlex
import shutil
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from release_tool import helm
from release_tool.errors import ReleaseError
from release_tool.git import temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CHART = Path(__file__).resolve().parent.parent / "chart"
"""The chart that comes with the package."""

_CONFIG = """\
version: 1
chart: charts/grpc-manifest
release_name: engine
namespace: engine
environments:
  devel:
    default: newest                   # a bump moves the default
    retention: {keep: 4, drain: 1h}
  production:
    promote_from: devel
    default: promoted
"""

_TAGS = """\
image:
  tag:
  - v1.0.1
  - v1.0.2
  - v1.0.3   # mobile clients 2.x
  - v1.0.4
"""

_STEPS: tuple[tuple[str, str, timedelta], ...] = (
    ("The versions that run now: a list, as the chart takes it.", "cat devel", timedelta(0)),
    ("What they are in each environment.", "status", timedelta(0)),
    ("An image was built. The bump adds its tag, and opens a pull request.", "bump devel v1.0.5", timedelta(0)),
    ("The same bump again, as a retried job runs it: nothing happens twice.", "bump devel v1.0.5", timedelta(0)),
    ("The pull request.", "pulls show 1", timedelta(0)),
    ("What it changes in the manifests.", "diff devel", timedelta(0)),
    ("A person merges it.", "pulls merge 1", timedelta(minutes=20)),
    ("One line was added, the default is written; everything else kept its bytes.", "cat devel", timedelta(0)),
    ("The next day another image: six are live, four are kept.", "bump devel v1.0.6", timedelta(days=1)),
    ("It lands: the list became names, so no version changed its name.", "pulls merge 2", timedelta(minutes=5)),
    ("Retired versions still run, without a route.", "cat devel", timedelta(0)),
    ("Two hours later the next one; what has drained is removed.", "bump devel v1.0.7", timedelta(hours=2)),
    ("It lands.", "pulls merge 3", timedelta(minutes=5)),
    ("The end.", "cat devel", timedelta(0)),
    ("", "status", timedelta(0)),
    ("Everything is right.", "check --ref main", timedelta(0)),
)


_GUARDED = """\
version: 1
chart: charts/grpc-manifest
release_name: engine
namespace: engine
publish: {{mode: direct}}             # short here: nobody reviews
downgrade: {{publish: pull_request}}  # of its own, merged by the forge
environments:
  devel:
    default: newest
    retention: {{keep: 4, drain: 1h}}
    health:
      grace: 5m                       # time to roll out
      failures: 2                     # in a row
      interval: 1s
      checks:
        answers:
          command: {{argv: ['{python}', '{program}', '{{version}}']}}
  production:
    promote_from: devel
    default: promoted
"""

_PROGRAM = """\
import pathlib, sys
bad = pathlib.Path(__file__).with_name("bad").read_text().split()
print("20 % of its calls fail" if sys.argv[1] in bad else "it answers")
sys.exit(sys.argv[1] in bad)
"""

_MINUTES = timedelta(minutes=10)
_DOWNGRADE: tuple[tuple[str, str, timedelta], ...] = (
    ("The versions that run now.", "cat devel", timedelta(0)),
    ("An image was built: v5 is the newest, hence the default.", "bump devel v1.0.5", timedelta(0)),
    ("Just landed, it is left alone for `grace`.", "guard devel", timedelta(minutes=1)),
    ("Ten minutes later it is judged, like every live version.", "guard devel", _MINUTES),
    ("v5 begins to fail. The next pass moves the default back; the forge merges it.", "guard devel", _MINUTES),
    ("v5 is quarantined: deployed, without a route, and never the default until a person clears it.", "cat devel",
     timedelta(0)),
    ("The next pass: the default is healthy.", "guard devel", _MINUTES),
    ("The next image is added, and held: nobody knows yet what broke v5.", "bump devel v1.0.6", _MINUTES),
    ("", "status devel", timedelta(0)),
    ("A person has found the cause, and clears v5.", "clear devel v5 --reason 'a limit of memory, mended'", _MINUTES),
    ("What comes from now on moves the default again.", "bump devel v1.0.7", _MINUTES),
    ("Who moved what, when and why. The pull request has the evidence.", "history devel", timedelta(0)),
)  # fmt: skip
_BREAKS = {4: "v5"}  # before this step of the story


class _Clock:
    """The demo's own time: days pass in it."""

    def __init__(self) -> None:
        self.now = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=2)


def run(command: Callable[[Sequence[str], Callable[[], datetime]], int], *, downgrade: bool = False) -> Iterator[str]:
    """Run the demo.

    Args:
        downgrade: tell the story of a default that turns bad, instead of that of the pipeline.

    Raises:
        ReleaseError: there is no git, or nothing to render charts with.
    """
    helm.described(helm.make_renderer())
    clock = _Clock()
    with _repository(clock, guarded=downgrade) as directory:
        yield "A Git repository with a chart, two environments and the versions of one service."
        for number, (text, step, later) in enumerate(_DOWNGRADE if downgrade else _STEPS):
            clock.now += later
            if downgrade and number in _BREAKS:
                (directory / "bad").write_text(_BREAKS[number], encoding="utf-8")
            if text:
                yield f"\n# {clock.now:%H:%M} {text}" if downgrade else f"\n# {text}"
            yield f"$ {'cat environments/devel/image_tag.yaml' if step == 'cat devel' else f'release {step}'}"
            if step == "cat devel":
                yield _tags(directory).rstrip("\n")
            elif command([*shlex.split(step), "--repo", str(directory / "origin.git")], lambda: clock.now):
                raise RuntimeError(f"the step `release {step}` failed")
        yield "\nThat was a temporary repository; nothing of it is left."


@contextmanager
def _repository(clock: _Clock, *, guarded: bool) -> Iterator[Path]:
    """A bare repository `origin.git` with a chart, a configuration and two environments."""
    try:
        from git import Actor, Repo
    except ImportError as error:  # what GitPython raises where there is no git program
        raise ReleaseError(
            "the program `git` can't be run", hint="install git 2.38 or newer, or correct PATH"
        ) from error

    with temporary.lent("release-demo-") as directory:
        origin = Repo.init(directory / "origin.git", bare=True, initial_branch="main")
        with Repo.init(directory / "work", initial_branch="main") as work:
            _write_files(
                directory / "work",
                _config(directory) if guarded else _CONFIG,
                _TAGS.replace("image:\n", "image:\n  default: v4\n") if guarded else _TAGS,
            )
            work.index.add(_paths(directory / "work"))
            author = Actor("Demo", "demo@example.com")
            stamp = f"{int(clock.now.timestamp())} +0000"
            work.index.commit("Begin", author=author, committer=author, author_date=stamp, commit_date=stamp)
            work.git.push(str(directory / "origin.git"), "main")
        origin.close()
        yield directory


def _config(directory: Path) -> str:
    """The configuration with a check: a program that knows which versions are bad."""
    program = directory / "probe.py"
    program.write_text(_PROGRAM, encoding="utf-8")
    (directory / "bad").write_text("", encoding="utf-8")
    return _GUARDED.format(python=_quoted(sys.executable), program=_quoted(str(program)))


def _quoted(path: str) -> str:
    return path.replace("'", "''")


def _write_files(work: Path, config: str, tags: str) -> None:
    shutil.copytree(CHART, work / "charts" / "grpc-manifest")
    files = {
        "release.yaml": config,
        "environments/devel/image_tag.yaml": tags,
        "environments/production/image_tag.yaml": tags,
    }
    for path, text in files.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text(text, encoding="utf-8", newline="\n")


def _paths(work: Path) -> list[str]:
    return [str(path.relative_to(work)) for path in work.rglob("*") if path.is_file() and ".git" not in path.parts]


def _tags(directory: Path) -> str:
    from git import Repo

    with Repo(directory / "origin.git") as origin:
        return str(origin.git.show("main:environments/devel/image_tag.yaml", strip_newline_in_stdout=False))

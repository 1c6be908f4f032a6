"""What `release init` would write, as a record and as files that `release check` can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.init.files import PlannedFile, judged
from release_tool.git import process

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from release_tool.commands.check import CheckReport
    from release_tool.commands.init.ledger import Ledger
    from release_tool.commands.init.survey import PlainDirectory, Survey
    from release_tool.config import Config
    from release_tool.git.repository import Repository
    from release_tool.git.working_tree import WorkingTree


class Planned(NamedTuple):
    """What would be written, and what `release check` says of that."""

    survey: Survey
    config: Config
    path: str  # of the configuration
    files: tuple[PlannedFile, ...]
    report: CheckReport

    upgraded: str = ""  # the version that wrote before, where this is an upgrade
    marked: tuple[str, ...] = ()  # the files with places that people have to decide

    @property
    def written(self) -> dict[str, bytes | None]:
        """The files that change something; None: it goes."""
        found: dict[str, bytes | None] = {
            one.path: one.content for one in self.files if one.state in {"new", "changed", "noted"}
        }
        found |= {one.path: None for one in self.files if one.state == "removed"}
        # What another run would take for somebody's, a chart or a configuration, comes last: this one may be killed.
        return dict(sorted(found.items(), key=lambda pair: (pair[0] == self.path, pair[0].endswith("/Chart.yaml"))))

    @property
    def conflicts(self) -> list[str]:
        return [one.path for one in self.files if one.state == "conflict"]


class AsPlanned:
    """The files of a directory as they will be: a source of `release check`."""

    commit = None

    def __init__(self, present: PlainDirectory | WorkingTree, files: Mapping[str, bytes | None]) -> None:
        self.title = present.title
        self._present = present
        self._files = files

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        paths = list(paths)
        found = self._present.read(path for path in paths if path not in self._files)
        return found | {path: data for path in paths if (data := self._files.get(path)) is not None}

    def paths(self, directory: str) -> list[str]:
        below = f"{directory.rstrip('/')}/" if directory else ""
        there = {*self._present.paths(directory), *(path for path in self._files if path.startswith(below))}
        return sorted(path for path in there if self._files.get(path, b"") is not None)

    def elsewhere(self, url: str) -> Repository:
        return self._present.elsewhere(url)


def noted(new: Ledger, path: str, present: bytes | None) -> PlannedFile:
    """The tool's own file about what it wrote."""
    one = judged(PlannedFile(path, new.text().encode(), "what was written, for `--upgrade`"), present, force=True)
    return one._replace(state="noted") if one.state == "changed" else one


def id_like(found: Survey) -> str:
    """An id of Git's objects, as this repository has them."""
    answer = process.run(["rev-parse", "--show-object-format"], str(found.top)) if found.tree else None
    return "0" * (64 if answer is not None and answer.text.strip() == "sha256" else 40)

"""A world whose `release.yaml` changes what names, ages and branches hang on: paths, environments, services."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from origin import git, make_bare
from umbrella import umbrella, under
from world import ROOT, World

from release_tool import tagfile
from release_tool.model import history

SOAK = "{promote_from: devel, default: promoted, soak: 1d}"
POLICIES = {
    "devel": "{default: newest, retention: {keep: 12, drain: 1h}}",
    "staging": "{promote_from: devel, default: promoted}",
}
TAGS = "image:\n  default: v2\n  tag:\n    v1: v1.0.1\n    v2: v1.0.2\n"
OLDER = "image:\n  tag:\n    v1: v1.0.1\n"


@dataclass
class Moving(World):
    """One service with two environments, at first. `layout` makes `release.yaml` from the fields.

    Invariant after every command: on the base's first parents a name never has two tags.
    """

    template: str = "environments/{environment}"
    branch: str = "release/{environment}"
    policies: dict[str, str] = field(default_factory=lambda: dict(POLICIES))
    services: tuple[str, ...] = ()
    chart: str = "charts/grpc-manifest"
    known: dict[str, str] = field(default_factory=dict)  # name -> tag, of all that the base ever held
    seen: str = ""

    @classmethod
    def begin(cls, path: Path) -> Moving:
        """The repository, with the files of both environments."""
        world = cls(path)
        make_bare(world.origin)
        git("clone", "-q", world.origin, world.clone)
        shutil.copytree(ROOT / "charts", world.clone / "charts")
        files: dict[str, str | None]
        files = {f"environments/{one}/image_tag.yaml": TAGS if one == "devel" else OLDER for one in world.policies}
        world.commit({"release.yaml": world.layout(), **files}, "Two environments")
        return world

    def layout(self) -> str:
        """The configuration of now."""
        one = "release_name: engine\nnamespace: engine\n"
        several = "services:\n" + "".join(f"  {name}: {{}}\n" for name in self.services)
        environments = "".join(f"  {name}: {policy}\n" for name, policy in self.policies.items())
        return (
            f"version: 1\nchart: {self.chart}\nversions: {{key: {self.key}}}\n"
            f"{several if self.services else one}path: {self.template}\n"
            f"publish: {{branch: '{self.branch}', timeout: 5s}}\nenvironments:\n{environments}"
        )

    def move(self, moves: dict[str, str], order: str = "together", **fields: object) -> None:
        """People move files (old path -> new path) and change the configuration: `together`, or one of them first."""
        self.pull()
        for name, value in fields.items():
            setattr(self, name, value)
        if order == "configuration first":
            self.commit({"release.yaml": self.layout()}, "Name other places")
        for old, new in moves.items():
            if (self.clone / old).exists():
                shutil.move(self.clone / old, self.path / "moving")  # a directory may move below itself
                (self.clone / new).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(self.path / "moving", self.clone / new)
        if self.key != "image":
            umbrella(self.clone)
            for path in self.clone.rglob("image_tag.yaml"):
                path.write_text(under(self.key, path.read_text()))
        if order == "together":
            self.commit({"release.yaml": self.layout()}, "Move")
        else:
            self.commit({}, "Move the files")
        if order == "files first":
            self.commit({"release.yaml": self.layout()}, "Name other places")

    def open_branches(self) -> list[str]:
        """The heads of the open pull requests."""
        return sorted(pull["head"] for pull in self.pulls())

    def check(self) -> None:
        """See the class."""
        tip = git("rev-parse", "main", cwd=self.origin)
        if tip == self.seen:
            return
        span = [f"{self.seen}..{tip}"] if self.seen else [tip]
        for commit in git("rev-list", "--first-parent", "--reverse", *span, cwd=self.origin).split():
            for name, tag in self._pairs(commit).items():
                assert self.known.setdefault(name, tag) == tag, f"{name} was {self.known[name]} and is {tag}"
        self.seen = tip

    def _pairs(self, commit: str) -> dict[str, str]:
        """Name -> tag, of all environments of `engine` wherever they stand."""
        found: dict[str, str] = {}
        for path in git("ls-tree", "-r", "--name-only", commit, cwd=self.origin).splitlines():
            if path.startswith("charts/") or "/web/" in path:
                continue
            if path.endswith("image_tag.yaml"):
                state = tagfile.read_leniently(self.file(path, commit), "image")
                found |= {**state.versions, **state.retired}
            elif path.endswith("history.jsonl"):
                names = history.names_of(history.parse(self.file(path, commit), path))
                landed = {name: tag for tag, name in names.items()}
                found |= {name: tag for name, tag in landed.items() if name not in found}
        return found

"""The bare origin as people and laws see it: what its refs hold, and commits that people make without a working tree."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from origin import Origin as BareOrigin
from origin import attempt

from release_tool import tagfile
from release_tool.model import history
from release_tool.model.records import Line, State

ENVIRONMENTS = ("devel", "staging", "production")
BY_HAND = "By hand"
"""How the messages of all commits of people begin; those of reverts hold it too."""


@lru_cache(maxsize=4096)
def state_of(text: str) -> State:
    """The versions of a file that must be right; an empty one holds none."""
    return tagfile.read(text, "image_tag.yaml", empty=True).state if text else State()


@lru_cache(maxsize=4096)
def lines_of(text: str) -> tuple[Line, ...]:
    return history.parse(text, "history.jsonl")


class Origin(BareOrigin):
    """Reads through one `git cat-file --batch`; commits are remembered for ever, for they never change."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._batch = subprocess.Popen(
            ["git", "cat-file", "--batch"], cwd=path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._known: dict[str, bytes | None] = {}
        self._bases: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        self._batch.communicate(timeout=60)

    # -- looking

    def object(self, name: str) -> bytes | None:
        """The content of an object, by an expression that begins with the id of a commit."""
        if name not in self._known:
            assert self._batch.stdin is not None
            assert self._batch.stdout is not None
            self._batch.stdin.write(name.encode() + b"\n")
            self._batch.stdin.flush()
            head = self._batch.stdout.readline().split()
            if head[-1] == b"missing":
                self._known[name] = None
            else:
                self._known[name] = self._batch.stdout.read(int(head[2]))
                self._batch.stdout.read(1)
        return self._known[name]

    def text(self, commit: str, path: str) -> str:
        """A file at a commit; empty where there is none."""
        return (self.object(f"{commit}:{path}") or b"").decode()

    def tags(self, commit: str, environment: str) -> str:
        return self.text(commit, f"environments/{environment}/image_tag.yaml")

    def state(self, commit: str, environment: str) -> State:
        return state_of(self.tags(commit, environment))

    def lines(self, commit: str, environment: str, *, archived: bool = False) -> tuple[Line, ...]:
        """The record, with the lines of the archives before it if they are wanted."""
        record = lines_of(self.text(commit, f"environments/{environment}/history.jsonl"))
        return (*self.archive(commit, environment), *record) if archived else record

    def archive(self, commit: str, environment: str) -> tuple[Line, ...]:
        folder = f"environments/{environment}/history"
        years = re.findall(rb"(\d{4}\.jsonl)\0", self.object(f"{commit}:{folder}") or b"")
        return tuple(line for year in years for line in lines_of(self.text(commit, f"{folder}/{year.decode()}")))

    def ids(self, commit: str, environment: str) -> frozenset[str]:
        return frozenset(line.id for line in self.lines(commit, environment, archived=True))

    def tree(self, commit: str) -> str:
        return (self.object(commit) or b"").split(b"\n", 1)[0].decode()

    def message(self, commit: str) -> str:
        return (self.object(commit) or b"").partition(b"\n\n")[2].decode()

    def parents(self, commit: str) -> list[str]:
        head = (self.object(commit) or b"").partition(b"\n\n")[0].decode()
        return [line.split()[1] for line in head.splitlines() if line.startswith("parent ")]

    def time(self, commit: str) -> int:
        head = (self.object(commit) or b"").partition(b"\n\n")[0].decode()
        (stamp,) = (line.split()[-2] for line in head.splitlines() if line.startswith("committer "))
        return int(stamp)

    def merge_base(self, one: str, other: str) -> str:
        if (one, other) not in self._bases:
            self._bases[one, other] = self.git("merge-base", one, other)
        return self._bases[one, other]

    def first_parents(self, old: str, new: str) -> list[str]:
        """The commits that the base went through, oldest first."""
        walked = [new]
        while walked[-1] != old:
            walked.append(self.parents(walked[-1])[0])
        return walked[-2::-1]

    def by_person(self, commit: str) -> bool:
        """Whether a person's commit is, or is among what is merged by, a first-parent commit."""
        if BY_HAND in self.message(commit):
            return True
        parents = self.parents(commit)
        return len(parents) > 1 and BY_HAND in self.git("log", "--format=%B", f"{parents[0]}..{commit}")

    # -- what people do

    def revert(self, tip: str, commit: str, when: datetime) -> bool:
        """`git revert -m 1` on main; False where that conflicts, and the person gives up."""
        words = (f"--merge-base={commit}", tip, f"{commit}^1")
        return self._merged("main", [tip], f"Revert something ({BY_HAND})", when, *words)

    def update_branch(self, branch: str, tip: str, main: str, when: datetime) -> bool:
        """The forge's button "update branch"; False where that conflicts."""
        return self._merged(branch, [tip, main], f"Merge main into {branch}", when, tip, main)

    def _merged(self, branch: str, parents: Sequence[str], message: str, when: datetime, *words: str) -> bool:
        done = attempt("merge-tree", "--write-tree", *words, cwd=self.path)
        if done.returncode == 0:
            options = [word for parent in parents for word in ("-p", parent)]
            new = self.git("commit-tree", done.stdout.decode().split()[0], *options, "-m", message, at=when)
            self.git("update-ref", f"refs/heads/{branch}", new, parents[0])
        return done.returncode == 0


@dataclass(frozen=True)
class Seen:
    """The origin at one moment."""

    origin: Origin
    refs: Mapping[str, str]
    pulls: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    def take(cls, origin: Origin) -> Seen:
        refs = origin.refs()
        numbers = [ref for ref in refs if ref.startswith("refs/pulls/") and ref.rpartition("/")[2].isdecimal()]
        pulls = [json.loads(origin.text(refs[ref], "pull.json")) for ref in numbers]
        return cls(origin, refs, sorted(pulls, key=lambda pull: int(pull["number"])))

    @property
    def main(self) -> str:
        return self.refs["refs/heads/main"]

    @property
    def heads(self) -> dict[str, str]:
        return {ref: tip for ref, tip in self.refs.items() if ref.startswith("refs/heads/")}

    @property
    def branches(self) -> dict[str, str]:
        """The release branches: name -> tip."""
        return {ref.removeprefix("refs/heads/"): tip for ref, tip in self.heads.items() if "/release/" in ref}

    @property
    def open(self) -> list[Mapping[str, Any]]:
        return [pull for pull in self.pulls if pull["state"] == "open" and pull["head"] in self.branches]

    def finished(self, branch: str) -> Mapping[str, Any] | None:
        """The latest pull request of a branch that isn't open."""
        done = [pull for pull in self.pulls if pull["head"] == branch and pull not in self.open]
        return done[-1] if done else None

    def state(self, environment: str) -> State:
        return self.origin.state(self.main, environment)

    def pending(self, branch: str) -> dict[str, Line]:
        """The lines that a release branch brings and nobody has decided about: id -> line."""
        tip, environment = self.branches[branch], environment_of(branch)
        finished = self.finished(branch)
        seen = self.origin.ids(self.main, environment)
        seen |= self.origin.ids(self.origin.merge_base(self.main, tip), environment)
        seen |= self.origin.ids(finished["head_commit"], environment) if finished else frozenset()
        return {line.id: line for line in self.origin.lines(tip, environment) if line.id not in seen}


def environment_of(branch: str) -> str:
    return branch.removeprefix("release/").removesuffix("-downgrade")

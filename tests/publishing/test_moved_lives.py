"""Random lives in which `release.yaml` changes between operations: real git, the whole command line.

Laws, after every command: a name never gets a second tag (`Moving.check`), whatever paths did; what was proposed is
landed, waits on a branch, or was closed by a person.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from moving import POLICIES, Moving
from origin import git

from release_tool.model import history

BRANCHES = ("release/{environment}", "bot/{environment}", "{environment}-next")
ORDERS = ("together", "files first", "configuration first")


class Life:
    """One life of a repository; the same seed gives the same one."""

    def __init__(self, path: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = Moving.begin(path)
        self.number = 2  # of the last tag
        self.proposed: set[str] = set()  # ids of operations that were proposed, and that nobody closed
        self.story: list[str] = []

    @property
    def entry(self) -> str:
        return next(iter(self.world.policies))

    @property
    def more(self) -> tuple[str, ...]:
        return ("--service", "engine") if self.world.services else ()

    def path(self, environment: str, template: str = "") -> str:
        return (template or self.world.template).replace("{environment}", environment).replace("{service}", "engine")

    # -- what happens

    def bump(self) -> None:
        self.number += 1
        self.world.release("bump", self.entry, f"v1.0.{self.number}", "--direct", *self.more)

    def propose(self) -> None:
        self.number += 1
        one = f"proposed-{self.number}"
        done = self.world.release("bump", self.entry, f"v1.0.{self.number}", "--id", one, *self.more, code=None)
        self.proposed |= {one} if done.code == 0 else set()  # else the branch of that name is another environment's

    def again(self) -> None:
        """A tag that was there before, perhaps reverted; one that waits would have nothing more to wait for."""
        numbers = [one for one in range(1, self.number + 1) if f"proposed-{one}" not in self.proposed]
        tag = f"v1.0.{self.chance.choice(numbers)}"
        self.world.release("bump", self.entry, tag, "--direct", *self.more)

    def promote(self) -> None:
        if len(self.both) == 1:
            return
        source, target = self.both
        self.world.release("promote", source, target, "--direct", *self.more, code=None)

    def merge(self) -> None:
        self.sync()
        pulls = self.world.pulls()
        if pulls:
            self.world.release("pulls", "merge", str(self.chance.choice(pulls)["number"]), code=None)

    def close(self) -> None:
        pulls = self.world.pulls()
        if pulls:
            pull = self.chance.choice(pulls)
            self.proposed -= self.ids(pull["head"])
            self.world.release("pulls", "close", str(pull["number"]))

    def revert(self) -> None:
        """A person takes back the last commit, if the tool made it."""
        self.world.pull()
        parents = self.world.git("log", "-1", "--format=%P").split()
        if self.world.git("log", "-1", "--format=%(trailers:key=Release-Operation)", *parents[1:]).strip():
            self.proposed -= self.ids("main")
            self.world.revert(*(("-m1",) if len(parents) > 1 else ()))

    def directory(self) -> None:
        names = [name for name in ("environments", "envs", "deploy/live") if not self.world.template.startswith(name)]
        tail = "{environment}/{service}" if self.world.services else "{environment}"
        template = f"{self.chance.choice(names)}/{tail}"
        moves = {self.path(one): self.path(one, template) for one in self.both}
        self.world.move(moves, self.chance.choice(ORDERS), template=template)

    @property
    def both(self) -> list[str]:
        return list(self.world.policies)

    def environment(self) -> None:
        old = self.chance.choice(self.both)
        new = next(name for name in ("dev", "qa", "stage", "live") if name not in self.world.policies)
        policies = {
            new if name == old else name: policy.replace(f"promote_from: {old},", f"promote_from: {new},")
            for name, policy in self.world.policies.items()
        }
        self.world.move({self.path(old): self.path(new)}, self.chance.choice(ORDERS), policies=policies)

    def branches(self) -> None:
        every = [f"{{service}}/{one}" if self.world.services else one for one in BRANCHES]
        self.world.move({}, branch=self.chance.choice([one for one in every if one != self.world.branch]))

    def service(self) -> None:
        if self.world.services:
            return
        moves = {self.path(one): f"{self.path(one)}/engine" for one in self.both}
        layout = {"template": f"{self.world.template}/{{service}}", "branch": f"of-{{service}}/{self.world.branch}"}
        self.world.move(moves, self.chance.choice(ORDERS), services=("engine", "web"), **layout)
        web = [self.path(one).removesuffix("engine") + "web" for one in self.both]
        self.world.commit({f"{one}/image_tag.yaml": "image:\n  tag: {}\n" for one in web}, "The new service")

    def drop(self) -> None:
        """The last environment goes, or comes back as a new one."""
        if len(self.world.policies) == 1:
            policies = {**self.world.policies, "staging": POLICIES["staging"].replace("devel", self.entry)}
            self.world.policies = policies
            path = f"{self.path('staging')}/image_tag.yaml"
            self.world.commit({"release.yaml": self.world.layout(), path: "image:\n  tag: {}\n"}, "Staging")
        else:
            last = self.both[-1]
            self.world.pull()
            self.world.git("rm", "-rq", self.path(last))
            self.world.policies = {self.entry: self.world.policies[self.entry]}
            self.world.commit({"release.yaml": self.world.layout()}, f"No {last}")

    def sync(self) -> None:
        self.world.release("sync", code=None)

    def cleanup(self) -> None:
        self.world.release("cleanup", code=None)

    # -- the laws

    def ids(self, ref: str) -> set[str]:
        """The operations in all records at a ref."""
        found: set[str] = set()
        for path in git("ls-tree", "-r", "--name-only", ref, cwd=self.world.origin).splitlines():
            if path.endswith(".jsonl"):
                found |= {line.id for line in history.parse(self.world.file(path, ref), path)}
        return found

    def check(self) -> None:
        branches = [ref for ref in self.world.refs() if ref.startswith("refs/heads/")]
        there = set().union(*map(self.ids, branches))
        assert self.proposed <= there, f"lost: {self.proposed - there}"

    def step(self) -> None:
        do = self.chance.choice(STEPS)
        self.story.append(do.__name__)
        do(self)
        self.check()


STEPS = [
    *[Life.bump, Life.propose, Life.sync, Life.sync],
    *[Life.again, Life.promote, Life.merge, Life.close, Life.revert, Life.cleanup],
    *[Life.directory, Life.environment, Life.branches, Life.service, Life.drop],
]


def live(path: Path, seed: int, steps: int) -> None:
    life = Life(path, seed)
    try:
        for _ in range(steps):
            life.step()
    except BaseException:
        print(f"seed {seed}: {' '.join(life.story)}")
        raise


@pytest.mark.parametrize("seed", [1])
def test_a_short_life(tmp_path: Path, seed: int) -> None:
    live(tmp_path, seed, 12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_longer_lives(tmp_path: Path, seed: int) -> None:
    live(tmp_path, seed, 25)


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(20))
def test_lives_of_every_night(tmp_path: Path, part: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"part {part}: live(path, {seed}, 40)")
    live(tmp_path, seed, 40)

"""What messages tell people to do is done as printed, on copies of repositories that have lived a while."""

from __future__ import annotations

import random
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from machine_life import SOURCE, Life
from machine_origin import ENVIRONMENTS
from machine_setup import TAGS
from test_machine import SETTINGS
from world import Result

NAMED = ("default", "pin", "unpin", "retire", "restore", "quarantine", "clear")
LOOKING = ("status", "history", "check", "doctor", "diff", "pulls")


class Obedient(Life):
    """A life at whose end every message is taken at its word."""

    few: int | None = None  # so many wishes, by chance; None: all

    def teardown(self) -> None:
        try:
            if self.origin is not None:
                _Reader(self).reads()
        finally:
            super().teardown()


class _Reader:
    """A person who does what is printed, each time on a copy of the repository."""

    def __init__(self, life: Life) -> None:
        self.world, self.seen, self.tags = life.world, life.seen, TAGS[life.setup.order]
        self.laws = life.laws
        self.begun = self.world.now
        self.tried: dict[str, int] = {}
        self.broken: list[str] = []
        self.few = life.few

    def reads(self) -> None:
        for argv in self._wishes() if self.few is None else random.Random(self.few).sample([*self._wishes()], self.few):
            refused = self._run(self.world.origin, *argv, "--dry-run")
            if refused.code and "--force --reason" in refused.err:
                forced = self._run(self.world.origin, *argv, "--force", "--reason", "why", "--dry-run")
                self._holds(forced.err != refused.err, f"{argv}: {refused.err}\n--force did not help")
            assert refused.code in {0, 1}, f"{argv}: {refused.err}"
            for text in commands(refused.err) if refused.code else ():
                if self._is_new(f"{argv[0]}: {text}"):
                    self._obeys(argv, refused, text)
        for argv in (
            ["status"],
            ["check", "--ref", "main"],
            *(["pulls", "show", str(it["number"])] for it in self.seen.open),
        ):
            said = self._run(self.world.origin, *argv, code=None)
            for text in commands(said.out + said.err):
                if self._is_new(f"{argv[0]}: {text}"):
                    done = self._run(self._copy(), *shlex.split(text)[1:])
                    self._holds(done.code == 0, f"{argv} printed {text}: {done.err}")
        for pull in self.seen.open:
            self._takes_back(pull)
        assert not self.broken, "\n\n".join(self.broken)

    def _holds(self, right: bool, what: str) -> None:
        if not right:
            self.broken.append(what)

    def _wishes(self) -> Iterator[list[str]]:
        """All that somebody may want of each version."""
        for environment in ENVIRONMENTS:
            state = self.seen.state(environment)
            names = [*state.versions, *state.retired, *random.Random(1).sample(sorted(self.laws.tags), 1), "v99"]
            yield from (["bump", environment, tag] for tag in {*state.versions.values(), *state.retired.values()})
            yield ["bump", environment, self.tags[-1]]
            yield from ([operation, environment, name, "--reason", "why"] for operation in NAMED for name in names)
            yield ["downgrade", environment]
            yield from (["downgrade", environment, "--to", name] for name in names)
            yield ["undo", environment]
            yield from (
                ["undo", environment, line.id] for line in self.seen.origin.lines(self.seen.main, environment)[-5:]
            )
            if environment != "devel":
                yield ["promote", SOURCE[environment], environment]
                yield from (["promote", SOURCE[environment], environment, "--version", name] for name in names)

    def _is_new(self, text: str) -> bool:
        kind = re.sub(r"\b(v\d+|op-\d+|devel|staging|production)\b|" + "|".join(map(re.escape, self.tags)), "_", text)
        self.tried[kind] = self.tried.get(kind, 0) + 1
        return self.tried[kind] <= 2

    def _obeys(self, argv: list[str], refused: Result, text: str) -> None:
        copy, words = self._copy(), shlex.split(text)[1:]
        done = self._run(copy, *self._filled(words, refused.err))
        self._holds(done.code == 0, f"{argv}: {refused.err}\n{words}: {done.err}")
        if words[0] not in {*LOOKING, argv[0]}:  # the same verb: another command instead of the refused one
            self._merge_all(copy)
            again = self._run(copy, *argv, "--dry-run")
            self._holds(again.err != refused.err, f"{argv}: {refused.err}\n{words} did not help")

    def _filled(self, words: list[str], said: str) -> list[str]:
        """A placeholder is what a person finds who looks: a live version that the message does not name."""
        environment = next((word for word in words if word in ENVIRONMENTS), "devel")
        state = self.seen.state(environment)
        others = [name for name in state.live if not re.search(rf"\b{name}\b", said)]
        names = {"NAME": (others or ["v1"])[-1], "WHY": "because"}
        return [names.get(word, word) for word in words]

    def _takes_back(self, pull: Any) -> None:
        """The commands of a pull request that undo it bring back what was, once it and they are merged."""
        body = self._run(self.world.origin, "pulls", "show", str(pull["number"])).out
        block = re.search(r"```sh\n(.*?)\n```", body, re.DOTALL)
        copy = self._copy()
        if block is None or self._run(copy, "pulls", "merge", str(pull["number"])).code:
            return
        for line in block[1].splitlines():
            done = self._run(copy, *shlex.split(line, comments=True)[1:])
            self._holds(done.code == 0, f"{body}\n{line}: {done.err}")
            self._merge_all(copy)

    def _merge_all(self, copy: Path) -> None:
        for pull in self._run(copy, "pulls", "list", "--output", "json").data:
            self._run(copy, "pulls", "merge", str(pull["number"]))

    def _copy(self) -> Path:
        copy = self.world.path / "copy.git"
        shutil.rmtree(copy, ignore_errors=True)
        return Path(shutil.copytree(self.world.origin, copy))

    def _run(self, where: Path, *argv: str, code: int | None = None) -> Result:
        done = self.world.release(*argv, "--repo", str(where), code=code)
        assert done.code != 3, done.err
        return done


def commands(text: str) -> list[str]:
    """The whole commands in a text: `release` with a verb and something after it."""
    return [one for one in re.findall(r"`(release [^`]*)`", text) if len(one.split()) > 2]


def obey(number: int, lives: int, few: int | None = None) -> None:
    machine = seed(number)(type("SeededLife", (Obedient,), {"few": few}))
    few = settings(SETTINGS, max_examples=lives, stateful_step_count=25, phases=[Phase.generate])
    run_state_machine_as_test(machine, settings=few)


def test_what_is_printed_works_as_printed() -> None:
    obey(1, 2, few=30)


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(8))
def test_what_is_printed_works_as_printed_in_many_lives(part: int) -> None:
    number = random.SystemRandom().randrange(2**32)
    print(f"part {part}: `obey({number}, 4)` lives these lives again")
    obey(number, 4)

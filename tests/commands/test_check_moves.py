"""`release check` of a proposal that renames what names, ages and records hang on: the record must come along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import umbrella
from moving import POLICIES, Moving

RENAMED = {"dev": POLICIES["devel"], "staging": "{promote_from: dev, default: promoted}"}
SEVERAL = {
    "services": ("engine",),
    "template": "environments/{environment}/{service}",
    "branch": "release/{service}/{environment}",
}
CASES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a directory": ({"template": "envs/{environment}"}, {"devel": "envs/devel", "staging": "envs/staging"}),
    "an environment": ({"policies": RENAMED}, {"devel": "environments/dev", "staging": "environments/staging"}),
    "the key": (
        {"key": umbrella.KEY, "chart": umbrella.CHART},
        {"devel": "environments/devel", "staging": "environments/staging"},
    ),
    "a service": (SEVERAL, {one: f"environments/{one}/engine" for one in POLICIES}),
}


@pytest.fixture
def world(tmp_path: Path) -> Moving:
    world = Moving.begin(tmp_path)
    world.release("bump", "devel", "v1.0.3", "--direct")
    world.pull()
    return world


def propose(world: Moving, what: str, *, with_record: bool) -> list[str]:
    """A person proposes a move; what `release check` finds in it."""
    fields, places = CASES[what]
    for name, value in fields.items():
        setattr(world, name, value)
    if world.key == umbrella.KEY:
        umbrella.umbrella(world.clone)
    files: dict[str, str | None] = {}
    for old, new in places.items():
        for name in ("image_tag.yaml", "history.jsonl"):
            path = f"environments/{old}/{name}"
            text = umbrella.under(world.key, world.file(path))
            files |= {path: None} if text and f"{new}/{name}" != path else {}
            files |= {f"{new}/{name}": text} if text and (with_record or name == "image_tag.yaml") else {}
    world.commit({**files, "release.yaml": world.layout()}, "Move", "feature")
    found = world.json("check", "--ref", "feature", code=0 if with_record else 1)
    return [one["what"] for one in found["findings"]]


@pytest.mark.parametrize("what", CASES)
def test_a_move_with_its_record_is_right(world: Moving, what: str) -> None:
    assert propose(world, what, with_record=True) == []


@pytest.mark.parametrize("what", sorted(CASES.keys() - {"the key"}))
def test_a_move_that_leaves_its_record_behind_is_found(world: Moving, what: str) -> None:
    (found,) = propose(world, what, with_record=False)
    assert "was deleted: a landed line never changes" in found

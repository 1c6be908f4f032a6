"""What the machine found, each as a story that can be read. Kept for ever."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from landing import tags
from world import World


def test_a_restore_that_waited_until_its_pin_was_over_is_left_out_with_a_word(tmp_path: Path) -> None:
    """It went without one: the sweep would retire its version at once, and there was no line to call superseded."""
    world = World.make(tmp_path, tags=tags("v2", "v3", "v4", default="v4", retired=["v1"]), keep=1)
    restored = world.json("restore", "devel", "v1", "--until", "1d", "--id", "restored")
    assert restored["changed"]
    world.now += timedelta(days=3)
    bumped = world.json("bump", "devel", "v1.0.5")
    (told,) = [note for note in bumped["notes"] if "restored" in note]
    assert told == "left out: restore v1.0.1 (restored): the retention policy would retire its version at once"
    assert [line.intent.operation for line in world.lines(ref="release/devel")] == ["bump"]
    world.merge(restored["pull_request"]["number"])
    assert "v1" not in world.state().live

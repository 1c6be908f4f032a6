"""What the machine found, each as a story that can be read. Kept for ever."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from landing import tags
from world import World


def test_a_restore_that_waited_until_its_pin_was_over_has_no_effect_and_says_so(tmp_path: Path) -> None:
    """It went without one: the sweep would retire its version at once, and there was no line to call superseded."""
    world = World.make(tmp_path, tags=tags("v2", "v3", "v4", default="v4", retired=["v1"]), keep=1)
    restored = world.json("restore", "devel", "v1", "--until", "1d", "--id", "restored")
    assert restored["changed"]
    world.now += timedelta(days=3)
    bumped = world.json("bump", "devel", "v1.0.5")
    (told,) = [note for note in bumped["notes"] if "restored" in note]
    reason = "v1.0.1 would be retired at once by the retention policy"
    assert told == f"without effect for now: restore v1.0.1 (restored): {reason}"
    assert [line.intent.operation for line in world.lines(ref="release/devel")] == ["restore", "bump"]
    world.merge(restored["pull_request"]["number"])
    assert "v1" not in world.state().live

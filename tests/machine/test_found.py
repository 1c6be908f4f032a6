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


def test_who_may_not_quarantine_the_default_is_told_a_way_that_goes(tmp_path: Path) -> None:
    """It was `downgrade --from v1`, which found no target where only newer versions are live, or one that waited."""
    world = World.make(tmp_path, tags=tags("v1", "v3", default="v1"))
    world.json("bump", "devel", "v1.0.4", "--id", "bumped")
    assert "`release default devel v3` moves the default first" in world.refused(
        "quarantine", "devel", "v4", "--reason", "x"
    )
    world.json("default", "devel", "v1")
    assert "`release downgrade devel --from v1 --to v3`" in world.refused("quarantine", "devel", "v1", "--reason", "x")

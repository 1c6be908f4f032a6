"""`check`, `status` and `bump` of many live versions: their time against their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.repositories import CONFIG, Template
from benchmarks.timing import Side, in_turn, program, row, seconds_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SIZES = (100, 1000)
LONGEST = 3.0
"""Seconds for the larger one, on two cores."""
COMMANDS = ("check", "status", "bump devel v2.0.0")


def versions_rows(directory: Path, runs: int, release: Sequence[str]) -> Iterator[str]:
    """Each command at both sizes, with the shipped chart."""
    made = []
    for size in SIZES:
        tags = "".join(f"    v{number}: v1.0.{number}\n" for number in range(1, size + 1))
        files = {
            "release.yaml": CONFIG.replace("keep: 8", "keep: 10000"),
            "environments/devel/image_tag.yaml": f"image:\n  default: v{size}\n  tag:\n{tags}",
        }
        made.append(Template(directory / f"versions-{size}", 0, files))
    for command in COMMANDS:
        ours = [program([*release, *command.split()], str(one.copy / "work")) for one in made]
        sides = [Side(command, one.fresh, run) for one, run in zip(made, ours, strict=True)]
        small, large = in_turn(sides, max(2, runs // 3))
        label = f"{command.split()[0]}, {SIZES[1]:,} live versions"
        yield row(f"{label} / {SIZES[0]}", large, small, 1.2 * SIZES[1] / SIZES[0])
        yield seconds_row(f"{label}, seconds", large, LONGEST)

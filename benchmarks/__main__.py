"""Prints the ratios that the project promises (docs/explanation/benchmarks.md). `--runs N`; `--only PART`: `--help`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.charts import render_rows
from benchmarks.cleanup import cleanup_rows
from benchmarks.editor import editor_rows
from benchmarks.guard import guard_rows
from benchmarks.install import install_rows
from benchmarks.repositories import PLAIN, PLAIN_WITHOUT_CHECKOUT, Template
from benchmarks.timing import Side, in_turn, nothing, program, row
from benchmarks.versions import versions_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RELEASE = [str(Path(sys.executable).with_name("release"))]
LARGE = 20_000


def help_rows(runs: int) -> list[str]:
    sides = [
        Side("release --help", nothing, program([*RELEASE, "--help"])),
        Side("python -c pass", nothing, program([sys.executable, "-c", "pass"])),
    ]
    shown, bare = in_turn(sides, runs * 3)
    return [row("release --help / python -c pass", shown, bare, 5)]


def bump_rows(directory: Path, runs: int) -> list[str]:
    small, large = Template(directory / "small", 0), Template(directory / "large", LARGE)
    rows = []
    for label, without in (("in a checkout", False), ("without checkout", True)):
        sides = [side for template in (small, large) for side in _bump_sides(template, without=without)]
        ours, plain, ours_large, plain_large = in_turn(sides, runs)
        rows += [
            row(f"--direct bump / plain git, small, {label}", ours, plain, 4),
            row(f"--direct bump / plain git, {LARGE:,} files, {label}", ours_large, plain_large, 4),
            row(f"--direct bump, {LARGE:,} files / small, {label}", ours_large, ours, 1.5),
        ]
    return rows


def _bump_sides(template: Template, *, without: bool) -> list[Side]:
    bump = [*RELEASE, "bump", "devel", "v1.0.5", "--direct"]
    origin = f"file://{template.copy}/origin.git"
    if without:
        prepare, cwd = template.fresh_without_checkout, str(template.copy)
        bump += ["--repo", origin]
        plain = ["sh", "-c", PLAIN_WITHOUT_CHECKOUT, "sh", origin]
    else:
        prepare, cwd = template.fresh, str(template.copy / "work")
        plain = ["sh", "-c", PLAIN]
    return [Side("release", prepare, program(bump, cwd)), Side("git", prepare, program(plain, cwd))]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="counted runs of each side (default: 9)")
    names = ("help", "bump", "editor", "render", "cleanup", "guard", "versions", "install")
    parser.add_argument("--only", choices=names, help="one part alone; `install` needs a network, and runs only so")
    arguments = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(("GIT_", "GITHUB_"))]:
        del os.environ[name]
    os.environ |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    os.environ |= {f"GIT_{role}_{what}": "bench" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # every start would compile the tool anew
    print(f"{'':58} {'ratio':>6}  {'bound':>7}  met  medians")
    with tempfile.TemporaryDirectory(prefix="release-bench-") as name:
        parts: dict[str, Callable[[], Iterable[str]]] = {
            "help": lambda: help_rows(arguments.runs),
            "bump": lambda: bump_rows(Path(name), arguments.runs),
            "editor": lambda: editor_rows(arguments.runs),
            "render": lambda: render_rows(arguments.runs),
            "cleanup": lambda: cleanup_rows(Path(name), arguments.runs, RELEASE),
            "guard": lambda: guard_rows(Path(name), arguments.runs),
            "versions": lambda: versions_rows(Path(name), arguments.runs, RELEASE),
            "install": lambda: install_rows(Path(name), arguments.runs),
        }
        for part, rows in parts.items():
            if part == arguments.only or (arguments.only is None and part != "install"):
                for line in rows():
                    print(line, flush=True)


if __name__ == "__main__":
    main()

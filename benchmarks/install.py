"""How long the action takes until the tool is ready, beside what a plain `venv` and `pip install` take."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.timing import Side, in_turn, row, seconds_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
PLAIN = """
"$PYTHON" -I -m venv "$RUNNER_TEMP/plain"
pip="$RUNNER_TEMP/plain/bin/python -I -m pip install --quiet --no-input --disable-pip-version-check --no-deps"
echo "$SETUPTOOLS" > "$RUNNER_TEMP/setuptools.txt"
$pip --require-hashes --only-binary=:all: -r requirements/tool.txt -r requirements/embedded.txt \\
  -r "$RUNNER_TEMP/setuptools.txt"
$pip --no-build-isolation .
"$RUNNER_TEMP/plain/bin/python" -I -m release_tool --version
"""
ACTION = """
"$PYTHON" -I -c 'import sys; sys.path.insert(0, sys.argv[1])
from release_tool.actions.install import main; sys.exit(main())' .
python=$(sed -n 's/^python=//p' "$GITHUB_OUTPUT")
"$python" -I -m release_tool --version
"""
SETUPTOOLS = (
    "setuptools==84.2.1 "
    "--hash=sha256:3ff8b3b5492a0aa66960f4419365a86b84e013070d4313e4d4a6894f5d64d6bc "
    "--hash=sha256:ca140b45d5325a9478f880e351484f62fef15f336462e449ca0c03c873d589c2"
)


def install_rows(directory: Path, runs: int) -> Iterator[str]:
    """With a cold and with a warm cache of pip; `helm` must be on PATH, as on the runners that GitHub hosts."""
    if not shutil.which("helm"):
        raise SystemExit("there is no helm on PATH")
    for cache in ("cold", "warm"):
        sides = [_side(directory, cache, name, script) for name, script in (("action", ACTION), ("plain", PLAIN))]
        action, plain = in_turn(sides, runs)
        yield row(f"venv and pip install / the action, pip's cache {cache}", plain, action, 3, at_least=True)
        yield seconds_row(f"seconds until the action is ready, pip's cache {cache}", action, 8)


def _side(directory: Path, cache: str, name: str, script: str) -> Side:
    place = directory / f"{cache}-{name}"
    source = directory / "source"  # pip builds in the directory that it installs
    environ = {name: value for name, value in os.environ.items() if name not in {"RUNNER_TOOL_CACHE", "EXTRAS"}}
    environ |= {
        "PYTHON": getattr(sys, "_base_executable", sys.executable),
        "SETUPTOOLS": SETUPTOOLS,
        "RUNNER_TEMP": str(place / "temp"),
        "GITHUB_OUTPUT": str(place / "temp" / "output"),
        "PIP_CACHE_DIR": str(place / "cache"),
    }

    def prepare() -> None:
        shutil.rmtree(place / "temp", ignore_errors=True)
        (place / "temp").mkdir(parents=True)
        if cache == "cold":
            shutil.rmtree(place / "cache", ignore_errors=True)
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(exist_ok=True)
        for file in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / file, source)
        for folder in ("charts", "release_tool", "requirements"):
            leave = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=leave)

    return Side(name, prepare, _shell(script, source, environ))


def _shell(script: str, cwd: Path, environ: dict[str, str]) -> Callable[[], None]:
    def run() -> None:
        subprocess.run(["bash", "-euc", script], cwd=cwd, env=environ, check=True, stdout=subprocess.DEVNULL)

    return run

"""Makes the environment that a CI job runs the tool in. It runs in the runner's Python, from a checkout of the tool.

Only the standard library is there, and what of this package needs nothing else. What is in the environment:

- what the locks in requirements/ hold, byte by byte, and nothing that would run while it is installed;
- the package itself, copied: building a wheel of it would take longer than everything else;
- the embedded Helm engine where `helm` is missing or too old, for the engine has some hundred megabytes.

pip's own start takes longer than its work for most of the packages, so there is one call, by the runner's pip. Python
compiles what is used; compiling all takes longer than one command.

Only self-hosted runners keep their tool cache. Elsewhere a cache would save nothing: the wheels come from the package
index as fast as from GitHub's cache, and what holds a token that writes is better made anew than read back.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from release_tool import safe_text
from release_tool.actions import ci_system
from release_tool.actions.annotation import Annotation
from release_tool.errors import ReleaseError, UsageError
from release_tool.helm.installed import program_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_ROOT = Path(__file__).resolve().parents[2]
_ENGINE = "embedded"
_PIP = ("install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-user", "--root-user-action=ignore")
_LOCKED = ("--no-deps", "--no-compile", "--require-hashes", "--only-binary=:all:")


def main(file: str = "") -> int:
    """Make the environment, and write its Python to a file, else among the outputs of the step; the exit status."""
    try:
        python = installed(os.environ)
    except ReleaseError as error:
        said = Annotation("error", "release", f"{error.what}\nnext: {error.hint}")
        _say((ci_system.of(os.environ) or ci_system.GITHUB).said(said))
        return error.exit_code
    if file:
        Path(file).write_text(f"{python}\n", "utf-8")
        return 0
    artifacts = tempfile.mkdtemp(prefix="release-artifacts.", dir=os.environ["RUNNER_TEMP"])
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
        outputs.write(f"python={python}\nartifacts={artifacts}\n")
    return 0


def installed(environ: Mapping[str, str]) -> Path:
    """The Python of an environment with the tool: one for each state of the tool, of Python and of the platform."""
    locks = _locks(environ.get("EXTRAS", ""))
    home = Path(environ.get("RUNNER_TOOL_CACHE") or environ["RUNNER_TEMP"]) / "release-tool" / _state(locks)
    if not (home / "bin" / "python").exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, and moved there whole: several runners may share a tool cache.
        new = Path(tempfile.mkdtemp(prefix=f"{home.name}.", dir=home.parent))
        try:
            _fill(new, [_ROOT / "requirements" / f"{lock}.txt" for lock in locks])
            with suppress(OSError):  # another runner was faster
                new.rename(home)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return home / "bin" / "python"


def _locks(extras: str) -> list[str]:
    """The names of the locks that are installed; what renders the charts is told."""
    wanted = [one for one in re.split(r"[,\s]+", extras) if one]
    for one in wanted:
        if not re.fullmatch("[a-z]+", one) or not (_ROOT / "requirements" / f"{one}.txt").is_file():
            names = sorted(path.stem for path in (_ROOT / "requirements").glob("*.txt") if path.stem != "tool")
            raise UsageError(
                "extras are names with commas, as grpc,kubernetes", hint=f"take some of {', '.join(names)}"
            )
    if _ENGINE not in wanted:
        helm = shutil.which("helm")
        try:
            if helm:
                _say(f"release: charts are rendered by {helm}, Helm {program_version(helm)}")
                return ["tool", *wanted]
            _say("release: charts are rendered by the embedded Helm engine, for there is no `helm` on PATH")
        except ReleaseError as error:
            _say(f"release: charts are rendered by the embedded Helm engine: {error.what}")
    return ["tool", *dict.fromkeys([_ENGINE, *wanted])]


def _state(locks: Sequence[str]) -> str:
    """What tells apart all that an environment depends on."""
    digest = hashlib.sha256(f"{sys.version} {sys.base_prefix} {platform.platform()} {locks}".encode())
    for path in sorted(_files("release_tool", "charts", "requirements")):
        digest.update(f"{path.relative_to(_ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _files(*folders: str) -> Iterable[Path]:
    found = (path for folder in folders for path in (_ROOT / folder).rglob("*"))
    return (path for path in found if path.is_file() and path.suffix != ".pyc")


def _fill(home: Path, locks: Iterable[Path]) -> None:
    """Make an environment in an empty directory."""
    own_pip = importlib.util.find_spec("pip") is not None
    venv.create(home, symlinks=True, with_pip=not own_pip)
    python = sys.executable if own_pip else str(home / "bin" / "python")
    packages = Path(sysconfig.get_path("purelib", "posix_prefix", {"base": str(home)}))
    files = (word for lock in locks for word in ("-r", str(lock)))
    command = [python, "-I", "-m", "pip", *_PIP, *_LOCKED, f"--target={packages}", *files]
    status = subprocess.run(command, check=False).returncode
    if status:
        hint = "look at pip's own words above; where the network was busy, run the job again"
        raise ReleaseError(f"pip could not install what the tool needs (status {status})", hint=hint)
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(_ROOT / "release_tool", packages / "release_tool", ignore=leave)  # the chart's link becomes files


def _say(text: str) -> None:
    print(safe_text.lines(text), flush=True)  # noqa: T201 (the log of the job)

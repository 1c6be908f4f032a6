"""The bill of materials (CycloneDX) of what a wheel runs with: the locked packages, the embedded engine among them.

python -m distribution.bill DIRECTORY-WITH-THE-WHEEL sbom.cdx.json
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("tool", "embedded")


def write(wheels: Path, bill: Path, locks: tuple[str, ...] = LOCKS) -> None:
    """Install as a user does, and write down what is there; the writer validates it against CycloneDX's schema."""
    (wheel,) = wheels.glob("*.whl")
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, with_pip=False, symlinks=True)
        python = str(Path(scratch, "bin", "python"))
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-compile"]
        files = [word for lock in locks for word in ("-r", str(ROOT / "requirements" / f"{lock}.txt"))]
        if files:
            subprocess.run([*pip, "--require-hashes", "--only-binary=:all:", *files], check=True)
        subprocess.run([*pip, str(wheel)], check=True)
        command = [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", str(ROOT / "pyproject.toml")]
        command += ["--mc-type", "application", "--output-reproducible", "--spec-version", "1.6", "--validate"]
        subprocess.run([*command, "--output-file", str(bill), python], check=True)


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))

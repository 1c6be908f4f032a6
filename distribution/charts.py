"""Pushes both charts to an OCI registry. A version is pushed once: the same again is left, another one is refused.

    python -m distribution.charts oci://ghcr.io/OWNER/charts [--plain-http]

`helm registry login` comes before, where the registry wants one.
"""

from __future__ import annotations

import argparse
import subprocess
import tarfile
import tempfile
from pathlib import Path

from distribution.versions import CHARTS, about


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["helm", *words], capture_output=True, text=True, check=False)


def contents(archive: Path) -> dict[str, bytes]:
    """The files of a packed chart; `helm package` writes the time of day beside them."""
    with tarfile.open(archive) as files:
        return {one.name: files.extractfile(one).read() for one in files if one.isreg()}  # type: ignore[union-attr]


def push(chart: Path, registry: str, options: list[str]) -> str:
    """Push one chart; what was done, as a line."""
    name, version = str(about(chart)["name"]), str(about(chart)["version"])
    with tempfile.TemporaryDirectory() as scratch:
        made, there = Path(scratch, "made"), Path(scratch, "there")
        done = helm("package", str(chart), "--destination", str(made))
        if done.returncode:
            raise SystemExit(done.stderr)
        (packed,) = made.iterdir()
        there.mkdir()
        pulled = helm("pull", f"{registry}/{name}", "--version", version, "--destination", str(there), *options)
        if pulled.returncode == 0:
            (old,) = there.iterdir()
            if contents(old) == contents(packed):
                return f"{name} {version} is there already"
            raise SystemExit(f"{registry}/{name}:{version} holds other files: raise the version of both charts")
        # A registry says of a chart that it has not yet that it is not found, or that one may not read it.
        if not any(sign in pulled.stderr for sign in ("not found", "NAME_UNKNOWN", "MANIFEST_UNKNOWN", "denied")):
            raise SystemExit(f"{registry}/{name}:{version} can't be looked up: {pulled.stderr}")
        done = helm("push", str(packed), registry, *options)
        if done.returncode:
            raise SystemExit(done.stderr)
        digest = next((line for line in f"{done.stdout}{done.stderr}".splitlines() if "Digest: " in line), "")
        return f"{name} {version} pushed to {registry}, {digest.strip().lower() or 'without a digest'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("registry", help="oci://HOST/PATH")
    parser.add_argument("--plain-http", action="store_true")
    asked = parser.parse_args()
    for chart in CHARTS:
        print(push(chart, asked.registry.rstrip("/"), ["--plain-http"] if asked.plain_http else []))


if __name__ == "__main__":
    main()

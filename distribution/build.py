"""Wheel and sdist of a commit, the same bytes on every machine: built twice, compared, and only then kept.

    python -m distribution.build dist [--commit HEAD] [--repository https://github.com/OWNER/release]

setuptools gives a wheel the time of SOURCE_DATE_EPOCH, which is the commit's, and an sdist the times and the owner of
the files that it found: that one is packed anew.
"""

from __future__ import annotations

import argparse
import gzip
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def export(commit: str, place: Path, urls: dict[str, str]) -> int:
    """The files of a commit, with its addresses in the project's metadata; the commit's time in seconds."""
    archive = ["git", "-c", "tar.umask=0022", "archive", commit]
    files = subprocess.run(archive, cwd=ROOT, check=True, capture_output=True).stdout
    place.mkdir()
    subprocess.run(["tar", "-x", "-p", "-C", str(place)], input=files, check=True)
    if urls:
        with (place / "pyproject.toml").open("a", encoding="utf-8") as project:
            project.write("\n[project.urls]\n" + "".join(f'{name} = "{url}"\n' for name, url in urls.items()))
    told = subprocess.run(["git", "log", "-1", "--format=%ct", commit], cwd=ROOT, check=True, capture_output=True)
    return int(told.stdout)


def project_urls(repository: str, documentation: str) -> dict[str, str]:
    """What the package index and the tool's messages link to; the distribution is that of a fork, too."""
    found = re.fullmatch(r"https://([\w.-]+)/([\w.-]+)/([\w.-]+)", repository)
    if not found:
        raise SystemExit(f"no address of a repository: {repository!r}; write https://github.com/OWNER/NAME")
    host, owner, name = found.groups()
    pages = f"https://{owner.lower()}.github.io/{name}/" if host == "github.com" else f"{repository}/tree/main/docs"
    return {
        "Documentation": documentation or pages,
        "Source": repository,
        "Changelog": f"{repository}/blob/main/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }


def built(place: Path, epoch: int, *targets: str, zone: str) -> Path:
    """What a build of the exported files gives, in a directory beside them."""
    out = place.with_name(f"{place.name}-dist")
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "TZ": zone, "PYTHONHASHSEED": str(len(zone))}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), *targets, str(place)]
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\nthe build failed")
    for sdist in out.glob("*.tar.gz"):
        pack_anew(sdist, epoch)
    return out


def pack_anew(sdist: Path, epoch: int) -> None:
    """The same files in the order of their names, of one time and nobody's."""
    packed = io.BytesIO()
    with tarfile.open(sdist) as old, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new:
        for entry in sorted(old.getmembers(), key=lambda one: one.name):
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = epoch, 0, 0, "", ""
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            entry.pax_headers = {}
            new.addfile(entry, old.extractfile(entry) if entry.isreg() else None)
    with sdist.open("wb") as stream, gzip.GzipFile("", "wb", 9, stream, mtime=epoch) as written:
        written.write(packed.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="an empty directory, or one that is not there yet")
    parser.add_argument("--commit", default="HEAD")
    parser.add_argument("--repository", default="", help="goes into the metadata, as https://github.com/OWNER/release")
    parser.add_argument("--documentation", default="", help="address of the built documentation; default: GitHub Pages")
    asked = parser.parse_args()
    urls = project_urls(asked.repository, asked.documentation) if asked.repository else {}
    with tempfile.TemporaryDirectory() as scratch:
        first, second = Path(scratch, "first"), Path(scratch, "another", "second")
        second.parent.mkdir()
        epoch = export(asked.commit, first, urls)
        export(asked.commit, second, urls)
        # The first wheel comes from the sdist, the second one from the tree.
        one = built(first, epoch, zone="UTC")
        other = built(second, epoch, "--sdist", "--wheel", zone="Asia/Kathmandu")
        names = sorted(path.name for path in one.iterdir())
        if names != sorted(path.name for path in other.iterdir()) or len(names) != 2:
            raise SystemExit(f"two builds gave different files: {names}")
        for name in names:
            if (one / name).read_bytes() != (other / name).read_bytes():
                raise SystemExit(f"two builds of {name} differ")
        asked.output.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(one / name, asked.output)
            print(asked.output / name)


if __name__ == "__main__":
    main()

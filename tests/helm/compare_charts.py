"""Charts of others by `release render` and by `helm template`, document by document; run by hand.

    python tests/helm/compare_charts.py [--key global.trial] [--values FILE] CHART…

A CHART is a directory with its dependencies in `charts/`; `helm` is on PATH. Documents are compared byte for byte,
whatever their order. Of a template with random output two runs of Helm differ, too: that is told. Exit status 1: a
chart differs. `--key` is where the versions stand: strict schemas of values want it below `global`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from origin import git, make_bare
from world import run

CONFIG = """\
version: 1
chart: charts/it
release_name: rel
namespace: ns
versions: {{key: {key}}}
render: {{engine: {engine}}}
environments: {{x: {{}}}}
"""
SEPARATOR = re.compile(r"(?m)^---[ \t]*(?:#.*)?\r?$")


def documents(text: str) -> list[str]:
    """The documents, each after its template: files of `crds/` begin with a separator of their own."""
    found, source = [], ""
    for part in SEPARATOR.split(f"\n{text}"):
        body = part.lstrip("\r\n")
        if body.startswith("# Source: "):
            source, _, body = body.partition("\n")
        if re.search(r"(?m)^[ \t]*[^#\s]", body):
            found.append("\n".join([source, body.strip("\r\n").rstrip()]))
    return found


def sources(parts: set[str]) -> set[str]:
    return {part.splitlines()[0].removeprefix("# Source: ") for part in parts}


def compared(chart: Path, key: str, values: str, engine: str, top: Path) -> str:
    """What is to be said of a chart with an engine."""
    clone = top / engine
    make_bare(top / f"{engine}.git")
    git("clone", "-q", top / f"{engine}.git", clone)
    shutil.copytree(chart, clone / "charts" / "it", ignore=shutil.ignore_patterns(".git"))
    here = clone / "environments" / "x"
    here.mkdir(parents=True)
    *above, last = key.split(".")
    tags = "".join(f"{word}: {{" for word in above) + f"{last}: {{tag: {{v1: v1.0.0}}}}" + "}" * len(above)
    for path, text in (("values.yaml", values), ("image_tag.yaml", f"{tags}\n")):
        (here / path).write_text(text, "utf-8")
    (clone / "release.yaml").write_text(CONFIG.format(key=key, engine=engine), "utf-8")
    git("add", "-A", "--force", cwd=clone)
    git("commit", "-qm", "A chart of others", cwd=clone)
    git("push", "-q", "origin", "HEAD:main", cwd=clone)
    ours = run("render", "x", "-C", str(clone))
    command = ["helm", "template", "rel", "charts/it", "--namespace", "ns", "--include-crds", "--skip-tests"]
    command += ["-f", "environments/x/values.yaml", "-f", "environments/x/image_tag.yaml"]
    one, other = (subprocess.run(command, cwd=clone, capture_output=True, check=False) for _ in range(2))
    if ours.code or one.returncode:
        who = "both" if ours.code and one.returncode else "release alone" if ours.code else "helm alone"
        return f"refused by {who}: {(ours.err or one.stderr.decode()).strip().splitlines()[0]}"
    a, b, c = (set(documents(text)) for text in (ours.out, one.stdout.decode(), other.stdout.decode()))
    different, random = sources(a ^ b), sources(b ^ c)
    if different - random:
        return f"different: {', '.join(sorted(different - random))}"
    return f"equal, {len(a)} documents" + (f"; random: {', '.join(sorted(random))}" if random else "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("charts", nargs="+", type=Path)
    parser.add_argument("--key", default="trial")
    parser.add_argument("--values", type=Path)
    given = parser.parse_args()
    os.environ |= {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    values = given.values.read_text("utf-8") if given.values else "{}\n"
    wrong = False
    for chart in given.charts:
        for engine in ("embedded", "helm"):
            with tempfile.TemporaryDirectory() as top:
                said = compared(chart, given.key, values, engine, Path(top))
            print(f"{chart.name}  {engine}  {said}", flush=True)
            wrong = wrong or not said.startswith(("equal", "refused by both"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

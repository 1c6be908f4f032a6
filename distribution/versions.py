"""What must agree before anything is published, and what is told of a release.

python -m distribution.versions v0.1.0           # refuses, or prints the notes of the release
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

import release_tool

ROOT = Path(__file__).resolve().parent.parent
CHARTS = (ROOT / "charts" / "grpc-manifest", ROOT / "charts" / "grpc-manifest" / "charts" / "grpc-manifest-routes")
_RELEASE = r"v(\d+\.\d+\.\d+)"


def wrong(tag: str, changelog: str) -> list[str]:
    """What is wrong with a release of this tag: sentences for a person."""
    found = re.fullmatch(_RELEASE, tag)
    if not found:
        return [f"{tag} is no tag of a release; such a tag is v1.2.3"]
    problems = []
    if found[1] != release_tool.__version__:
        problems.append(f"the tag is {tag}, and release_tool/__init__.py says {release_tool.__version__}")
    if not notes(tag, changelog):
        problems.append(f"CHANGELOG.md has no section `## [{found[1]}] - DATE` with something in it")
    return problems + wrong_charts(*map(about, CHARTS))


def wrong_charts(chart: dict[str, object], library: dict[str, object]) -> list[str]:
    """What is wrong with the versions of the two charts: they are one, for the chart holds the library."""
    wanted = [one["version"] for one in chart["dependencies"] if one["name"] == library["name"]]  # type: ignore[attr-defined]
    if [chart["version"]] == wanted == [library["version"]]:
        return []
    names = f"{chart['name']} {chart['version']} wants {library['name']} {wanted}, and holds {library['version']}"
    return [f"{names}: give both charts and the dependency one version"]


def about(chart: Path) -> dict[str, object]:
    """Chart.yaml of a chart."""
    return dict(yaml.safe_load((chart / "Chart.yaml").read_text("utf-8")))


def notes(tag: str, changelog: str) -> str:
    """The section of CHANGELOG.md about a release, without its heading; empty where there is none."""
    sections = re.split(r"(?m)^## ", changelog)
    heading = re.compile(rf"\[{re.escape(tag.removeprefix('v'))}\] - \d{{4}}-\d\d-\d\d\n")
    return next((heading.sub("", one, count=1).strip() for one in sections if heading.match(one)), "")


def main() -> None:
    """Refuse a tag with status 1, or print the notes."""
    (tag,) = sys.argv[1:]
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    problems = wrong(tag, changelog)
    if problems:
        raise SystemExit("\n".join(["nothing is published:", *problems]))
    print(notes(tag, changelog))


if __name__ == "__main__":
    main()

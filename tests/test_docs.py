"""The documentation names things that exist, and the README's commands run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import kubernetes_validate
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release_tool.cli import parser
from release_tool.config.reader import load

if TYPE_CHECKING:
    from collections.abc import Iterator

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_make_demo_runs_the_whole_pipeline() -> None:
    done = subprocess.run(["make", "demo"], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    for words in ("$ release bump devel v1.0.5", "pull request #1 (opened)", "retire", "remove", "files are right"):
        assert words in done.stdout
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ends = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert ends[0] in done.stdout, "the README shows the file that the demo begins with"
    assert done.stdout.rindex(ends[-1]) > done.stdout.rindex("bump devel v1.0.7"), "and the one that it ends with"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_pages_exist(page: Path) -> None:
    known = {*parser.MODULES, *parser.LATER}
    for command in re.findall(r"(?:^|`|\$ |&& |[|] )release ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
        if command not in {"tool", "branch", "branches"}:
            assert command in known, f"{page.name} speaks of `release {command}`"


def test_the_demo_of_a_downgrade_tells_its_story() -> None:
    program = shutil.which("release", path=str(ROOT / ".venv" / "bin")) or shutil.which("release")
    assert program is not None
    done = subprocess.run([program, "demo", "--downgrade"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = ("the default goes from v5 back to v4", "held: v5 is quarantined", "clear v1.0.5", "set-default  v7")
    places = [done.stdout.index(words) for words in told]
    assert places == sorted(places)


def test_the_examples_of_a_downgrade_are_right() -> None:
    text = (ROOT / "docs" / "how-to" / "downgrade.md").read_text(encoding="utf-8")
    first, *others = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert load(first).environment("production").health is not None
    assert all(list(yaml.safe_load_all(one)) for one in others)
    objects = list(yaml.safe_load_all((ROOT / "docs" / "how-to" / "guard-cronjob.yaml").read_text(encoding="utf-8")))
    assert [one["kind"] for one in objects] == ["ServiceAccount", "ClusterRole", "RoleBinding", "CronJob"]
    for one in objects:
        kubernetes_validate.validate(one, "1.32", strict=True)


def test_the_demo_starts_from_any_directory(tmp_path: Path) -> None:
    program = shutil.which("release", path=str(ROOT / ".venv" / "bin")) or shutil.which("release")
    assert program is not None
    done = subprocess.run([program, "demo"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


OWN = re.compile(r"gitops-release(\[[a-z,]+\])? @ git\+https://github\.com/OWNER/release@COMMIT")
INSTALL = re.compile(r"\b(?:pip3?|pipx|uv pip|uv tool) install +([^\n`]*)")
WORD = re.compile(r"""'[^']*'|"[^"]*"|[^\s"'),;]+""")
REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w,]+\])? *([<>=~!]=?.*|@ .*)?")


def installed(rest: str) -> Iterator[str]:
    """What the words after `pip install` name on an index; ends where prose or shell begins."""
    words = iter(WORD.finditer(rest))
    for found in words:
        word = found[0]
        if word in {"--group", "--config-settings", "--target", "-r", "-c"}:
            next(words, None)
        elif REQUIREMENT.fullmatch(word.strip("'\"")):
            yield word.strip("'\"")
        elif not word.startswith("-"):
            return
        if rest[found.end() : found.end() + 1] in {"'", '"'}:  # the end of a text in a program
            return


def test_no_text_tells_to_install_a_name_that_is_not_ours() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for several in (*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()):
        asked += [one for one in several if isinstance(one, str)]  # not `include-group`
    needed = {"pip", *(canonicalize_name(Requirement(one).name) for one in asked)}
    assert project["project"]["name"] == "gitops-release" not in needed
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    seen = 0
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
        for found in INSTALL.finditer(text):
            for one in installed(found[1]):
                seen += 1
                where = f"{name}:{text.count(chr(10), 0, found.start()) + 1}"
                if not OWN.fullmatch(one):
                    assert canonicalize_name(re.split(r"[^\w.-]", one)[0]) in needed, f"{where} installs {one}"
    assert seen > 10

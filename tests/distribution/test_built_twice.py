"""Wheel and sdist: the same bytes twice, the addresses of their repository, and a tool that works from them."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from world import ROOT

from distribution import bill, build

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout: there is no commit to build")
    place = tmp_path_factory.mktemp("built") / "dist"
    command = [
        sys.executable,
        "-m",
        "distribution.build",
        str(place),
        "--repository",
        "https://github.com/Acme/release",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    return place


def only(place: Path, pattern: str) -> Path:
    (found,) = place.glob(pattern)
    return found


def test_the_wheel_knows_the_repository_it_was_built_for(dist: Path) -> None:
    with zipfile.ZipFile(only(dist, "*.whl")) as wheel:
        (name,) = [one for one in wheel.namelist() if one.endswith(".dist-info/METADATA")]
        about = wheel.read(name).decode()
        assert "release_tool/chart/charts/grpc-manifest-routes/Chart.yaml" in wheel.namelist()
    assert "Project-URL: Documentation, https://acme.github.io/release/\n" in about
    assert "Project-URL: Source, https://github.com/Acme/release\n" in about
    assert all(f"Classifier: Programming Language :: Python :: 3.{minor}\n" in about for minor in range(10, 15))


def test_the_sdist_is_nobodys_and_holds_what_tests_need(dist: Path) -> None:
    with tarfile.open(only(dist, "*.tar.gz")) as sdist:
        entries = sdist.getmembers()
    assert {(one.uid, one.gid, one.uname, one.gname) for one in entries} == {(0, 0, "", "")}
    assert len({one.mtime for one in entries}) == 1
    assert not any(one.issym() or one.islnk() for one in entries)
    names = {one.name.partition("/")[2] for one in entries}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {one for one in tracked.splitlines() if not (ROOT / one).is_symlink()} <= names | {".gitattributes"}


def test_the_wheel_runs_without_the_embedded_engine(dist: Path, tmp_path: Path) -> None:
    """The packages of the development environment are lent to it, but for the engine."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, str(only(dist, "*.whl"))], check=True)
    lent = next(path for path in map(Path, sys.path) if (path / "yaml").is_dir())
    code = (
        f"import sys; sys.path.append({str(lent)!r}); sys.modules['helm_python'] = None\n"
        "import importlib.util; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'helm_python' else find(name, *more)\n"
        "from release_tool.helm import make_renderer; print(make_renderer())"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "ProgramRenderer" in done.stdout or "there is nothing to render charts with" in done.stderr, done.stderr


def test_the_bill_of_materials_is_valid_and_names_the_wheel(dist: Path, tmp_path: Path) -> None:
    written = tmp_path / "sbom.cdx.json"
    bill.write(dist, written, locks=())  # the writer holds it to CycloneDX's schema
    told = json.loads(written.read_text("utf-8"))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert told["metadata"]["component"]["name"] == "gitops-release"


@pytest.mark.parametrize(("repository", "pages"), [
    ("https://github.com/Acme/release", "https://acme.github.io/release/"),
    ("https://git.example.com/Acme/release", "https://git.example.com/Acme/release/tree/main/docs"),
])  # fmt: skip
def test_a_fork_links_to_its_own_documentation(repository: str, pages: str) -> None:
    assert build.project_urls(repository, "")["Documentation"] == pages
    assert build.project_urls(repository, "https://docs.example.com/")["Documentation"] == "https://docs.example.com/"


def test_what_is_no_repository_is_refused() -> None:
    with pytest.raises(SystemExit, match="no address of a repository"):
        build.project_urls('https://github.com/a/b"\nevil = "x', "")

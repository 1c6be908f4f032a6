"""What the action installs: the lock in requirements/ fits pyproject.toml, on every platform that has the tool."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from acting import ROOT, workflow
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release_tool.actions import install
from release_tool.errors import ReleaseError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
LOCKS = {path.stem: path.read_text("utf-8") for path in (ROOT / "requirements").glob("*.txt")}
MEND = "make lock"

PLATFORMS = [
    {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "sys_platform": system,
        "platform_machine": machine,
    }
    for python in ("3.10", "3.11", "3.12", "3.13")
    for system, machine in (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
]


def locked(name: str) -> list[tuple[Requirement, list[str]]]:
    """The entries of a lock: the requirement, and the hashes of its files."""
    entries = re.split(r"(?<!\\)\n", re.sub(r"^ *#.*\n", "", LOCKS[name], flags=re.MULTILINE))
    found = [re.split(r"\s*\\\n\s*", entry) for entry in entries if entry]
    return [(Requirement(one), hashes) for one, *hashes in found]


def versions(name: str, platform: dict[str, str]) -> dict[str, str]:
    """Package -> version that a lock gives a platform."""
    found: dict[str, str] = {}
    for one, _ in locked(name):
        if one.marker is None or one.marker.evaluate(platform):
            assert canonicalize_name(one.name) not in found, f"{name}: {one} stands there twice"
            (pin,) = one.specifier
            assert pin.operator == "==", one
            found[canonicalize_name(one.name)] = pin.version
    return found


def wanted() -> list[tuple[str, str]]:
    """What pyproject.toml asks for: lock, requirement."""
    needed = PROJECT["project"]["dependencies"]
    found = [("embedded" if one.startswith("helm-python-sdk") else "tool", one) for one in needed]
    return found + [(extra, one) for extra, several in EXTRAS.items() for one in several]


def test_each_extra_has_a_lock_of_its_own() -> None:
    assert set(LOCKS) == {"tool", "embedded", *EXTRAS}, MEND
    assert f"EXTRAS := {' '.join(EXTRAS)}\n" in (ROOT / "Makefile").read_text("utf-8")


@pytest.mark.parametrize(("lock", "text"), wanted(), ids=str)
def test_the_lock_fits_the_range(lock: str, text: str) -> None:
    asked = Requirement(text)
    for platform in PLATFORMS:
        if asked.marker is None or asked.marker.evaluate(platform):
            version = versions(lock, platform).get(canonicalize_name(asked.name))
            assert version is not None, f"{asked.name} is not locked for {platform}: {MEND}"
            assert asked.specifier.contains(version), f"{asked.name} {version} is not {asked.specifier}: {MEND}"


@pytest.mark.parametrize("lock", sorted(LOCKS))
def test_every_file_is_known_by_its_hash_and_none_by_where_it_lies(lock: str) -> None:
    for one, hashes in locked(lock):
        assert one.url is None
        assert hashes, f"{one} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", digest) for digest in hashes), one
    assert "://" not in LOCKS[lock]


def test_the_locks_agree() -> None:
    """pip takes several files for one installation only where they do."""
    for platform in PLATFORMS:
        together: dict[str, str] = {}
        for name in LOCKS:
            for package, version in versions(name, platform).items():
                assert together.setdefault(package, version) == version, f"{name}: {package}"


def test_the_lock_is_made_for_the_oldest_python_that_has_the_tool() -> None:
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert f"--python-version {oldest} " in (ROOT / "Makefile").read_text("utf-8")
    assert oldest == PLATFORMS[0]["python_version"]


def test_the_engine_stands_in_its_own_lock_alone() -> None:
    assert [name for name in LOCKS if "helm-python-sdk" in LOCKS[name]] == ["embedded"]


def test_the_action_installs_nothing_beside_the_lock() -> None:
    assert {"--no-deps", "--require-hashes", "--only-binary=:all:"} <= set(install._LOCKED)
    source = (ROOT / "release_tool" / "actions" / "install.py").read_text("utf-8")
    assert source.count("subprocess.") == source.count("*_PIP, *_LOCKED") == 1
    assert not re.search(r"-m pip|pip install", (ROOT / "action.yml").read_text("utf-8"))


@pytest.mark.parametrize(("told", "extras", "locks", "said"), [
    ("v3.22.0", "", ["tool"], "/helm, Helm v3.22.0"),
    ("v4.2.3", "promql, grpc", ["tool", "promql", "grpc"], "/helm, Helm v4.2.3"),
    ("v4.2.3", "embedded", ["tool", "embedded"], ""),
    ("v3.13.3", "grpc", ["tool", "embedded", "grpc"], "embedded Helm engine: "),
    ("", "", ["tool", "embedded"], "embedded Helm engine, for there is no `helm` on PATH"),
])  # fmt: skip
def test_the_engine_is_installed_where_no_helm_will_do(
    told: str, extras: str, locks: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if told:
        (tmp_path / "helm").write_text(f"#!/bin/sh\necho {told}\n", "utf-8")
        (tmp_path / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install._locks(extras) == locks
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("extras", ["nosuch", "grpc,nosuch", "../pyproject", "*", "-r"])
def test_an_extra_that_has_no_lock_is_told(extras: str) -> None:
    (script,) = [one["run"] for one in workflow(ROOT / "action.yml")["runs"]["steps"] if one["name"] == "Install"]
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    environ = {"PATH": os.environ["PATH"], "GITHUB_ACTION_PATH": str(ROOT), "EXTRAS": extras}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    said = (
        "::error title=release::extras are names with commas, as grpc,kubernetes%0Anext: take some of embedded, grpc, "
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith(said)


@pytest.mark.slow
@pytest.mark.parametrize("own_pip", [True, False])
def test_what_is_installed_runs(own_pip: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a `helm` the engine is there; a Python without pip gives the environment one."""
    if not own_pip:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    python = install.installed({"RUNNER_TEMP": str(tmp_path), "EXTRAS": ""})
    assert [path.name for path in (tmp_path / "release-tool").iterdir()] == [python.parent.parent.name]
    code = "import release_tool, helm_python; from pathlib import Path; print(Path(release_tool.__file__).parent)"
    place = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert place.startswith(str(python.parent.parent))
    assert (Path(place) / "chart" / "Chart.yaml").is_file()
    assert not (Path(place) / "chart").is_symlink()
    assert install.installed({"RUNNER_TEMP": str(tmp_path), "EXTRAS": ""}) == python


def test_what_cant_be_installed_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ReleaseError, match="pip could not install what the tool needs"):
        install.installed({"RUNNER_TEMP": str(tmp_path), "EXTRAS": ""})
    assert list((tmp_path / "release-tool").iterdir()) == []

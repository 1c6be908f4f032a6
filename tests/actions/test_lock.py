"""What the action installs: the lock in requirements/ fits pyproject.toml, on every platform that has the tool."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from acting import ROOT, workflow
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
    found = [("tool", one) for one in (*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"])]
    return found + [(extra, one) for extra, several in EXTRAS.items() for one in several]


def test_each_extra_has_a_lock_of_its_own() -> None:
    assert set(LOCKS) == {"tool", *EXTRAS}, MEND
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


def test_the_action_installs_nothing_beside_the_lock() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    (base,) = re.findall(r"install=\((.*)\)", text)
    assert "--no-deps" in base
    assert base.count("pip install") == text.count("pip install") == 1
    calls = re.findall(r'"\$\{install\[@\]\}" (.*)', text)
    assert calls == ['--require-hashes --only-binary=:all: "${locks[@]}"', "--no-build-isolation ."]


@pytest.mark.parametrize("extras", ["nosuch", "grpc,nosuch", "../pyproject", "*", "-r"])
def test_an_extra_that_has_no_lock_is_told(extras: str) -> None:
    (script,) = [one["run"] for one in workflow(ROOT / "action.yml")["runs"]["steps"] if one["name"] == "Install"]
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    environ = {"PATH": os.environ["PATH"], "GITHUB_ACTION_PATH": str(ROOT), "EXTRAS": extras}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    said = "::error title=release::extras are names with commas, as grpc,kubernetes\n"
    assert (done.returncode, done.stdout) == (1, said)

"""The image: what its Containerfile says, two linters that nobody here wrote, and its steps run in a root of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dockerfile_parse import DockerfileParser
from fixtures import HELM
from world import ROOT

FILE = ROOT / "Containerfile"
LINTERS = ROOT / ".cache" / "npm" / "node_modules" / ".bin"


def instructions() -> list[tuple[str, str]]:
    with FILE.open("rb") as content:
        return [(one["instruction"], one["value"]) for one in DockerfileParser(fileobj=content).structure]


def last_stage() -> list[tuple[str, str]]:
    found = [one for one in instructions() if one[0] != "COMMENT"]
    begin = max(number for number, (name, _) in enumerate(found) if name == "FROM")
    return found[begin:]


def test_the_image_runs_as_nobody_and_begins_with_the_tool() -> None:
    told = dict(last_stage())
    assert told["USER"] == "65532:65532"
    assert told["ENTRYPOINT"] == '["release"]'
    (cronjob,) = [
        one
        for one in yaml.safe_load_all((ROOT / "docs" / "how-to" / "guard-cronjob.yaml").read_text("utf-8"))
        if one["kind"] == "CronJob"
    ]
    pod = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == 65532
    assert pod["containers"][0]["args"][0] == "guard"  # the entry point is the tool


def test_the_image_holds_the_locked_packages_and_no_engine() -> None:
    (installed,) = [value for name, value in last_stage() if name == "RUN" and "-r tool.txt" in value]
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert set(re.findall(r"-r (\w+)\.txt", installed)) == locks - {"embedded"}
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(installed.split())


def test_the_helm_of_the_image_is_the_one_that_tests_render_with() -> None:
    assert any(f"go install -trimpath -ldflags='-s -w' {HELM['helm4']}" in value for _, value in instructions())


def test_every_base_is_a_named_release() -> None:
    bases = [value.split()[0] for name, value in instructions() if name == "FROM"]
    assert all(re.fullmatch(r"[a-z]+:\d+\.\d+-[a-z-]+", base) for base in bases)


@pytest.mark.parametrize("linter", [["dockerfile-utils", "lint"], ["dockerfilelint"]], ids=lambda one: one[0])
def test_a_linter_finds_nothing(linter: list[str], tmp_path: Path) -> None:
    if not (LINTERS / linter[0]).exists():
        pytest.skip(f"{linter[0]} is not installed: make linters (it needs npm)")
    done = subprocess.run(
        [str(LINTERS / linter[0]), *linter[1:], str(FILE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    bad = tmp_path / "Containerfile"
    bad.write_text("FROM debian\nFRMO x\nMAINTAINER nobody\n", "utf-8")
    assert subprocess.run(
        [str(LINTERS / linter[0]), *linter[1:], str(bad)], capture_output=True, check=False
    ).returncode


@pytest.mark.nightly
def test_its_steps_work_in_a_root_of_their_own(tmp_path: Path) -> None:  # noqa: C901 -- a case for each instruction
    """No engine for containers is needed: a Debian of the base's release, whose Python stands where the base has it."""
    if os.getuid() or not shutil.which("debootstrap"):
        pytest.skip("it needs root and debootstrap (apt-get install debootstrap)")
    (base,) = [value for name, value in last_stage() if name == "FROM"]
    release = base.rpartition("-")[2]
    root = tmp_path / "root"
    subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=python3-venv,python3-pip", release, str(root)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    shutil.copy("/etc/resolv.conf", root / "etc")
    # How this machine reaches the packages: proxies, authorities, settings of pip.
    kept = {name: os.environ[name] for name in os.environ if re.search("(?i)proxy$|^PIP_|^SSL_CERT", name)}
    for path in (*map(Path, kept.values()), Path.home() / ".config" / "pip" / "pip.conf", Path("/etc/pip.conf")):
        if path.is_absolute() and path.is_file():
            place = Path(f"{root}{path}") if path.suffix != ".conf" else root / "etc" / "pip.conf"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
    context = tmp_path / "context"
    shutil.copytree(ROOT / "requirements", context / "requirements")
    build = [sys.executable, "-m", "distribution.build", str(context / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    def inside(*command: str, user: str = "0:0", **more: str) -> subprocess.CompletedProcess[str]:
        path = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        environ = {**kept, "PATH": path, "DEBIAN_FRONTEND": "noninteractive", **more}
        called = ["chroot", f"--userspec={user}", str(root), *command]
        return subprocess.run(called, env=environ, capture_output=True, text=True, check=False)

    inside("python3", "-m", "venv", "/usr/local")
    environment: dict[str, str] = {}
    user = "0:0"
    for name, value in last_stage():
        if name == "RUN":
            done = inside("/bin/sh", "-c", value)
            assert done.returncode == 0, f"{value}\n{done.stdout}{done.stderr}"
        elif name == "COPY" and not value.startswith("--from"):
            source, target = value.split()
            shutil.copytree(context / source, f"{root}{target}", dirs_exist_ok=True)
        elif name == "COPY":
            helm = shutil.which("helm")
            assert helm, "there is no helm on PATH"
            shutil.copy(helm, f"{root}{value.split()[-1]}")
        elif name == "ENV":
            environment |= dict([value.split("=", 1)])
        elif name == "USER":
            user = value
    said = inside("release", "--version", user=user, **environment)
    assert said.returncode == 0, said.stderr
    demo = inside("release", "demo", user=user, **environment)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert not (root / "opt" / "release").exists()
    assert not list(root.glob("usr/local/lib/python3*/site-packages/helm_python"))

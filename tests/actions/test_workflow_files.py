"""What the files of the workflows must say, whoever edits them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from acting import ROOT, WORKFLOWS, callers, program, uses, workflow

from release_tool.doctor import workflows as doctor

NAMES = {path.stem for path in WORKFLOWS}
OURS = {"ci", "docs", "release"}
"""Those that this repository alone needs."""
ACTION = workflow(ROOT / "action.yml")


def of(name: str) -> dict[str, Any]:
    return workflow(ROOT / ".github" / "workflows" / f"{name}.yml")


def steps() -> list[tuple[str, dict[str, Any]]]:
    found = [("action.yml", step) for step in ACTION["runs"]["steps"]]
    for path in WORKFLOWS:
        found += [(path.name, step) for job in workflow(path)["jobs"].values() for step in job["steps"]]
    return found


def test_the_workflows_that_the_documentation_names_are_there() -> None:
    assert {"bump", "promote", "cleanup", "guard", "sync", "check", "ci"} <= NAMES


@pytest.mark.parametrize("name", ["bump", "promote"])
def test_no_run_that_waits_is_cancelled_where_its_operation_would_be_lost(name: str) -> None:
    """A concurrency group cancels the older one that waits, also without `cancel-in-progress`."""
    found = of(name)
    assert "concurrency" not in found
    assert not any("concurrency" in job for job in found["jobs"].values())


@pytest.mark.parametrize("name", ["cleanup", "guard", "sync"])
def test_runs_that_do_the_same_wait_for_each_other(name: str) -> None:
    assert of(name)["concurrency"]["group"].startswith(f"release-{name}")
    assert of(name)["concurrency"]["cancel-in-progress"] == "false"


def test_every_action_is_pinned_by_its_commit_and_names_its_version() -> None:
    for path in (*WORKFLOWS, ROOT / "action.yml"):
        for line in path.read_text("utf-8").splitlines():
            found = re.match(r"\s*(?:- )?uses: (.*)", line)
            if found and not found[1].startswith("./"):
                assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", found[1]), f"{path.name}: {line}"


def test_one_version_of_each_action_is_used() -> None:
    names = [one.partition("@")[0] for one in uses()]
    assert sorted(names) == sorted(set(names))


def test_no_expression_stands_in_a_script() -> None:
    """What is in it would be part of the script: every value comes by an environment variable."""
    for where, step in steps():
        assert "${{" not in step.get("run", ""), where
        assert "${{" not in step.get("shell", ""), where


def test_no_checkout_leaves_its_token_behind() -> None:
    for where, step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false", where


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_workflow_may_do_nothing_and_each_job_what_it_needs(name: str) -> None:
    found = of(name)
    assert found["permissions"] == {}
    for job in found["jobs"].values():
        wanted = {"contents", "pull-requests"} if name not in OURS else {"contents", "id-token", "pages"}
        wanted |= {"attestations", "packages"} if name == "release" else set()
        assert set(job["permissions"]) <= wanted
        if name in {"check", *OURS} - {"release"}:
            assert job["permissions"].get("contents", "read") == "read"


def test_what_publishes_may_do_one_thing_and_runs_nothing_of_the_checkout() -> None:
    found = of("release")["jobs"]
    for permission, jobs in {
        "id-token": {"attest", "index"},
        "packages": {"image", "image-tags", "charts"},
        "contents": {"release"},
    }.items():
        assert {name for name, job in found.items() if job["permissions"].get(permission) == "write"} == jobs
    assert found["index"]["environment"] == "pypi"
    for name in ("attest", "index", "release", "image-tags"):
        assert not any("checkout" in step.get("uses", "") for step in found[name]["steps"])
    waits = {
        name: {job["needs"]} if isinstance(job.get("needs"), str) else set(job.get("needs", []))
        for name, job in found.items()
    }
    assert waits["release"] == {"attest", "charts", "index"}
    assert all("test" in waits[name] or waits[name] & {"image", "attest", "build"} for name in set(found) - {"build"})


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_job_ends_by_itself(name: str) -> None:
    timeout = float(ACTION["inputs"]["timeout"]["default"])
    for job in of(name)["jobs"].values():
        assert timeout < int(job["timeout-minutes"]) <= 60


def test_what_comes_from_outside_is_one_argument_whatever_is_in_it() -> None:
    """A line of `arguments` is a JSON text, or an expression that gives nothing but an option of ours."""
    ours = r"\$\{\{ (github\.server_url|github\.repository|github\.event\.pull_request\.number) \}\}"
    for where, step in steps():
        for line in step.get("with", {}).get("arguments", "").splitlines():
            rest = re.sub(ours, "", line)
            fine = "${{" not in rest or re.fullmatch(
                r"\$\{\{ (toJSON\(format\(.*\)\)|inputs\.(\w+) && '--\2' \|\| ''|"
                r"fromJSON\(env\.ASKED\)\.\w+ && toJSON\(format\(.*\)\) \|\| '') \}\}",
                rest,
            )
            assert fine, f"{where}: {line}"


def test_the_same_is_asked_by_hand_and_by_a_call() -> None:
    for name in ("bump", "promote", "guard"):
        assert of(name)["on"]["workflow_dispatch"]["inputs"] == of(name)["on"]["workflow_call"]["inputs"]


def test_the_documentation_tells_every_input_and_output_of_the_action() -> None:
    text = (ROOT / "docs" / "how-to" / "github-actions.md").read_text("utf-8")
    for kind in ("inputs", "outputs"):
        for name in ACTION[kind]:
            assert f"`{name}`" in text, name


def test_the_documentation_tells_every_key_of_the_payload() -> None:
    text = (ROOT / "docs" / "how-to" / "github-actions.md").read_text("utf-8")
    for name in of("bump")["on"]["workflow_call"]["inputs"]:
        assert re.search(rf"\b{name}\b", text), name


def actionlint_finds_nothing(place: Path) -> None:
    command = [program("actionlint", "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12")]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_actionlint_finds_nothing() -> None:
    actionlint_finds_nothing(ROOT)


def test_every_workflow_that_runs_the_tool_is_there_to_be_called(tmp_path: Path) -> None:
    """The documentation shows how, and actionlint knows the inputs, secrets and permissions of what is called."""
    found = callers("./.github/workflows/{}.yml")
    assert set(found) == NAMES - OURS
    place = tmp_path / ".github"
    shutil.copytree(ROOT / ".github", place)
    for name, text in found.items():
        (place / "workflows" / f"call-{name}.yml").write_text(text, "utf-8")
    subprocess.run(["git", "init", "-q", tmp_path], check=True, timeout=60)
    actionlint_finds_nothing(tmp_path)


@pytest.mark.parametrize("name", sorted(NAMES - OURS))
def test_a_caller_grants_what_the_jobs_need_and_hands_on_each_secret(name: str) -> None:
    """GitHub starts no called workflow whose jobs ask for more than the caller has."""
    text = callers("./.github/workflows/{}.yml")[name]
    (caller,) = yaml.safe_load(text)["jobs"].values()
    needed = {key for job in of(name)["jobs"].values() for key, value in job["permissions"].items() if value == "write"}
    assert needed == {key for key, value in caller["permissions"].items() if value == "write"}
    known = set(of(name)["on"]["workflow_call"]["secrets"])
    assert "RELEASE_TOOL_TOKEN" in known
    assert set(caller.get("secrets", {})) == known - {"RELEASE_TOOL_TOKEN"}


def test_the_doctor_knows_the_callers_for_what_they_run() -> None:
    found = {
        f".github/workflows/{name}.yml": text
        for name, text in callers("acme/release/.github/workflows/{}.yml@c0ffee").items()
    }
    assert doctor.starts("check", "merge_group", found)
    assert not doctor.starts("sync", "merge_group", found)
    assert {one.verdict for one in doctor.workflows(found, promotes=True, guarded=True)} == {"ok"}


def test_the_tool_is_read_with_a_token_of_its_own_where_one_is_given() -> None:
    token = "${{ secrets.RELEASE_TOOL_TOKEN || github.token }}"
    for where, step in steps():
        if step.get("name") == "Get the tool":
            assert step["with"]["token"] == token, where


def test_zizmor_finds_nothing() -> None:
    command = [
        program("zizmor", "pip install zizmor"),
        *["--offline", "--no-progress", "--quiet", "action.yml", ".github"],
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr

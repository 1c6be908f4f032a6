"""What the files of the workflows must say, whoever edits them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from acting import COMMIT, PAGES, ROOT, WORKFLOWS, blocks, callers, program, shown, uses, workflow
from standin import openapi
from standin.standin import Exchange

from release_tool.doctor import workflows as doctor

NAMES = {path.stem for path in WORKFLOWS}
OURS = {"ci", "docs", "release"}
"""Those that this repository alone needs."""
ACTION = workflow(ROOT / "action.yml")


def of(name: str) -> dict[str, Any]:
    return workflow(ROOT / ".github" / "workflows" / f"{name}.yml")


def workflow_of(text: str) -> dict[str, Any]:
    return dict(yaml.load(text, yaml.BaseLoader))


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
        wanted = {"contents", "pull-requests", "packages"} if name not in OURS else {"contents", "id-token", "pages"}
        wanted |= {"attestations", "packages"} if name == "release" else set()
        assert set(job["permissions"]) <= wanted
        assert name == "release" or job["permissions"].get("packages", "read") == "read"
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
                r"\$\{\{ (toJSON\(format\(.*\)\)|inputs\.([\w-]+) && '--\2' \|\| ''|"
                r"fromJSON\(env\.ASKED\)\.\w+ && toJSON\(format\(.*\)\) \|\| '') \}\}",
                rest,
            )
            assert fine, f"{where}: {line}"


HOW = {
    "runs-on": "RELEASE_RUNS_ON",
    "environment": "RELEASE_ENVIRONMENT",
    "github-environment": "RELEASE_ENVIRONMENT",
    "python-version": "RELEASE_PYTHON_VERSION",
    "app-client-id": "RELEASE_APP_CLIENT_ID",
    "registry": "RELEASE_REGISTRY",
    "registry-username": "RELEASE_REGISTRY_USERNAME",
    "committer": "RELEASE_COMMITTER",
}
"""The inputs that say how a job runs -> the variable that counts where the input is empty."""

CALLED = sorted(NAMES - OURS)


@pytest.mark.parametrize("name", ["bump", "promote", "guard"])
def test_the_same_is_asked_by_hand_and_by_a_call(name: str) -> None:
    on = of(name)["on"]
    what = on["workflow_dispatch"]["inputs"]
    own = {"environment"} if "environment" in what else set()
    assert what == {key: value for key, value in on["workflow_call"]["inputs"].items() if key in what}
    assert set(on["workflow_call"]["inputs"]) - set(what) == set(HOW) - (own or {"github-environment"})


@pytest.mark.parametrize("name", CALLED)
def test_how_a_job_runs_is_said_by_an_input_or_else_by_a_variable(name: str) -> None:
    inputs = of(name)["on"]["workflow_call"]["inputs"]
    gate = "github-environment" if "github-environment" in inputs else "environment"
    text = (
        (ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8").replace("vars.RELEASE_GUARD_RUNNER || ", "")
    )
    for job in of(name)["jobs"].values():
        assert job.get("environment") == (
            None if name == "check" else f"${{{{ inputs.{gate} || vars.RELEASE_ENVIRONMENT || '' }}}}"
        )
    for key in {*HOW} & {*inputs} - ({"environment"} if gate != "environment" else set()):
        assert inputs[key]["required"] == "false"
        assert f"inputs.{key} || vars.{HOW[key]}" in text
        assert len(re.findall(rf"inputs\.{key}(?![\w-])", text)) == text.count(f"inputs.{key} || vars.{HOW[key]}"), key


def test_every_job_of_a_called_workflow_runs_alike() -> None:
    """What is not about one workflow is the same text in all of them, and in both jobs of check.yml."""
    told: dict[str, set[str]] = {}
    for name in CALLED:
        for job in of(name)["jobs"].values():
            said = {"runs-on": job["runs-on"].replace("vars.RELEASE_GUARD_RUNNER || ", "")}
            for step in job["steps"]:
                if step["name"] in {"Look for the tool", "Get a token of the App"}:
                    said[step["name"]] = repr(step)
                if step.get("uses") == "./.release-tool":
                    # check.yml signs nothing, and gives forks no login.
                    said |= {key: value for key, value in step["with"].items() if key in HOW and key != "registry"}
                    said |= {"password": step["with"]["registry-password"], "key": step["with"].get("signing-key", "")}
            for key, value in said.items():
                told.setdefault(key, set()).add(value)
    assert {key for key, values in told.items() if len(values - {""}) > 1} == set()


def test_a_pull_request_of_a_fork_logs_in_nowhere() -> None:
    (step,) = [one for one in of("check")["jobs"]["check"]["steps"] if one.get("name") == "Check"]
    assert step["with"]["registry"].startswith("${{ !github.event.pull_request.head.repo.fork && (")


def runs(cron: str) -> int:
    """How often a schedule starts in thirty days, of which only minutes and hours are said."""
    minute, hour, *rest = cron.split()
    assert rest == ["*", "*", "*"], cron

    def times(field: str, all_of_them: int) -> int:
        return all_of_them if field == "*" else len(range(0, all_of_them, int(field[2:]))) if "/" in field else 1

    return times(minute, 60) * times(hour, 24) * 30


def test_what_the_schedules_cost_is_told() -> None:
    """GitHub bills each job by the minute that it has begun."""
    minutes = {name: sum(runs(one["cron"]) for one in of(name)["on"]["schedule"]) for name in ("guard", "cleanup")}
    assert minutes == {"guard": 8640, "cleanup": 720}
    page = PAGES[0].read_text("utf-8")
    for name, when in (("guard", "every five minutes"), ("cleanup", "every hour")):
        assert f"| {name} | {when} | {minutes[name]:,} |" in page
    assert f"{minutes['guard']:,} billed minutes a month" in (ROOT / "docs/how-to/downgrade.md").read_text("utf-8")
    (caller,) = workflow_of(callers("x/{}")["guard"])["on"]["schedule"]
    assert runs(caller["cron"]) == minutes["guard"]


@pytest.mark.parametrize(
    ("pythons", "asked", "said"),
    [("new", "", ""), ("old", "", "version=3.13\n"), ("none", "", "version=3.13\n"), ("new", "3.12", "version=3.12\n")],
)
def test_python_is_set_up_where_it_is_asked_for_or_missing(tmp_path: Path, pythons: str, asked: str, said: str) -> None:
    script = next(step["run"] for step in ACTION["runs"]["steps"] if step["name"] == "Look for Python")
    if pythons != "none":
        program_of_the_runner = tmp_path / "python3"
        program_of_the_runner.write_text(f"#!/bin/sh\nexit {int(pythons == 'old')}\n", "utf-8")
        program_of_the_runner.chmod(0o755)
    environ = {"PATH": str(tmp_path), "ASKED": asked, "GITHUB_OUTPUT": str(tmp_path / "output")}
    (tmp_path / "output").touch()
    bash = program("bash", "apt-get install bash")
    subprocess.run([bash, "-e", "-o", "pipefail", "-c", script], env=environ, check=True, timeout=60)
    assert (tmp_path / "output").read_text("utf-8") == said


def test_the_documentation_tells_every_input_and_output_of_the_action() -> None:
    text = PAGES[0].read_text("utf-8")
    for kind in ("inputs", "outputs"):
        for name in ACTION[kind]:
            assert f"`{name}`" in text, name


def test_the_documentation_tells_every_key_of_the_payload() -> None:
    text = PAGES[0].read_text("utf-8")
    for name in of("bump")["on"]["workflow_call"]["inputs"]:
        assert re.search(rf"\b{name}\b", text), name


def actionlint_finds_nothing(place: Path) -> None:
    command = [program("actionlint", "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12")]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_actionlint_finds_nothing() -> None:
    actionlint_finds_nothing(ROOT)


def test_every_workflow_that_runs_the_tool_is_there_to_be_called() -> None:
    assert set(callers("./.github/workflows/{}.yml")) == NAMES - OURS


def test_actionlint_finds_nothing_in_any_workflow_that_the_documentation_shows(tmp_path: Path) -> None:
    """actionlint knows the inputs, secrets and permissions of what is called."""
    place = tmp_path / ".github"
    shutil.copytree(ROOT / ".github", place)
    for number, (name, text) in enumerate(shown("./.github/workflows/{}.yml")):
        (place / "workflows" / f"shown-{number}-{name}.yml").write_text(text, "utf-8")
    head = "on: push\npermissions: {}\n"
    steps_of = "jobs:\n  x:\n    runs-on: ubuntu-latest\n    steps:\n      - id: build\n        run: 'true'\n"
    for number, block in enumerate(blocks("yaml")):
        if "jobs:" in block or "updates:" in block:
            continue
        if "      - " in block:
            text = head + steps_of + block.replace("@COMMIT", f"@{COMMIT}")
        else:  # what is added to a caller
            assert block.startswith("    with:"), block
            text = head + "jobs:\n  x:\n    permissions: {contents: write, pull-requests: write, packages: read}\n"
            text += f"    uses: ./.github/workflows/sync.yml\n{block}"
        (place / "workflows" / f"part-{number}.yml").write_text(text, "utf-8")
    subprocess.run(["git", "init", "-q", tmp_path], check=True, timeout=60)
    actionlint_finds_nothing(tmp_path)


@pytest.mark.parametrize(("name", "text"), [one for one in shown("x/{}") if one[0]])
def test_a_caller_grants_what_the_jobs_need_and_hands_on_known_secrets(name: str, text: str) -> None:
    """GitHub starts no called workflow whose jobs ask for more than the caller has."""
    (caller,) = yaml.safe_load(text)["jobs"].values()
    needed = {key: value for job in of(name)["jobs"].values() for key, value in job["permissions"].items()}
    if name == "check":
        needed = {**needed, "contents": "read", "pull-requests": "write"}
    assert caller["permissions"] == needed
    known = set(of(name)["on"]["workflow_call"]["secrets"])
    assert "RELEASE_TOOL_TOKEN" in known
    assert set(caller.get("secrets", {})) <= known
    assert ("RELEASE_APP_PRIVATE_KEY" in caller.get("secrets", {})) == (name != "check")


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


def zizmor_finds_nothing(place: Path, *inputs: str) -> None:
    command = [program("zizmor", "pip install zizmor"), "--offline", "--no-progress", "--quiet", *inputs]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing() -> None:
    zizmor_finds_nothing(ROOT, "action.yml", ".github")


def test_zizmor_finds_nothing_in_any_workflow_that_the_documentation_shows(tmp_path: Path) -> None:
    place = tmp_path / ".github" / "workflows"
    place.mkdir(parents=True)
    for number, (name, text) in enumerate(shown()):
        (place / f"{number}-{name}.yml").write_text(text, "utf-8")
    zizmor_finds_nothing(tmp_path, ".github")


@pytest.mark.skipif(not openapi.available(), reason=openapi.MISSING)
@pytest.mark.parametrize(
    ("key", "method", "path"),
    [("bypass_actors", "POST", "/rulesets"), ("reviewers", "PUT", "/environments/production")],
)
def test_what_the_documentation_sends_to_github_is_what_github_describes(key: str, method: str, path: str) -> None:
    (body,) = [found for found in map(json.loads, blocks("json")) if key in found]
    asked = Exchange("rest", method, f"/repos/acme/gitops{path}", {}, body)
    assert openapi.violations([asked]) == []

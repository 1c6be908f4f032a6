"""What other CI systems than GitHub Actions are told: GitLab CI and Azure Pipelines."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World

from release_tool import wiring
from release_tool.actions import ci_system, rerun
from release_tool.actions.annotation import Annotation
from release_tool.actions.ci_system import AZURE, GITHUB, GITLAB

ANY = st.text(st.characters(exclude_categories=["Cs"]))
GITLAB_JOB = {
    "GITLAB_CI": "true",
    "CI_JOB_URL": "https://gitlab.example.com/acme/shop/-/jobs/7",
    "GITLAB_USER_LOGIN": "ada",
    "GITLAB_USER_NAME": "Ada Lovelace",
    "GITLAB_USER_EMAIL": "ada@example.com",
}
AZURE_JOB = {
    "TF_BUILD": "True",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
    "SYSTEM_TEAMPROJECT": "The Shop",
    "BUILD_BUILDID": "7",
    "BUILD_REQUESTEDFOR": "Ada Lovelace",
    "BUILD_REQUESTEDFOREMAIL": "ada@example.com",
}


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Path]:
    """Makes the environment of a job; where its files are."""

    def made(environ: dict[str, str]) -> Path:
        files = {"RELEASE_SUMMARY": "summary.md", "RELEASE_OUTPUTS": "outputs.env", "RELEASE_ARTIFACTS": "artifacts"}
        for name, value in {**environ, **{name: str(tmp_path / file) for name, file in files.items()}}.items():
            monkeypatch.setenv(name, value)
        return tmp_path

    return made


def variables(path: Path) -> dict[str, str]:
    """A dotenv report as GitLab reads it: no quotes, no blanks, no empty lines."""
    lines = path.read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_]+=\S+", line) for line in lines)
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("environ", [GITLAB_JOB, AZURE_JOB])
def test_a_bump_leaves_variables_a_summary_and_artifacts(
    world: World, job: Callable[[dict[str, str]], Path], environ: dict[str, str]
) -> None:
    place = job(environ)
    world.release("bump", "devel", "v1.0.5")
    found = variables(place / "outputs.env")
    assert found["RELEASE_CHANGED"] == "true"
    assert found["RELEASE_COMMIT"] == world.refs()["refs/heads/release/devel"]
    assert found["RELEASE_PULL_REQUEST_NUMBER"] == "1"
    assert "### devel: bump" in (place / "summary.md").read_text("utf-8")
    assert json.loads((place / "artifacts" / "outcome.json").read_text("utf-8"))["commit"] == found["RELEASE_COMMIT"]


def test_the_record_links_to_the_job_and_names_who_started_it(
    world: World, job: Callable[[dict[str, str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    job(GITLAB_JOB)
    assert (wiring.run_link(), wiring.run_by()) == ("https://gitlab.example.com/acme/shop/-/jobs/7", "ada")
    for name in GITLAB_JOB:
        monkeypatch.delenv(name)
    job(AZURE_JOB)
    link = "https://dev.azure.com/acme/The%20Shop/_build/results?buildId=7"
    assert (wiring.run_link(), wiring.run_by()) == (link, "Ada Lovelace")


def test_gitlabs_log_has_each_error_once_and_no_command_of_github(
    world: World, job: Callable[[dict[str, str]], Path]
) -> None:
    job(GITLAB_JOB)
    done = world.release("bump", "devle", "v1.0.5", code=1)
    assert done.err.count("there is no environment 'devle'") == 1
    assert "::" not in done.err


def test_azures_log_has_each_error_as_an_issue_at_its_place(
    world: World, job: Callable[[dict[str, str]], Path]
) -> None:
    job(AZURE_JOB)
    world.broken.add("devel")
    world.commit({"environments/devel/image_tag.yaml": world.tags().replace("v1.0.2", "v1.0.2 bad")}, "By hand")
    done = world.release("check", code=1)
    place = r"sourcepath=environments/devel/image_tag\.yaml;linenumber=\d+;columnnumber=5"
    assert re.search(rf"^##vso\[task\.logissue type=error;{place}\]release check: image\.tag", done.err, re.MULTILINE)


@given(ANY, ANY, ANY)
def test_an_issue_of_azure_is_one_line_and_one_command(title: str, text: str, where: str) -> None:
    line = AZURE.line(Annotation("error", title, text, where))
    assert "\n" not in line
    assert "\r" not in line
    found = re.fullmatch(r"##vso\[task\.logissue ([^\]]*)\](.*)", line, re.DOTALL)
    assert found is not None
    unescaped = found[2].replace("%0A", "\n").replace("%0D", "\r").replace("%AZP25", "%")
    assert unescaped == AZURE.harmless(f"{title}: {text}" if title else text)
    assert all("=" in one for one in found[1].split(";"))


@given(st.text(st.sampled_from("xyz #[\n")))
def test_a_text_for_azures_log_holds_no_command_and_reads_the_same(text: str) -> None:
    text = text.replace("x", "##vso[").replace("y", "##[").replace("z", "##VSO[")
    harmless = AZURE.harmless(text)
    assert "##vso[" not in harmless.lower()
    assert "##[" not in harmless
    assert harmless.replace("\u200b", "") == text


def test_no_text_from_outside_is_a_command_for_azure(world: World, job: Callable[[dict[str, str]], Path]) -> None:
    job(AZURE_JOB)
    for tag in ("##vso[task.setvariable variable=x]y", "a ##vso[task.complete result=Succeeded]", "##[error]b"):
        done = world.release("bump", "devel", tag, code=2)
        commands = [line for line in done.err.splitlines() if "##vso[" in line or "##[" in line]
        assert len(commands) == 1
        assert commands[0].startswith("##vso[task.logissue type=error")
    reason = "--reason=##vso[task.setvariable variable=PATH]/tmp"
    out = world.release("pin", "devel", "v1", reason, "--output", "json").out
    assert "##" not in out
    assert json.loads(out)["changes"]


@pytest.mark.parametrize(
    ("environ", "who"),
    [
        (GITLAB_JOB, ("Ada Lovelace", "ada@example.com")),
        ({"GITLAB_CI": "true", "CI_SERVER_HOST": "git.acme"}, ("GitLab CI", "noreply@git.acme")),
        (AZURE_JOB, ("Ada Lovelace", "ada@example.com")),
        ({"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "Microsoft.VisualStudio.Services.TFS"},
         ("Azure Pipelines", "noreply@dev.azure.com")),
    ],
)  # fmt: skip
def test_who_started_the_job_commits_where_nobody_else_is_named(environ: dict[str, str], who: tuple[str, str]) -> None:
    found = rerun.identity(environ, lambda: False)
    assert (found["GIT_COMMITTER_NAME"], found["GIT_AUTHOR_EMAIL"]) == who


def test_each_system_is_known_by_its_own_variable() -> None:
    assert ci_system.of({"GITLAB_CI": "true"}) is GITLAB
    assert ci_system.of({"TF_BUILD": "True"}) is AZURE
    assert ci_system.of({"GITHUB_ACTIONS": "true"}) is GITHUB
    assert ci_system.of({"CI": "true"}) is None


# -- for real ---------------------------------------------------------------------------------------------------------
def start(world: World, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    module = [sys.executable, "-I", "-m", "release_tool.actions.rerun", *arguments]
    job = {**os.environ, **environ, "RELEASE_TIMEOUT": "0"}
    return subprocess.run(module, cwd=world.clone, env=job, capture_output=True, text=True, check=False, timeout=60)


def test_arguments_of_the_module_are_those_of_the_command(world: World, job: Callable[[dict[str, str]], Path]) -> None:
    place = job(GITLAB_JOB)
    done = start(world, GITLAB_JOB, "bump", "--image=", "--", "devel", "v1.0.5")
    assert done.returncode == 0, done.stderr
    assert variables(place / "outputs.env")["RELEASE_CHANGED"] == "true"
    assert "::" not in done.stdout


def test_azure_gets_summary_and_outputs_by_the_log(world: World, job: Callable[[dict[str, str]], Path]) -> None:
    place = job(AZURE_JOB)
    done = start(world, AZURE_JOB, "bump", "devel", "v1.0.5")
    lines = done.stdout.splitlines()
    assert "##vso[task.setvariable variable=RELEASE_CHANGED;isOutput=true]true" in lines
    assert f"##vso[task.uploadsummary]{place / 'summary.md'}" in lines


def test_a_failure_before_the_command_runs_is_said_once(world: World) -> None:
    said = "the input `timeout` is no number of minutes: 'soon'"
    environ = {**os.environ, "RELEASE_TIMEOUT": "soon"}
    module = [sys.executable, "-I", "-m", "release_tool.actions.rerun", "status"]
    for system, first in ((GITLAB_JOB, f"release: error: {said}"), (AZURE_JOB, "##vso[task.logissue type=error]")):
        done = subprocess.run(
            module, env={**environ, **system}, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 2
        assert done.stdout.startswith(first)
        assert done.stdout.count(said) == 1

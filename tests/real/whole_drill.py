"""The parts of the whole drill, wired as a team would: Gitea and its runner, Argo CD, Kubernetes, Envoy, Prometheus."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gitea as real_gitea
import requests
from argo_cd import Application, ArgoCD
from callers import Callers
from control_plane import Cluster, until
from gitea import Gitea
from mesh import Mesh
from origin import git
from processes import free_port
from real_programs import version
from real_registry import RealRegistry
from real_registry import running as registry_running
from scraping import CHECKS, Measured, Prometheus, prometheus
from watcher import Watcher
from world import run

TEAM = Path(__file__).parent / "team"  # what a team writes itself
GITOPS, CODE = "gitops", "engine"
HOST = "engine.example.com"
CHECK = "check / release check (pull_request)"

BETWEEN_PASSES = 2  # seconds

VALUES = f"""\
replicaCount: 2
virtualService: {{gateways: [], hosts: [{HOST}]}}
gateway: {{enabled: true}}
"""
HEALTH = (
    """\
    health:
      prometheus: {prometheus}
      argocd: {{application: 'engine-{{environment}}'}}
      window: {window}s
      grace: 5s
      failures: 2
      interval: 1s
      timeout: 5s
      deadline: 20s
      checks:
"""
    + CHECKS
    + """\
        pods:
          kubernetes: {{}}
"""
)


class Told:
    """The time line, printed while it grows."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, text: str, at: float | None = None) -> float:
        at = time.monotonic() if at is None else at
        print(f"{at - self._begun:6.1f} s  {text}", flush=True)
        return at


@dataclass
class Drill:
    """Everything at once."""

    directory: Path
    cluster: Cluster
    argo_cd: ArgoCD
    gitea: Gitea
    registry: RealRegistry
    watcher: Watcher
    mesh: Mesh
    measured: Measured
    prometheus: Prometheus
    window: int  # seconds
    hook: str  # where Argo CD hears of pushes
    tell: Told = field(default_factory=Told)

    # -- the team's repositories --

    @property
    def image(self) -> str:
        return self.registry.image("acme/engine")

    def set_up(self, *tags: str) -> Application:
        """As docs/how-to say: `release init`, a gateway, checks, a workflow; then the Application, once."""
        place = self.directory / GITOPS
        git("init", "-q", place)
        git("remote", "add", "origin", self.gitea.clone_url(GITOPS), cwd=place)  # the Applications name it
        asked = [word for tag in tags for word in ("--tag", tag)]
        made = run(
            "init", "-C", str(place), "--yes", "--name", "engine", "--image", self.image, "--deliver", "argocd", *asked
        )
        assert made.code == 0, made
        config = place / "release.yaml"
        health = HEALTH.format(
            prometheus=self.prometheus.url, window=self.window, gateway=self.measured.ports[80], host=HOST
        )
        before, entry, after = config.read_text("utf-8").partition("    retention: {keep: 4, drain: 1h}")
        before = before.replace(
            "environments:", "forge: {kind: none}\ndowngrade: {publish: pull_request}\nenvironments:", 1
        )
        config.write_text(before + health + entry + after, "utf-8")
        with (place / "environments" / "devel" / "values.yaml").open("a", encoding="utf-8") as values:
            values.write(VALUES)
        application = place / "argocd" / "devel.yaml"
        application.write_text(application.read_text("utf-8").replace("# retry:", "retry:"), "utf-8")
        _copy(TEAM / "check.yml", place / ".gitea" / "workflows")
        _commit(place, "Set release up")
        self.gitea.repository(GITOPS, place)
        self.gitea.hook(GITOPS, self.hook)
        rule = {
            "rule_name": "main",
            "enable_push": False,
            "enable_status_check": True,
            "status_check_contexts": [CHECK],
        }
        self.gitea.call("POST", f"repos/acme/{GITOPS}/branch_protections", **rule)
        self.argo_cd.reads(self.gitea.clone_url(GITOPS), "ada", self.gitea.token)
        self.cluster.kubectl("apply", "-f", str(application))
        return Application(self.cluster, "engine-devel")

    def code(self) -> None:
        """The repository of the code, whose workflow builds each tag."""
        place = self.directory / CODE
        git("init", "-q", place)
        _copy(TEAM / "build.yml", place / ".gitea" / "workflows")
        for name in ("build.py", "pull_request.py"):
            _copy(TEAM / name, place)
        _commit(place, "The engine")
        self.gitea.repository(CODE, place)
        self.gitea.secret(CODE, "RELEASE_TOKEN", self.gitea.token)

    def build(self, tag: str) -> Any:
        """A person tags the code; the pull request of the bump, once Gitea's runner has done the rest."""
        place = self.directory / CODE
        git("commit", "-q", "--allow-empty", "-m", f"Feature of {tag}", cwd=place)
        git("tag", tag, cwd=place)
        git("push", "-q", self.gitea.clone_url(CODE), "HEAD:main", tag, cwd=place)
        commit = git("rev-parse", "HEAD", cwd=place)
        done = self.gitea.finished(CODE, commit)
        assert done["conclusion"] == "success", self.gitea.log(CODE, done)
        (pull,) = [one for one in self.gitea.pulls(GITOPS) if one["head"]["ref"] == "release/devel"]
        return pull

    # -- pull requests --

    def show(self, outcome: Any) -> Any:
        """The pull request of what the tool pushed, by the team's own script."""
        command = [sys.executable, str(TEAM / "pull_request.py"), self.gitea.url, f"acme/{GITOPS}"]
        environment = {**os.environ, "TOKEN": self.gitea.token}
        done = subprocess.run(
            command, input=json.dumps(outcome), capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def merge(self, pull: Any, seconds: float = 120) -> None:
        """When its check is green: what was read and checked, and nothing that came later."""
        path = f"repos/acme/{GITOPS}/commits/{pull['head']['sha']}/status"

        def green() -> bool:
            state = self.gitea.call("GET", path)["state"]
            assert state in ("", "pending", "success"), self.gitea.log(GITOPS, self.gitea.runs(GITOPS)[0])
            return bool(state == "success")

        until(green, seconds, f"the check of #{pull['number']} is green")
        self.gitea.merge(GITOPS, pull)

    @property
    def tip(self) -> str:
        return str(self.gitea.call("GET", f"repos/acme/{GITOPS}/branches/main")["commit"]["id"])

    # -- the tool, as a process --

    def release(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Any:
        url = self.gitea.clone_url(GITOPS)
        command = [sys.executable, "-m", "release_tool", *arguments, "--repo", url, "--output", "json"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig)},
            timeout=120,
        )
        assert done.returncode in codes, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def guard(self, decided: Callable[[Any], Any], what: str, seconds: float = 180) -> Any:
        """Pass after pass, until one finds what is waited for."""

        def one_pass() -> Any:
            (found,) = self.release("guard", "devel", codes=(0, 1))
            assert found["decision"] != "halt", found
            if decided(found):
                return found
            time.sleep(BETWEEN_PASSES)
            return None

        return until(one_pass, seconds, what)

    # -- the cluster --

    @property
    def versions(self) -> str:
        """What runs here, for whoever reads the time line."""
        said = {
            "Gitea": self.gitea.call("GET", "version")["version"],
            "Argo CD": version("argocd"),
            "Kubernetes": self.cluster.api.get("/version")["gitVersion"],
            "Envoy": json.loads(self.measured.get("/server_info"))["version"].split("/")[1],
            "Prometheus": requests.get(f"{self.prometheus.url}/api/v1/status/buildinfo", timeout=10).json()["data"][
                "version"
            ],
        }
        return ", ".join(f"{name} {one.removeprefix('v')}" for name, one in said.items())

    def scrape(self) -> None:
        """Prometheus learns which pod is which version's, as its discovery of Kubernetes would tell."""
        found = {f"127.0.0.1:{pod.port}": pod.version for pod in self.mesh.servers}
        self.prometheus.scrape(self.measured.address, found)

    def callers(self, *named: str) -> Callers:
        return Callers(lambda: self.mesh.client(HOST), named)


@contextmanager
def drill_on(cluster: Cluster, argo_cd: ArgoCD, directory: Path, window: int) -> Iterator[Drill]:
    """The whole world, with nothing in it yet."""
    folders = {name: directory / name for name in ("gitea", "registry", "prometheus", "mesh", "work")}
    for folder in folders.values():
        folder.mkdir()
    with ExitStack() as ended:
        hook = ended.enter_context(argo_cd.hook())
        gitea = ended.enter_context(real_gitea.running(folders["gitea"]))
        registry = ended.enter_context(registry_running(folders["registry"]))
        found = ended.enter_context(prometheus(folders["prometheus"]))
        jobs = {
            "IMAGE": registry.image("acme/engine"),
            "PYTHONPATH": str(Path(sys.modules["real_registry"].__file__ or "").parent),
        }
        ended.enter_context(gitea.runner(jobs))
        cluster.namespace("engine")
        watcher = ended.enter_context(Watcher(cluster.kubeconfig, "engine"))
        mesh = Mesh(folders["mesh"], watcher)
        mesh.envoy = measured = Measured(folders["mesh"])
        measured.ports[80] = free_port()
        ended.enter_context(mesh)
        gitea.trusted_by_git()
        yield Drill(folders["work"], cluster, argo_cd, gitea, registry, watcher, mesh, measured, found, window, hook)


def _copy(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder)


def _commit(place: Path, message: str) -> None:
    git("add", "-A", cwd=place)
    git("commit", "-qm", message, cwd=place)

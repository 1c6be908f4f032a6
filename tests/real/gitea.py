"""A real Gitea on 127.0.0.1, with SQLite, and its runner in host mode: jobs run on this machine, without a container.

with running(tmp_path) as gitea:
    gitea.repository("engine", directory)
    (pull,) = gitea.pulls("engine")
    gitea.merge("engine", pull)
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from control_plane import need, until
from origin import git
from processes import free_port
from processes import running as running_process
from real_programs import BUILT, server

OWNER = "acme"

INI = """\
APP_NAME = Gitea
RUN_MODE = prod
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
WORK_PATH = {work}
[server]
PROTOCOL = http
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
LOCAL_ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {files}
DISABLE_SSH = true
OFFLINE_MODE = true
LFS_START_SERVER = false
[database]
DB_TYPE = sqlite3
PATH = {work}/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = of-a-test
PASSWORD_HASH_ALGO = pbkdf2_v2
[log]
LEVEL = Warn
[repository]
DEFAULT_PRIVATE = private
ENABLE_PUSH_CREATE_ORG = true
[actions]
ENABLED = true
DEFAULT_ACTIONS_URL = self
[webhook]
ALLOWED_HOST_LIST = loopback
DELIVER_TIMEOUT = 5
[mailer]
ENABLED = false
[cron]
ENABLED = false
[indexer]
REPO_INDEXER_ENABLED = false
ISSUE_INDEXER_TYPE = db
"""


@dataclass
class Gitea:
    """A running server; what is asked of it is asked as its first person, `ada`, with a token that may do everything."""

    directory: Path
    url: str
    token: str = ""
    api: requests.Session = field(default_factory=requests.Session)
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def call(self, method: str, path: str, *, missing: bool = False, **body: Any) -> Any:
        """One call of the API; `missing`: None for what isn't there."""
        answer = self.api.request(method, f"{self.url}/api/v1/{path}", json=body or None, timeout=30)
        if missing and answer.status_code == 404:
            return None
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def clone_url(self, name: str) -> str:
        return f"{self.url}/{OWNER}/{name}.git"

    def directory_of(self, name: str) -> Path:
        """Where the server keeps a repository."""
        return self.directory / "gitea" / "data" / "gitea-repositories" / OWNER / f"{name}.git"

    # -- accounts --

    def person(self, name: str, *options: str) -> str:
        """A new account; what the server's program says of it."""
        create = ["admin", "user", "create", "--username", name, "--email", f"{name}@example.com"]
        return self._program(*create, "--random-password", "--must-change-password=false", *options)

    def token_of(self, name: str, scopes: str) -> str:
        """A token of an account; the same one each time."""
        if (name, scopes) not in self.tokens:
            asked = ["--username", name, "--token-name", os.urandom(8).hex(), "--scopes", scopes, "--raw"]
            self.tokens[name, scopes] = self._program("admin", "user", "generate-access-token", *asked).split()[-1]
        return self.tokens[name, scopes]

    def _program(self, *arguments: str) -> str:
        place = self.directory / "gitea"
        command = [*server("gitea"), "--config", str(place / "app.ini"), *arguments]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def trusted_by_git(self) -> None:
        """Git of this machine's user shows the token to this server, and to no other."""
        pair = base64.b64encode(f"ada:{self.token}".encode()).decode()
        git("config", "--global", f"http.{self.url}/.extraheader", f"Authorization: Basic {pair}")

    def hook(self, name: str, url: str) -> None:
        """Tell somebody of each push."""
        config = {"url": url, "content_type": "json"}
        self.call("POST", f"repos/{OWNER}/{name}/hooks", type="gitea", active=True, events=["push"], config=config)

    def repository(self, name: str, source: Path | None = None) -> None:
        """A private, empty repository, or one that holds what a directory holds."""
        self.call("POST", f"orgs/{OWNER}/repos", name=name, private=True, default_branch="main")
        if source is not None:
            git("push", "-q", self.clone_url(name), "HEAD:refs/heads/main", cwd=source)
            # It takes note of a push some moments later, and until then fails on whoever reads a file.
            until(lambda: not self.call("GET", f"repos/{OWNER}/{name}")["empty"])

    def file(self, name: str, path: str, ref: str = "main") -> str:
        """A file of a repository; empty where there is none."""
        found = self.call("GET", f"repos/{OWNER}/{name}/contents/{path}?ref={ref}", missing=True)
        return base64.b64decode(found["content"]).decode("utf-8") if found else ""

    # -- pull requests --

    def pulls(self, name: str, state: str = "open") -> list[Any]:
        return list(self.call("GET", f"repos/{OWNER}/{name}/pulls?state={state}"))

    def merge(self, name: str, pull: Any, style: str = "merge", *, deletes: bool = True) -> None:
        """Merge what stands in a pull request as it was read; whoever pushed since then is an error.

        A 405 that says so means that the server still works out whether it can be merged.
        """
        path = f"{self.url}/api/v1/repos/{OWNER}/{name}/pulls/{pull['number']}/merge"
        asked = {"do": style, "head_commit_id": pull["head"]["sha"], "delete_branch_after_merge": deletes}
        until(lambda: _merged(self.api.post(path, json=asked, timeout=30)), 60, f"#{pull['number']} is merged")

    # -- its runner --

    def secret(self, name: str, key: str, value: str) -> None:
        self.call("PUT", f"repos/{OWNER}/{name}/actions/secrets/{key}", data=value)

    @contextmanager
    def runner(self, environment: Mapping[str, str], *labels: str) -> Iterator[None]:
        """A runner in host mode: its jobs see these variables, and this environment's programs come first on PATH."""
        need("gitea-runner")
        place = self.directory / "runner"
        place.mkdir()
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        config = {
            "runner": {"file": str(place / ".runner"), "fetch_interval": "500ms", "fetch_interval_max": "1s"},
            "cache": {"enabled": False},
            "host": {"workdir_parent": str(place / "work")},
        }
        config["runner"] |= {"envs": {"PATH": path, **environment}}  # type: ignore[dict-item]
        (place / "config.yaml").write_text(json.dumps(config), "utf-8")
        told = [*server("gitea-runner"), "--config", str(place / "config.yaml")]
        token = self.call("POST", "admin/actions/runners/registration-token")["token"]
        register = [
            "register",
            "--no-interactive",
            "--instance",
            self.url,
            "--token",
            token,
            "--labels",
            ",".join(f"{label}:host" for label in labels or ("ubuntu-latest",)),
        ]
        done = subprocess.run([*told, *register], cwd=place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        with running_process([*told, "daemon"], place / "log", place):
            yield

    def runs(self, name: str) -> list[Any]:
        return list(self.call("GET", f"repos/{OWNER}/{name}/actions/runs")["workflow_runs"])

    def log(self, name: str, run: Any) -> str:
        """What the jobs of a run wrote."""
        jobs = self.call("GET", f"repos/{OWNER}/{name}/actions/runs/{run['id']}/jobs")["jobs"]
        each = [f"{self.url}/api/v1/repos/{OWNER}/{name}/actions/jobs/{job['id']}/logs" for job in jobs]
        return "\n".join(self.api.get(one, timeout=30).text for one in each)

    def finished(self, name: str, commit: str = "", after: int = 0, seconds: float = 120) -> Any:
        """The newest run, of a commit, or after so many others, when it is over."""

        def over() -> Any:
            found = [one for one in self.runs(name) if one["head_sha"].startswith(commit)]
            return found[0] if len(found) > after and found[0]["status"] == "completed" else None

        return until(over, seconds, f"a run of {name} is over")


@contextmanager
def running(directory: Path) -> Iterator[Gitea]:
    """A server with its files in a directory of its own, an administrator and an organisation; it ends with the block."""
    need("gitea")
    place, port = directory / "gitea", free_port()
    place.mkdir()
    ini = place / "app.ini"
    ini.write_text(INI.format(work=place, port=port, files=BUILT / "gitea-files"), "utf-8")
    program = [*server("gitea"), "--config", str(ini)]
    with running_process([*program, "web"], place / "log", place) as process:
        gitea = Gitea(directory, f"http://127.0.0.1:{port}")
        gitea.api.trust_env = False

        def ready() -> bool:
            assert process.poll() is None, (place / "log").read_text("utf-8")
            try:
                return gitea.api.get(f"{gitea.url}/api/healthz", timeout=5).ok
            except requests.RequestException:
                return False

        until(ready, 60, "Gitea answers")
        said = gitea.person("ada", "--admin", "--access-token")
        gitea.token = next(word for line in said.splitlines() if "token" in line for word in line.split()[-1:])
        gitea.api.headers["Authorization"] = f"token {gitea.token}"
        gitea.call("POST", "orgs", username=OWNER)
        yield gitea


def _merged(answer: requests.Response) -> bool:
    if answer.status_code == 405 and "try again later" in answer.text.lower():
        return False
    assert answer.ok, f"{answer.status_code} {answer.text}"
    return True

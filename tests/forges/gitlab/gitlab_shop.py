"""A project on GitLab's stand-in, with a client that speaks plain HTTP and plain git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import requests
from gitlab_standin import GitLab, Token

PATH = "acme/platform/shop"

BEGIN = b"""commit refs/heads/main
author Ada <ada@example.com> 1700000000 +0000
committer Ada <ada@example.com> 1700000000 +0000
data 5
Begin
M 644 inline tags.yaml
data 15
- v1
- v2
- v3

"""


class Desk:
    """`acme/platform/shop` with `main`, a project access token, and two people."""

    def __init__(self, gitlab: GitLab, **settings: Any) -> None:
        self.gitlab = gitlab
        self.project = gitlab.add_project(PATH, **settings)
        self.bare = self.project.bare
        self.bare.git("fast-import", "--quiet", stdin=BEGIN)
        self.token = gitlab.add_token(project=PATH)
        self.alice = gitlab.hand(PATH, "alice")
        self.bo = gitlab.hand(PATH, "bo", "developer")

    def ask(
        self, method: str, path: str, *, token: Token | None = None, project: str | int = "", **more: Any
    ) -> requests.Response:
        """A request below `/projects/acme%2Fplatform%2Fshop`; no retry, no redirect."""
        headers = {"PRIVATE-TOKEN": (token or self.token).value, **more.pop("headers", {})}
        where = f"{project or PATH}".replace("/", "%2F")
        url = f"{self.gitlab.api}/projects/{where}{path}"
        return requests.request(method, url, headers=headers, timeout=20, allow_redirects=False, **more)

    def json(self, method: str, path: str, **more: Any) -> Any:
        answer = self.ask(method, path, **more)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def api(self, path: str, headers: dict[str, str] | None = None) -> Any:
        """A GET below `/api/v4`."""
        kept = headers or {"PRIVATE-TOKEN": self.token.value}
        answer = requests.get(f"{self.gitlab.api}{path}", headers=kept, timeout=20, allow_redirects=False)
        assert answer.ok, answer.text
        return answer.json()

    def refused(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Status and what stands in `message` or `error`."""
        answer = self.ask(method, path, **more)
        assert answer.status_code >= 400, answer.text
        body = answer.json()
        return answer.status_code, body.get("message", body.get("error"))

    def propose(self, branch: str = "release/devel", files: dict[str, Any] | None = None, **more: Any) -> int:
        """A branch with a commit, and its merge request."""
        self.bo.push(branch, files or {"tags.yaml": "- v1\n- v2\n- v3\n- v4\n"}, "Add v4")
        body = {"title": "Release v4", "source_branch": branch, "target_branch": "main", "description": "What changes"}
        return int(self.json("POST", "/merge_requests", json={**body, **more})["iid"])

    def request(self, iid: int) -> Any:
        """A merge request, once GitLab has found out whether it can be merged."""
        for _ in range(3):
            found = self.json("GET", f"/merge_requests/{iid}")
            if found["detailed_merge_status"] not in ("preparing", "checking"):
                break
        return found

    def git(self, folder: Path, *words: str, token: Token | None = None) -> str:
        """git in a folder; what it said, with its status in front."""
        env = {
            **os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Cy", "GIT_AUTHOR_EMAIL": "cy@example.com",
            "GIT_COMMITTER_NAME": "Cy", "GIT_COMMITTER_EMAIL": "cy@example.com",
        }  # fmt: skip
        done = subprocess.run(
            ["git", *words], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        return f"{done.returncode}\n{done.stdout}{done.stderr}"

    def url(self, token: Token | None = None) -> str:
        one = token or self.token
        user = "gitlab-ci-token" if one.kind == "job" else "oauth2"
        return self.gitlab.clone_url(PATH).replace("http://", f"http://{user}:{one.value}@")

    def push(self, folder: Path, *words: str, token: Token | None = None) -> str:
        """A clone's new commit, pushed to where `words` say."""
        if not (folder / "clone").exists():
            self.git(folder, "clone", "--quiet", self.url(), "clone")
        clone = folder / "clone"
        (clone / "tags.yaml").write_text(f"- {len(words)} {words}\n")
        self.git(clone, "commit", "--quiet", "--all", "--message", "More tags\n\nThey are needed.")
        return self.git(clone, "push", self.url(token), *words)

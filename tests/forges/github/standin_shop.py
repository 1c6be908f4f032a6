"""A repository on the stand-in, with a client that speaks plain HTTP and plain git, or with the forge of the tool."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import requests
from standin import StandIn, Token

from release_tool.forges.git_login import header_for_git
from release_tool.forges.github.address import address_of
from release_tool.forges.github.client import GitHubClient
from release_tool.forges.github.forge import GitHubForge
from release_tool.forges.server_merge import ServerMerge
from release_tool.forges.token import Token as Shown
from release_tool.git.repository import Repository
from release_tool.net.secret import Secret
from release_tool.wiring import utc_now

HEAD, BASE = "release/devel", "main"

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
M 644 inline README.md
data 6
Hello

"""


class Shop:
    """`acme/shop`, with `main` and somebody with a token."""

    def __init__(self, standin: StandIn, **settings: Any) -> None:
        self.standin = standin
        self.repository = standin.add_repository("acme/shop", **settings)
        self.bare = self.repository.bare
        self.bare.git("fast-import", "--quiet", stdin=BEGIN)
        self.token = standin.add_token()
        self.alice = standin.hand("acme/shop", "alice")
        self.bob = standin.hand("acme/shop", "bob")

    def ask(self, method: str, path: str, *, token: Token | None = None, **more: Any) -> requests.Response:
        """A request below `/repos/acme/shop`; no retry, no redirect."""
        headers = {"Authorization": f"Bearer {(token or self.token).value}"}
        url = f"{self.standin.api}/repos/acme/shop{path}"
        return requests.request(method, url, headers=headers, timeout=20, allow_redirects=False, **more)

    def json(self, method: str, path: str, **more: Any) -> Any:
        answer = self.ask(method, path, **more)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def query(self, document: str, *, token: Token | None = None, **variables: Any) -> Any:
        answer = requests.post(
            self.standin.graphql,
            json={"query": document, "variables": variables},
            headers={"Authorization": f"Bearer {(token or self.token).value}"},
            timeout=20,
        )
        return answer.json()

    def propose(self, branch: str = "release/devel", files: dict[str, Any] | None = None, **more: Any) -> int:
        """A branch with a commit, and its pull request."""
        self.alice.push(branch, files or {"tags.yaml": "- v1\n- v2\n- v3\n- v4\n"}, "Add v4")
        body = {"title": "Release v4", "head": branch, "base": "main", "body": "What changes", **more}
        return self.json("POST", "/pulls", json=body)["number"]

    def pull(self, number: int) -> Any:
        """A pull request, once GitHub has found out whether it can be merged."""
        self.json("GET", f"/pulls/{number}")
        return self.json("GET", f"/pulls/{number}")

    def clone(self, folder: Path, token: Token | None = None) -> Clone:
        url = self.standin.clone_url("acme/shop").replace("://", f"://x-access-token:{(token or self.token).value}@")
        git("clone", "--quiet", url, str(folder))
        return Clone(folder)


class Desk:
    """A shop with the forge of its repository, without the rest of the tool; waits are written down and not slept."""

    def __init__(self, standin: StandIn, **settings: Any) -> None:
        self.shop = Shop(standin, **settings)
        self.standin = standin
        self.slept: list[float] = []  # in seconds
        self._forges: list[GitHubForge] = []
        self.forge = self.forge_of(self.shop.token)
        self.pushed = 0

    def forge_of(self, token: Token | None, *, patience: float = 120.0) -> GitHubForge:
        address = address_of(self.standin.clone_url("acme/shop"), "", {})
        shown = Shown(Secret(token.value), "GITHUB_TOKEN") if token else None
        client = GitHubClient(address, shown, patience=patience, sleep=self.slept.append, now=utc_now)
        repository = Repository.open(None, self.standin.clone_url("acme/shop"), entitle=self._login)
        merge = ServerMerge(repository, utc_now)
        self._forges.append(GitHubForge(address, client, merge, self.slept.append))
        return self._forges[-1]

    def _login(self, url: str) -> Secret | None:
        return header_for_git(url, {"GITHUB_TOKEN": self.shop.token.value, "GITHUB_SERVER_URL": self.standin.web})

    def close(self) -> None:
        for forge in self._forges:
            forge.close_connections()

    def push(self, branch: str = HEAD) -> str:
        self.pushed += 1
        return self.shop.alice.push(branch, {"tags.yaml": f"- v1\n- v{self.pushed}\n"}, f"Add v{self.pushed}")

    def open(self, branch: str = HEAD, **more: Any) -> int:
        """A branch and its pull request, by the forge."""
        self.push(branch)
        return self.forge.open(branch, BASE, "Title", "Body", **more).pull_request.number

    def requests(self, since: int = 0) -> list[str]:
        """The requests to the API so far, in a few words each."""
        return [f"{one.method} {one.path.removeprefix('/repos/acme/shop')}" for one in self.standin.calls()][since:]


class Clone:
    """A working copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *words: str, ok: bool = True) -> str:
        return git("-C", str(self.folder), *words, ok=ok)

    def commit(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.git("add", path)
        self.git("commit", "--quiet", "--message", f"Change {path}")


def git(*words: str, ok: bool = True) -> str:
    """Output and complaints of git, which must succeed or (`ok=False`) fail."""
    done = subprocess.run(
        ["git", *words], capture_output=True, check=False, timeout=60, env={**os.environ, "LC_ALL": "C"}
    )
    text = (done.stdout + done.stderr).decode().strip()
    assert (done.returncode == 0) is ok, text
    return text

"""The bench of Gitea: a repository of its own on a real server, the tool's account, and people."""

from __future__ import annotations

import base64
import itertools
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from conformance.bench import Truth
from conformance.by_git import Clone
from control_plane import until
from gitea import OWNER, Gitea
from origin import git
from world import World

from release_tool.forges.gitea import asking
from release_tool.forges.gitea.merging import STYLES
from release_tool.wiring import utc_now

_NUMBERS = itertools.count(1)


class GiteaBench:
    """`ada`, the first person, does what people do; `robot` is the tool's account, and `bob` reviews."""

    kind = "auto"
    reviewer = "bob"

    def __init__(self, world: World, server: Gitea, name: str, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.server = server
        self.url = server.clone_url(name)
        self.token = server.token_of("robot", "write:repository,write:issue,read:user")
        self.reader = server.token_of("robot", "read:repository,read:issue")
        self.environ: Mapping[str, str] = {"GITEA_SERVER_URL": server.url, "GITEA_TOKEN": self.token}
        self._path = f"repos/{OWNER}/{name}"
        self._patch = patch
        self._bob = {"Authorization": f"token {server.token_of('bob', 'write:repository')}"}
        login = base64.b64encode(f"ada:{server.token}".encode()).decode()
        self._header = f"Authorization: Basic {login}"
        self._put_in_place(name)
        self._clone = Clone(world.path / "by-hand", self.url, self._header)

    def _put_in_place(self, name: str) -> None:
        """The server gets what the world's origin holds, and its directory takes that one's place."""
        self.server.call("POST", f"orgs/{OWNER}/repos", name=name, private=True, default_branch="main")
        for person in ("robot", "bob"):
            self.server.call("PUT", f"{self._path}/collaborators/{person}", permission="write")
        header = ["-c", f"http.extraHeader={self._header}"]
        git(*header, "push", "-q", self.url, "refs/heads/main", cwd=self.world.origin)
        until(lambda: not self._call("GET", "")["empty"])
        shutil.rmtree(self.world.origin)
        self.world.origin.symlink_to(self.server.directory_of(name))

    def _call(self, method: str, path: str, **body: Any) -> Any:
        return self.server.call(method, f"{self._path}{path}", **body)

    # -- the truth --

    def pulls(self) -> list[Truth]:
        def settled() -> list[Any] | None:
            found: list[Any] = self._call("GET", "/pulls?state=all&limit=50")
            # One whose branch was deleted is closed some seconds later.
            waits = [one for one in found if one["state"] == "open" and one["head"]["ref"].startswith("refs/pull/")]
            return None if waits else [found]

        (found,) = until(settled, 30, "pull requests without a branch are closed")
        return [self._truth(one) for one in found]

    def _truth(self, one: Any) -> Truth:
        events = [each["type"] for each in self._call("GET", f"/issues/{one['number']}/timeline?limit=50") or ()]
        return Truth(
            one["number"],
            "merged" if one["merged"] else one["state"],
            one["head"]["label"],
            one["base"]["ref"],
            one["title"],
            one["body"],
            tuple(label["name"] for label in one["labels"]),
            tuple(person["login"] for person in one["requested_reviewers"] or ()),
            tuple(each["body"] for each in self._call("GET", f"/issues/{one['number']}/comments")),
            auto_merge="pull_scheduled_merge" in events and "pull_cancel_scheduled_merge" not in events,
        )

    # -- what people do --

    def push(self, branch: str, files: Mapping[str, str | None], message: str = "By hand") -> str:
        return self._clone.push(branch, files, message)

    def force_push(self, branch: str, to: str) -> None:
        self._clone.force_push(branch, to)

    def delete_branch(self, branch: str) -> None:
        self._clone.delete_branch(branch)

    def merge(self, number: int, method: str = "merge") -> str:
        pull = self._call("GET", f"/pulls/{number}")
        self.server.merge(self._path.rpartition("/")[2], pull, STYLES[method][0], deletes=False)
        return git("rev-parse", pull["base"]["ref"], cwd=self.world.origin)

    def close(self, number: int) -> None:
        self._call("PATCH", f"/pulls/{number}", state="closed")

    def reopen(self, number: int) -> None:
        self._call("PATCH", f"/pulls/{number}", state="open")

    def retarget(self, number: int, base: str) -> None:
        self._call("PATCH", f"/pulls/{number}", base=base)

    def comment(self, number: int, text: str) -> None:
        self._call("POST", f"/issues/{number}/comments", body=text)

    # -- rules and time --

    def ask_for_approval(self, base: str) -> None:
        rule = {"rule_name": base, "required_approvals": 1, "enable_push": True, "enable_push_whitelist": True}
        self._call("POST", "/branch_protections", **rule, push_whitelist_usernames=["ada"])

    def approve(self, number: int) -> None:
        address = f"{self.server.url}/api/v1/{self._path}/pulls/{number}/reviews"
        answer = self.server.api.post(address, json={"event": "APPROVED"}, headers=self._bob, timeout=30)
        assert answer.ok, answer.text

    def small_pages(self) -> None:
        """The server's own limit is one of its configuration: the tool asks for no more."""
        self._patch.setattr(asking, "MOST", "3")
        self._patch.setattr(asking, "FEW", 3)

    def later(self, time_: timedelta) -> None:
        """The server has the machine's clock: an hour is taken for a second, which its times tell apart."""
        time.sleep(1.1 if time_ > timedelta(seconds=10) else max(1.1, time_.total_seconds()))
        self.world.now = utc_now()


def bench_on(server: Gitea) -> Callable[[World], AbstractContextManager[GiteaBench]]:
    """Makes benches on a server that runs."""

    @contextmanager
    def gitea_bench(world: World) -> Iterator[GiteaBench]:
        world.now = utc_now()
        with pytest.MonkeyPatch.context() as patch:
            yield GiteaBench(world, server, f"engine-{next(_NUMBERS)}", patch)

    return gitea_bench


def people(server: Gitea) -> None:
    """The tool's account, and a reviewer."""
    for name in ("robot", "bob"):
        server.person(name)

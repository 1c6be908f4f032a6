"""A world whose origin is on GitLab's stand-in: the tool works on it by HTTP, people by the stand-in's hands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gitlab_standin import GitLab, MergeRequest, Project, Token
from world import CONFIG, SEED, Result, World

PATH = "acme/platform/engine"
PUBLISH = "publish: {labels: [release], timeout: 5s}\n"


# v4 is the default, and its check fails.
SICK_TAGS = """\
image:
  default: v4
  tag:
    v3: v1.0.3
    v4: v1.0.4
"""
SICK = """\
version: 1
chart: charts/grpc-manifest
release_name: engine
namespace: engine
publish: {labels: [release], timeout: 5s}
environments:
  devel:
    default: newest
    retention: {keep: 8}
    health:
      failures: 1
      grace: 0s
      checks: {answers: {command: {argv: [sh, -c, 'test "$RELEASE_VERSION" != v4']}}}
"""


class GitLabWorld:
    """One GitOps repository on GitLab; `token` goes into the environment as a job of GitLab CI has it."""

    def __init__(
        self, path: Path, gitlab: GitLab, monkeypatch: pytest.MonkeyPatch, *, tags: str = SEED, config: str = ""
    ) -> None:
        config = config or CONFIG.format(default="newest", keep=40) + PUBLISH
        self.world = World.make(path, tags=tags, config=config)
        self.gitlab = gitlab
        gitlab.date = lambda: self.world.now
        gitlab.now = lambda: self.world.now  # type: ignore[method-assign]
        self.project: Project = gitlab.add_project(PATH, self.world.origin)
        self.alice = gitlab.hand(PATH, "alice")
        self.url = gitlab.clone_url(PATH)
        self._environment = monkeypatch
        self.token: Token = gitlab.add_token(project=PATH)
        self.take(self.token)

    def take(self, token: Token | None) -> None:
        """Lets another token be the environment's; None: there is none."""
        for name in ("GITLAB_TOKEN", "CI_JOB_TOKEN"):
            self._environment.delenv(name, raising=False)
        for name, value in self.gitlab.environment(PATH, token).items():
            if name in {"CI_SERVER_URL", "GITLAB_TOKEN", "CI_JOB_TOKEN"}:
                self._environment.setenv(name, value)

    def release(self, *arguments: str, code: int | None = 0, repo: str = "") -> Result:
        return self.world.release(*arguments, "--repo", repo or self.url, code=code)

    def bump(self, tag: str, *more: str, code: int | None = 0, **other: Any) -> Result:
        return self.release("bump", "devel", tag, *more, code=code, **other)

    @property
    def only(self) -> MergeRequest:
        (found,) = self.project.opened()
        return found

    def calls(self, since: int = 0) -> list[str]:
        """The requests to the API, in a few words each."""
        return [f"{call.method} {call.path}" for call in self.gitlab.calls()[since:]]

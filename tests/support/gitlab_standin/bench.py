"""The bench of GitLab, as the stand-in plays it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from conformance.bench import Truth

from gitlab_standin.gitlab import GitLab
from gitlab_standin.records import ApprovalRule, ProtectedBranch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from world import World

    from gitlab_standin.records import MergeRequest

PATH = "acme/platform/engine"


class GitLabBench:
    """A project of the stand-in. What `Bench` says of each method is true here, too."""

    kind = "auto"
    reviewer = "bo"

    def __init__(self, world: World, gitlab: GitLab) -> None:
        self.world = world
        self.gitlab = gitlab
        self.project = gitlab.add_project(PATH, world.origin)
        token = gitlab.add_token(project=PATH)
        reads = ("read_api", "read_repository")
        self.url = gitlab.clone_url(PATH)
        self.environ: Mapping[str, str] = {"CI_SERVER_URL": gitlab.web, "GITLAB_TOKEN": token.value}
        self.token = token.value
        self.reader = gitlab.add_token(project=PATH, role="reporter", scopes=reads).value
        self._alice, self._bo = gitlab.hand(PATH, "alice"), gitlab.hand(PATH, "bo", "developer")

    def pulls(self) -> list[Truth]:
        with self.gitlab.lock:
            self.gitlab.changes.notice(self.project, self.gitlab.ghost)
            return [self._truth(one) for one in self.project.merge_requests.values()]

    def _truth(self, one: MergeRequest) -> Truth:
        notes = (note for note in self.project.notes.values() if note.iid == one.iid and not note.system)
        return Truth(
            one.iid,
            {"opened": "open"}.get(one.state, one.state),
            one.source_branch,
            one.target_branch,
            one.title,
            one.description or "",
            tuple(one.labels),
            tuple(user.username for user in one.reviewers),
            tuple(note.body for note in notes),
            auto_merge=one.auto_merge is not None,
        )

    def push(self, branch: str, files: Mapping[str, str | None], message: str = "By hand") -> str:
        return self._alice.push(branch, dict(files), message)

    def force_push(self, branch: str, to: str) -> None:
        self._alice.force_push(branch, to)

    def delete_branch(self, branch: str) -> None:
        self._alice.delete_branch(branch)

    def merge(self, number: int, method: str = "merge") -> str:
        """A rebase is the fast-forward of a project that merges so, after the button that rebases the branch."""
        one = self.project.merge_requests[number]
        one.remove_source_branch = False
        if method != "rebase":
            return self._alice.merge(number, squash=method == "squash")
        self.project.merge_method = "ff"
        try:
            self._alice.rebase(number)
            return self._alice.merge(number)
        finally:
            self.project.merge_method = "merge"

    def close(self, number: int) -> None:
        self._alice.close(number)

    def reopen(self, number: int) -> None:
        self._alice.reopen(number)

    def retarget(self, number: int, base: str) -> None:
        self._alice.retarget(number, base)

    def comment(self, number: int, text: str) -> None:
        self._alice.comment(number, text)

    def ask_for_approval(self, base: str) -> None:
        self.project.premium = True
        self.project.rules.append(ApprovalRule(1, "Everybody"))
        self.project.protected[base] = ProtectedBranch(1, base, push=0, merge=30)

    def approve(self, number: int) -> None:
        self._bo.approve(number)

    def small_pages(self) -> None:
        self.gitlab.most_per_page = 3

    def later(self, time: timedelta) -> None:
        self.world.now += max(time, timedelta(seconds=1))


@contextmanager
def gitlab_bench(world: World) -> Iterator[GitLabBench]:
    with GitLab(now=lambda: world.now) as gitlab:
        gitlab.date = lambda: world.now
        yield GitLabBench(world, gitlab)
    gitlab.verify()

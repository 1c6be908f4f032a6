"""What people do to a project by hand: in the browser and with git."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from forge_standin.bare import Person
from forge_standin.hand import GitHand

from gitlab_standin.records import AutoMerge, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitlab_standin.gitlab import GitLab
    from gitlab_standin.records import MergeRequest, Project


class Hand(GitHand):
    """Somebody at work in one project: `gitlab.hand("acme/shop", "alice").merge(3)`. Raises `Refused` where GitLab would."""

    def __init__(self, gitlab: GitLab, project: Project, username: str) -> None:
        self._gitlab, self.project = gitlab, project
        self.user = gitlab.user(username)
        who = Person(self.user.name, self.user.email)
        super().__init__(project.bare, who, who, gitlab.now)
        self.default_branch = project.default_branch

    @contextmanager
    def at_work(self) -> Iterator[None]:
        changes = self._gitlab.changes
        with self._gitlab.lock:
            changes.notice(self.project, self._gitlab.ghost)  # what others did before isn't this person's doing
            yield
            changes.notice(self.project, self.user)

    def request(self, iid: int) -> MergeRequest:
        return self.project.merge_requests[iid]

    def merge(self, iid: int, *, squash: bool = False, remove_source_branch: bool | None = None) -> str:
        """The button, by the project's way of merging; the target branch's new tip."""
        with self.at_work():
            one = self.request(iid)
            how = AutoMerge(self.user, "", one.sha, squash, remove_source_branch, None, None)
            self._gitlab.changes.accept(self.project, one, self.user, None, how)
            return self.bare.tip(one.target_branch) or ""

    def rebase(self, iid: int) -> None:
        with self.at_work():
            self._gitlab.changes.rebase(self.project, self.request(iid), self.user)

    def merge_train(self) -> None:
        """The train's first merge request gets there: its pipeline has succeeded."""
        with self.at_work():
            one = self.request(self.project.train[0])
            how = one.auto_merge or AutoMerge(self.user, "merge_train", one.sha, None, None, None, None)
            self._gitlab.changes.merge(self.project, one, how.user, how)

    def revert(self, iid: int, *, merge: bool = True) -> MergeRequest:
        """The button below a merged request: a branch that undoes it, a merge request of it, and its merge."""
        with self.at_work():
            project, one, bare = self.project, self.request(iid), self.bare
            assert one.state == "merged", f"!{iid} isn't merged"
            tip = base = bare.tip(one.target_branch)
            assert base is not None
            for commit in reversed(self._landed(one)):
                tree = bare.picked_tree(commit, f"{commit}^", tip)
                words = f'Revert "{bare.message(commit).splitlines()[0]}"\n\nThis reverts commit {commit}'
                tip = bare.write(tree, [tip], words, self.who, self.who, self.now())
            branch = f"revert-{tip[:8]}"
            bare.move(f"refs/heads/{branch}", tip)
            text = f"This reverts merge request !{iid}"
            made = self._gitlab.new_request(
                project, project, self.user, f'Revert "{one.title}"', text, branch, one.target_branch
            )
            self._gitlab.changes.notice(project, self.user)
        if merge:
            self.merge(made.iid)
        return made

    def _landed(self, one: MergeRequest) -> list[str]:
        """What it put on the first-parent line of the target branch, the oldest first."""
        line = self.bare.git("rev-list", "--first-parent", "--reverse", f"refs/heads/{one.target_branch}").split()
        return [commit for commit in line if commit in one.landed]

    def close(self, iid: int) -> None:
        with self.at_work():
            self._gitlab.changes.close(self.project, self.request(iid), self.user)

    def reopen(self, iid: int) -> None:
        with self.at_work():
            self._gitlab.changes.reopen(self.project, self.request(iid))

    def retarget(self, iid: int, branch: str) -> None:
        with self.at_work():
            self._gitlab.retarget(self.project, self.request(iid), branch)

    def delete_branch(self, branch: str) -> None:
        with self.at_work():
            self.bare.move(f"refs/heads/{branch}", None)

    def restore_branch(self, iid: int) -> None:
        with self.at_work():
            self.bare.move(f"refs/heads/{self.request(iid).source_branch}", self.request(iid).sha)

    def approve(self, iid: int) -> None:
        with self.at_work():
            self.request(iid).approvals[self.user.username] = self.now()

    def comment(self, iid: int, text: str) -> Note:
        with self.at_work():
            return self._gitlab.new_note(self.project, self.request(iid), self.user, text)

    def thread(self, iid: int, text: str) -> Note:
        """A comment that is to be resolved."""
        with self.at_work():
            note = self._gitlab.new_note(self.project, self.request(iid), self.user, text)
            note.resolved = False
            return note

    def resolve(self, note: Note) -> None:
        with self.at_work():
            note.resolved = True

    def rename(self, iid: int, title: str | None = None, description: str | None = None) -> None:
        with self.at_work():
            one = self.request(iid)
            one.title = one.title if title is None else title
            one.description = one.description if description is None else description
            one.updated_at = self.now()

    def pipeline(self, ref: str, status: str) -> None:
        """What the pipeline of a branch says: `running`, `success`, `failed`, `skipped`, `manual`, …"""
        with self.at_work():
            sha = self.bare.commit(ref)
            assert sha is not None, ref
            self._gitlab.changes.pipeline(self.project, ref, sha, status)

"""What people do to a repository by hand: in the browser, in the web editor, with git."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from forge_standin import GitHand, Person

from standin.records import WEB, CheckRun, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from standin.records import Comment, Pull, Repository, Review
    from standin.standin import StandIn


class Hand(GitHand):
    """Somebody at work in one repository: `standin.hand("acme/shop", "alice").merge(3, "squash")`.

    Raises `Refused` where GitHub would: its text is that of the API.
    """

    def __init__(self, standin: StandIn, repository: Repository, login: str) -> None:
        self._standin = standin
        self._repository = repository
        self._user = standin.user(login)
        super().__init__(repository.bare, Person(self._user.login, self._user.email), WEB, standin.now)

    def merge(self, number: int, method: str = "merge") -> str:
        """Merges; the base's new tip."""
        with self.at_work():
            return self._standin.changes.merge(self._repository, self._pull(number), self._user, method)

    def revert(self, number: int, *, merge: bool = True) -> Pull:
        """The button below a merged pull request: a branch that undoes it, a pull request of it, and its merge."""
        with self.at_work():
            repository, pull, bare = self._repository, self._pull(number), self._repository.bare
            assert pull.merged, f"#{number} isn't merged"
            base = bare.tip(pull.base)
            assert base is not None
            tip = base
            for commit in reversed(self._landed(pull)):
                tree = bare.picked_tree(commit, f"{commit}^", tip)
                words = f'Revert "{bare.message(commit).splitlines()[0]}"\n\nThis reverts commit {commit}.'
                tip = bare.write(tree, [tip], words, self.who, WEB, self._standin.now())
            branch = f"revert-{number}-{pull.head}"
            bare.move(f"refs/heads/{branch}", tip)
            made = self._standin.new_pull(
                repository, self._user, f'Revert "{pull.title}"', f"Reverts {repository.full_name}#{number}",
                (repository, branch, tip), (pull.base, base), None,
            )  # fmt: skip
            self._standin.changes.notice(repository, self._user)
            if merge:
                self._standin.changes.merge(repository, made, self._user, "merge")
            return made

    def _landed(self, pull: Pull) -> list[str]:
        """What a merged pull request put on the first-parent line of the base, the oldest first."""
        line = self._repository.bare.git("rev-list", "--first-parent", "--reverse", f"refs/heads/{pull.base}").split()
        return [commit for commit in line if commit in pull.commits_landed]

    def close(self, number: int) -> None:
        with self.at_work():
            self._standin.changes.close(self._pull(number), "closed")

    def reopen(self, number: int) -> None:
        with self.at_work():
            self._standin.changes.reopen(self._repository, self._pull(number))

    def delete_branch(self, branch: str) -> None:
        with self.at_work():
            self._standin.changes.delete_branch(self._repository, branch, self._user)

    def restore_branch(self, number: int) -> None:
        """The button that brings the branch of a finished pull request back."""
        with self.at_work():
            pull = self._pull(number)
            self._repository.bare.move(f"refs/heads/{pull.head}", pull.head_sha)

    def update_branch(self, number: int, method: str = "merge") -> str:
        """The button that merges the base into the head, or (`rebase`) makes the head's commits anew on the base."""
        with self.at_work():
            return self._standin.changes.update_branch(self._repository, self._pull(number), self._user, method=method)

    def approve(self, number: int) -> Review:
        with self.at_work():
            return self._standin.new_review(self._repository, self._pull(number), self._user, "APPROVED", "")

    def comment(self, number: int, text: str) -> Comment:
        with self.at_work():
            return self._standin.new_comment(self._repository, self._pull(number), self._user, text)

    def rename(self, number: int, title: str | None = None, body: str | None = None) -> None:
        """Edits title and body in the browser."""
        with self.at_work():
            pull = self._pull(number)
            pull.title = pull.title if title is None else title
            pull.body = pull.body if body is None else body
            pull.updated_at = self._standin.now()

    def check(self, commit: str, name: str, conclusion: str | None) -> None:
        """What a check of GitHub Actions says: `success`, `failure`, …; None while it runs."""
        with self.at_work():
            now, sha = self._standin.now(), self._sha(commit)
            status, ended = ("completed", now) if conclusion else ("in_progress", None)
            run = CheckRun(self._standin.next_id(), sha, name, status, conclusion, now, ended)
            self._repository.check_runs.append(run)

    def status(self, commit: str, context: str, state: str, description: str = "") -> None:
        """What an older kind of check says: `success`, `failure`, `error` or `pending`."""
        with self.at_work():
            one = Status(self._standin.next_id(), self._sha(commit), context, state, description, self._standin.now())
            self._repository.statuses.append(one)

    def _sha(self, commit: str) -> str:
        found = self._repository.bare.commit(commit)
        assert found is not None, commit
        return found

    def _pull(self, number: int) -> Pull:
        return self._repository.pulls[number]

    @property
    def default_branch(self) -> str:
        return self._repository.default_branch

    @contextmanager
    def at_work(self) -> Iterator[None]:
        changes, repository = self._standin.changes, self._repository
        with self._standin.lock:
            changes.notice(repository, repository.owner)  # what others did before isn't this person's doing
            yield
            changes.notice(repository, self._user)

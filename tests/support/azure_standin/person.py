"""What people do to a repository: in the browser, in the web editor, with git."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from forge_standin import GitHand, Person

from azure_standin import problems
from azure_standin.records import Comment, Pull, Status, Thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure_standin.azure import Azure
    from azure_standin.records import Identity, Repository


class Hand(GitHand):
    """Somebody at work in one repository. Raises `Problem` where the server refuses.

    What the browser does is over at once: nobody waits for a merge that is queued.
    """

    def __init__(self, azure: Azure, repository: Repository, identity: Identity) -> None:
        who = Person(identity.name, identity.unique_name)
        super().__init__(repository.bare, who, who, azure.now)
        self.azure = azure
        self.repository = repository
        self.identity = identity

    @property
    def default_branch(self) -> str:
        return self.repository.default_branch

    @contextmanager
    def at_work(self) -> Iterator[None]:
        life = self.azure.life
        with self.azure.lock:
            life.notice(self.repository, self.azure.owner)  # what others did before isn't this person's doing
            yield
            life.notice(self.repository, self.identity)

    def propose(
        self, source: str, target: str = "main", title: str = "A person's own", text: str = "",
        fork: Repository | None = None,
    ) -> Pull:  # fmt: skip
        with self.at_work():
            return self.azure.new_pull(self.repository, self.identity, title, text, source, target, fork=fork)

    def complete(self, number: int, strategy: str = "noFastForward", **options: Any) -> Pull:
        """The button Complete, with the options of its dialog (`deleteSourceBranch=True`, `bypassPolicy=True`)."""
        with self.at_work():
            pull, life = self.pull(number), self.azure.life
            self._settle()
            pull.options = {**(pull.options or {}), **options, "mergeStrategy": strategy}
            life.complete(self.repository, pull, self.identity)
            self._settle()
            if pull.status != "completed":
                raise problems.Problem(409, "GitPullRequestNotCompleted", str(pull.merge_status))
            return pull

    def _settle(self) -> None:
        """All that is under way comes to its end."""
        for _ in range(self.azure.life.lag + 2):
            self.azure.life.work(self.repository)

    def abandon(self, number: int) -> None:
        with self.at_work():
            self.azure.life.abandon(self.pull(number), self.identity)

    def reactivate(self, number: int) -> None:
        with self.at_work():
            self.azure.life.reactivate(self.repository, self.pull(number), self.identity)

    def retarget(self, number: int, target: str) -> None:
        with self.at_work():
            self.pull(number).target = target
            self.azure.life.try_merge(self.repository, self.pull(number))

    def rename(self, number: int, title: str | None = None, text: str | None = None) -> None:
        with self.at_work():
            pull = self.pull(number)
            pull.title = pull.title if title is None else title
            pull.description = pull.description if text is None else text

    def revert(self, number: int) -> Pull:
        """The button Revert of a completed pull request: a branch that undoes it, and its pull request."""
        with self.at_work():
            pull, bare = self.pull(number), self.bare
            assert pull.status == "completed", number
            base = bare.tip(pull.target)
            assert base is not None
            tip = base
            line = bare.git("rev-list", "--first-parent", f"refs/heads/{pull.target}").split()
            for commit in [one for one in line if one in pull.commits_landed]:
                tree = bare.picked_tree(commit, f"{commit}^", tip)
                words = f"Revert '{bare.message(commit).splitlines()[0]}'\n\nReverted commit `{commit[:8]}`."
                tip = bare.write(tree, [tip], words, self.who, self.who, self.now())
            branch = f"{pull.target}-revert-from-{pull.id}"
            bare.move(f"refs/heads/{branch}", tip)
            self.azure.life.notice(self.repository, self.identity)
            title = f"Revert '{pull.title}'"
            return self.azure.new_pull(self.repository, self.identity, title, f"Reverts !{number}", branch, pull.target)

    def delete_branch(self, branch: str) -> None:
        with self.at_work():
            self.bare.move(f"refs/heads/{branch}", None)

    def restore_branch(self, number: int) -> None:
        with self.at_work():
            pull = self.pull(number)
            (pull.fork or self.repository).bare.move(f"refs/heads/{pull.source}", pull.source_commit)

    def vote(self, number: int, vote: int = 10) -> None:
        with self.at_work():
            self.azure.life.vote(self.pull(number), self.identity, vote)

    def comment(self, number: int, text: str) -> Thread:
        with self.at_work():
            now = self.now()
            one = Thread(self.azure.next_id(), now, [Comment(1, self.identity, text, now, now)])
            self.pull(number).threads.append(one)
            return one

    def status(self, number: int, name: str, state: str, description: str = "") -> None:
        """What a service says of a pull request: `succeeded`, `failed`, `pending`; `build` is that of a build."""
        with self.at_work():
            made = Status(self.azure.next_id(), "ci", name, state, description, "", self.identity, self.now())
            self.pull(number).statuses.append(made)

    def wait(self) -> None:
        """Looks until all that is under way has come to its end."""
        with self.at_work():
            self._settle()

    def pull(self, number: int) -> Pull:
        return self.repository.pulls[number]

"""What follows when a branch moves: pull requests move along, close, count as merged, lose approvals, merge by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge_standin import Conflict, Person

from standin.records import WEB, Event
from standin.rules import demands, obstacle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from standin.records import Pull, Repository, Token, User


class Refused(Exception):
    """What a person or a client wants can't be done now; `status` is what the API answers."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Changes:
    """The life of the branches and pull requests of all repositories, which are known by their full names."""

    def __init__(self, now: Callable[[], datetime], repositories: Mapping[str, Repository]) -> None:
        self.now = now
        self._repositories = repositories

    def notice(self, repository: Repository, actor: User, token: Token | None = None) -> None:
        """Takes in what has happened to the branches since the last look, whoever did it, and however."""
        before, after = repository.refs, repository.bare.heads()
        if before != after:
            repository.refs = after
            moved = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
            for name in sorted(moved):
                event = "delete" if name not in after else "push"
                self.record(repository, Event(event, f"refs/heads/{name}", actor.login, True), token)
            for target in self._repositories.values():
                for pull in target.open_pulls():
                    if pull.source is repository:
                        self._head_moved(target, pull, after.get(pull.head), token)
            for pull in repository.open_pulls():
                if pull.base in moved:
                    self._base_moved(repository, pull, after, actor)
        self.settle(repository)

    def record(self, repository: Repository, event: Event, token: Token | None) -> None:
        """Remembers an event; what GITHUB_TOKEN does starts no workflows, dispatches excepted."""
        if token is not None and token.kind == "actions" and not event.name.endswith("_dispatch"):
            event.starts_workflows = False
        repository.events.append(event)

    def _head_moved(self, repository: Repository, pull: Pull, new: str | None, token: Token | None) -> None:
        if new is None:
            self.close(pull, "head branch deleted")
        elif new != pull.head_sha:
            base = repository.bare.tip(pull.base)
            if pull.source is not repository:
                repository.bare.git("fetch", "--quiet", str(pull.source.path), new)
            pull.head_sha, pull.base_sha = new, base or pull.base_sha
            pull.updated_at = self.now()
            pull.mergeable_asked = 0
            repository.bare.move(f"refs/pull/{pull.number}/head", new)
            if demands(repository, pull.base).dismiss_stale:
                for review in pull.reviews:
                    if review.state == "APPROVED":
                        review.state = "DISMISSED"
            self.record(repository, Event("pull_request", f"refs/pull/{pull.number}/merge", pull.user.login, True,
                                          {"action": "synchronize"}), token)  # fmt: skip
            if base is not None and repository.bare.contains(base, new):
                self.close(pull, "no commits between base and head")

    def _base_moved(self, repository: Repository, pull: Pull, heads: dict[str, str], actor: User) -> None:
        base = heads.get(pull.base)
        if base is None:
            self.close(pull, "base branch deleted")
            return
        pull.mergeable_asked = 0
        if repository.bare.contains(base, pull.head_sha):  # somebody merged it by git and pushed
            path = repository.bare.git(
                "rev-list", "--first-parent", "--ancestry-path", "--reverse", f"{pull.head_sha}..{base}"
            )
            landed = repository.bare.ahead(pull.base_sha, pull.head_sha)
            self.merged(pull, actor, (path.split() or [pull.head_sha])[0], [*landed, *path.split()[:1]])

    def close(self, pull: Pull, because: str) -> None:
        pull.state = "closed"
        pull.closed_at = pull.updated_at = self.now()
        pull.closed_because = because
        pull.auto_merge = None

    def merged(self, pull: Pull, by: User, commit: str, landed: list[str]) -> None:
        self.close(pull, "merged")
        pull.merged_at = pull.closed_at
        pull.merged_by = by
        pull.merge_commit = commit
        pull.commits_landed = landed

    def settle(self, repository: Repository) -> None:
        """Merges what waits for it by itself and may go on now."""
        for pull in repository.open_pulls():
            if pull.auto_merge and obstacle(repository, pull)[1] == "":
                wish = pull.auto_merge
                self.merge(repository, pull, wish.user, wish.method, title=wish.title, message=wish.message)

    # merging, by real git

    def merge(
        self, repository: Repository, pull: Pull, by: User, method: str, *, sha: str | None = None,
        title: str | None = None, message: str | None = None, token: Token | None = None,
    ) -> str:  # fmt: skip
        """Merges a pull request and returns the base's new tip. Refused with 405 or 409 as the API says it."""
        self._check_mergeable(repository, pull, method, sha)
        base = repository.bare.tip(pull.base)
        assert base is not None
        try:
            commits = self._merge_commits(repository, pull, by, method, base, (title, message))
        except Conflict:
            raise Refused(405, "This branch can't be rebased") from None
        tip = commits[-1] if commits else base
        repository.bare.move(f"refs/heads/{pull.base}", tip, base)
        if method == "merge":
            commits = [*commits, *repository.bare.ahead(base, pull.head_sha)]
        pull.base_sha = base
        self.merged(pull, by, tip, commits)
        self.notice(repository, by, token)
        if repository.delete_branch_on_merge and pull.source is repository:
            self.delete_branch(repository, pull.head, by)
        return tip

    def _check_mergeable(self, repository: Repository, pull: Pull, method: str, sha: str | None) -> None:
        words = {"merge": "Merge commits are", "squash": "Squash merges are", "rebase": "Rebase merges are"}
        allowed = {
            "merge": repository.allow_merge_commit,
            "squash": repository.allow_squash_merge,
            "rebase": repository.allow_rebase_merge,
        }
        if pull.state != "open":
            raise Refused(405, "Pull Request is not mergeable")
        if sha is not None and sha != pull.head_sha:
            raise Refused(409, "Head branch was modified. Review and try the merge again.")
        if not allowed[method]:
            raise Refused(405, f"{words[method]} not allowed on this repository.")
        methods = demands(repository, pull.base).methods
        if methods is not None and method not in methods:
            raise Refused(405, f"Repository rule violations found\n\n{words[method]} not allowed on this repository.")
        if why := obstacle(repository, pull)[1]:
            raise Refused(405, why)

    def _merge_commits(
        self, repository: Repository, pull: Pull, by: User, method: str, base: str, words: tuple[str | None, str | None]
    ) -> list[str]:
        bare, head, now = repository.bare, pull.head_sha, self.now()
        merger = Person(by.login, by.email)
        if method == "rebase":
            return bare.rebased(base, head, merger, now)
        title, message = words
        tree = bare.merged_tree(base, head)
        if method == "merge":
            owner = pull.head_repo.partition("/")[0]
            title = title or f"Merge pull request #{pull.number} from {owner}/{pull.head}"
            message = pull.title if message is None else message
            return [bare.write(tree, [base, head], f"{title}\n\n{message}", merger, WEB, now)]
        commits = [commit for commit in bare.ahead(base, head) if len(bare.git("rev-parse", f"{commit}^@").split()) < 2]
        if message is None:
            message = "\n\n".join(f"* {bare.message(commit)}" for commit in commits)
            if len(commits) == 1:
                first, _, message = bare.message(commits[0]).partition("\n\n")
                title = title or f"{first} (#{pull.number})"
        title = title or f"{pull.title} (#{pull.number})"
        author = Person(pull.user.login, pull.user.email)
        return [bare.write(tree, [base], f"{title}\n\n{message}", author, WEB, now)]

    def update_branch(
        self, repository: Repository, pull: Pull, by: User, token: Token | None = None, *, method: str = "merge"
    ) -> str:
        """Merges the base into the head, or makes its commits anew on the base, as the button does."""
        bare, base = repository.bare, repository.bare.tip(pull.base)
        if pull.state != "open" or base is None:
            raise Refused(422, "Pull request is not open")
        if bare.contains(pull.head_sha, base):
            raise Refused(422, "There are no new commits on the base branch.")
        person = Person(by.login, by.email)
        try:
            if method == "rebase":
                tip = [base, *bare.rebased(base, pull.head_sha, person, self.now())][-1]
            else:
                tree = bare.merged_tree(pull.head_sha, base)
                words = f"Merge branch '{pull.base}' into {pull.head}"
                tip = bare.write(tree, [pull.head_sha, base], words, person, WEB, self.now())
        except Conflict:
            raise Refused(422, "merge conflict between base and head") from None
        if pull.source is not repository:
            pull.source.bare.git("fetch", "--quiet", str(repository.path), tip)
        pull.source.bare.move(f"refs/heads/{pull.head}", tip, pull.head_sha)
        self.notice(pull.source, by, token)
        return tip

    def delete_branch(self, repository: Repository, branch: str, by: User, token: Token | None = None) -> None:
        """Deletes a branch. Open pull requests into the branch of a merged one go to where that was merged."""
        went = [pull.base for pull in repository.pulls.values() if pull.merged and pull.head == branch]
        for pull in repository.open_pulls():
            if pull.base == branch and went:
                pull.base = went[-1]
        if repository.bare.tip(branch):
            repository.bare.move(f"refs/heads/{branch}", None)
        self.notice(repository, by, token)

    def reopen(self, repository: Repository, pull: Pull) -> None:
        """Opens a closed one again. Refused where its branch is gone or isn't what it was."""
        tip = pull.source.bare.tip(pull.head)
        cannot = "state cannot be changed. "
        twin = [one for one in repository.open_pulls() if (one.head, one.base) == (pull.head, pull.base)]
        if pull.merged:
            raise Refused(422, f"{cannot}The pull request has already been merged.")
        if tip is None:
            raise Refused(422, f"{cannot}The {pull.head} branch has been deleted.")
        if twin:
            raise Refused(422, f"{cannot}There is already an open pull request for {pull.head}.")
        if not repository.bare.contains(tip, pull.head_sha):
            raise Refused(422, f"{cannot}The {pull.head} branch was force-pushed or recreated.")
        base = repository.bare.tip(pull.base)
        if base is None or repository.bare.contains(base, tip):
            raise Refused(422, f"{cannot}There are no new commits on the {pull.head} branch.")
        pull.state, pull.closed_at, pull.closed_because = "open", None, ""
        pull.updated_at = self.now()
        if pull.head_sha != tip:
            pull.head_sha, pull.mergeable_asked = tip, 0
            repository.bare.move(f"refs/pull/{pull.number}/head", tip)

"""A merge that the forge itself makes: checked here before, its branch deleted after."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused, ReleaseError, TryAgain
from release_tool.git.repository import Stale
from release_tool.model.records import RefUpdate

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from release_tool.git.repository import Repository
    from release_tool.model.records import CommitId, PullRequest


class ServerMerge(NamedTuple):
    """Merges of one repository.

    Attributes:
        repository: where the merge is made for its check; it reads and writes the forge's repository by git.
        now: the present time.
    """

    repository: Repository
    now: Callable[[], datetime]

    def run(
        self,
        pull: PullRequest,
        check: Callable[[CommitId], None] | None,
        send: Callable[[PullRequest], None],
        again: Callable[[int], PullRequest],
    ) -> PullRequest:
        """The pull request once it is merged.

        Args:
            pull: as it stands now.
            check: gets what the base would become, and raises to refuse. How the forge merges changes the commits that
                the base gets, and not its files.
            send: lets the forge merge this head and no other; Refused where it doesn't.
            again: the pull request by its number.
        """
        if pull.state == "closed":
            raise Refused(f"pull request {pull.name} is closed", where=pull.url)
        if pull.state == "open":
            if check is not None:
                check(self.merged(pull))
            try:
                send(pull)
            except Refused:
                if again(pull.number).state != "merged":  # somebody else was faster
                    raise
        self._delete_branch(pull)
        return again(pull.number)

    def merged(self, pull: PullRequest) -> CommitId:
        """What the base would become, by a merge that is made here."""
        repository = self.repository
        refs = repository.refs(f"refs/heads/{pull.base}", f"refs/heads/{pull.head}")
        base, head = refs.branch(pull.base), refs.branch(pull.head)
        if base is None or head != pull.head_commit:
            what = f"`{pull.head}` or `{pull.base}` moved just now"
            raise TryAgain(what, where=pull.url, hint="run the same command again")
        repository.fetch(base, head)
        if repository.is_ancestor(base, head):
            return head
        merged = repository.merge(base, head)
        if merged.tree is None:
            raise Refused(
                f"pull request {pull.name} conflicts with `{pull.base}` in {', '.join(merged.conflicts)}",
                where=pull.url,
                hint="`release sync` makes a release branch again on the base",
            )
        return repository.commit([base, head], merged.tree, {}, f"Merge {pull.head}", when=self.now())

    def _delete_branch(self, pull: PullRequest) -> None:
        """Deletes the branch, if it still is what was merged; a server that doesn't let it go keeps it."""
        try:
            self.repository.push([RefUpdate(f"refs/heads/{pull.head}", pull.head_commit, None)])
        except Stale:  # it is gone, or somebody pushed to it
            return
        except TryAgain:
            raise
        except ReleaseError:  # protected
            return

"""Merge requests without a token for the API: GitLab opens and changes them for a branch as it is pushed.

So it goes with a deploy key over SSH, and with the token of a CI job, which may push and nothing else. What stands at
GitLab is not seen: merged and closed merge requests, comments, times of merges.

Sources (docs.gitlab.com): "Push options", "CI/CD job token", "Deploy keys".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.forges.gitlab import pulls
from release_tool.forges.none import NoForge
from release_tool.pull_request.flavour import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_tool.forges.gitlab.address import ProjectAddress
    from release_tool.model.forge import Capabilities
    from release_tool.model.records import CommitId, PullRequest

# A line of git's protocol has 65,516 bytes, and no option goes on in the next one. A character has 4 bytes at most.
_LONGEST = 15_000
_NEEDS = (
    "put a project access token (role Developer, scope `api`; Settings, Access tokens) into GITLAB_TOKEN: "
    "CI_JOB_TOKEN and deploy keys can't do that"
)


class GitLabByPush(NoForge):
    """Opens merge requests by push options; the contract is `OpensByPush`, all else is that of a branch alone."""

    def __init__(self, address: ProjectAddress, capabilities: Capabilities) -> None:
        super().__init__()
        self.capabilities = capabilities._replace(
            proposes=False, knows_landings=False, methods=(), auto_merge="no", reviewers=False, keeps_comments=False
        )
        self._address = address

    def push_options(self, base: str, title: str, body: str, labels: Sequence[str], *, merges: bool) -> tuple[str, ...]:
        text = cut(body.rstrip(), _LONGEST, "a push option")
        options = ["create", f"target={base}", f"title={pulls.sent_title(title)}", f"description={text}"]
        options += ["remove_source_branch", *(f"label={label}" for label in labels)]
        if merges:  # the name since 17.11, and the one before; GitLab leaves out those that it doesn't know
            options += ["auto_merge", "merge_when_pipeline_succeeds"]
        # A line's end can't be in an option; GitLab makes one of `\n`.
        return tuple(f"merge_request.{one}".replace("\n", "\\n").replace("\0", "") for one in options)

    def get(self, number: int) -> PullRequest:
        raise _unseen(self._address.url(number))

    def list(self, state: str = "open") -> tuple[PullRequest, ...]:  # noqa: ARG002
        raise _unseen(self._address.web)

    def close(self, number: int, comment: str = "") -> PullRequest:  # noqa: ARG002
        raise _unseen(self._address.url(number))

    def comment(self, number: int, text: str) -> None:  # noqa: ARG002
        raise _unseen(self._address.url(number))

    def keep_comment(self, number: int, marker: str, text: str, *, only_if_there: bool = False) -> None:  # noqa: ARG002
        raise _unseen(self._address.url(number))

    def merge(
        self,
        number: int,
        method: str = "merge",  # noqa: ARG002
        check: Callable[[CommitId], None] | None = None,  # noqa: ARG002
    ) -> PullRequest:
        raise _unseen(self._address.url(number))


def _unseen(where: str) -> ReleaseError:
    return ReleaseError("merge requests can't be read or changed without a token for the API", where=where, hint=_NEEDS)

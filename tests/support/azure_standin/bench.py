"""The bench of Azure DevOps, as the stand-in plays it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from conformance.bench import Truth

from azure_standin.azure import Azure
from azure_standin.records import READER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from world import World

    from azure_standin.records import Pull

NAME = "shop/gitops"
STATES = {"active": "open", "completed": "merged", "abandoned": "closed"}
STRATEGIES = {"merge": "noFastForward", "squash": "squash", "rebase": "rebase"}


class AzureBench:
    """A repository of the stand-in, of an organization whose address the environment names."""

    kind = "auto"
    reviewer = "bob"

    def __init__(self, world: World, azure: Azure) -> None:
        self.world = world
        self.azure = azure
        self.repository = azure.add_repository(NAME, world.origin)
        token = azure.add_token(scopes=("vso.code_write", "vso.identity"))
        self.repository.rights["reader"] = READER
        self.url = azure.clone_url(NAME)
        self.environ: Mapping[str, str] = {"AZURE_DEVOPS_URL": azure.collection, "AZURE_DEVOPS_TOKEN": token.value}
        self.token = token.value
        self.reader = azure.add_token("reader").value
        self._alice, self._bob = azure.hand(NAME, "alice"), azure.hand(NAME, "bob")

    def pulls(self) -> list[Truth]:
        self._alice.wait()
        with self.azure.lock:
            return [self._truth(pull) for pull in self.repository.pulls.values()]

    def _truth(self, pull: Pull) -> Truth:
        said = (one for thread in pull.threads for one in thread.comments if one.kind == "text" and not one.deleted)
        return Truth(
            pull.id,
            STATES[pull.status],
            pull.source,
            pull.target,
            pull.title,
            pull.description or "",
            tuple(pull.labels),
            tuple(one.identity.name for one in pull.reviewers),
            tuple(one.content for one in said),
            auto_merge=pull.auto_complete is not None and pull.status == "active",
        )

    def push(self, branch: str, files: Mapping[str, str | None], message: str = "By hand") -> str:
        return self._alice.push(branch, dict(files), message)

    def force_push(self, branch: str, to: str) -> None:
        self._alice.force_push(branch, to)

    def delete_branch(self, branch: str) -> None:
        self._alice.delete_branch(branch)

    def merge(self, number: int, method: str = "merge") -> str:
        pull = self._alice.complete(number, STRATEGIES[method])
        return self.repository.bare.git("rev-parse", f"refs/heads/{pull.target}")

    def close(self, number: int) -> None:
        self._alice.abandon(number)

    def reopen(self, number: int) -> None:
        self._alice.reactivate(number)

    def retarget(self, number: int, base: str) -> None:
        self._alice.retarget(number, base)

    def comment(self, number: int, text: str) -> None:
        self._alice.comment(number, text)

    def ask_for_approval(self, base: str) -> None:
        self.azure.add_policy(self.repository, "Minimum number of reviewers", base, minimumApproverCount=1)

    def approve(self, number: int) -> None:
        self._bob.vote(number, 10)

    def small_pages(self) -> None:
        """Nothing: Azure DevOps gives as many as it is asked for, up to a thousand, and threads all at once."""

    def later(self, time: timedelta) -> None:
        self.world.now += max(time, timedelta(seconds=1))


@contextmanager
def azure_bench(world: World) -> Iterator[AzureBench]:
    with Azure(now=lambda: world.now) as azure:
        azure.date = lambda: world.now
        yield AzureBench(world, azure)
    azure.verify()

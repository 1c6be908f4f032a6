"""What the tool needs of a forge. One module a vendor; the table stands in `forges/__init__.py`.

For every method holds:

- It looks afresh: nothing is remembered between calls.
- Branches go by their short names (`release/devel`), times are UTC, texts are Markdown.
- It raises `TryAgain` when the forge is away, busy or limits the rate; `Refused` when the state of the pull request
  forbids it; any other `ReleaseError` for what a person must fix (permission, unknown number).
- After a lost answer it may be called again: what is done already counts as done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from release_tool.forges.probe import FoundServer
    from release_tool.model.forge import Capabilities
    from release_tool.model.records import CommitId, PullRequest


class ForgeSettings(NamedTuple):
    """What a forge may need to know beside its repository.

    Attributes:
        url: `forge.url` of the configuration: where its API is; empty: what belongs to the remote's URL.
        patience: the seconds that its waits for a limit of the rate may take, all together.
        environ: the environment variables.
        look: looks at the server of a remote's URL, where `forge.kind: auto` finds no forge; None: nobody looks.
    """

    url: str = ""
    patience: float = 60.0
    environ: Mapping[str, str] = {}
    look: Callable[[str], FoundServer] | None = None

    def __repr__(self) -> str:
        return f"ForgeSettings(url={self.url!r}, patience={self.patience!r})"  # a variable may hold a token


OPENING = "<!-- release: this pull request is still being opened -->\n"
"""What the body of a pull request begins with whose reviewers are still to be asked, where no label would tell."""


DUPLICATE = "<!-- release: two calls opened a pull request of this branch at the same moment -->\n"
"""What the body of a pull request begins with that is no decision of anybody: another one, just as old, goes on."""


def is_unfinished(pull: PullRequest, labels: Sequence[str]) -> bool:
    """Whether the call that opened a pull request did not get to its end.

    Args:
        pull: the pull request; a forge takes labels that differ in upper and lower case for the same.
        labels: those that it shall have, which are added last: where one is there, it did, and who takes one off, or
            configures another, asks no reviewer again.
    """
    has = {label.casefold() for label in pull.labels}
    return pull.body.startswith(OPENING) or bool(labels and not any(label.casefold() in has for label in labels))


class Opened(NamedTuple):
    """A pull request that is open now; `created` is False where one was open already and was adopted as it is."""

    pull_request: PullRequest
    created: bool


class Forge(Protocol):
    """The pull requests of one repository."""

    capabilities: Capabilities
    """What it can do; the module's `CAPABILITIES`."""

    @property
    def skew(self) -> timedelta | None:
        """How far this machine's clock is ahead of the forge's, by its last answer; None where no answer told."""

    def find_open(self, head: str, base: str) -> PullRequest | None:
        """The open pull request from head to base; None where there is none or its branch has vanished."""

    def last_finished(self, head: str, base: str) -> PullRequest | None:
        """The one from head to base that was merged or closed last; `Repository.fetch` still gets its head_commit."""

    def open(
        self,
        head: str,
        base: str,
        title: str,
        body: str,
        labels: Sequence[str] = (),
        *,
        reviewers: Sequence[str] = (),
    ) -> Opened:
        """Opens one, or adopts the open one as it is. Refused where head doesn't exist or is proposed elsewhere.

        The reviewers (`alice`, `org/team`) are asked for a review, where the forge knows such a thing.
        """

    def update(
        self, number: int, title: str, body: str, labels: Sequence[str] = (), *, reviewers: Sequence[str] = ()
    ) -> PullRequest:
        """Sets title and body and adds labels. Refused where it is no longer open.

        The reviewers are asked first; they are given for one whose opening did not get to its end (`is_unfinished`).
        """

    def close(self, number: int, comment: str = "") -> PullRequest:
        """Closes it without a merge, with a comment; the branch stays. A finished one stays as it is."""

    def comment(self, number: int, text: str) -> None:
        """Adds a comment, also to a finished one. One that is there already may stand for another of the same text."""

    def get(self, number: int) -> PullRequest:
        """One by its number; ReleaseError where there is none."""

    def list(self, state: str = "open") -> tuple[PullRequest, ...]:
        """Those in a state (`open`, `merged`, `closed`) or `all`, the newest first."""

    def landed_at(self, commit: CommitId) -> datetime | None:
        """When the pull request that became this commit was merged; None where the forge knows no better than git."""

    def merge(self, number: int, method: str = "merge", check: Callable[[CommitId], None] | None = None) -> PullRequest:
        """Merges it and deletes its branch. Refused on conflicts, and where the forge leaves merging to people.

        Args:
            number: its number.
            method: `merge`, `squash` or `rebase`.
            check: gets the commit that the base would become, readable in the repository, and raises to refuse.
        """

    def merge_when_ready(self, number: int, head_commit: CommitId) -> str:
        """Lets the forge merge one as soon as its rules allow it: at once, where they ask for nothing.

        Args:
            number: its number.
            head_commit: the head that may be merged, and no other.

        Returns:
            `merged`, or `waiting` for what the rules ask for.

        Raises:
            Refused: the forge doesn't do that, or not here; its head has moved, or it isn't open. A person must merge.
        """

    def merge_by_hand(self, number: int) -> None:
        """Takes back what `merge_when_ready` asked for: it waits for a person again. A finished one stays as it is."""


@runtime_checkable
class KeepsComments(Protocol):
    """A forge whose comments can be changed, which not every forge can."""

    def keep_comment(self, number: int, marker: str, text: str, *, only_if_there: bool = False) -> None:
        """Lets a pull request, also a finished one, have one comment of ours that begins with a marker, saying this.

        What others wrote stays as it is, whatever it begins with.

        Args:
            number: its number.
            marker: what the comment begins with, an HTML comment that is seen by nobody.
            text: the whole comment; begins with the marker.
            only_if_there: change the comment if there is one, and make none.
        """


@runtime_checkable
class OpensByPush(Protocol):
    """A forge whose API is out of reach, and that opens or changes the pull request of a branch as that is pushed.

    Its capabilities are those of a forge without pull requests.
    """

    def push_options(self, base: str, title: str, body: str, labels: Sequence[str], *, merges: bool) -> tuple[str, ...]:
        """What the push says.

        Args:
            base: where the branch goes.
            merges: the forge shall merge this head, and no other, as soon as its rules allow that.
        """

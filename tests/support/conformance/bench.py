"""What the suite needs of a forge under test. How to add one:

1. Write a class with the attributes and methods of `Bench`. `standin/bench.py` (a stand-in) and `local_bench.py` (a
   plain git server) are examples; `by_git.Clone` does with git over HTTP what people do to branches.
2. Make `tests/forges/<kind>/test_conformance_<kind>.py`:

       from conformance import *  # noqa: F403
       from release_tool.forges.gitea.forge import CAPABILITIES  # noqa: F401  (which cases there are)

       @pytest.fixture
       def make_bench() -> Callable[[World], AbstractContextManager[Bench]]:
           return gitea_bench      # a context manager that takes a World and gives the Bench

The suite connects the tool's forge itself, by `url` and `environ`, through a proxy that counts and breaks requests. It
sets `environ` for the test, so nothing of that needs to be done by a bench. What people do is done *without* the tool's
code, and without the proxy, by what the server has for people; so is reading the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from world import World


class Truth(NamedTuple):
    """A pull request as the server itself holds it."""

    number: int
    state: str  # `open`, `merged` or `closed`
    head: str  # its branch, also where that is gone
    base: str
    title: str
    body: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()  # who was asked for a review
    comments: tuple[str, ...] = ()  # what people and the tool wrote below it, the oldest first; nothing of the system's
    auto_merge: bool = False  # whether the server will merge it by itself


class Bench(Protocol):
    """A repository on one forge, its people, and the truth about it.

    Attributes:
        kind: what `forge.kind` shall say, `auto` where remote or environment tell it.
        world: what the bench was made with. On entry its origin holds the branch `main`, which is to be the repository's
            default branch. From then on `world.origin` must lead to the bare repository that the server works on (let the
            server work on it, or put a symbolic link to the server's own directory in its place): the suite reads it, and
            never writes. `world.now` is the time for the tool; keep the server's clock on it where that can be done.
        url: the remote as the tool is told it by `--repo`.
        environ: the environment variables of a job: what names the server, and the token. Without a proxy.
        token: the secret in them, which may do all that the tool needs and belongs to the tool's own account;
            empty: the forge has none.
        reader: a token that may only read the repository and its pull requests; empty: there is no such thing.
        reviewer: a person who can be asked for a review; empty: nobody can.
    """

    kind: str
    world: World
    url: str
    environ: Mapping[str, str]
    token: str
    reader: str
    reviewer: str

    # -- the truth

    def pulls(self) -> Sequence[Truth]:
        """Every pull request, by number, as the server holds it now; what it does later by itself is waited for."""

    # -- what people do; the account is not the tool's

    def push(self, branch: str, files: Mapping[str, str | None], message: str = "By hand") -> str:
        """Pushes a commit on top of a branch, or of `main` where that branch isn't there yet; None deletes a file.

        Returns:
            The commit.
        """

    def force_push(self, branch: str, to: str) -> None:
        """Sets a branch to a commit that the repository holds."""

    def delete_branch(self, branch: str) -> None:
        """Deletes a branch."""

    def merge(self, number: int, method: str = "merge") -> str:
        """Merges a pull request as a person does, by one of `Capabilities.methods`; its branch stays.

        Returns:
            The new tip of the base.
        """

    def close(self, number: int) -> None:
        """Closes one without a merge."""

    def reopen(self, number: int) -> None:
        """Opens a closed one again. Asked only where `Capabilities.reopens`."""

    def retarget(self, number: int, base: str) -> None:
        """Lets one go to another base, which is there."""

    def comment(self, number: int, text: str) -> None:
        """Writes below one."""

    # -- rules and time

    def ask_for_approval(self, base: str) -> None:
        """From now on the branch takes merges only of what a person approved, and no pushes of the tool's account.

        Auto-merge, where the repository must allow it, is allowed.
        """

    def approve(self, number: int) -> None:
        """Gives one what `ask_for_approval` asks for."""

    def small_pages(self) -> None:
        """From now on the API's lists hold at most three items a page, however many are asked for."""

    def later(self, time: timedelta) -> None:
        """Lets that much time pass, a second at least: moves `world.now`, and the server's clock with it, or waits."""

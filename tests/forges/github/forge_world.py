"""The forge on the stand-in's `acme/shop`, without the rest of the tool; waits are written down and not slept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin_shop import Shop

from release_tool.forges.github.address import address_of
from release_tool.forges.github.client import GitHubClient
from release_tool.forges.github.forge import GitHubForge
from release_tool.forges.github.token import Token as Shown
from release_tool.net.secret import Secret

if TYPE_CHECKING:
    from standin import StandIn, Token

HEAD, BASE = "release/devel", "main"


class Desk:
    """A shop with the forge of its repository.

    Attributes:
        slept: the waits so far, in seconds.
    """

    def __init__(self, standin: StandIn, **settings: Any) -> None:
        self.shop = Shop(standin, **settings)
        self.standin = standin
        self.slept: list[float] = []
        self.forge = self.forge_of(self.shop.token)
        self.pushed = 0

    def forge_of(self, token: Token | None, *, patience: float = 120.0) -> GitHubForge:
        address = address_of(self.standin.clone_url("acme/shop"), "", {})
        shown = Shown(Secret(token.value), "GITHUB_TOKEN") if token else None
        return GitHubForge(
            address, GitHubClient(address, shown, patience=patience, sleep=self.slept.append), self.slept.append
        )

    def push(self, branch: str = HEAD) -> str:
        self.pushed += 1
        return self.shop.alice.push(branch, {"tags.yaml": f"- v1\n- v{self.pushed}\n"}, f"Add v{self.pushed}")

    def open(self, branch: str = HEAD, **more: Any) -> int:
        """A branch and its pull request, by the forge."""
        self.push(branch)
        return self.forge.open(branch, BASE, "Title", "Body", **more).pull_request.number

    def requests(self, since: int = 0) -> list[str]:
        """The requests to the API so far, in a few words each."""
        return [f"{one.method} {one.path.removeprefix('/repos/acme/shop')}" for one in self.standin.calls()][since:]

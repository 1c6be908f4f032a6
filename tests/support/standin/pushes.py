"""Git over HTTP with the rules of a repository, in GitHub's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge_standin import pushes
from forge_standin.pushes import Refusal

from standin.rules import push_refusals

if TYPE_CHECKING:
    from forge_standin import Request
    from forge_standin.pushes import Command
    from git_server import GitAnswer

    from standin.records import Repository, Token


def serve(repository: Repository, request: Request, service: str, token: Token | None) -> GitAnswer:
    """An answer of git's own server; a push has a token."""

    def rules(command: Command) -> list[Refusal]:
        assert token is not None
        found = push_refusals(repository, token.user, command.ref, deletes=command.deletes, creates=command.creates)
        return found + _workflows(token)

    default = repository.bare.tip(repository.default_branch) or ""
    return pushes.serve(
        repository.bare, request, service, rules, default=default, settings=["receive.hideRefs=refs/pull"]
    )


def _workflows(token: Token) -> list[Refusal]:
    """A push that changes workflow files wants a permission of its own."""
    if token.kind == "classic":
        allowed, who = "workflow" in token.scopes, "an OAuth App"
        need = "`workflow` scope"
    else:
        allowed = token.may("workflows", "write")
        who = "a GitHub App" if token.of_an_app else "a Personal Access Token"
        need = "`workflows` permission" if token.of_an_app else "`workflow` scope"
    reason = f"refusing to allow {who} to create or update workflow `.github/workflows` without {need}"
    return [] if allowed else [Refusal("changes:.github/workflows", reason, "")]

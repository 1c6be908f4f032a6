"""Requests to one GitHub: its REST API, and GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.forges.answers import AGAIN, AnswerLost, Declined, Forbidden, Purpose, Sent, garbage, limit
from release_tool.forges.client import ForgeClient, packed
from release_tool.forges.github.dialect import DIALECT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from release_tool.errors import ReleaseError
    from release_tool.forges.github.address import Address
    from release_tool.forges.token import Token
    from release_tool.net.transport import Answer

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class GitHubClient(ForgeClient):
    """Asks one GitHub."""

    def __init__(
        self,
        address: Address,
        token: Token | None,
        *,
        patience: float,
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(DIALECT, address.api, token, patience=patience, sleep=sleep, now=now, headers=_HEADERS)
        self._graphql = self.transport(address.graphql)

    def close(self) -> None:
        super().close()
        self._graphql.close()

    def query(self, document: str, variables: Mapping[str, Any], purpose: Purpose, *, once: bool = False) -> Any:
        """The `data` that a GraphQL document gives; `once`: it may come once only, as what is sent by `create`."""
        sent = self._sent(self._graphql, "", purpose)
        content = packed({"query": document, "variables": variables})
        found, answer = self._send(self._graphql, "POST", "", purpose, content, repeatable=not once)
        if not isinstance(found, dict):
            raise garbage(sent.where, "an object", DIALECT)
        if found.get("errors"):
            raise self._complaint(found["errors"], answer, sent)
        return found.get("data")

    def _complaint(self, errors: Any, answer: Answer, sent: Sent) -> ReleaseError:
        """What the errors in an answer of GraphQL mean."""
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        words = self._graphql.clean(str(first.get("message", "")))
        kind = str(first.get("type"))
        if kind == "RATE_LIMITED":
            return limit(answer.headers, sent, DIALECT)
        if words.startswith("Something went wrong"):  # GitHub's timeout
            return AnswerLost(f"GitHub is busy or down: {words}", where=sent.where, hint=AGAIN)
        if kind in {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
            hint = f"give the token of {sent.source or 'GITHUB_TOKEN'} the permission `{sent.needs}`"
            return Forbidden(f"GitHub forbids to {sent.doing}: {words}", where=sent.where, hint=hint)
        return Declined(f"GitHub refuses to {sent.doing}: {words}", where=sent.where)

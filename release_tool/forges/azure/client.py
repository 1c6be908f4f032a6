"""Requests to one Azure DevOps: the version of the API, and whose token it is."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from release_tool.forges.answers import Invalid, Purpose
from release_tool.forges.azure.dialect import AzureDialect
from release_tool.forges.client import ForgeClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from release_tool.forges.azure.address import AzureAddress
    from release_tool.forges.token import Token
    from release_tool.net.transport import Answer, Transport

VERSION = "6.0"
"""Of the API: what Azure DevOps Server 2020 speaks, and every newer one still does (2022: 7.0, Services: 7.1)."""

_PREVIEWS = ("/policy/evaluations", "/_apis/connectionData")  # which have no other version
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_PREVIEW_ONLY = "VssInvalidPreviewVersionException"
_SELF = Purpose("read whose token it is", "")

# Instead of the 302 to a page for people, a missing token gets a plain 401.
_HEADERS = {"Accept": "application/json", "X-TFS-FedAuthRedirect": "Suppress"}


def is_jwt(token: str) -> bool:
    """Whether a token is one of a job or of Microsoft Entra, and no personal one."""
    return _JWT.fullmatch(token) is not None


def login(token: str) -> tuple[str, str]:
    """The header that shows a token; a personal one is a password without a user."""
    if is_jwt(token):
        return "Authorization", f"Bearer {token}"
    return "Authorization", f"Basic {base64.b64encode(f':{token}'.encode('ascii')).decode('ascii')}"


class AzureClient(ForgeClient):
    """Asks one Azure DevOps."""

    def __init__(
        self,
        address: AzureAddress,
        token: Token | None,
        *,
        patience: float,
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(
            AzureDialect(address),
            address.collection,
            token,
            patience=patience,
            sleep=sleep,
            now=now,
            headers=_HEADERS,
            login=login,
        )
        self._identities = (
            self._rest if address.identities == address.collection else self.transport(address.identities)
        )
        self._account = ""

    def close(self) -> None:
        super().close()
        self._identities.close()

    def listed(self, path: str, query: Mapping[str, str], purpose: Purpose, top: int) -> Iterator[Any]:
        """The items of a list that is cut into pages by `$top` and `$skip`."""
        seen = 0

        def following(_: Answer, found: Any) -> Mapping[str, str] | None:
            nonlocal seen
            seen += len(found["value"])
            return {"$skip": str(seen)} if len(found["value"]) == top else None

        return self.pages(path, {**query, "$top": str(top)}, purpose, following, items=_value)

    def account(self) -> str:
        """The id of the account that the token belongs to."""
        if not self._account:
            found = self.get("/_apis/connectionData", _SELF)
            user = found.get("authenticatedUser") if isinstance(found, dict) else None
            self._account = str(user.get("id", "")) if isinstance(user, dict) else ""
        return self._account

    def people(self, name: str, purpose: Purpose) -> list[Any]:
        """The accounts and groups of a name (display name, account or e-mail address)."""
        query = urlencode({"searchFilter": "General", "filterValue": name, "queryMembership": "None"})
        found = _value(self._send(self._identities, "GET", f"/_apis/identities?{query}", purpose)[0])
        return found if isinstance(found, list) else []

    def _send(
        self,
        transport: Transport,
        method: str,
        path: str,
        purpose: Purpose,
        content: bytes | None = None,
        *,
        repeatable: bool = True,
    ) -> tuple[Any, Answer]:
        preview = any(one in path for one in _PREVIEWS)
        try:
            found = self._asked(transport, method, path, purpose, content, repeatable=repeatable, preview=preview)
        except Invalid as error:
            if preview or _PREVIEW_ONLY not in error.fields:
                raise
            found = self._asked(transport, method, path, purpose, content, repeatable=repeatable, preview=True)
        # `ID:ACCOUNT`; where a server tells it, that is a request less.
        self._account = found[1].headers.get("X-VSS-UserData", "").partition(":")[0] or self._account
        return found

    def _asked(
        self,
        transport: Transport,
        method: str,
        path: str,
        purpose: Purpose,
        content: bytes | None,
        *,
        repeatable: bool,
        preview: bool,
    ) -> tuple[Any, Answer]:
        version = f"{'&' if '?' in path else '?'}api-version={VERSION}{'-preview' if preview else ''}"
        return super()._send(transport, method, path + version, purpose, content, repeatable=repeatable)


def _value(found: Any) -> Any:
    return found.get("value") if isinstance(found, dict) else None

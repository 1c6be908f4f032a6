"""Tells people in a chat: Slack's incoming webhooks, and whatever takes the same JSON.

Source of the format: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.net.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "RELEASE_WEBHOOK_URL"  # the address is a secret: whoever knows it can write to the channel

_TIMEOUT = 10.0  # seconds
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def send(text: str, environ: Mapping[str, str]) -> bool:
    """Sends a message, and says whether there was an address to send it to.

    Raises:
        ReleaseError: the message was not taken.
    """
    url = environ.get(VARIABLE, "").strip()
    if not url:
        return False
    body = json.dumps({"text": text.translate(_ESCAPES)}).encode()
    headers = {"Content-Type": "application/json"}
    transport = Transport("the webhook", url, timeout=_TIMEOUT, headers=headers, most=65536, shown=VARIABLE)
    try:
        answer = transport.ask("POST", "", content=body)
    except ReleaseError as error:
        raise _refused(error.cause or "it can't be reached") from None
    finally:
        transport.close()
    if not 200 <= answer.status <= 299:
        raise _refused(f"it answers with status {answer.status}")
    return True


def _refused(cause: str) -> ReleaseError:
    return ReleaseError(
        "the webhook did not take the message",
        where=VARIABLE,
        cause=cause,
        hint=f"is the address in {VARIABLE} still right?",
        page="how-to/downgrade.md#telling-people",
    )

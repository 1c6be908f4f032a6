"""A text that must not be shown."""

from __future__ import annotations

import re


class Secret:
    """A text that can't be printed by accident: `str`, `repr` and formats of it show dots."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value.strip()  # a line end at the end of a file does not belong to the secret

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it."""
        return self._value

    @property
    def can_be_sent(self) -> bool:
        """Whether it may stand in a header: visible ASCII; more than the `b64token` of RFC 6750, but no line end."""
        return re.fullmatch(r"[!-~]+", self._value) is not None

    def __bool__(self) -> bool:
        return bool(self._value)

    def __str__(self) -> str:
        return "…"

    def __repr__(self) -> str:
        return "Secret(…)"

"""Two renderings at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from release_tool.remote.rendering import Renderings


class _Stopped(Renderings):
    """The present is rendered without end, and amid that somebody presses Ctrl-C."""

    def __init__(self) -> None:
        self.began, self.goes_on = threading.Event(), threading.Event()

    def chart(self) -> dict[str, bytes]:
        return {}

    def render(self, files: Any, changed: Any = None) -> str:
        if files == "present":
            self.began.set()
            self.goes_on.wait()
            return ""
        self.began.wait()
        raise KeyboardInterrupt


def test_ctrl_c_waits_for_no_rendering() -> None:
    renderings: Any = _Stopped()
    with pytest.raises(KeyboardInterrupt):
        renderings.both("present", "proposed")
    renderings.goes_on.set()

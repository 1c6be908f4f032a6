from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_tool.yamledit import events as yaml_events
from release_tool.yamledit import parser as yaml_parser
from release_tool.yamledit import source

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["libyaml", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each parser in turn; what one of them parsed is not kept for the other."""
    use_parser(request.param, monkeypatch)
    yield request.param
    source.parsed.cache_clear()


def use_parser(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "libyaml":
        pytest.importorskip("yaml._yaml", reason="PyYAML has no C library here; its wheels bring one")
    events = yaml_events.libyaml_events if name == "libyaml" else yaml_events.pure_events
    monkeypatch.setattr(yaml_parser, "events_of", lambda: events)
    source.parsed.cache_clear()

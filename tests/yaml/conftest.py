from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_tool import yaml_events, yaml_parser, yaml_source

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["libyaml", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each parser in turn; what one of them parsed is not kept for the other."""
    use_parser(request.param, monkeypatch)
    yield request.param
    yaml_source.parsed.cache_clear()


def use_parser(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "libyaml":
        pytest.importorskip("yaml._yaml", reason="PyYAML has no C library here; its wheels bring one")
    events = yaml_events.libyaml_events if name == "libyaml" else yaml_events.pure_events
    monkeypatch.setattr(yaml_parser, "events_of", lambda: events)
    yaml_source.parsed.cache_clear()

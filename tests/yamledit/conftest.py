from __future__ import annotations

from collections.abc import Iterator

import pytest

from release_tool.yamledit import parser as yaml_parser


@pytest.fixture(params=["libyaml", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each parser in turn; what one of them parsed is not kept for the other."""
    if request.param == "libyaml":
        pytest.importorskip("yaml._yaml", reason="PyYAML has no C library here; its wheels bring one")
    events = yaml_parser.libyaml_events if request.param == "libyaml" else yaml_parser.pure_events
    monkeypatch.setattr(yaml_parser, "events_of", lambda: events)
    yaml_parser.stream.cache_clear()
    yield request.param
    yaml_parser.stream.cache_clear()

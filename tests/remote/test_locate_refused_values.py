"""Where a value stands that a chart refuses."""

from __future__ import annotations

import pytest

from release_tool.errors import BadValue, ValuesRefused
from release_tool.remote.locate_refused_values import located

TAGS = "engine:\n  image:\n    default: v1\n    tag: [a, v1.0.2]\n  port: 1\n"


@pytest.mark.parametrize(
    ("pointer", "what", "where"),
    [
        ("/engine/image/default", "got number, want object", "3:14"),
        ("/image/default", "got number, want object", "3:14"),  # by the schema of the subchart
        ("/image/tag/1", "too long", "4:14"),
        ("/engine", "additional properties 'port' not allowed", "5:3"),
        (None, "the tag v1.0.2 is no label", "4:14"),
        (None, "set engine.port", "5:9"),
        ("/web/image/tag", "missing", ""),
    ],
)
def test_a_value_is_found_below_the_key_of_the_versions(pointer: str | None, what: str, where: str) -> None:
    error = ValuesRefused("no", [BadValue(pointer, what)], where="chart", hint="x")
    found = located(error, [("tags.yaml", TAGS), ("values.yaml", "port: 2\n")], "engine.image")
    assert found.where == (f"tags.yaml:{where}" if where else "chart")

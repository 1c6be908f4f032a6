"""Values of YAML that may not be what they should. Pure.

Charts come from people: whatever isn't of the shape that Kubernetes or Istio document is passed over, never stumbled
over, for the API server is the one to refuse it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def mapping(value: Any) -> Mapping[str, Any]:
    """A value that should be a mapping; an empty one where it isn't."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a value that should be a list of them."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: Any) -> tuple[str, ...]:
    """The texts in a value that should be a list of them."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def labels_of(value: Any) -> dict[str, str]:
    """Labels as texts."""
    return {str(key): str(item) for key, item in mapping(value).items() if not isinstance(item, (dict, list))}


def text(value: Any) -> str:
    """A value that should be a text; empty where it isn't."""
    return value if isinstance(value, str) else ""


_LONGEST = 2000  # nodes of a value that is compared


def comparable(value: Any) -> str:
    """A value of YAML as a text that can be compared, whatever the order of its keys.

    Aliases can make a value of a few lines endless: what is too large equals nothing but itself.
    """
    parts: list[str] = []
    waiting = [value]
    while waiting:
        if len(parts) > _LONGEST:
            return f"#{id(value)}"
        one = waiting.pop()
        if isinstance(one, dict):
            keys = sorted(one, key=str)
            parts.append(repr(keys))
            waiting.extend(one[key] for key in keys)
        elif isinstance(one, list):
            parts.append(f"[{len(one)}]")
            waiting.extend(one)
        else:
            parts.append(repr(one))
    return " ".join(parts)

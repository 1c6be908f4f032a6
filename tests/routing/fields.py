"""Reading of objects field by field, so that nothing is skipped unseen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Refused(Exception):
    """The objects hold what the translator doesn't know."""


class Fields:
    """One mapping of an object, read field by field; what was not read by the end is refused."""

    def __init__(self, content: Any, path: str) -> None:
        if not isinstance(content, dict):
            raise Refused(f"{path}: not a mapping")
        self._content = dict(content)
        self._path = path

    def __enter__(self) -> Fields:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._content:
            raise Refused(f"{self._path}: unknown: {', '.join(sorted(map(str, self._content)))}")

    def take(self, key: str, default: Any = None) -> Any:
        return self._content.pop(key, default)

    def fields(self, key: str) -> Fields:
        return Fields(self._content.pop(key, {}), f"{self._path}.{key}")

    def each(self, key: str) -> Iterator[Fields]:
        for position, item in enumerate(self._content.pop(key, [])):
            yield Fields(item, f"{self._path}.{key}[{position}]")

    def every(self, key: str) -> Iterator[tuple[str, Fields]]:
        """The items of a mapping."""
        for name, item in self._content.pop(key, {}).items():
            yield name, Fields(item, f"{self._path}.{key}.{name}")

    def duration(self, key: str) -> str | None:
        """A duration as protocol buffers write it: `5m` is `300s`, `500ms` is `0.500s`."""
        text = self._content.pop(key, None)
        if text is None:
            return None
        parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)", str(text))
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise self.refuse(f"{key}: {text} is no duration")
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
        return f"{seconds:.0f}s" if seconds == int(seconds) else f"{seconds:.3f}s"

    def refuse(self, what: str) -> Refused:
        return Refused(f"{self._path}: {what}")


def place(found: Object) -> str:
    """What an object is called in an error."""
    metadata = found.get("metadata", {})
    return f"{found['kind']} {metadata.get('namespace', '')}/{metadata.get('name', '')}"


def full_name(host: str, found: Object) -> str:
    """A host without a dot is a service in the namespace of the object that names it."""
    return host if "." in host or host == "*" else f"{host}.{found['metadata']['namespace']}.svc.cluster.local"

"""What the translations of all kinds of routes share: objects read field by field, and parts of Envoy's configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]


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

    def refuse(self, what: str) -> Refused:
        return Refused(f"{self._path}: {what}")


def cluster_name(port: int, subset: str, host: str) -> str:
    """istiod's name of a cluster."""
    return f"outbound|{port}|{subset}|{host}"


def configuration(name: str, hosts: list[Object]) -> Object:
    return {
        "name": name,
        "virtual_hosts": hosts,
        "validate_clusters": False,
        "max_direct_response_body_size_bytes": 1048576,
        "ignore_port_in_host_matching": True,
    }


def virtual_host(name: str, domains: list[str], routes: list[Object]) -> Object:
    return {"name": name, "domains": domains, "routes": routes, "include_request_attempt_count": True}

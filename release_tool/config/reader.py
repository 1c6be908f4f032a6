"""`release.yaml` to records: `load`. Pure: text in, `Config` out, or one `ConfigError` with all mistakes.

The single values are read by config/values.py, what spans several keys is checked by config/environments.py and
config/services.py, and here the records are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.config import Config, ConfigError, Environment, Registry, Service
from release_tool.config.environments import check_environments
from release_tool.config.health import check_health
from release_tool.config.keys import (
    CONFIG,
    CURRENT_VERSION,
    FORGE,
    PUBLISH,
    REGISTRY,
    RENDER,
    RETENTION,
    VERSIONS,
)
from release_tool.config.keys_health import CHECK, DOWNGRADE
from release_tool.config.kinds import Section
from release_tool.config.records_health import Health
from release_tool.config.services import check_places, check_services, filled, templates
from release_tool.config.values import BAD, MAX_PROBLEMS, Reading, TooManyProblems
from release_tool.errors import Problem
from release_tool.yamledit.nodes import YamlError, documents, scalar_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.config import Downgrade, Publish
    from release_tool.yamledit.nodes import Node

MAX_SIZE = 1_000_000
"""Characters of the longest configuration that is read: a thousand environments need a quarter of it."""

_EXAMPLE = "docs/configuration.md shows the smallest file that works"


def load_bytes(data: bytes, path: str = "release.yaml") -> Config:
    """The configuration from the bytes of the file; arguments and errors as for `load`, and UTF-8 is required."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        what = f"not UTF-8: the byte 0x{data[error.start]:02x} can't stand here"
        hint = "save the file as UTF-8"
        raise ConfigError(path, [Problem(line, column, "", what, hint)]) from None
    return load(text, path)


def load(text: str, path: str = "release.yaml") -> Config:
    """The configuration from the text of the file.

    Args:
        text: YAML.
        path: the name of the file, for errors.

    Raises:
        ConfigError: with every mistake that was found: its line, its column, its key and what is possible.
    """
    reading = Reading()
    try:
        root = _root(text, path)
        _refuse_newer(root, path)
        values = reading.value(CONFIG, root, "")
        if values is not BAD:
            check_services(values, reading)
            if values.get("environments", BAD) is not BAD:
                check_environments(values["environments"], reading)
                check_health(values["environments"], reading)
                check_places(values, reading)
    except YamlError as error:
        raise ConfigError(path, [Problem(error.line, error.column, "", error.reason, error.hint)]) from None
    except TooManyProblems:
        last = max(reading.problems, key=lambda problem: (problem.line, problem.column))
        more = Problem(last.line, last.column, "", f"{MAX_PROBLEMS} mistakes; the rest of the file is not looked at")
        raise ConfigError(path, [*reading.problems, more]) from None
    if reading.problems:
        raise ConfigError(path, reading.problems)
    return _config(values)


def _root(text: str, path: str) -> Node:
    """The one mapping of the file."""
    if len(text) > MAX_SIZE:
        what = f"the file has {len(text):,} characters, and {MAX_SIZE:,} are possible"
        raise ConfigError(path, [Problem(1, 1, "", what)])
    found = documents(text)
    root = found[0] if found else None
    if root is None or (root.kind == "scalar" and scalar_value(root) is None and len(found) == 1):
        raise ConfigError(path, [Problem(1, 1, "", "the file is empty", _EXAMPLE)])
    if len(found) > 1:
        start = found[1].start if found[1] is not None else root.end
        what = f"the file holds {len(found)} YAML documents, and one is possible"
        raise ConfigError(path, [Problem(start.line, start.column, "", what, "keep one of them")])
    return root


def _refuse_newer(root: Node, path: str) -> None:
    """Of a newer format nothing else can be said: its keys aren't known."""
    node = root.get("version")
    version = scalar_value(node) if node is not None and node.kind == "scalar" else None
    if node is not None and type(version) is int and version > CURRENT_VERSION:
        what = f"the file is written for a newer release tool: its version is {version}, and this one reads 1"
        hint = "install a newer version of release"
        raise ConfigError(path, [Problem(node.start.line, node.start.column, "version", what, hint)])


# --- records ----------------------------------------------------------------------------------------------------------

_SECTIONS = {"versions": VERSIONS, "forge": FORGE, "render": RENDER}
_WORDS = ("path", "base", "chart", "release_name", "namespace")


def _config(values: dict[str, Any]) -> Config:
    """The records of values without a mistake."""
    given = {name: values[name] for name in _WORDS if name in values}
    given |= {name: _record(section, values[name]) for name, section in _SECTIONS.items() if name in values}
    made = templates(values)
    if "services" in values and made is not None:
        given = {"chart": "", "release_name": "", "namespace": "", **given, "path": made.path}
        values = {**values, "publish": {**values.get("publish", {}), "branch": made.branch}}
    publish: Publish = _record(PUBLISH, values.get("publish", {}))
    downgrade: Downgrade = _record(DOWNGRADE, values.get("downgrade", {}))
    return Config(
        **given,
        publish=publish,
        registry=_registry(values),
        downgrade=downgrade,
        environments={one.name: one for one in _environments(values["environments"], publish, downgrade)},
        services={name: _service(values, name, own) for name, own in values.get("services", {}).items()},
    )


def _record(section: Section, values: Mapping[str, Any]) -> Any:
    """The record of a section, with those of the sections in it."""
    made = dict(values)
    for key in section.keys:
        if isinstance(key.kind, Section) and key.kind.record and key.name in made:
            made[key.name] = _record(key.kind, made[key.name])
    return section.record(**made) if section.record else made


def _registry(values: Mapping[str, Any]) -> Registry | None:
    """The registry that is asked; without an image there is nothing to ask."""
    made: Registry = _record(REGISTRY, values.get("registry", {}))
    return made if made.image else None


def _service(top: Mapping[str, Any], name: str, own: Mapping[str, Any]) -> Service:
    values = filled(top, name, own)
    values["versions"] = _record(VERSIONS, values.get("versions", {}))
    values["registry"] = _registry(values)
    return Service(name, **values)


def _environments(
    entries: Mapping[str, dict[str, Any]], publish: Publish, downgrade: Downgrade
) -> Iterator[Environment]:
    for name, entry in entries.items():
        made = {
            "name": name,
            "publish": publish._replace(**entry.get("publish", {})),
            "downgrade": downgrade._replace(**entry.get("downgrade", {})),
            "retention": _record(RETENTION, entry.get("retention", {})),
            **({"health": _health(entry["health"])} if "health" in entry else {}),
        }
        yield Environment(**{**entry, **made})


def _health(values: Mapping[str, Any]) -> Health:
    checks = {name: _record(CHECK, entry) for name, entry in values["checks"].items()}
    return Health(**{**values, "checks": checks})

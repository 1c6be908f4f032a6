"""`release.yaml` to records: `load`. Pure: text in, `Config` out, or one `ConfigError` with all mistakes.

The single values are read by config/values.py; here is what spans several keys, and the records are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.config import (
    DEFAULT_BASE,
    DEFAULT_BRANCH,
    DEFAULT_PATH,
    Config,
    ConfigError,
    Environment,
    Forge,
    Publish,
    Render,
    Retention,
    Versions,
    closest,
    place_of,
)
from release_tool.config.keys import BRANCH, CONFIG, CURRENT_VERSION, DIRECTORY, broken_rule
from release_tool.config.values import BAD, MAX_PROBLEMS, Reading, TooManyProblems, joined, shown
from release_tool.errors import Problem
from release_tool.yaml_nodes import YamlError, documents, scalar_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from release_tool.yaml_nodes import Node

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
            _check(values, reading)
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


# --- what spans several keys ------------------------------------------------------------------------------------------


def _check(values: dict[str, Any], reading: Reading) -> None:
    """Look at what several keys say together, as far as the single ones are right."""
    environments = values.get("environments", BAD)
    if environments is BAD:
        return
    _check_entry(environments, reading)
    for name, entry in environments.items():
        if entry is not BAD:
            _check_source(name, entry, environments, reading)
            _check_ages(name, entry, reading)
    _check_places(values, reading)


def _check_entry(environments: Mapping[str, Any], reading: Reading) -> None:
    """Exactly one environment is the entry, and it is promoted from nowhere."""
    if BAD in environments.values():
        return
    entries = [name for name, entry in environments.items() if "promote_from" not in entry]
    if not entries:
        what = "every environment has promote_from; exactly one, the entry, must have none"
        reading.problem(reading.places["environments"], "environments", what)
        return
    first, *more = entries
    for name in more:
        line = _at(reading, first).start.line
        what = f"one environment alone has no promote_from, and {first!r} on line {line} is that one"
        before = list(environments)[list(environments).index(name) - 1]
        reading.problem(_at(reading, name), f"environments.{name}", what, f"for example promote_from: {before}")
    if more:
        return
    entry = environments[first]
    if entry.get("default") == "promoted":
        what = "nothing is promoted to the entry, so nothing would ever move its default; possible: newest, manual"
        reading.problem(_at(reading, first, "default"), f"environments.{first}.default", what)
    if "soak" in entry:
        what = "nothing is promoted to the entry, so nothing soaks for it"
        hint = "write it in the environment that a version is promoted to"
        reading.problem(_at(reading, first, "soak"), f"environments.{first}.soak", what, hint)


def _check_source(name: str, entry: Mapping[str, Any], environments: Mapping[str, Any], reading: Reading) -> None:
    """`promote_from` names an environment that stands above."""
    source = entry.get("promote_from", BAD)
    if source is BAD:
        return
    order = list(environments)
    what = hint = ""
    if source not in environments:
        likely = closest(source, [other for other in environments if other != name])
        what = (
            f"there is no environment {source!r}; possible: {', '.join(order[: order.index(name)]) or 'none above it'}"
        )
        hint = f"did you mean {likely!r}?" if likely else ""
    elif source == name:
        what = "an environment can't be promoted from itself"
    elif order.index(source) > order.index(name):
        what = f"{source!r} stands below {name!r}; the order in the file is the order of promotion"
        hint = f"move {source!r} above {name!r}"
        circle = _circle(name, environments)
        if circle:
            what, hint = f"promotions go round in a circle: {' from '.join(circle)}", ""
    if what:
        reading.problem(_at(reading, name, "promote_from"), f"environments.{name}.promote_from", what, hint)


def _circle(name: str, environments: Mapping[str, Any]) -> list[str]:
    """The way along `promote_from` that leads back to an environment; empty if none does."""
    way = [name]
    while True:
        entry = environments.get(way[-1], BAD)
        source = BAD if entry is BAD else entry.get("promote_from", BAD)
        if source is BAD:
            return []
        if source in way:
            return [*way, source] if source == name else []
        way.append(source)


def _check_ages(name: str, entry: Mapping[str, Any], reading: Reading) -> None:
    """`min_age` is not above `max_age`."""
    retention = entry.get("retention", BAD)
    if retention is BAD:
        return
    youngest, oldest = retention.get("min_age", BAD), retention.get("max_age", BAD)
    if youngest is not BAD and oldest is not BAD and youngest > oldest:
        what = "it is less than min_age, so a version would have to go before it may"
        where = _at(reading, name, "retention", "max_age")
        reading.problem(where, f"environments.{name}.retention.max_age", what)


def _check_places(values: Mapping[str, Any], reading: Reading) -> None:
    """With the names put into the templates, each environment has its own directory and branches."""
    publish = values.get("publish", {})
    path = values.get("path", DEFAULT_PATH)
    branch = BAD if publish is BAD else publish.get("branch", DEFAULT_BRANCH)
    base = values.get("base", DEFAULT_BASE)
    if BAD in (path, branch, base):
        return
    taken: dict[str, str] = {}
    _enter(base, "the base branch", taken)
    for name, entry in values["environments"].items():
        if entry is BAD:
            continue
        place = place_of(name, path=path, branch=branch)
        what = (
            _bad_place(place.directory, place.branch)
            or ("the chart has the same directory" if place.directory == values.get("chart") else None)
            or _taken(place.branch, f"the branch of {name!r}", taken)
            or _taken(place.downgrade_branch, f"the branch of downgrades of {name!r}", taken)
        )
        if what:
            reading.problem(_at(reading, name), f"environments.{name}", what, "change the name, or path or branch")


def _bad_place(directory: str, branch: str) -> str | None:
    """What a name makes of good templates: `.{environment}` and `git` is `.git`."""
    for text, kind in ((directory, DIRECTORY), (branch, BRANCH)):
        broken = broken_rule(text, kind)
        if broken:
            return f"its place would be {shown(text)}, which is not {kind.expected}: {broken}"
    return None


def _taken(branch: str, owner: str, taken: dict[str, str]) -> str | None:
    """Enter a branch; what is wrong if git can't hold it beside the others (a ref is a file or a directory)."""
    parents = [branch[:index] for index, character in enumerate(branch) if character == "/"]
    beside = next((other for other in (branch, *parents) if other in taken), None)
    beside = beside or taken.get(f"{branch}/")
    if beside is not None:
        how = "would be" if beside == branch else f"can't stand beside {beside!r}, which is"
        return f"its branch {branch!r} {how} {taken[beside]}"
    _enter(branch, owner, taken)
    return None


def _enter(branch: str, owner: str, taken: dict[str, str]) -> None:
    """Enter a branch with its owner, and its directories (`release/`) with the branch."""
    taken[branch] = owner
    for index, character in enumerate(branch):
        if character == "/":
            taken.setdefault(branch[: index + 1], branch)


def _at(reading: Reading, name: str, *keys: str) -> Node:
    """The node of a key of an environment; behind an alias it may stand elsewhere, and then it is the environment's."""
    path = joined("environments", name)
    return reading.places.get(".".join([path, *keys])) or reading.places[path]


# --- records ----------------------------------------------------------------------------------------------------------

_RECORDS: tuple[tuple[str, Callable[..., Any]], ...] = (("versions", Versions), ("forge", Forge), ("render", Render))


def _config(values: dict[str, Any]) -> Config:
    """The records of values without a mistake."""
    given = {name: value for name, value in values.items() if name != "version"}
    for name, record in _RECORDS:
        if name in given:
            given[name] = record(**given[name])
    publish = Publish(**given.pop("publish", {}))
    environments = {environment.name: environment for environment in _environments(given.pop("environments"), publish)}
    return Config(**given, publish=publish, environments=environments)


def _environments(entries: Mapping[str, dict[str, Any]], publish: Publish) -> Iterator[Environment]:
    for name, entry in entries.items():
        own = publish._replace(**entry.get("publish", {}))
        retention = Retention(**entry.get("retention", {}))
        yield Environment(**{**entry, "name": name, "publish": own, "retention": retention})

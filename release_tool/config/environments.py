"""What the environments of `release.yaml` say together: the entry, the order of promotion, ages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.config import closest
from release_tool.config.values import BAD
from release_tool.config.words import joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config.values import Reading
    from release_tool.yamledit.nodes import Node


def check_environments(environments: Mapping[str, Any], reading: Reading) -> None:
    """Look at what the environments say together, as far as their single values are right."""
    _check_entry(environments, reading)
    for name, entry in environments.items():
        if entry is not BAD:
            _check_source(name, entry, environments, reading)
            _check_ages(name, entry, reading)


def _check_entry(environments: Mapping[str, Any], reading: Reading) -> None:
    """Exactly one environment is the entry, and it is promoted from nowhere."""
    if BAD in environments.values():
        return
    entries = [name for name, entry in environments.items() if "promote_from" not in entry]
    if not entries and BAD in [entry["promote_from"] for entry in environments.values()]:
        return  # that one may be the entry
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


def _at(reading: Reading, name: str, *keys: str) -> Node:
    """The node of a key of an environment; behind an alias it may stand elsewhere, and then it is the environment's."""
    path = joined("environments", name)
    return reading.places.get(".".join([path, *keys])) or reading.places[path]

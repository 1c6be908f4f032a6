"""What is wrong with a value or a key of `release.yaml`, and what was likely meant. Loaded only for a mistake.

Each function returns the sentence and the hint, which may be empty.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.config import CONFIG, closest
from release_tool.config.kinds import (
    MAX_EXPRESSION,
    UNITS,
    Duration,
    Listing,
    Section,
    Table,
    Text,
    Whole,
    broken_rule,
    form_of,
    sections,
)
from release_tool.yamledit.tree import is_string, scalar_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config.kinds import Key, Kind
    from release_tool.yamledit.tree import Node

_CREDENTIAL = r"(?<=//)[^\s]*@|^[^\s/:]+:(?!//)[^\s]*@(?!sha256:)"
"""What stands before the `@` of a URL, or before that of a host without a scheme."""

_BOOLEANS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_DURATION = r"\s*([0-9]{1,5})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)\s*"


def shown(text: str) -> str:
    """A text for one line of an error: quoted, control characters escaped, credentials hidden, cut."""
    text = re.sub(_CREDENTIAL, "…@", text)
    return repr(text if len(text) <= 60 else text[:59] + "…")


def wrong_value(kind: Kind, node: Node) -> tuple[str, str]:
    """What is wrong with a node as a value of this kind."""
    match kind:
        case Text():
            return _text(kind, node)
        case dict():
            *most, last = kind
            likely = closest(node.value, kind) if is_string(node) else None
            expected, hint = f"{', '.join(most)} or {last}", f"did you mean {likely!r}?" if likely else ""
        case Whole(low, high):
            expected = f"a whole number from {low} to {high}" if low < high else f"the number {low}"
            hint = "write it without quotes" if _quoted(node, r"[0-9]{1,9}") else ""
        case Duration():
            expected, hint = kind.expected, _duration_hint(kind, node)
        case Listing() | Section() | Table():
            return _collection(kind, node)
        case _ if kind is re.Pattern and is_string(node):
            return f"the expression has {len(node.value)} characters, and {MAX_EXPRESSION} are possible", ""
        case _ if kind is re.Pattern:
            expected, hint = "a regular expression", ""
        case _ if kind is bool:
            word = _BOOLEANS.get(node.value.lower()) if node.kind == "scalar" else None
            expected, hint = "true or false", f"write {word}, without quotes" if word else ""
        case _:
            expected, hint = "a number", _number_hint(node)
    return f"expected {expected}, found {_found(node)}", hint


def _text(kind: Text, node: Node) -> tuple[str, str]:
    broken = broken_rule(node.value, kind)
    if is_string(node) or (broken and node.value and isinstance(scalar_value(node), str)):
        return f"{shown(node.value)} is not {form_of(node.value, kind).expected}: {broken}", ""
    would_do = node.kind == "scalar" and scalar_value(node) is not None and not broken
    return f"expected {kind.expected}, found {_found(node)}", f"write it in quotes: '{node.value}'" if would_do else ""


def _collection(kind: Listing | Section | Table, node: Node) -> tuple[str, str]:
    hint = ""
    match kind:
        case Section(keys=keys):
            expected = f"a mapping (possible keys: {', '.join(keys)})"
        case Table(name=name, most=most):
            if node.kind == "mapping" and len(node.pairs) > most:
                return f"there are {len(node.pairs)} entries, and {most} are possible", ""
            expected = f"a mapping from {name.expected} to its keys, with at least one entry"
        case Listing(item=item, most=most):
            if len(node.items) > most:
                return f"the list has {len(node.items)} entries, and {most} are possible", ""
            expected = f"a list, each entry {item.expected}"
            if node.kind == "sequence":
                expected = f"a list with at least one entry, each {item.expected}"
            elif is_string(node) and broken_rule(node.value, item) is None:
                hint = f"write a list: [{node.value}]"
    return f"expected {expected}, found {_found(node)}", hint


def _quoted(node: Node, pattern: str) -> bool:
    """Whether a text in quotes looks like a number."""
    return node.kind == "scalar" and is_string(node) and re.fullmatch(pattern, node.value) is not None


def _number_hint(node: Node) -> str:
    value = scalar_value(node) if node.kind == "scalar" else None
    if isinstance(value, str) and (percent := re.fullmatch(r"([0-9]{1,3}(\.[0-9]+)?) ?%", value)):
        return f"write a share of 1: {float(percent[1]) / 100:g}"
    return "write it without quotes" if _quoted(node, r"-?[0-9]+(\.[0-9]+)?") else ""


def _duration_hint(kind: Duration, node: Node) -> str:
    if node.kind != "scalar":
        return ""
    if spoken := re.fullmatch(_DURATION, node.value, re.IGNORECASE):
        likely = f"{int(spoken[1])}{spoken[2][0].lower()}"
        return f"did you mean '{likely}'?" if re.fullmatch(kind.pattern, likely) else ""
    if re.fullmatch(r"[0-9]{1,5}", node.value):
        lengths = [f"{int(node.value)}{unit}" for unit in "dhms"]
        possible = [f"'{length}' for {UNITS[length[-1]]}" for length in lengths if re.fullmatch(kind.pattern, length)]
        return f"add the unit: {', '.join(possible[:3])}" if possible else ""
    too_long = re.fullmatch(r"[0-9]{6,}[smhdw]", node.value)
    return "five digits are possible: take a larger unit" if too_long else ""


def _found(node: Node) -> str:
    """What stands at a node, in words."""
    if node.kind != "scalar":
        word = {"mapping": "mapping", "sequence": "list"}.get(node.kind, "alias")
        return f"a {word}" if node.pairs or node.items else f"an empty {word}"
    value = scalar_value(node)
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return f"the number {node.value}"
    if is_string(node):
        return f"the text {shown(value)}"
    return f"{shown(value)}, which not all readers of YAML take for a text"


def missing_key(name: str, key: Key) -> tuple[str, str]:
    """What a key that isn't there is for."""
    meaning = key.meaning.split(". ")[0].rstrip(".")
    hint = f"for example {name}: {key.example}" if key.example else ""
    return f"the key is missing: {meaning[0].lower()}{meaning[1:]}", hint


def unknown_key(section: Section, name: str, present: set[str]) -> tuple[str | None, str, str]:
    """What is wrong with a key that the section doesn't have; before that, the key that was likely meant."""
    free = [key for key in section.keys if key not in present]
    likely = closest(name, free)
    # the keys of a service are those of the top, which is where most people look for them
    homes = [
        title
        for title, other in sections("", CONFIG)
        if other is not section and name in other.keys and not title.startswith("services.")
    ]
    if likely:
        hint = f"did you mean {likely!r}?"
    elif homes:
        hint = "it belongs " + " or ".join(f"under {home}" if home else "at the top" for home in homes)
    else:
        hint = ""
    return likely, f"unknown key; possible: {', '.join(free) or 'none that is not there yet'}", hint


def wrong_source(name: str, sources: Mapping[str, str], order: list[str]) -> tuple[str, str]:
    """Why an environment can't have the `promote_from` that it has: that environment doesn't stand above.

    Args:
        name: the environment.
        sources: environment -> its `promote_from`, or what stands for one with a mistake.
        order: the names of all environments.
    """
    source = sources[name]
    if source not in order:
        above = ", ".join(order[: order.index(name)]) or "none above it"
        likely = closest(source, [other for other in order if other != name])
        hint = f"did you mean {likely!r}?" if likely else ""
        return f"there is no environment {source!r}; possible: {above}", hint
    if source == name:
        return "an environment can't be promoted from itself", ""
    way = [name]
    while way[-1] in sources and sources[way[-1]] not in way:
        way.append(sources[way[-1]])
    if sources.get(way[-1]) == name:
        return f"promotions go round in a circle: {' from '.join([*way, name])}", ""
    what = f"{source!r} stands below {name!r}; the order in the file is the order of promotion"
    return what, f"move {source!r} above {name!r}"

"""YAML that somebody may write in place of what is wanted, and data with some of it put in."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

# What stands for a value as it is, also with more pairs or entries behind it.
WRITTEN = [
    *("!!int z", "!!float x", "!!binary '%'", "!!timestamp 2026-13-45", "!!set {a}", "!!map x", "!x y", "!!str", "! 1"),
    *("2026-01-01", "2026-02-31", "12:30:45", "yes", "0o17", "0b11", "1_000", "~", "=", "<<", ".nan", "-.inf", "1e999"),
    *("9" * 5001, "-" + "9" * 90, "0x" + "f" * 300, "1." + "9" * 300, '"\\0"', '"\\ud800"', '"\\x85"', "'a\n\n b'"),
    *("&a [*a]", "&a {b: *a}", "*a", "&b x", "*b", "{<<: 1}", "{<<: [x]}", "{? [a] : b}", "{? {a: b} : c}", "{a}"),
    *("[" * 9 + "]" * 9, "[" * 300, "{a: " * 99 + "b" + "}" * 99, "x, keep: 1, keep: 2", "1, chart: a, chart: b"),
    *("{", "]", "'", "- a", "# b", "x\t", "\u2029", "é", "|", "? x", ",", "1, <<: *b", "{grpc: {}}", "{command: {}}"),
]


class Written(str):
    """A piece of YAML."""

    __slots__ = ()


VALUES = st.one_of(st.sampled_from(WRITTEN).map(Written), st.none(), st.booleans(), st.integers(-2, 10**20))
# Which place, what is done there, with which value and which key.
Change = tuple[int, str, Any, str]


def changes(values: st.SearchStrategy[Any], keys: list[str]) -> st.SearchStrategy[list[Change]]:
    actions = st.sampled_from(["set", "drop", "misspell", "add", "swap"])
    change = st.tuples(st.integers(0, 10**6), actions, st.one_of(values, VALUES), st.sampled_from(keys))
    return st.lists(change, min_size=1, max_size=3)


def text_of(value: Any) -> str:
    if isinstance(value, Written):
        return value
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {text_of(inner)}" for key, inner in value.items())
            + "}"
        )
    return f"[{', '.join(map(text_of, value))}]" if isinstance(value, list) else json.dumps(value, ensure_ascii=False)


def mappings(value: Any) -> list[dict[str, Any]]:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [*([value] if isinstance(value, dict) and value else []), *(one for part in inner for one in mappings(part))]


def copy_of(data: Any) -> Any:
    return json.loads(json.dumps(data))


def changed(data: Any, changes: list[Change]) -> Any:
    data = copy_of(data)
    for number, action, value, key in changes:
        found = mappings(data)
        one = found[number % len(found)]
        name = list(one)[number // len(found) % len(one)]
        if action == "set":
            one[name] = deepcopy(value)
        elif action == "add":
            one[key] = deepcopy(value)
        elif action == "swap":
            one[name] = copy_of(found[number // 7 % len(found)])
        else:
            old = one.pop(name)
            if action == "misspell":
                one[name[1:] + name[:1]] = old
        data = data or {"": None}
    return data

"""The editor against ruamel.yaml's load and dump, inside one process."""

from __future__ import annotations

import io
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.timing import Side, in_turn, nothing, row

if TYPE_CHECKING:
    from collections.abc import Callable


def document(lines: int) -> str:
    """A values file of about so many lines, with comments, lists and nested mappings."""
    parts = ["# values of many services\nimage:\n  default: v1\n  tag:\n    v1: v1.0.1   # the first\n"]
    parts += [
        f"service{number}:\n  # how many, and where\n  replicas: 2\n  image:\n    repository: example/{number}\n"
        f"    tag: 'v1.{number}.0'   # kept in step\n  ports:\n  - 8080\n  - 9090\n  enabled: true\n"
        for number in range((lines - 5) // 10)
    ]
    return "".join(parts)


def editor_rows(runs: int) -> list[str]:
    """Two edits of a bump by the editor; load, the same two changes and dump by ruamel.yaml."""
    from ruamel.yaml import YAML

    rows = []
    for lines, bound in ((30, 1), (4000, 10)):
        text = document(lines)
        repeat = max(1, 3000 // lines)

        fresh = _fresh(text)

        def theirs(fresh: Callable[[], str] = fresh, repeat: int = repeat) -> None:
            for _ in range(repeat):
                yaml = YAML()
                yaml.preserve_quotes = True
                data = yaml.load(fresh())
                data["image"]["tag"]["v5"] = "v1.0.5"
                yaml.dump(data, io.StringIO())

        slow, fast = in_turn([Side("ruamel.yaml", nothing, theirs), _editor(text, repeat)], runs)
        label = f"ruamel.yaml load and dump / editor, {text.count(chr(10)):,} lines"
        rows.append(row(label, slow, fast, bound, at_least=True))
    small, large = in_turn([_editor(document(4000), 1), _editor(document(40_000), 1)], runs)
    return [*rows, row("editor, 39,995 lines / 3,995 (an even growth is 10)", large, small, 12)]


def _fresh(text: str) -> Callable[[], str]:
    """A text that is another one each time: the editor remembers the last texts that it parsed."""
    texts = count()
    return lambda: f"# {next(texts)}\n{text}"


def _editor(text: str, repeat: int) -> Side:
    from release_tool.yamledit import edits

    fresh = _fresh(text)

    def ours() -> None:
        for _ in range(repeat):
            edits.add_entry(fresh(), ("image", "tag"), "v1.0.5", "v5")

    return Side("editor", nothing, ours)

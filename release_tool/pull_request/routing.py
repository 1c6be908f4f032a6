"""Which call reaches which image, as a table and as a Mermaid diagram: as the rendering has it, and no more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.model.records import name_number
from release_tool.model.versions import tag_part
from release_tool.pull_request.builds import image
from release_tool.pull_request.markdown import (
    NOTHING,
    Markup,
    block,
    bold,
    code,
    folded,
    gone,
    listed,
    plain,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from release_tool.manifests.routes.reach import Reach, Row
    from release_tool.model.records import Name
    from release_tool.pull_request.proposal import Proposed

_DRAWN = 20
"""So many versions are drawn; more would be a picture of lines."""

_VALUES = 6  # of a header, in one row
_WORD = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_WORD = 48  # in the diagram


def routing(proposed: Proposed) -> list[Markup]:
    """The routes once this lands: the table and the diagram; nothing where no route tells versions apart."""
    found = proposed.reach(after=True)
    if found is None:
        return []
    before = proposed.reach(after=False)
    old = frozenset() if before is None else before.own
    new = found.own - old
    leaving = sorted(old - found.own, key=name_number, reverse=True)
    to = _unnamed(found)
    head = (f"`{_safe(found.header)}`", "leads to", "image")
    rows = [_row(proposed, row, is_new=not new.isdisjoint(row.first)) for row in sorted(found.rows, key=_order(new))]
    rows += [[gone(plain(name)), Markup(to), NOTHING] for name in leaving]
    diagram = _diagram(proposed, found, new, leaving)
    changed = "as before" if before is not None and before.rows == found.rows else "changed"
    routes = table(head, rows, "`release render` shows all")
    return [folded(f"Routes once this lands ({changed})", routes, block("mermaid", diagram))]


def _unnamed(found: Reach) -> str:
    """What calls get that name no version."""
    if not found.unnamed():
        return "no route"
    return "the default pool" if _is_pool(found) else "what calls without a version get"


def _is_pool(found: Reach) -> bool:
    """Whether pods of several versions stand behind the calls that name no version."""
    return len({name for row in found.unnamed() for name in row.versions}) > 1


def _order(new: Collection[Name]) -> Callable[[Row], tuple[bool, bool, int]]:
    """Calls without a version first, then what is new, then the newest name."""

    def key(row: Row) -> tuple[bool, bool, int]:
        return (
            bool(row.values),
            not any(name in new for name in row.first),
            -max(map(name_number, row.first), default=0),
        )

    return key


# -- the table --------------------------------------------------------------------------------------------------------


def _row(proposed: Proposed, row: Row, *, is_new: bool) -> list[Markup]:
    images = [image(proposed, name) for name in row.first]
    if not row.values:
        ordered = len(row.first) < len(row.versions)
        first = [Markup(f"{plain(name)}{' first' if ordered else ''}: {image(proposed, name)}") for name in row.first]
        return [Markup("none, or an unknown one"), _words(row.targets), listed(first, _VALUES)]
    values = _words(row.values)
    return [bold(values) if is_new else values, _words(row.targets), listed(images, _VALUES)]


def _words(words: Sequence[str]) -> Markup:
    return listed([code(word) if word else Markup("all pods") for word in words], _VALUES)


# -- the diagram ------------------------------------------------------------------------------------------------------


def _diagram(proposed: Proposed, found: Reach, new: Collection[Name], leaving: Sequence[Name]) -> str:
    """Mermaid's text. From outside it holds letters, digits and `._-` alone, so nothing of that is syntax."""
    versions = proposed.all_versions()
    first = found.first
    others = found.own - first
    drawn = [*_newest(first), *_newest(others)][:_DRAWN]
    lines = ["flowchart LR", f'  calls(["calls with {_safe(found.header)}"])']
    lines += ['  pool{{"default pool"}}'] if _is_pool(found) else []
    lines += [f'  {name}["{name}: {_safe(tag_part(versions[name]))}"]' for name in drawn]
    if _is_pool(found):
        lines += ['  calls -->|"none, or unknown"| pool']
        if len(first) < len({name for row in found.unnamed() for name in row.versions}):
            lines += [f'  pool -->|"first"| {name}' for name in drawn if name in first]
    else:
        lines += [f'  calls -->|"none, or unknown"| {name}' for name in drawn if name in first]
    lines += [f'  calls -->|"{name}"| {name}' for name in drawn if name in found.own]
    to = "pool" if _is_pool(found) else next(iter(_newest(first)), "nowhere")
    gone_now = leaving[: _DRAWN - len(drawn)]
    if gone_now and not found.unnamed():
        lines += ['  nowhere["no route"]']
    if to != "nowhere" or not found.unnamed():
        lines += [f'  calls -.->|"{name}, no longer routed"| {to}' for name in gone_now]
    if len(found.own) > len(drawn):
        lines += [f'  more["{len(found.own) - len(drawn)} more versions"]', "  calls --> more"]
    return "\n".join([*lines, *_new(name for name in drawn if name in new)])


def _newest(names: Collection[Name]) -> list[Name]:
    return sorted(names, key=name_number, reverse=True)


def _new(names: Iterator[Name]) -> list[str]:
    """The colour of what is new, readable on light and on dark pages."""
    found = ",".join(names)
    return ["  classDef new fill:#1a7f37,stroke:#1a7f37,color:#ffffff", f"  class {found} new"] if found else []


def _safe(text: str) -> str:
    """A word of the diagram, or of the head of a table; never empty."""
    return _WORD.sub("-", text)[:_LONGEST_WORD] or "-"

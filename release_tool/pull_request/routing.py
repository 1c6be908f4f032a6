"""Which call reaches which image, as a table and as a Mermaid diagram.

The routes are those of the rendering where it changes them; where it doesn't, they follow from the versions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.records import Name, name_number
from release_tool.model.versions import is_name, tag_part
from release_tool.pull_request.markdown import (
    NOTHING,
    Markup,
    block,
    bold,
    code,
    gone,
    listed,
    plain,
    section,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from release_tool.pull_request.proposal import Proposed

HEADER = "grpcsvc"
"""What clients name their version in, by the chart that comes with the tool."""

_DRAWN = 20
"""So many versions are drawn; more would be a picture of lines."""

_VALUES = 6  # of a header, in one row
_WORD = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_WORD = 48  # in the diagram


class Route(NamedTuple):
    """One route of the mesh.

    Attributes:
        values: the values of the header that take it; none: all other calls do.
        subsets: where it leads.
    """

    values: tuple[str, ...]
    subsets: tuple[str, ...]


class Routes(NamedTuple):
    """All routes, and the header that they look at."""

    header: str
    routes: tuple[Route, ...]


def routing(proposed: Proposed) -> list[Markup]:
    """The routes once this lands: the table and the diagram."""
    if not proposed.plan.after.versions:
        return []
    new = frozenset(proposed.plan.after.live).difference(proposed.before.live)
    found = _rendered(proposed) or _from_versions(proposed)
    found = found._replace(routes=tuple(sorted(found.routes, key=lambda route: _order(new, route))))
    head = (f"`{_safe(found.header)}`", "subset", "image")
    rows = [_row(proposed, route, is_new=_is_new(new, route)) for route in found.routes]
    rows += [[gone(plain(name)), Markup("the default pool"), NOTHING] for name in _leaving(proposed)]
    parts = [table(head, rows, "`release render` shows all"), block("mermaid", _diagram(proposed, found))]
    return [section("Routes once this lands", *parts)]


# -- the routes -------------------------------------------------------------------------------------------------------


def _rendered(proposed: Proposed) -> Routes | None:
    """The routes of the VirtualServices that change; None where none does, or none tells versions apart."""
    changed = [
        one for one in proposed.manifests or () if one.key.kind == "VirtualService" and one.after and one.key.name
    ]
    if not changed:
        return None
    from release_tool.manifests.routes.view import read

    headers: list[str] = []
    routes: dict[Route, None] = {}
    for service in [service for one in changed for service in read(one.after, "").virtual_services]:
        known = service.version_headers
        headers += sorted(known)
        for route in service.routes if known else ():
            subsets = tuple(dict.fromkeys(end.subset for end in route.destinations))
            values = tuple(dict.fromkeys(value for header, value in route.exact if header in known))
            if values or known.isdisjoint(route.headers):
                routes[Route(values, subsets)] = None
    if not routes:
        return None
    return Routes(headers[0], tuple(routes))


def _from_versions(proposed: Proposed) -> Routes:
    routes = [Route((name,), (name,)) for name in proposed.plan.after.live]
    routes.append(Route((), ("default",)))
    return Routes(HEADER, tuple(routes))


def _order(new: Collection[Name], route: Route) -> tuple[bool, bool, int]:
    """The default pool first, then what is new, then the newest name."""
    numbers = [name_number(value) for value in route.values if is_name(value)]
    return bool(route.values), not _is_new(new, route), -max(numbers, default=0)


def _is_new(new: Collection[Name], route: Route) -> bool:
    return any(subset in new for subset in route.subsets)


def _leaving(proposed: Proposed) -> list[Name]:
    """The versions that lose their route."""
    names = set(proposed.before.live).difference(proposed.plan.after.live)
    return sorted(names, key=name_number, reverse=True)


# -- the table --------------------------------------------------------------------------------------------------------


def _row(proposed: Proposed, route: Route, *, is_new: bool) -> list[Markup]:
    default = proposed.plan.after.default
    if not route.values:
        first = Markup(f"{plain(default)} first: {_image(proposed, default)}") if default else NOTHING
        return [Markup("none, or an unknown one"), _words(route.subsets), first]
    values = _words(route.values)
    after = proposed.plan.after.versions
    images = [_image(proposed, Name(name)) for name in route.subsets if name in after]
    return [
        bold(values) if is_new else values,
        _words(route.subsets),
        listed(images, _VALUES),
    ]


def _words(words: Sequence[str]) -> Markup:
    return listed([code(word) if word else Markup("all pods") for word in words], _VALUES)


def _image(proposed: Proposed, name: Name) -> Markup:
    tag = tag_part(proposed.plan.after.versions[name])
    return code(f"{proposed.image}:{tag}" if proposed.image else tag)


# -- the diagram ------------------------------------------------------------------------------------------------------


def _diagram(proposed: Proposed, found: Routes) -> str:
    """Mermaid's text. From outside it holds letters, digits and `._-` alone, so nothing of that is syntax."""
    after = proposed.plan.after
    routed = {subset for route in found.routes if route.values for subset in route.subsets}
    before = proposed.before.live
    names = [name for name in after.live if name in routed]
    drawn = sorted(names, key=lambda name: (name != after.default, -name_number(name)))[:_DRAWN]
    leaving = _leaving(proposed)[: _DRAWN - len(drawn)]
    lines = ["flowchart LR", f'  calls(["calls with {_safe(found.header)}"])', '  pool{{"default pool"}}']
    lines += [f'  {name}["{name}: {_safe(tag_part(after.versions[name]))}"]' for name in drawn]
    lines += ['  calls -->|"none, or unknown"| pool']
    lines += [f'  pool -->|"first"| {after.default}'] if after.default in drawn else []
    lines += [f'  calls -->|"{name}"| {name}' for name in drawn]
    lines += [f'  calls -.->|"{name}, no longer routed"| pool' for name in leaving]
    if len(names) > len(drawn):
        lines += [f'  more["{len(names) - len(drawn)} more versions"]', "  calls --> more"]
    return "\n".join([*lines, *_new(name for name in drawn if name not in before)])


def _new(names: Iterator[Name]) -> list[str]:
    """The colour of what is new, readable on light and on dark pages."""
    found = ",".join(names)
    return ["  classDef new fill:#1a7f37,stroke:#1a7f37,color:#ffffff", f"  class {found} new"] if found else []


def _safe(text: str) -> str:
    """A word of the diagram, or of the head of a table; never empty."""
    return _WORD.sub("-", text)[:_LONGEST_WORD] or "-"

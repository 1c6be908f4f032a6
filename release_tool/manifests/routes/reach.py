"""Who answers a call, as a rendering tells: by the routes that the chart makes, whatever the file of versions wants.

Calls are tried on the routes: one that names a version, by its name or its tag, in each header that any route looks at,
and one that names none. So it doesn't matter how a chart writes its routes: exact values, prefixes, expressions, in a
VirtualService, GRPCRoute or HTTPRoute, to subsets or to a Service for each version.

Of conditions other than that header nobody knows which calls fulfil them: hosts and gateways count as fulfilled, paths,
other headers and the labels of a caller do not; where versions are told apart under such conditions alone, those by
which most are. What else leads calls anywhere (an Ingress, other meshes, the filters of an EnvoyFilter) isn't read.

Tags are looked up as they stand, then as a part of a word: charts take a `v` away, or put something in front.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from release_tool import manifests
from release_tool.manifests.routes.one_rendering import first_choice, together
from release_tool.manifests.routes.view import read
from release_tool.model import expressions
from release_tool.model.records import name_number
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from release_tool.manifests import ObjectKey
    from release_tool.manifests.routes.view import Atom, Destination, RouteOwner, RoutingView
    from release_tool.model.records import Name, Tag

_CONDITIONS = 8  # of an owner's routes that are looked at
_UNKNOWN = "no-such-version"  # what a call names that names none of the versions
_GRPC = {"content-type": "application/grpc", "te": "trailers"}
_METHOD = re.compile(r"\['(exact|prefix|regex)'\] '(.*)'", re.DOTALL)
_CONDITIONAL = frozenset(["uri", "queryParams", "sourceLabels", "sourceNamespace"])
_NO_VERSION = frozenset([*_GRPC, "authorization", "cookie", "host", "origin", "user-agent"])


class Row(NamedTuple):
    """Calls that take one route, and who answers them.

    Attributes:
        values: the values of the header that take it; empty: calls that name no version, or one that has no route.
        targets: what the route names: subsets, or Services where it names no subset.
        versions: whose pods those are.
        first: those of `versions` that take the calls while they are healthy; all of them, where nothing orders them.
    """

    values: tuple[str, ...]
    targets: tuple[str, ...]
    versions: tuple[Name, ...]
    first: tuple[Name, ...]


class Reach(NamedTuple):
    """Who answers the calls.

    Attributes:
        via: the kinds of the objects that lead calls anywhere; empty: nothing does.
        header: the header by which routes tell versions apart; empty: none does.
        rows: the routes for versions in the order of the rendering, then those for all other calls.
        running: version -> the workloads that have an image with its tag or digest.
        images: version -> that image, as the first of its workloads names it.
        shown: the versions whose tag stands anywhere in the rendering.
        filters: the EnvoyFilters beside the routes, which may do anything with a call.
        apart: whether routes lead to single versions by something else than a header (hosts, paths, labels of callers).
        own: the versions that have a route of their own, which leads to their pods first.
        sources: the templates of the routes.
    """

    via: tuple[str, ...] = ()
    header: str = ""
    rows: tuple[Row, ...] = ()
    running: Mapping[Name, tuple[ObjectKey, ...]] = {}
    shown: frozenset[Name] = frozenset()
    own: frozenset[Name] = frozenset()
    sources: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    apart: bool = False
    images: Mapping[Name, str] = {}

    def routed(self, name: Name) -> bool:
        """Whether calls that name a version reach its pods by a route of its own."""
        return name in self.own

    def unnamed(self) -> tuple[Row, ...]:
        """Where calls go that name no version, or one that has no route; none: nowhere."""
        return tuple(row for row in self.rows if not row.values)

    @property
    def first(self) -> frozenset[Name]:
        """The versions that answer first the calls that name none."""
        return frozenset(name for row in self.unnamed() for name in row.first)


def reach(rendering: str, namespace: str, versions: Mapping[Name, Tag]) -> Reach:
    """Who answers the calls of one rendering.

    Args:
        rendering: YAML documents.
        namespace: the release's, where objects go that name none.
        versions: all that are deployed, whatever their state.

    Raises:
        ReleaseError: it holds what is no object.
    """
    if not rendering:
        return Reach()
    view = read(rendering, namespace)
    workloads = running(rendering, versions)
    shown = frozenset(name for name, tag in versions.items() if name in workloads or stands(tag, rendering))
    owners = [owner for owner in (*view.virtual_services, *together(view.gateway_routes)) if owner.routes]
    headers = _headers(view, owners, versions)
    header = next(iter(headers), "")
    via = tuple(dict.fromkeys(owner.found.key.kind for owner in owners))
    who: dict[ObjectKey, list[Name]] = {}
    for name, keys in workloads.items():
        for key in keys:
            placed = key if key.namespace else key._replace(namespace=namespace)
            who.setdefault(placed, []).append(name)
    rows: dict[Row, None] = {}
    others: dict[Row, None] = {}
    own: set[Name] = set()
    telling = [owner for owner in owners if header in owner_headers(owner)] if header else owners
    for owner in telling:
        tried = [_tried(_Calls(view, owner, header, who, one), versions) for one in _conditions(owner, header)]
        best = max(tried, key=lambda one: len(one.own))
        own |= best.own
        rows |= dict.fromkeys(best.named)
        others |= dict.fromkeys(best.rest)
    filters = tuple(found.title for found in view.filters)
    sources = tuple(dict.fromkeys(owner.found.source for owner in telling if owner.found.source))
    apart = not header and len({row.versions for row in _every_row(view, owners, who) if len(row.versions) == 1}) > 1
    if apart and len(others) > 1:
        others = {}  # which of these calls name a version nobody knows
    images = dict(_images(rendering, workloads, versions))
    return Reach(via, header, (*rows, *others), workloads, shown, frozenset(own), sources, filters, apart, images)


def _every_row(view: RoutingView, owners: Iterable[RouteOwner], who: Mapping[ObjectKey, list[Name]]) -> Iterator[Row]:
    for owner in owners:
        calls = _Calls(view, owner, "", who, frozenset())
        yield from (calls.row(number, ()) for number in range(len(owner.routes)))


def _conditions(owner: RouteOwner, header: str) -> list[frozenset[Atom]]:
    """What else calls are tried with: nothing, and what routes ask for beside the header."""
    bare = _Call({**_GRPC, header: _UNKNOWN}, "POST")
    asked = (
        frozenset(atom for atom in match if atom[1] != header and not _holds(atom, bare))
        for route in owner.routes
        for match in route.matches
        if any(atom[0] in _HEADERS and atom[1] == header for atom in match)
    )
    return list(dict.fromkeys([frozenset(), *asked]))[:_CONDITIONS]


def owner_headers(owner: RouteOwner) -> frozenset[str]:
    """The headers that its routes look at, which may name a version."""
    every = {atom[1] for route in owner.routes for match in route.matches for atom in match if atom[0] in _HEADERS}
    return frozenset(name for name in every if name.lower() not in _NO_VERSION and not name.startswith(":"))


# -- which workloads run what --


def running(rendering: str, versions: Mapping[Name, Tag]) -> dict[Name, tuple[ObjectKey, ...]]:
    """The workloads of each version: those with an image that has its tag or its digest."""
    names: dict[str, list[Name]] = {}
    for name, tag in versions.items():
        part, _, digest = tag.partition("@")
        for word in filter(None, (part, digest)):
            names.setdefault(word, []).append(name)
    found: dict[Name, list[ObjectKey]] = {}
    others: dict[str, list[ObjectKey]] = {}
    for key, images in manifests.images(rendering).items():
        for image in images if key.kind not in _PASSING else ():
            place, _, digest = image.partition("@")
            word = place.rpartition("/")[2].partition(":")[2]
            those = dict.fromkeys((*names.get(word, ()), *names.get(digest, ())))
            for name in those:
                found.setdefault(name, []).append(key)
            if word and not those:
                others.setdefault(word, []).append(key)
    missing = {name: _core(tag) for name, tag in versions.items() if name not in found}
    for word, keys in others.items() if missing else ():
        inside = {name: core for name, core in missing.items() if _stands(core, word, before="-")}
        longest = max(map(len, inside.values()), default=0)  # 1.0.5-rc1 is no 1.0.5
        for name in (name for name, core in inside.items() if len(core) == longest):
            found.setdefault(name, []).extend(keys)
    return {name: tuple(dict.fromkeys(found[name])) for name in versions if name in found}


def _images(
    rendering: str, workloads: Mapping[Name, Sequence[ObjectKey]], versions: Mapping[Name, Tag]
) -> Iterator[tuple[Name, str]]:
    every = manifests.images(rendering)
    for name, keys in workloads.items():
        digest = versions[name].partition("@")[2]
        for image in every[keys[0]]:
            if stands(versions[name], image) or (digest and image.endswith(digest)):
                yield name, image
                break


def stands(tag: str, text: str) -> bool:
    """Whether a tag stands in a text, however a chart writes it: without a digest, without `v`."""
    return _stands(_core(tag), text)


def _core(tag: str) -> str:
    """What stays of a tag however a chart writes it: without a digest, and without `v`."""
    part = tag_part(tag)
    return part[1:] if re.match(r"v\d", part) else part


def _stands(word: str, text: str, before: str = "") -> bool:
    """Whether a word stands in a text, not as a part of a longer number or word, which may go on after `before`."""
    if word not in text:
        return False
    end = "" if before else r"|-\w"
    return re.search(rf"(?<![0-9A-Za-uw-z.]){re.escape(word)}(?![0-9A-Za-z]|\.\w{end})", text) is not None


# -- the routes, tried --

_PASSING = frozenset(["CronJob", "Job"])  # what they run ends by itself, and takes no calls
_HEADERS = frozenset(["headers", "withoutHeaders"])


class _Calls:
    """Calls on the routes of one owner, under some conditions."""

    def __init__(
        self,
        view: RoutingView,
        owner: RouteOwner,
        header: str,
        who: Mapping[ObjectKey, list[Name]],
        conditions: frozenset[Atom],
    ) -> None:
        self.owner = owner
        self.header = header
        self._view = view
        self._who = who
        self._conditions = conditions
        # Most matches ask for one exact value: of thousands of routes only those that may fit are looked at.
        self._exact: dict[str, list[int]] = {}
        self._other: list[int] = []
        self._taken: dict[str | None, int | None] = {}
        for number, route in enumerate(owner.routes):
            for match in route.matches:
                exact = [atom[3] for atom in match if atom[:3] == ("headers", header, "exact")]
                (self._exact.setdefault(exact[0], []) if exact else self._other).append(number)

    def taken(self, value: str | None) -> int | None:
        """The route that a call takes which names a value (None: no header at all); of gRPC, else of plain HTTP."""
        if value not in self._taken:
            numbers = sorted({*self._exact.get(value or "", ()), *self._other})
            self._taken[value] = next((number for number in self._fitting(value, numbers)), None)
        return self._taken[value]

    def _fitting(self, value: str | None, numbers: Sequence[int]) -> Iterator[int]:
        named = {} if value is None else {self.header: value}
        for call in (_Call({**_GRPC, **named}, "POST", self._conditions), _Call(named, "GET", self._conditions)):
            for number in numbers:
                if any(all(_holds(atom, call) for atom in match) for match in self.owner.routes[number].matches):
                    yield number

    def row(self, number: int, values: Iterable[str]) -> Row:
        """A route, with the values that take it."""
        ends = self.owner.routes[number].destinations
        versions = self._versions(key for end in ends for key in self._view.pods_of(end))
        first = self._versions(key for end in ends for key in self._first(end))
        return Row(tuple(values), tuple(dict.fromkeys(map(_target, ends))), versions, first)

    def _first(self, end: Destination) -> frozenset[ObjectKey]:
        pools = self._view.pools.get((end.host, end.subset))
        if not pools or not pools[0].order:
            return self._view.pods_of(end)
        return first_choice(self._view, end, pools[0])[1]

    def _versions(self, keys: Iterable[ObjectKey]) -> tuple[Name, ...]:
        return tuple(sorted({name for key in keys for name in self._who.get(key, ())}, key=name_number))


def _target(end: Destination) -> str:
    return end.subset or (end.service[0] if end.service else end.written)


def _words(tag: Tag, name: Name) -> tuple[str, ...]:
    """What a call may name a version by: its name, its tag, the same with or without `v`."""
    core = _core(tag)
    return tuple(dict.fromkeys((name, tag_part(tag), core, f"v{core}")))


def _headers(view: RoutingView, owners: Sequence[RouteOwner], versions: Mapping[Name, Tag]) -> list[str]:
    """The headers whose value decides on the version, those by which most versions are told apart first."""
    words = [_words(tag, name) for name, tag in versions.items()]
    counts: dict[str, int] = {}
    for owner in owners:
        for header in sorted(owner_headers(owner)):
            values = {value for route in owner.routes for key, value in route.exact if key == header}
            told = sum(not values.isdisjoint(one) for one in words)
            told = told or sum(any(_names(value, name, tag) for value in values) for name, tag in versions.items())
            counts[header] = counts.get(header, 0) + (told or _told_otherwise(view, owner, header, words))
    return sorted((header for header, count in counts.items() if count), key=lambda header: -counts[header])


def _names(value: str, name: Name, tag: Tag) -> bool:
    """Whether a value that a route asks for has a version in it: `engine-v2`."""
    return _stands(name, value) or _stands(_core(tag), value)


def _told_otherwise(view: RoutingView, owner: RouteOwner, header: str, words: Sequence[Sequence[str]]) -> int:
    """How many versions prefixes and expressions tell apart."""
    atoms = {atom for route in owner.routes for match in route.matches for atom in match}
    if not any(atom[0] in _HEADERS and atom[1] == header and atom[2] != "exact" for atom in atoms):
        return 0
    found = 0
    for conditions in _conditions(owner, header):
        calls = _Calls(view, owner, header, {}, conditions)
        unnamed = (None, calls.taken(_UNKNOWN))
        found = max(found, sum(any(calls.taken(word) not in unnamed for word in one) for one in words))
    return found


class _Told(NamedTuple):
    """What the calls on one owner's routes tell."""

    named: tuple[Row, ...]
    rest: tuple[Row, ...]
    own: frozenset[Name]  # the versions that have a route of their own


def _tried(calls: _Calls, versions: Mapping[Name, Tag]) -> _Told:
    unnamed = dict.fromkeys(calls.taken(value) for value in (None, _UNKNOWN))
    taking: dict[int, dict[str, None]] = {}
    taken: dict[Name, set[int]] = {}
    if calls.header:
        words = {name: _words(tag, name) for name, tag in versions.items()}
        known = {word for one in words.values() for word in one}
        asked = [value for route in calls.owner.routes for key, value in route.exact if key == calls.header]
        odd = [value for value in asked if value not in known]
        named = [(name, word) for name, tag in versions.items() for word in (*words[name], *_odd(odd, name, tag))]
        for who, value in (*((None, value) for value in asked), *named):
            number = calls.taken(value)
            if number is not None and number not in unnamed:
                taking.setdefault(number, {})[value] = None
                if who is not None:
                    taken.setdefault(who, set()).add(number)
    rows = {number: calls.row(number, values) for number, values in sorted(taking.items())}
    rest = tuple(calls.row(number, ()) for number in unnamed if number is not None)
    own = (name for name, numbers in taken.items() if any(name in rows[number].first for number in numbers))
    joined: dict[Row, list[str]] = {}  # a rule of the Gateway API is a route for each match
    for row in rows.values():
        joined.setdefault(row._replace(values=()), []).extend(row.values)
    return _Told(tuple(row._replace(values=tuple(values)) for row, values in joined.items()), rest, frozenset(own))


def _odd(values: Iterable[str], name: Name, tag: Tag) -> list[str]:
    return [value for value in values if _names(value, name, tag)]


class _Call(NamedTuple):
    """One call."""

    headers: Mapping[str, str]
    method: str
    conditions: frozenset[Atom] = frozenset()  # what else it fulfils


def _holds(atom: Atom, call: _Call) -> bool:
    field, name, kind, asked = atom
    if atom in call.conditions:
        return True
    if field == "method":
        found = _METHOD.fullmatch(asked)
        return found is None or _compares(found[1], found[2], call.method)
    if field in _HEADERS:
        value = call.method if name == ":method" else call.headers.get(name, call.headers.get(name.lower()))
        holds = value is not None and (kind not in _COMPARED or _compares(kind, asked, value))
        return holds == (field == "headers")
    return field not in _CONDITIONAL


_COMPARED = frozenset(["exact", "prefix", "regex"])


@lru_cache(maxsize=1024)  # nearly all calls have the same content type, and an expression costs most
def _compares(kind: str, asked: str, value: str) -> bool:
    if kind == "exact":
        return value == asked
    if kind == "prefix":
        return value.startswith(asked)
    try:
        return expressions.fullmatch(asked, value, "the chart's routes") is not None
    except re.error:  # of RE2, which Python writes otherwise
        return False

"""What a cluster went through, moment by moment, and the law that no moment may break.

Pure: the events of its API server in, moments and breaches out. Every change of an object is a moment, in the order of the
revisions of its store, so nothing can hide between two looks; and what proxies do at that moment is told by
`translator.py`, from the objects that stand then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from envoy_parts import Object
from translator import Configuration, Endpoint, Proxy, translate

GATEWAY = Proxy("istio-ingress", {"istio": "ingressgateway"})
LAW = ("missing", "lost")  # what nothing that the tool lands may bring about
_LEFT_OUT = ("Pod", "EndpointSlice", "Deployment", "HorizontalPodAutoscaler")  # no part of a proxy's configuration
_SERVICE = "kubernetes.io/service-name"
_VERSION = "app.kubernetes.io/tag"

Key = tuple[str, str, str]  # kind, namespace, name
Objects = Mapping[Key, Object]
Locate = Callable[[str, int], tuple[str, int]]  # where the server of a pod's address and port really listens


class Event(NamedTuple):
    """One change of one object."""

    revision: int  # of the store of all kinds
    seen: float  # seconds of the epoch
    key: Key
    content: Object | None  # None: it is gone

    def __str__(self) -> str:
        return f"{self.key[0]} {self.key[2]} {'is' if self.content else 'goes'}"


class Moment(NamedTuple):
    """What stands from this event to the next one."""

    at: float
    event: Event
    routes: dict[str, tuple[str, ...]]  # what a call says in `grpcsvc`, "" for nothing -> clusters
    ready: dict[str, frozenset[str]]  # cluster -> its ready pods
    versions: dict[str, int]  # version -> its ready pods, whatever chooses them
    pods: frozenset[str]  # those that nobody deletes


class Breach(NamedTuple):
    """A time in which calls that name a version can't be answered by it.

    `what`: `missing`: the route leads to a subset or Service that is not there; `lost`: the pods that were ready before
    are deleted; `early`: no pod was ready since the route came; `sick`: its pods stand, and none is ready.
    """

    value: str
    what: str
    begin: float
    end: float
    cause: Event


def proxies(
    objects: Objects,
    known: Objects | None = None,
    extra: Sequence[Object] = (),
    locate: Locate = lambda address, port: (address, port),
    proxy: Proxy = GATEWAY,
) -> Configuration:
    """What a proxy is told while these objects stand. `known`: pods of the past too; `extra`: objects of others."""
    routed = [one for (kind, _, _), one in objects.items() if kind not in _LEFT_OUT]
    pods = {**(known or {}), **objects}
    endpoints = [
        Endpoint(*locate(address, port), namespace, _labels(pods, namespace, pod), service=service)
        for namespace, service, pod, address, port in _listed(objects)
    ]
    return translate([*routed, *extra], endpoints, proxy)


def _listed(objects: Objects) -> Iterator[tuple[str, str, str, str, int]]:
    """Namespace, Service, pod, address and port of each ready endpoint."""
    for (kind, namespace, _), content in objects.items():
        if kind == "EndpointSlice":
            for endpoint in content.get("endpoints") or ():
                if endpoint.get("conditions", {}).get("ready", True):
                    service, pod = content["metadata"]["labels"][_SERVICE], endpoint["targetRef"]["name"]
                    yield namespace, service, pod, endpoint["addresses"][0], content["ports"][0]["port"]


def _labels(pods: Objects, namespace: str, pod: str) -> dict[str, str]:
    found: dict[str, str] = pods["Pod", namespace, pod]["metadata"]["labels"]
    return found


def moments(events: Iterable[Event], begin: int = 0, extra: Sequence[Object] = ()) -> Iterator[Moment]:
    """What stands at revision `begin`, and each moment after it."""
    objects: dict[Key, Object] = {}
    known: dict[Key, Object] = {}
    at = 0.0
    ordered = sorted(events, key=lambda event: event.revision)
    begin = max((event.revision for event in ordered if event.revision <= begin), default=0)
    for event in ordered:
        at = max(at, event.seen)
        if event.content is None:
            objects.pop(event.key, None)
        else:
            objects[event.key] = event.content
            if event.key[0] == "Pod":
                known[event.key] = event.content
        if event.revision >= begin:
            yield _moment(at, event, objects, known, extra)


def _moment(at: float, event: Event, objects: Objects, known: Objects, extra: Sequence[Object]) -> Moment:
    # An endpoint is told by its pod's name, so that the clusters' loads read as pods.
    names = {(address, port): pod for _, _, pod, address, port in _listed(objects)}
    found = proxies(objects, known, extra)
    ready = {cluster: frozenset(names[one] for one in _addresses(load)) for cluster, load in found.endpoints.items()}
    standing = {
        name
        for (kind, _, name), one in objects.items()
        if kind == "Pod" and not one["metadata"].get("deletionTimestamp")
    }
    return Moment(at, event, dict(_routes(found)), ready, ready_versions(objects, known), frozenset(standing))


def ready_versions(objects: Objects, known: Objects) -> dict[str, int]:
    """Version -> how many of its pods are ready endpoints of any Service."""
    versions: dict[str, int] = {}
    for namespace, pod in {(namespace, pod) for namespace, _, pod, _, _ in _listed(objects)}:
        version = _labels({**known, **objects}, namespace, pod).get(_VERSION, "")
        versions[version] = versions.get(version, 0) + 1
    return dict(sorted(versions.items()))


def _addresses(load: Object) -> Iterator[tuple[str, int]]:
    for group in load["endpoints"]:
        for one in group["lb_endpoints"]:
            where = one["endpoint"]["address"]["socket_address"]
            yield where["address"], where["port_value"]


def _routes(found: Configuration) -> Iterator[tuple[str, tuple[str, ...]]]:
    for table in found.routes.values():
        for host in table["virtual_hosts"]:
            for route in reversed(host["routes"]):  # the first one that matches is taken
                match route["route"]:
                    case {"cluster": cluster}:
                        clusters = (cluster,)
                    case {"weighted_clusters": {"clusters": parts}}:
                        clusters = tuple(part["name"] for part in parts)
                headers = route["match"].get("headers", [])
                sent = [one["string_match"]["exact"] for one in headers if one["name"] == "grpcsvc"]
                yield (sent[0] if sent else ""), clusters


def breaches(found: Iterable[Moment], kinds: Sequence[str] = LAW) -> list[Breach]:
    """What broke the law, or of other kinds, with how long it lasted; what still stands at the end ends with the last moment."""
    open_ones: dict[tuple[str, str], Breach] = {}
    closed: list[Breach] = []
    before: dict[tuple[str, str], set[str]] = {}  # value and cluster -> its pods that were ever ready
    at = 0.0
    for moment in found:
        at = moment.at
        pairs = {(value, cluster) for value, clusters in moment.routes.items() for cluster in clusters}
        before = {pair: pods for pair, pods in before.items() if pair in pairs}  # it begins anew with the next route
        now = {}
        for value, cluster in sorted(pairs):
            if what := _wrong(moment, cluster, before.setdefault((value, cluster), set())):
                now[value, what] = Breach(value, what, at, at, moment.event)
        closed += [open_ones[ended]._replace(end=at) for ended in sorted(open_ones.keys() - now.keys())]
        open_ones = {key: open_ones.get(key, one) for key, one in now.items()}
    closed += [one._replace(end=at) for one in open_ones.values()]
    return sorted((one for one in closed if one.what in kinds), key=lambda one: one.begin)


def _wrong(moment: Moment, cluster: str, ever: set[str]) -> str | None:
    if cluster not in moment.ready:
        return "missing"
    ready = moment.ready[cluster]
    ever |= ready
    if ready:
        return None
    if not ever:
        return "early"
    return "sick" if ever & moment.pods else "lost"


def told(found: Iterable[Moment], versions: Sequence[str] = ()) -> str:
    """A line for each change of the routes or of the numbers of ready pods."""
    lines: list[str] = []
    begin, last = None, None
    for moment in found:
        begin = moment.at if begin is None else begin
        shown = [
            (value, clusters) for value, clusters in sorted(moment.routes.items()) if not versions or value in versions
        ]
        parts = [f"{value or 'default'}:{_numbers(moment, clusters)}" for value, clusters in shown]
        pods = " ".join(f"{version}={number}" for version, number in moment.versions.items())
        if (now := f"pods {pods}  routes {' '.join(parts)}") != last:
            lines.append(f"{moment.at - begin:8.2f}  {now}  ({moment.event})")
            last = now
    return "\n".join(lines)


def _numbers(moment: Moment, clusters: Sequence[str]) -> str:
    return "+".join(str(len(moment.ready[one])) if one in moment.ready else "none" for one in clusters)


def object_key(content: Mapping[str, Any]) -> Key:
    metadata = content["metadata"]
    return content["kind"], metadata.get("namespace", ""), metadata["name"]

"""Who answers a call, read plainly from the objects of a rendering: a second opinion, which knows no line of the tool.

It knows what the charts of the examples and of the tests write, and refuses every other field of a route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CALL = {":method": "POST", ":path": "/engine.Engine/Run", "content-type": "application/grpc"}
_BESIDE = {"corsPolicy", "headers", "name", "retries", "route", "timeout"}  # of a route: they choose nobody
_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet"}


class Answer(NamedTuple):
    """The route that a call takes, and the tags of the pods behind it: of all, and of those that are asked first."""

    route: tuple[str, int]
    tags: frozenset[str]
    first: frozenset[str]


class Rendering:
    """The objects of one rendering."""

    def __init__(self, text: str) -> None:
        self.objects = [one for one in yaml.load_all(text, Loader=_LOADER) if one]
        self.pods = [_pods(one) for one in self._of(*_WORKLOADS)]
        self.text = text

    def _of(self, *kinds: str) -> Iterator[dict[str, Any]]:
        return (one for one in self.objects if one["kind"] in kinds)

    def workloads(self, tag: str) -> set[str]:
        """The names of those whose image has the tag."""
        return {name for name, _, image in self.pods if image == tag}

    def names(self, kind: str) -> set[str]:
        return {one["metadata"]["name"] for one in self._of(kind)}

    @property
    def via(self) -> set[str]:
        """The kinds that route."""
        return {one["kind"] for one in self._of("VirtualService", "GRPCRoute", "HTTPRoute")}

    @property
    def headers(self) -> set[str]:
        """Those that any route asks for, but for the content type."""
        return {name for _, matches, _ in self._routes() for match in matches for name in match[1]} - _CALL.keys()

    def answer(self, header: str = "", value: str = "") -> Answer | None:
        """Who answers a call with a header; None: no route takes it."""
        call = {**_CALL, header: value} if header else _CALL
        for number, (kind, matches, spec) in enumerate(self._routes()):
            if any(_fits(match, call) for match in matches):
                tags, first = self._behind(kind, spec)
                return Answer((kind, number), tags, first)
        return None

    # -- the routes, each with what it asks for: method and path, then headers

    def _routes(self) -> list[tuple[str, list[tuple[dict[str, Any], dict[str, Any]]], dict[str, Any]]]:
        found = []
        for one in self._of("VirtualService"):
            for route in one["spec"]["http"]:
                assert route.keys() <= {"match", *_BESIDE}, route
                found.append(("VirtualService", [_istio(match) for match in route.get("match", [{}])], route))
        rules = []
        for one in self._of("GRPCRoute", "HTTPRoute"):
            for rule in one["spec"]["rules"]:
                assert rule.keys() <= {"name", "matches", "backendRefs", "filters", "timeouts"}, rule
                rules += [(one["kind"], [_gateway(match)], rule) for match in rule.get("matches", [{}])]
        return [*found, *sorted(rules, key=lambda rule: -len(rule[1][0][1]))]  # more headers win, then the order

    def _behind(self, kind: str, spec: dict[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
        tags: set[str] = set()
        first: set[str] = set()
        if kind == "VirtualService":
            asked = [(one["destination"]["host"], one["destination"].get("subset"), one) for one in spec["route"]]
        else:
            asked = [(one["name"], None, one) for one in spec["backendRefs"]]
        for host, subset, one in asked:
            if one.get("weight", 1):
                found = self._endpoints(host.partition(".")[0], subset)
                tags |= {tag for _, tag in found}
                best = min((rank for rank, _ in found), default=0)
                first |= {tag for rank, tag in found if rank == best}
        return frozenset(tags), frozenset(first)

    def _endpoints(self, host: str, subset: str | None) -> list[tuple[int, str]]:
        """The tags of the pods of a Service or a subset of it, each with its rank: the lowest is asked first."""
        service = next((one for one in self._of("Service") if one["metadata"]["name"] == host), None)
        if service is None:
            return []
        wanted, order = dict(service["spec"]["selector"]), []
        if subset is not None:
            rules = [
                one["spec"] for one in self._of("DestinationRule") if one["spec"]["host"].partition(".")[0] == host
            ]
            chosen = next((one for rule in rules for one in rule["subsets"] if one["name"] == subset), None)
            if chosen is None:
                return []
            wanted |= chosen.get("labels", {})
            policies = [rule["trafficPolicy"] for rule in rules if "trafficPolicy" in rule]
            policy = {**(policies[0] if policies else {}), **chosen.get("trafficPolicy", {})}
            order = policy.get("loadBalancer", {}).get("localityLbSetting", {}).get("failoverPriority", [])
        pods = ((labels, image) for _, labels, image in self.pods if wanted.items() <= labels.items())
        return [(_rank(labels, order), image) for labels, image in pods]


def _pods(workload: dict[str, Any]) -> tuple[str, dict[str, str], str]:
    """Name, labels of the pods, tag of the image."""
    template = workload["spec"]["template"]
    (container,) = template["spec"]["containers"]
    tag = container["image"].partition("@")[0].rpartition("/")[2].partition(":")[2]
    return workload["metadata"]["name"], template["metadata"]["labels"], tag


def _rank(labels: Mapping[str, str], order: list[str]) -> int:
    """How many of the labels, from the first on, a pod does not have: istiod's `failoverPriority`."""
    for number, word in enumerate(order):
        key, _, value = word.partition("=")
        if labels.get(key, "") != value:  # a pod without the label has an empty value to istiod
            return len(order) - number
    return 0


def _istio(match: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    assert match.keys() <= {"headers", "method", "uri", "name"}, match
    above = {":method": match.get("method"), ":path": match.get("uri")}
    return {key: one for key, one in above.items() if one}, match.get("headers", {})


def _gateway(match: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    assert match.keys() <= {"headers"}, match
    kinds = {"Exact": "exact", "RegularExpression": "regex"}
    headers = {one["name"]: {kinds[one.get("type", "Exact")]: one["value"]} for one in match.get("headers", [])}
    return {}, headers


def _fits(match: tuple[dict[str, Any], dict[str, Any]], call: Mapping[str, str]) -> bool:
    return all(_holds(asked, call.get(name)) for part in match for name, asked in part.items())


def _holds(asked: Mapping[str, str], value: str | None) -> bool:
    if value is None:
        return False
    for kind, text in asked.items():
        exact, prefix, regex = kind == "exact", kind == "prefix", kind == "regex"
        assert exact or prefix or regex, kind
        fits = value == text if exact else value.startswith(text) if prefix else re.fullmatch(text, value)
        if not fits:
            return False
    return True

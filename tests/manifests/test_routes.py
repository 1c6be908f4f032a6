"""The checks of rendered manifests: each broken rendering with what is said of it, and intact ones of which nothing is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests_by_hand import DEPLOYMENT, FILTER, INTACT, ROUTES, RULE, SERVICE, changed, rendering
from rendering import GOLDEN, request

from release_tool import manifests
from release_tool.errors import ReleaseError
from release_tool.helm import Renderer, make_renderer
from release_tool.manifests import routes
from release_tool.manifests.routes import RouteFinding


def said(findings: tuple[RouteFinding, ...]) -> list[str]:
    """Findings as lines: the template without the chart's name, and the words; warnings are marked."""
    return [
        f"{'' if one.serious else 'warning '}{one.source.removeprefix('engine/templates/')}: {one.what}"
        for one in findings
    ]


def check(text: str) -> list[str]:
    found = routes.check(text, "shop")
    assert all(one.hint and one.source.startswith("engine/templates/") for one in found)
    return said(found)


# -- one rendering --

SUBSET_V2 = "  - name: v2\n    labels:\n      app.kubernetes.io/tag: v2"
MATCH_V2 = "    match:\n    - headers:\n        grpcsvc:\n          exact: v2\n"
MATCH_TAG_V2 = "    - headers:\n        grpcsvc:\n          exact: v1.0.2\n"
BY_POST = ("    - headers:\n", "    - method:\n        exact: POST\n      headers:\n")
WAVE = "  namespace: shop\n  annotations:\n    argocd.argoproj.io/sync-wave: '{}'\n"


def wave(name: str, number: int) -> tuple[str, str, str]:
    return name, "  namespace: shop\n", WAVE.format(number)


def named(text: str, name: str) -> str:
    """The same object under another name."""
    return text.replace("name: engine\n  namespace", f"name: {name}\n  namespace")


LIVE = "routes.yaml: VirtualService shop/engine: "
RULE_SAYS = "rule.yaml: DestinationRule shop/engine: "
FILTER_SAYS = "filter.yaml: EnvoyFilter istio-ingress/shop-engine: "
TO = "engine.shop.svc.cluster.local"


def case(text: str, *said: str) -> tuple[str, list[str]]:
    """A rendering, and what is said of it."""
    return text, list(said)


MIRROR = f"    mirrors:\n    - destination:\n        host: {TO}\n        subset: {{subset}}\n"
BROKEN = {
    "a route to a subset that is not there": case(
        changed(("rule", "- name: v2\n", "- name: two\n")),
        f"{LIVE}route v2 leads to subset v2 of {TO}, which DestinationRule shop/engine doesn't have (it has "
        "default, v1, two, v3)",
    ),
    "a mirror to a subset that is not there": case(
        changed(("routes", "  - name: v2\n", f"  - name: v2\n{MIRROR.format(subset='v99')}")),
        f"warning {LIVE}route v2 mirrors calls to subset v99 of {TO}, which DestinationRule shop/engine doesn't have (it "
        "has default, v1, v2, v3)",
    ),
    "a mirror to where another route leads, which is not there": case(
        changed(
            ("routes", "  - name: v2\n", f"  - name: v2\n{MIRROR.format(subset='v3')}"), ("rule", "name: v3", "name: o")
        ),
        f"{LIVE}route v3 leads to subset v3 of {TO}, which DestinationRule shop/engine doesn't have (it has "
        "default, v1, v2, o)",
    ),
    "a rule for another host": case(
        changed(
            ("rule", "host: engine.shop", "host: engin.shop"),
            ("routes", MATCH_V2, "    match:\n    - headers:\n        grpcsvc:\n          exact: v1\n"),
            without=("v3", "filter"),
        ),
        f"{LIVE}route v2 leads to subset v2 of {TO}, and no DestinationRule is for that host",
        f"{LIVE}route v3 leads to subset v3 of {TO}, and no DestinationRule is for that host",
        f"{LIVE}route default leads to subset default of {TO}, and no DestinationRule is for that host",
    ),
    "a port that the service has not": case(
        changed(("routes", "number: 50051", "number: 80")),
        f"{LIVE}route v2 leads to port 80 of Service shop/engine, which has 50051",
    ),
    "a service under another name": case(
        changed(("service", "name: engine", "name: motor")),
        f"{LIVE}route v2 leads to {TO}, and no Service is called that; its pods are those of Service shop/motor",
    ),
    "no service": case(
        changed(without=("service",)), f"warning {LIVE}route v2 leads to {TO}, and no Service is called that"
    ),
    "a host that Istio does not complete": case(
        changed(("routes", f"host: {TO}", "host: engine.shop"), ("rule", f"host: {TO}", "host: engine.shop")),
        f"{LIVE}route v2 leads to engine.shop: Istio completes only names without a dot, so that is no service",
    ),
    "a subset of no pods": case(
        changed(("rule", SUBSET_V2, SUBSET_V2.replace("tag: v2", "tag: two"))),
        f"{RULE_SAYS}subset v2 selects no pods: no Deployment behind Service shop/engine has the labels "
        "app.kubernetes.io/tag: two",
    ),
    "a subset of no pods that no route names": case(
        changed(("rule", "app.kubernetes.io/tag: v1", "app.kubernetes.io/tag: one")),
        f"warning {RULE_SAYS}subset v1 selects no pods: no Deployment behind Service shop/engine has the labels "
        "app.kubernetes.io/tag: one",
    ),
    "a routed version without a Deployment": case(
        changed(without=("v2",)),
        f"{RULE_SAYS}subset v2 selects no pods: no Deployment behind Service shop/engine has the labels "
        "app.kubernetes.io/tag: v2",
    ),
    "a subset that names the release instead of the version": case(  # every subset was empty where the two differ
        changed(("rule", "app.kubernetes.io/tag: ", "app.kubernetes.io/instance: "), without=("filter",)),
        *[
            f"{mark}{RULE_SAYS}subset {name} selects no pods: "
            f"no Deployment behind Service shop/engine has the labels app.kubernetes.io/instance: {name}"
            for mark, name in (("warning ", "v1"), ("", "v2"), ("", "v3"))
        ],
    ),
    "pods that are not behind the service": case(
        changed(("v2", "app: engine\n", "app: motor\n")),
        f"{RULE_SAYS}subset v2 selects only pods that are not behind Service shop/engine (app.kubernetes.io/tag: v2)",
    ),
    "a service that selects no pods": case(
        changed(("service", "app: engine", "app: motor")),
        "service.yaml: Service shop/engine: its selector matches no pods, not even those of subset default "
        "(Deployment engine-v1, Deployment engine-v2, Deployment engine-v3)",
    ),
    "a default that is not deployed": case(
        changed(("rule", "tag=v3", "tag=v9")),
        f"{RULE_SAYS}the default is not deployed: subset default wants pods with app.kubernetes.io/tag: v9 first, "
        "and there are none",
    ),
    "a default that its own order puts behind others": case(
        changed(("rule", "- grpcsvc/v1=\n", "- grpcsvc/v1=\n          - grpcsvc/v3=\n")),
        f"{RULE_SAYS}the default is not deployed: subset default wants pods with app.kubernetes.io/tag: v3 first, "
        "and there are none",
    ),
    "a default without a route by name": case(
        changed(("rule", "- grpcsvc/v1=\n          - app.kubernetes.io/tag=v3", "- app.kubernetes.io/tag=v1")),
        f"{RULE_SAYS}the default is not live: no route by name leads to the first pods of subset default "
        "(app.kubernetes.io/tag: v1)",
        f"{FILTER_SAYS}its default for engine.example.com is v3, but the routes' default goes to engine-v1 first",
    ),
    "an order that nothing puts into force": case(
        changed(("rule", "    outlierDetection:\n      maxEjectionPercent: 100\n", "    connectionPool: {}\n")),
        f"{RULE_SAYS}subset default has failoverPriority without outlierDetection: Istio ignores the order then",
    ),
    "a header value in two routes": case(
        changed(("routes", "exact: v1.0.3", "exact: v1.0.2"), without=("filter",)),
        f"{LIVE}grpcsvc: v1.0.2 is claimed by route v2 and by route v3, which never gets it",
    ),
    "a header value twice in one route": case(
        changed(("routes", "exact: v1.0.3", "exact: v3"), without=("filter",)),
        f"{LIVE}route v3 claims grpcsvc: v3 twice",
    ),
    "a header value that an earlier route takes on every path": case(
        changed(
            ("routes", "          exact: v1.0.3\n", "          exact: v2\n      uri:\n        prefix: /a\n"),
            without=("filter",),
        ),
        f"{LIVE}grpcsvc: v2 is claimed by route v2 and by route v3, which never gets it",
    ),
    "a path that an earlier route takes": case(
        changed(
            ("routes", MATCH_TAG_V2, "    - uri:\n        prefix: /a\n"),
            ("routes", "          exact: v1.0.3\n", "          exact: v1.0.3\n    - uri:\n        prefix: /a\n"),
            without=("filter",),
        ),
        f"{LIVE}route v3 gets no call: route v2 takes all that would fit it",
    ),
    "a header value that an earlier route takes by every method": case(
        changed(
            ("routes", "          exact: v1.0.3\n", "          exact: v2\n      method:\n        exact: POST\n"),
            without=("filter",),
        ),
        f"{LIVE}grpcsvc: v2 is claimed by route v2 and by route v3, which never gets it",
    ),
    "a default that is not deployed, behind routes for POST": case(
        changed(("rule", "tag=v3", "tag=v9"), ("routes", *BY_POST)),
        f"{RULE_SAYS}the default is not deployed: subset default wants pods with app.kubernetes.io/tag: v9 first, "
        "and there are none",
    ),
    "routes behind one without a match": case(
        changed(("routes", MATCH_V2 + MATCH_TAG_V2, ""), without=("filter",)),
        f"{LIVE}route v3 comes after route v2, which takes every call, so it gets none",
        f"{LIVE}route default comes after route v2, which takes every call, so it gets none",
    ),
    "routes behind one for every path": case(
        changed(("routes", MATCH_V2, "    match:\n    - uri:\n        prefix: /\n"), without=("filter",)),
        f"{LIVE}route v3 comes after route v2, which takes every call, so it gets none",
        f"{LIVE}route default comes after route v2, which takes every call, so it gets none",
    ),
    "a second VirtualService for the host at the gateway": case(
        changed(more=named(ROUTES, "more")),
        "more.yaml: VirtualService shop/more: VirtualService shop/engine is for the host engine.example.com at "
        "gateway istio-ingress/public too, and takes the calls of route v2, or not, as chance has it",
    ),
    "a second VirtualService for the host in the mesh": case(
        changed(
            ("routes", "  gateways:\n  - istio-ingress/public\n", ""),
            ("routes", "- engine.example.com", "- engine"),
            more=named(ROUTES, "more")
            .replace("istio-ingress/public", "mesh")
            .replace("- engine.example.com", f"- {TO}"),
            without=("filter",),
        ),
        f"more.yaml: VirtualService shop/more: VirtualService shop/engine is for the host {TO} in the mesh too: "
        "sidecars take one of the two",
    ),
    "a second DestinationRule for the host": case(
        changed(more=named(RULE, "more").replace(f"host: {TO}", "host: engine")),
        "more.yaml: DestinationRule shop/more: DestinationRule shop/engine has a trafficPolicy for the same host, "
        "too: Istio keeps one of the two, by their age",
        *(
            f"more.yaml: DestinationRule shop/more: DestinationRule shop/engine has a subset {name} for the same host, "
            "too: Istio keeps one of the two, by their age"
            for name in ("default", "v1", "v2", "v3")
        ),
    ),
    "a filter that lacks a version": case(
        changed(("filter", "                v1.0.3: v3\n", "")),
        f"{FILTER_SAYS}its list for engine.example.com lacks v1.0.3: calls that name it would get the default, "
        "though VirtualService shop/engine has route v3 for them",
    ),
    "a filter that knows one too many": case(
        changed(("filter", "v1.0.3: v3\n", "v1.0.3: v3\n                v1: v1\n")),
        f"{FILTER_SAYS}its list for engine.example.com holds v1, for which VirtualService shop/engine has no route",
    ),
    "a filter that takes a tag for another version": case(
        changed(("filter", "v1.0.3: v3", "v1.0.3: v2")),
        f"{FILTER_SAYS}its list for engine.example.com takes v1.0.3 for v2, but route v3 takes it",
    ),
    "a filter with another default": case(
        changed(("filter", "default: v3", "default: v2")),
        f"{FILTER_SAYS}its default for engine.example.com is v2, but the routes' default goes to engine-v3 first",
    ),
    "a filter whose default has no route": case(
        changed(("filter", "default: v3", "default: v1")),
        f"{FILTER_SAYS}its default for engine.example.com is v1, for which VirtualService shop/engine has no route",
    ),
    "a selector that misses its own pods": case(
        changed(
            (
                "v1",
                "      labels:\n        app: engine\n        app.kubernetes.io/tag: v1\n",
                "      labels:\n        app: engine\n",
            ),
            ("rule", "  - name: v1\n    labels:\n      app.kubernetes.io/tag: v1\n", ""),
        ),
        "v1.yaml: Deployment shop/engine-v1: its selector wants app.kubernetes.io/tag: v1, which its own pods "
        "don't carry: Kubernetes refuses that",
    ),
    "a selector that takes others' pods": case(
        changed(("v1", "      app.kubernetes.io/tag: v1\n  template", "  template")),
        "v1.yaml: Deployment shop/engine-v1: its selector takes the pods of engine-v2, engine-v3 too",
    ),
    "a label that can be none": case(
        changed(("v1", 'grpcsvc/v1: "true"', 'grpcsvc/v1: "true"\n        version: _rc')),
        "v1.yaml: Deployment shop/engine-v1: '_rc' can't be the value of its pods' label version: Kubernetes "
        "refuses it",
    ),
    "a label that is too long": case(
        changed(("v1", 'grpcsvc/v1: "true"', f'grpcsvc/v1: "true"\n        version: {"a" * 64}')),
        f"v1.yaml: Deployment shop/engine-v1: '{'a' * 64}' can't be the value of its pods' label version: "
        "Kubernetes refuses it",
    ),
    "a live version in a later wave than its route": case(
        changed(wave("v2", 3), wave("routes", 2), wave("v1", 3)),
        "v2.yaml: Deployment shop/engine-v2: it comes in wave 3, after VirtualService shop/engine (wave 2), which "
        "leads to it",
    ),
    "subsets in a later wave than the routes": case(
        changed(wave("rule", 1)),
        f"{RULE_SAYS}it comes in wave 1, after VirtualService shop/engine (wave 0), which leads to it",
    ),
    "a version without a route in an earlier wave than the routes": case(
        changed(wave("routes", 2)),
        "warning v1.yaml: Deployment shop/engine-v1: it has no route and comes before VirtualService shop/engine "
        "(wave 0 before 2): if it is ill, Argo CD waits for it and changes no route",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_told(name: str) -> None:
    text, expected = BROKEN[name]
    assert check(text) == expected


EXTERNAL = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: others, namespace: shop}
spec:
  hosts: ["*.example.com", others]
  http:
  - match: [{uri: {prefix: /search}}]
    route:
    - {destination: {host: search.example.org, subset: stable}}
    mirror: {host: nowhere, subset: none}
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new}
  - match: [{uri: {prefix: /team}}]
    delegate: {name: team, namespace: team}
  - route:
    - {destination: {host: billing.other.svc.cluster.local, port: {number: 9000}, subset: v7}, weight: 90}
    - {destination: {host: never}, weight: 10}
  tcp:
  - match: [{port: 5432}]
    route: [{destination: {host: postgres, port: {number: 5432}}}]
"""
WILDCARD = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: all, namespace: shop}
spec: {host: "*.shop.svc.cluster.local", subsets: [{name: v2, labels: {app.kubernetes.io/tag: v2}},
  {name: v3, labels: {app.kubernetes.io/tag: v3}}, {name: default}]}
"""
SPLIT = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: more, namespace: shop}
spec:
  hosts: [engine.example.com]
  gateways: [istio-ingress/public]
  http:
  - match: [{uri: {prefix: /other}}]
    route: [{destination: {host: engine}}]
  - route: [{destination: {host: engine}}]
"""
CANARY = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: engine, namespace: shop}
spec:
  hosts: [engine]
  http:
  - match: [{headers: {x-canary: {exact: "true"}}}, {headers: {x-tester: {}}, uri: {exact: /a}, ignoreUriCase: true}]
    route: [{destination: {host: engine, subset: v2}}]
  - match: [{uri: {exact: /a}, withoutHeaders: {x-tester: {}}}, {uri: {exact: /a}, port: 80}, {gateways: [mesh]}]
    route: [{destination: {host: engine, subset: v3}, weight: 100}, {destination: {host: engine, subset: v9}, weight: 0}]
  - route: [{destination: {host: engine, subset: v3}}]
"""
ELSEWHERE = """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: plain}, spec: {ports: [{port: 1}, {port: 2}]}}
- {apiVersion: v1, kind: Service, metadata: {name: outside}, spec: {type: ExternalName, externalName: a.example.org}}
- {apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: kn}, spec: {template: {metadata: {}}}}
- apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata: {name: plain}
  spec: {host: plain, subsets: [{name: v1, labels: {a: b}}]}
- apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata: {name: outside}
  spec: {host: outside, subsets: [{name: v1, labels: {a: b}}]}
- apiVersion: networking.istio.io/v1
  kind: ServiceEntry
  metadata: {name: vm}
  spec: {hosts: [vm, api.example.org], workloadSelector: {labels: {app: vm}}}
- apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata: {name: vm}
  spec: {host: vm, subsets: [{name: v1, labels: {app: engine}}]}
- apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata: {name: vm}
  spec: {hosts: [vm], http: [{route: [{destination: {host: vm, subset: v1, port: {number: 7}}}]}]}
- apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata: {name: plain}
  spec: {hosts: [plain], http: [{route: [{destination: {host: plain, subset: v1}}]}]}
"""
CACHE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: cache, namespace: shop}
spec:
  selector: {matchExpressions: [{key: app, operator: In, values: [cache]}]}
  template: {metadata: {labels: {app: cache}}, spec: {containers: []}}
"""
ROLLOUT = (
    DEPLOYMENT.format(name="v2", tag="v1.0.2")
    .replace("apps/v1", "argoproj.io/v1alpha1")
    .replace("Deployment", "Rollout")
)
TOPOLOGY = (
    "- topology.istio.io/network\n          - topology.kubernetes.io/region=us-1\n          - app.kubernetes.io/tag=v3"
)
SHORT = {"routes": ROUTES.replace(TO, "engine"), "rule": RULE.replace(TO, "engine")}
INTACT_CASES: dict[str, str] = {
    "as it is": changed(),
    "nothing": "",
    "no routing": rendering({"v1": INTACT["v1"], "cache": CACHE}),
    "without the filter": changed(without=("filter",)),
    "short names": rendering({**INTACT, **SHORT}),
    "short names and objects without a namespace": rendering(
        {name: text.replace("  namespace: shop\n", "") for name, text in {**INTACT, **SHORT}.items()}
    ),
    "another domain of the cluster": rendering(
        {name: text.replace("cluster.local", "cluster.example") for name, text in INTACT.items()}
    ),
    "flow style and another order": rendering(
        {name: yaml.safe_dump(yaml.safe_load(text), default_flow_style=True) for name, text in reversed(INTACT.items())}
    ),
    "hosts of others, delegates, mirrors, redirects, tcp": changed(others=EXTERNAL),
    "a rule for many hosts": changed(without=("rule", "filter"), all=WILDCARD),
    "a rule for many hosts beside one's own": changed(all=WILDCARD),
    "a rule of its own for some clients": changed(
        more=named(RULE, "more").replace("spec:\n", "spec:\n  workloadSelector:\n    matchLabels: {app: batch}\n")
    ),
    "a rule of its own for another namespace": changed(
        more=named(RULE, "more").replace("spec:\n", "spec:\n  exportTo: [other]\n")
    ),
    "a VirtualService for the rest of the host": changed(more=SPLIT),
    "a VirtualService for the mesh beside that of the gateway": changed(
        more=named(ROUTES, "more").replace("istio-ingress/public", "mesh")
    ),
    "routes for POST alone": changed(("routes", *BY_POST)),
    "a header value in two routes, each for a method of its own": changed(
        ("routes", "          exact: v1.0.2\n", "          exact: v1.0.2\n      method:\n        exact: POST\n"),
        ("routes", "          exact: v1.0.3\n", "          exact: v1.0.2\n      method:\n        exact: GET\n"),
        without=("filter",),
    ),
    "routes by other headers": changed(without=("routes", "filter"), more=CANARY),
    "pods and services of others": changed(elsewhere=ELSEWHERE),
    "other Deployments": changed(cache=CACHE),
    "pods of another kind": changed(without=("v2",), more=ROLLOUT),
    "no Deployments, those are another chart's": changed(without=("v1", "v2", "v3")),
    "only routes, all else is another chart's": changed(without=("v1", "v2", "v3", "service", "rule")),
    "an order by regions, too": changed(("rule", "- grpcsvc/v1=\n          - app.kubernetes.io/tag=v3", TOPOLOGY)),
    "outlier detection for a port": changed(
        (
            "rule",
            "    outlierDetection:\n      maxEjectionPercent: 100\n",
            "    portLevelSettings:\n    - outlierDetection: {}\n",
        )
    ),
    "an order that is switched off": changed(
        ("rule", "enabled: true", "enabled: false"),
        ("rule", "    outlierDetection:\n      maxEjectionPercent: 100\n", ""),
        ("rule", "tag=v3", "tag=v9"),
    ),
    "no replicas at night": changed(("v2", "replicas: 2", "replicas: 0")),
    "waves": changed(wave("rule", 1), wave("routes", 2), wave("v1", 3)),
    "a wave that is none": changed(wave("rule", 0), ("rule", "'0'", "first")),
    "the same objects in two namespaces": changed(
        **{
            f"{name}-2": text.replace("shop", "shop2").replace("engine.example", "two.example")
            for name, text in INTACT.items()
        }
    ),
    "a filter of somebody else's host": changed(
        more=FILTER.replace("engine.example.com", "other.example.com").replace("shop-engine", "other")
    ),
    "another kind of the same name": changed(
        more="{apiVersion: example.com/v1, kind: VirtualService, metadata: {name: engine}, spec: {hosts: 1}}"
    ),
}


@pytest.mark.parametrize("apart", [{"exportTo": ["."]}, {"workloadSelector": {"matchLabels": {"app": "batch"}}}])
def test_rules_of_one_host_that_istio_does_not_join_are_told(apart: dict[str, Any]) -> None:
    rule = yaml.safe_load(RULE)
    more = {
        **rule,
        "metadata": {**rule["metadata"], "name": "more"},
        "spec": {"host": TO, "subsets": rule["spec"]["subsets"][-1:]},
    }
    rule["spec"]["subsets"] = rule["spec"]["subsets"][:-1]
    objects = {**INTACT, "rule": yaml.safe_dump(rule)}
    assert check(rendering({**objects, "more": yaml.safe_dump(more)})) == []
    more["spec"].update(apart)
    (told,) = check(rendering({**objects, "more": yaml.safe_dump(more)}))
    assert told.startswith(
        f"{RULE_SAYS}DestinationRule shop/more is for the same host with another namespace, exportTo or "
    )


@pytest.mark.parametrize("name", INTACT_CASES)
def test_what_is_intact_gives_no_finding(name: str) -> None:
    assert check(INTACT_CASES[name]) == []


@pytest.mark.parametrize("case", sorted(GOLDEN.iterdir()), ids=lambda case: case.name)
def test_the_reviewed_renderings_are_right(case: Path) -> None:
    assert said(routes.check((case / "manifests.yaml").read_text(encoding="utf-8"), "engine")) == []


def test_the_same_mistake_has_the_same_identity_in_another_rendering() -> None:
    one = changed(("rule", "- name: v2\n", "- name: two\n"))
    other = changed(("rule", "- name: v2\n", "- name: deux\n"))
    assert check(one) != check(other)
    identities = [[finding.identity for finding in routes.check(text, "shop")] for text in (one, other)]
    assert identities[0] == identities[1]


# -- two renderings --
def compare(before: str, after: str) -> list[str]:
    return said(routes.compare(before, after, "shop"))


RETIRED_V2 = (
    ("routes", ROUTES[ROUTES.index("  - name: v2") : ROUTES.index("  - name: v3")], ""),
    ("filter", "                v2: v2\n                v1.0.2: v2\n", ""),
)
V4 = {
    "v4": DEPLOYMENT.format(name="v4", tag="v1.0.4"),
    "rule": RULE + "  - name: v4\n    labels:\n      app.kubernetes.io/tag: v4\n",
    "routes": ROUTES.replace(
        "  - name: v3\n",
        f"  - name: v4\n{MATCH_V2.replace('v2', 'v4')}    route:\n    - destination:\n        host: {TO}\n        subset: v4\n"
        "  - name: v3\n",
    ),
    "filter": FILTER + "                v4: v4\n",
}
UNTIL = "calls fail until all proxies know"
BY_V2 = f"VirtualService shop/engine leads to it by route v2: {UNTIL}"
STEPS = {
    "nothing": case(changed()),
    "a version comes": case(changed(**V4)),
    "the default moves": case(changed(("rule", "tag=v3", "tag=v2"), ("filter", "default: v3", "default: v2"))),
    "a version retires": case(changed(*RETIRED_V2)),
    "what is retired goes": case(
        changed(("rule", "  - name: v1\n    labels:\n      app.kubernetes.io/tag: v1\n", ""), without=("v1",))
    ),
    "more replicas, other labels of the Deployment, another wave": case(
        changed(("v2", "replicas: 2", "replicas: 5"), wave("v2", 3), ("v2", "template:\n", "template:\n    # a word\n"))
    ),
    "a live version goes": case(
        changed(*RETIRED_V2, ("rule", SUBSET_V2 + "\n", ""), without=("v2",)), f"{RULE_SAYS}subset v2 goes, and {BY_V2}"
    ),
    "a live version goes, its subset stays": case(
        changed(*RETIRED_V2, without=("v2",)), f"v2.yaml: Deployment shop/engine-v2: it goes, and {BY_V2}"
    ),
    "the pods of a live version get other labels": case(
        changed(*RETIRED_V2, ("v2", "        app: engine\n", "        app: motor\n")),
        f"v2.yaml: Deployment shop/engine-v2: its pods are not selected any more, and {BY_V2}",
        "v2.yaml: Deployment shop/engine-v2: its pods are made anew and lose their streams "
        "(spec.template.metadata.labels.app: 'engine' becomes 'motor')",
    ),
    "a live version gets no replicas": case(
        changed(*RETIRED_V2, ("v2", "replicas: 2", "replicas: 0")),
        f"v2.yaml: Deployment shop/engine-v2: it gets no replicas, and {BY_V2}",
    ),
    "a live version gets another Deployment": case(
        changed(("v2", "name: engine-v2", "name: motor-v2")),
        f"v2.yaml: Deployment shop/engine-v2: it goes, and {BY_V2}",
    ),
    "the service gets another port": case(
        changed(("service", "50051", "50052"), ("routes", "50051", "50052")),
        f"service.yaml: Service shop/engine: port 50051 goes, and {BY_V2}",
    ),
    "everything gets another name": case(
        rendering({name: text.replace("engine", "motor") for name, text in INTACT.items()}),
        "routes.yaml: VirtualService shop/engine: VirtualService shop/motor takes its place, and what it leads to goes: "
        "calls fail while this is applied",
    ),
    "the cluster gets another domain": case(
        changed(("rule", "cluster.local", "other.local"), ("routes", "cluster.local", "other.local")),
        "warning rule.yaml: DestinationRule shop/engine: the domain of its host changes from cluster.local to other.local: "
        "all calls fail where the cluster's is another",
    ),
    "everything goes": case("", f"service.yaml: Service shop/engine: it goes, and {BY_V2}"),
    "another image": case(
        changed(("v2", ":v1.0.2", ":v1.0.3")),
        "v2.yaml: Deployment shop/engine-v2: its pods are made anew and lose their streams "
        "(spec.template.spec.containers[0].image: 'registry.example.com/engine:v1.0.2' becomes "
        "'registry.example.com/engine:v1.0.3')",
    ),
    "the pods of a retired version made anew": case(
        changed(("v1", "      containers:\n", "      hostNetwork: true\n      containers:\n")),
        "v1.yaml: Deployment shop/engine-v1: its pods are made anew and lose their streams "
        "(spec.template.spec.hostNetwork: nothing becomes True)",
    ),
    "another selector": case(
        changed(("v1", "      app: engine\n      app.kub", "      app.kub")),
        "v1.yaml: Deployment shop/engine-v1: its selector changes (spec.selector.matchLabels.app: 'engine' becomes "
        "nothing), which Kubernetes refuses",
    ),
    "another selector, forced": case(
        changed(
            ("v1", "      app: engine\n      app.kub", "      app.kub"),
            (
                "v1",
                "  namespace: shop\n",
                "  namespace: shop\n  annotations: {argocd.argoproj.io/sync-options: 'Replace=true,Force=true'}\n",
            ),
        )
    ),
    "another script of the filter": case(
        changed(
            ("filter", "              function envoy_on_request(handle)\n", "              function envoy(handle)\n")
        ),
        f"warning {FILTER_SAYS}it changes a listener: streams that outlive the drain are cut, for every service of "
        "that gateway",
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_right_or_told(name: str) -> None:
    after, expected = STEPS[name]
    assert compare(changed(), after) == expected


ONE_MIRROR = f"    mirror:\n      host: {TO}\n      subset: {{subset}}\n"


@pytest.mark.parametrize("form", [MIRROR, ONE_MIRROR])
def test_a_mirrored_version_that_goes_is_a_note(form: str) -> None:
    before = changed(("routes", "  - name: v2\n", f"  - name: v2\n{form.format(subset='v1')}"))
    assert check(before) == []
    after = changed(("rule", "  - name: v1\n    labels:\n      app.kubernetes.io/tag: v1\n", ""), without=("v1",))
    why = "VirtualService shop/engine mirrors calls to it by route v2: these copies get lost"
    assert compare(before, after) == [f"warning {RULE_SAYS}subset v1 goes, and {why}"]


def test_what_led_nowhere_before_loses_nothing() -> None:
    before = changed(("v2", "app: engine\n", "app: motor\n"))
    assert compare(before, changed(*RETIRED_V2, ("rule", SUBSET_V2 + "\n", ""), without=("v2",))) == []


def test_nobody_calls_a_route_behind_one_that_takes_every_call() -> None:
    before = changed(("routes", MATCH_V2 + MATCH_TAG_V2, ""), without=("filter",))
    assert compare(before, changed(without=("v3", "filter"))) == []


def test_a_digest_alone_is_a_reason_of_its_own() -> None:
    after = changed(("v2", ":v1.0.2", f":v1.0.2@sha256:{'0a' * 32}"))
    assert [one.rule for one in routes.compare(changed(), after, "shop")] == ["digest"]


def test_pods_that_no_version_names_may_be_made_anew() -> None:
    assert compare(changed(cache=CACHE), changed(cache=CACHE.replace("containers: []", "containers: [{}]"))) == []


def test_without_a_rendering_before_nothing_is_lost() -> None:
    assert compare("", changed()) == []


# -- the chart's own life, rendered --
NAMES = [f"v{number}" for number in range(1, 7)]


def values(tags: dict[str, str], default: str, retired: dict[str, str], quarantined: set[str]) -> str:
    image: dict[str, Any] = {"default": default, "tag": tags, "retired": retired}
    image["quarantined"] = {name: {"reason": "bad"} for name in quarantined}
    return yaml.safe_dump(
        {"image": image, "envoyFilter": {"enabled": True}, "virtualService": {"hosts": ["a.example.com"]}}
    )


def lives(chance: Any) -> Iterator[tuple[str, str, str]]:
    """Steps as the tool makes them, at random: what is done, to which version, and the values after it."""
    tags, retired, quarantined, default = {"v1": "v1.0.1", "v2": "v1.0.2"}, {}, set(), "v2"
    for number in range(3, 9):
        for action in chance:
            others = [name for name in tags if name != default and name not in quarantined]
            name = others[len(action) % len(others)] if others else ""
            if action == "default" and others:
                default = name
            elif action == "quarantine" and others:
                quarantined.add(name)
            elif action == "retire" and others:
                retired[name] = tags.pop(name)
            elif action == "remove":
                retired.clear()
            else:
                continue
            yield action, name, values(tags, default, retired, quarantined)
        tags[f"v{number}"] = f"v1.0.{number}"
        yield "add", f"v{number}", values(tags, default, retired, quarantined)


ACTIONS = st.lists(st.sampled_from(["default", "quarantine", "retire", "remove"]), min_size=1, max_size=3)


@settings(max_examples=12, deadline=None)
@given(ACTIONS)
def test_no_step_of_the_tool_breaks_a_call(actions: list[str]) -> None:
    engine = make_renderer()
    before = ""
    for action, name, text in lives(actions):
        after = engine.render(request(text))
        assert said(routes.check(after, "engine")) == [], (action, name)
        assert said(routes.compare(before, after, "engine")) == [], (action, name)
        before = after


def test_one_rule_of_all_versions_may_become_one_for_each_and_back() -> None:
    subset = "  - name: {0}\n    labels:\n      app.kubernetes.io/tag: {0}\n"
    head, versions = RULE.partition("  trafficPolicy:")[0] + "  subsets:\n", ("v1", "v2", "v3")
    own = {name: head.replace("name: engine\n", f"name: engine-{name}\n") + subset.format(name) for name in versions}
    before = changed()
    after = changed(
        *(("rule", subset.format(name), "") for name in versions), **{f"rule-{name}": own[name] for name in own}
    )
    assert routes.check(after, "shop") == routes.check(before, "shop") == ()
    assert routes.compare(before, after, "shop") == routes.compare(after, before, "shop") == ()


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_a_live_version_that_goes_in_one_step_is_found(name: str, engine: Renderer) -> None:
    tags = {"v1": "v1.0.1", "v2": "v1.0.2", "v3": "v1.0.3"}
    before = engine.render(request(values(tags, "v3", {}, set())))
    after = engine.render(request(values({key: tag for key, tag in tags.items() if key != name}, "v3", {}, set())))
    (finding,) = routes.compare(before, after, "engine")
    assert finding.what.startswith(f"DestinationRule engine/engine-grpc-manifest-{name}: subset {name} goes")


def test_names_by_position_are_found(engine: Renderer) -> None:
    """The oldest of a list goes, and every name would move on to the next image."""
    before = engine.render(request("image: {tag: [a, b, c]}\n"))
    after = engine.render(request("image: {tag: [b, c]}\n"))
    rules = [(finding.rule, finding.about.rpartition("-")[2]) for finding in routes.compare(before, after, "engine")]
    assert rules == [("lost", "v3"), ("rolled", "v1"), ("rolled", "v2")]


# -- whatever a chart renders --
NONSENSE = [None, [], {}, "x", 5, True, [None, "y"], [{}], {"a": {"b": [1]}}, [[]]]


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of an object with each of its keys."""
    for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield node, key
        yield from places(node[key])


@pytest.mark.parametrize("name", ["service", "v2", "rule", "routes", "filter"])
def test_nonsense_in_any_place_is_no_bug(name: str) -> None:
    others = changed(without=(name,))
    content = yaml.safe_load(INTACT[name])
    for count, (holder, key) in enumerate(list(places(content))):
        kept = holder[key]
        for nonsense in (NONSENSE[count % 10], NONSENSE[(count + 3) % 10]):
            holder[key] = nonsense
            text = others + "---\n" + yaml.safe_dump(content)
            with contextlib.suppress(ReleaseError):  # an object without a name, or of no kind
                routes.check(text, "shop")
                routes.compare(changed(), text, "shop")
                routes.compare(text, changed(), "shop")
        holder[key] = kept


def test_what_is_no_object_is_an_error() -> None:
    with pytest.raises(ReleaseError, match="twice"):
        routes.check(changed() + rendering({"again": SERVICE}), "shop")


# -- outlines --
def test_an_outline_is_the_object_without_its_pods_specification() -> None:
    text = changed()
    whole = {one.key: one.content for one in manifests.objects(text)}
    for one in manifests.outlines(text, frozenset(["Service"])):
        expected = dict(whole[one.key])
        if one.key.kind == "Deployment":
            template = {**expected["spec"]["template"], "spec": None}
            expected["spec"] = {**expected["spec"], "template": template}
        assert one.content == expected


@pytest.mark.parametrize(
    "text",
    [
        # What stands in the specification is needed outside of it.
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\nspec:\n  template:\n    spec:\n      x: &x {a: b}\n"
            "    metadata:\n      labels: *x\n"
        ),
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {metadata: {labels: {a: b}}, spec: {}}}\n",
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  annotations:\n    x: |\n      template:\n        spec:\n"
            "          labels: {c: d}\nspec:\n    template:\n\n        metadata:\n            labels:\n                a: b\n        spec:\n"
            "            containers:\n            - name: c\n"
        ),
        (
            "apiVersion: apps/v1\r\nkind: Deployment\r\nmetadata:\r\n  name: a\r\nspec:\r\n  template:\r\n    spec:\r\n      a: b\r\n"
            "    metadata:\r\n      labels:\r\n        a: b\r\n"
        ),
    ],
)
def test_labels_are_read_however_a_deployment_is_written(text: str) -> None:
    (found,) = manifests.outlines(text, frozenset())
    assert found.content["spec"]["template"]["metadata"]["labels"] == {"a": "b"}


def test_fields_of_a_stateful_set_that_never_change_are_kept() -> None:
    def text(service: str) -> str:
        return changed(
            ("v1", "kind: Deployment\n", "kind: StatefulSet\n"),
            ("v1", "  selector:\n", f"  serviceName: {service}\n  selector:\n"),
        )

    (one,) = routes.compare(text("a"), text("b"), "shop")
    assert one.what.endswith("its service changes (spec.serviceName: 'a' becomes 'b'), which Kubernetes refuses")

"""Manifests written by hand, in the shape of the chart's: three live versions, v1 retired, behind one gateway."""

from __future__ import annotations

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: engine
  namespace: shop
spec:
  ports:
  - name: grpc
    port: 50051
  selector:
    app: engine
"""

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: engine-{name}
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels:
      app: engine
      app.kubernetes.io/tag: {name}
  template:
    metadata:
      labels:
        app: engine
        app.kubernetes.io/tag: {name}
        grpcsvc/{name}: "true"
    spec:
      containers:
      - name: engine
        image: registry.example.com/engine:{tag}
"""

RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: engine
  namespace: shop
spec:
  host: engine.shop.svc.cluster.local
  trafficPolicy:
    outlierDetection:
      maxEjectionPercent: 100
  subsets:
  - name: default
    labels:
      app: engine
    trafficPolicy:
      loadBalancer:
        localityLbSetting:
          enabled: true
          failoverPriority:
          - grpcsvc/v1=
          - app.kubernetes.io/tag=v3
  - name: v1
    labels:
      app.kubernetes.io/tag: v1
  - name: v2
    labels:
      app.kubernetes.io/tag: v2
  - name: v3
    labels:
      app.kubernetes.io/tag: v3
"""

_TO = """\
    route:
    - destination:
        host: engine.shop.svc.cluster.local
        port:
          number: 50051
        subset: {name}
      weight: 100
"""
_ROUTE = (
    """\
  - name: {name}
    match:
    - headers:
        grpcsvc:
          exact: {name}
    - headers:
        grpcsvc:
          exact: {tag}
"""
    + _TO
)
ROUTES = (
    """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: engine
  namespace: shop
spec:
  gateways:
  - istio-ingress/public
  hosts:
  - engine.example.com
  http:
"""
    + _ROUTE.format(name="v2", tag="v1.0.2")
    + _ROUTE.format(name="v3", tag="v1.0.3")
    + """\
  - name: default
    match:
    - headers:
        content-type:
          regex: (?i)application/grpc([ ;+-].*)?
"""
    + _TO.format(name="default")
)

FILTER = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: shop-engine
  namespace: istio-ingress
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
    patch:
      operation: INSERT_FIRST
      value:
        name: grpcsvc.shop.engine
        disabled: true
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
          default_source_code:
            inline_string: |
              function envoy_on_request(handle)
              end
  - applyTo: VIRTUAL_HOST
    match:
      context: GATEWAY
      routeConfiguration:
        vhost:
          domainName: engine.example.com
    patch:
      operation: MERGE
      value:
        typed_per_filter_config:
          grpcsvc.shop.engine:
            "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute
            filter_context:
              default: v3
              versions:
                v2: v2
                v1.0.2: v2
                v3: v3
                v1.0.3: v3
"""

INTACT = {
    "service": SERVICE,
    "v1": DEPLOYMENT.format(name="v1", tag="v1.0.1"),
    "v2": DEPLOYMENT.format(name="v2", tag="v1.0.2"),
    "v3": DEPLOYMENT.format(name="v3", tag="v1.0.3"),
    "rule": RULE,
    "routes": ROUTES,
    "filter": FILTER,
}


def rendering(objects: dict[str, str]) -> str:
    """Objects as a renderer gives them: each after its template."""
    return "".join(f"---\n# Source: engine/templates/{name}.yaml\n{text}" for name, text in objects.items())


def changed(*edits: tuple[str, str, str], without: tuple[str, ...] = (), **more: str) -> str:
    """The intact manifests, with texts replaced in some objects (every time that they stand there), others gone or new.

    An edit is an object, its old text, and the new one.
    """
    objects = {name: text for name, text in INTACT.items() if name not in without} | more
    for name, old, new in edits:
        assert old in objects[name], f"{old!r} does not stand in {name}"
        objects[name] = objects[name].replace(old, new)
    return rendering(objects)

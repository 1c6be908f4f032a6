"""Small charts as people write them, which know other things of versions than the shipped one."""

from __future__ import annotations

from world import World

CHART = "apiVersion: v2\nname: own\nversion: 1.0.0\n"

# Either form of the versions, with names that stay; nothing of `quarantined` or `default`.
_EACH = """\
{{- $versions := .Values.image.tag -}}
{{- if kindIs "slice" $versions -}}
  {{- $versions = dict -}}
  {{- range $number, $tag := .Values.image.tag -}}
    {{- $_ := set $versions (printf "v%d" (add1 $number)) $tag -}}
  {{- end -}}
{{- end -}}
"""
DEPLOYMENTS = (
    _EACH
    + """\
{{- range $name, $tag := $versions }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: own-{{ $name }}}
spec:
  selector: {matchLabels: {app: own, version: {{ $name }}}}
  template:
    metadata: {labels: {app: own, version: {{ $name }}}}
    spec: {containers: [{name: own, image: "{{ $.Values.repository }}:{{ $tag }}"}]}
{{- end }}
"""
)
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: own}
spec: {ports: [{name: grpc, port: 50051}], selector: {app: own}}
"""
ROUTES = (
    _EACH
    + """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: own}
spec:
  hosts: [own.example.com]
  gateways: [istio-ingress/public]
  http:
{{- range $name, $tag := $versions }}
  - match: [{headers: {grpcsvc: {exact: {{ $name }}}}}]
    route: [{destination: {host: own, port: {number: 50051}, subset: {{ $name }}}}]
{{- end }}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: own}
spec:
  host: own
  subsets:
{{- range $name, $tag := $versions }}
  - {name: {{ $name }}, labels: {version: {{ $name }}}}
{{- end }}
"""
)
ELSEWHERE = DEPLOYMENTS.replace(".Values.image.tag", ".Values.app.tags")

SEED_FORM = {"deployments": DEPLOYMENTS, "service": SERVICE, "routes": ROUTES}
NO_MESH = {"deployments": DEPLOYMENTS}


def take(world: World, templates: dict[str, str]) -> None:
    """Let the world have such a chart in the place of the shipped one."""
    files: dict[str, str | None] = {
        f"charts/grpc-manifest/{path.relative_to(world.clone / 'charts/grpc-manifest')}": None
        for path in (world.clone / "charts/grpc-manifest").rglob("*")
        if path.is_file()
    }
    files |= {f"charts/grpc-manifest/templates/{name}.yaml": text for name, text in templates.items()}
    files |= {
        "charts/grpc-manifest/Chart.yaml": CHART,
        "charts/grpc-manifest/values.yaml": "repository: r.example.com/own\n",
    }
    values = "app: {tags: [v1.0.0]}\n"
    files |= {f"environments/{environment}/values.yaml": values for environment in ("devel", "staging")}
    world.commit(files, "a chart of their own")
    world.git("pull", "-q", cwd=world.clone)

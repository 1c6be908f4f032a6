"""Charts of the kinds that people have, each as small as its kind allows: files by path, without Chart.yaml."""

from __future__ import annotations

# Names from the keys of a mapping, or from the positions of a list; `app` is the name of the objects.
NAMES = """\
{{- define "names" -}}
{{- range $key, $tag := . }}
{{ kindIs "int" $key | ternary (printf "v%d" (add1 (int $key))) (toString $key) }}: {{ $tag | quote }}
{{- end }}
{{- end }}
"""

DEPLOYMENTS = """\
{{- range $name, $tag := include "names" .Values.image.tag | fromYaml }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{{ $name }}
spec:
  selector: {matchLabels: {app: app, version: {{ $name }}}}
  template:
    metadata: {labels: {app: app, version: {{ $name }}}}
    spec:
      containers:
      - name: app
        image: "registry.example.com/app:{{ $tag }}"
{{- end }}
"""

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {selector: {app: app}, ports: [{name: grpc, port: 9000}]}
"""

SUBSETS = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: app}
spec:
  host: app
  subsets:
  {{- range $name, $tag := include "names" .Values.image.tag | fromYaml }}
  - {name: {{ $name }}, labels: {version: {{ $name }}}}
  {{- end }}
"""

ROUTES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app}
spec:
  hosts: [app]
  http:
  {{- range $name, $tag := include "names" .Values.image.tag | fromYaml }}
  - match: [{headers: {grpcsvc: {exact: {{ $name }}}}}]
    route: [{destination: {host: app, subset: {{ $name }}, port: {number: 9000}}}]
  {{- end }}
"""

# The seed's own lines: a name is the position in the list.
_BY_POSITION = {
    "templates/deployment.yaml": """\
{{- range $num, $tag := .Values.image.tag -}}
{{- $version := add $num 1 }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $.Release.Name }}-v{{ $version }}
spec:
  selector:
    matchLabels: {app: app, version: v{{ $version }}}
  template:
    metadata:
      labels: {app: app, version: v{{ $version }}}
    spec:
      containers:
      - name: app
        image: registry.example.com/app:{{ $tag }}
{{ end }}
""",
    "templates/service.yaml": SERVICE,
    "templates/routes.yaml": """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app}
spec:
  hosts: [app]
  http: {{- include "app.gateway" . | nindent 2 }}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: app}
spec:
  host: app
  subsets:
  {{- range $num, $image := .Values.image.tag }}
  - {name: v{{ add $num 1 }}, labels: {version: v{{ add $num 1 }}}}
  {{- end }}
""",
    "templates/_helpers.tpl": """\
{{- define "app.gateway" -}}
{{- range $num, $image := .Values.image.tag }}
{{- $version := add $num 1 }}
- match: [{headers: {grpcsvc: {exact: v{{ $version }}}}}]
  route: [{destination: {host: app, subset: v{{ $version }}, port: {number: 9000}}}]
{{- end }}
{{- end }}
""",
}

_NAMED = {"templates/_names.tpl": NAMES, "templates/deployment.yaml": DEPLOYMENTS}
_ROUTED = {**_NAMED, "templates/service.yaml": SERVICE, "templates/rule.yaml": SUBSETS, "templates/routes.yaml": ROUTES}

_LIVE = 'include "names" .Values.image.tag | fromYaml'
_DEPLOYED = f"merge ({_LIVE}) (.Values.image.retired | default dict)"
_SUBSET_GOES = {  # does all that the tool says, but that a subset goes with its route
    **_ROUTED,
    "templates/deployment.yaml": DEPLOYMENTS.replace(_LIVE, _DEPLOYED),
    "templates/routes.yaml": ROUTES.replace(
        "fromYaml }}\n", "fromYaml }}\n  {{- if not (hasKey ($.Values.image.quarantined | default dict) $name) }}\n"
    ).replace("  {{- end }}\n", "  {{- end }}\n  {{- end }}\n")
    + '  - route: [{destination: {host: app, subset: {{ .Values.image.default | default "v1" }}}}]\n',
}


def _each(body: str) -> dict[str, str]:
    """One object for each version."""
    head = '{{- range $name, $tag := include "names" .Values.image.tag | fromYaml }}\n---\n'
    return {"templates/_names.tpl": NAMES, "templates/each.yaml": f"{head}{body}{{{{- end }}}}\n"}


CHARTS: dict[str, dict[str, str]] = {
    "by-position": _BY_POSITION,
    "seed-form": _ROUTED,
    "seed-filter": {  # the seed's filter, with a default that is written into it
        **_ROUTED,
        "templates/filter.yaml": """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: app}
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    patch: {operation: INSERT_BEFORE, value: {inlineCode: 'request_handle:headers():replace("grpcsvc", "v1")'}}
""",
    },
    "no-mesh": _NAMED,
    "tag-elsewhere": {
        "values.yaml": "app: {image: {repository: r/x, tag: v1.0.0}}\n",
        "templates/d.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: own}
spec:
  selector: {matchLabels: {app: own}}
  template:
    metadata: {labels: {app: own}}
    spec: {containers: [{name: own, image: "{{ .Values.app.image.repository }}:{{ .Values.app.image.tag }}"}]}
""",
    },
    "default-of-its-own": {  # a last route that leads to the first version, whatever the default is
        **_ROUTED,
        "templates/routes.yaml": ROUTES + "  - route: [{destination: {host: app, subset: v1, port: {number: 9000}}}]\n",
    },
    "whole": {**_SUBSET_GOES, "templates/rule.yaml": SUBSETS.replace(_LIVE, _DEPLOYED)},
    "subset-goes": _SUBSET_GOES,
    "by-path": {
        **_ROUTED,
        "templates/routes.yaml": ROUTES.replace(
            "headers: {grpcsvc: {exact: {{ $name }}}}", "uri: {prefix: /{{ $name }}/}"
        ),
    },
    "by-host": {  # a VirtualService for each version, and one for the default
        **_ROUTED,
        "templates/routes.yaml": """\
{{- range $name, $tag := include "names" .Values.image.tag | fromYaml | merge (dict "" "") }}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app{{ $name }}}
spec:
  hosts: [app{{ $name }}.example.com]
  gateways: [public]
  http: [{route: [{destination: {host: app, subset: {{ $name | default $.Values.image.default | default "v1" }}}}]}]
{{- end }}
""",
    },
    "default-service": {
        **_NAMED,
        "templates/service.yaml": SERVICE.replace(
            "{app: app}", '{app: app, version: {{ .Values.image.default | default "v1" }}}'
        ),
    },
    "random": {
        **_NAMED,
        "templates/secret.yaml": """\
apiVersion: v1
kind: Secret
metadata: {name: app}
stringData:
  fixed: same
  token: {{ randAlphaNum 16 }}
""",
        "templates/time.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: built}
data: {at: {{ now | date "2006-01-02 15:04:05" | quote }}}
""",
    },
    "refuses-quarantine": {
        **_NAMED,
        "templates/no.yaml": '{{- if .Values.image.quarantined }}\n{{- fail "no quarantine here" }}\n{{- end }}\n',
    },
    "rollout": _each("""\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: app-{{ $name }}}
spec:
  template:
    metadata: {labels: {app: app, version: {{ $name }}}}
    spec: {containers: [{name: app, image: "app:{{ $tag }}"}]}
"""),
    "stateful": _each("""\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: app-{{ $name }}}
spec:
  serviceName: app
  template:
    metadata: {labels: {app: app, version: {{ $name }}}}
    spec:
      containers:
      - image: 'app:{{ $tag }}'
        name: app
"""),
    "inference": _each("""\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: app-{{ $name }}}
spec:
  predictor:
    containers: [{name: kserve-container, image: "registry.example.com/model:{{ $tag }}"}]
"""),
    "model-in-storage": _each("""\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: app-{{ $name }}}
spec:
  predictor:
    model: {modelFormat: {name: onnx}, storageUri: "s3://models/app/{{ $tag }}"}
"""),
    "image-in-parts": _each("""\
apiVersion: example.com/v1
kind: Engine
metadata: {name: app-{{ $name }}}
spec:
  image: {registry: registry.example.com, repository: app, tag: {{ $tag | quote }}}
"""),
    "one-pod": {
        "templates/_names.tpl": NAMES,
        "templates/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      {{- range $name, $tag := include "names" .Values.image.tag | fromYaml }}
      - {name: {{ $name }}, image: "app:{{ $tag }}"}
      {{- end }}
""",
    },
    "canary-ingress": {
        **_NAMED,
        "templates/ingress.yaml": """\
{{- range $name, $tag := include "names" .Values.image.tag | fromYaml }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: app-{{ $name }}
  annotations:
    nginx.ingress.kubernetes.io/canary: "true"
    nginx.ingress.kubernetes.io/canary-by-header: grpcsvc
    nginx.ingress.kubernetes.io/canary-by-header-value: {{ $name }}
spec:
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app-{{ $name }}, port: {number: 9000}}}}]}}]
{{- end }}
""",
    },
    "digests-alone": _each("""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app-{{ $name }}}
spec:
  template:
    metadata: {labels: {app: app, version: {{ $name }}}}
    spec: {containers: [{name: app, image: "app@{{ splitList "@" $tag | last }}"}]}
"""),
    "settings-of-all": {  # each pod carries a hash of all versions
        **_NAMED,
        "templates/deployment.yaml": DEPLOYMENTS.replace(
            "    metadata: {labels",
            "    metadata: {annotations: {sum: {{ toJson $.Values.image | sha256sum }}}, labels",
        ),
    },
    "keeps-removed": {
        "templates/_names.tpl": NAMES,
        "templates/deployment.yaml": DEPLOYMENTS.replace(
            'include "names" .Values.image.tag | fromYaml',
            'dict "v1" "v1.0.1" "v2" "v1.0.2" "v3" "v1.0.3" | merge (include "names" .Values.image.tag | fromYaml)',
        ),
    },
    "gateway-api": {  # a Service for each version, and one for the default
        **_NAMED,
        "templates/deployment.yaml": DEPLOYMENTS.replace(_LIVE, _DEPLOYED),
        "templates/routes.yaml": """\
{{- $all := merge (include "names" .Values.image.tag | fromYaml) (.Values.image.retired | default dict) }}
{{- range $name, $tag := $all }}
---
apiVersion: v1
kind: Service
metadata: {name: app-{{ $name }}}
spec: {selector: {app: app, version: {{ $name }}}, ports: [{name: grpc, port: 9000}]}
{{- end }}
---
apiVersion: v1
kind: Service
metadata: {name: app-default}
spec:
  selector: {app: app, version: {{ .Values.image.default | default "v1" }}}
  ports: [{name: grpc, port: 9000}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: app}
spec:
  parentRefs: [{name: public}]
  rules:
  {{- range $name, $tag := include "names" .Values.image.tag | fromYaml }}
  {{- if not (hasKey ($.Values.image.quarantined | default dict) $name) }}
  - matches: [{headers: [{name: grpcsvc, value: {{ $name }}}]}]
    backendRefs: [{name: app-{{ $name }}, port: 9000}]
  {{- end }}
  {{- end }}
  - backendRefs: [{name: app-default, port: 9000}]
""",
    },
    "rolls-always": {  # the way of Helm's tips to make pods anew with each release
        **_ROUTED,
        "templates/deployment.yaml": DEPLOYMENTS.replace(
            "    metadata: {labels", "    metadata: {annotations: {rollme: {{ randAlphaNum 5 }}}, labels"
        ),
    },
    "twice": {**_NAMED, "templates/again.yaml": DEPLOYMENTS},
    "endless-with-quarantine": {
        **_NAMED,
        "templates/x.yaml": "{{- if .Values.image.quarantined }}{{- range until 1000000 }}{{ range until 1000000 }}{{ end }}"
        "{{ end }}{{- end }}\n",
    },
    "endless": {"templates/x.yaml": "{{- range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}\na: b\n"},
}

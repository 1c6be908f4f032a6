{{/*
What a chart with Deployments of its own includes; the README tells how. Each takes the chart's `.`, or a mapping:

  chart       the chart's `.`
  fullname    the name of the objects; `<release>-<chart>` if it is left out
  service     the name of the Service that clients call; the fullname if it is left out
  port        its port
  targetPort  the port of the containers, as a number or a name; `grpc` if it is left out
  labels      the labels that the pods of all versions share, as a mapping; name and instance if they are left out
  image       where the versions stand: tag, default, retired, quarantined; `image` of the values if it is left out
  values      what differs from grpc-manifest.defaults
*/}}

{{/* All objects: of Istio (Gateway and EnvoyFilter where they are switched on), or of the Gateway API. */}}
{{- define "grpc-manifest.routes" -}}
{{- include "grpc-manifest.context" . -}}
{{- $istio := list "istioGateway" "destinationRule" "virtualService" "envoyFilter" -}}
{{- range eq .Values.routing.kind "istio" | ternary $istio (list "versionServices" "gatewayRoutes") }}
---
{{ include (printf "grpc-manifest.%s" .) $ }}
{{- end }}
{{- end -}}

{{/* What the selector of a version's Deployment holds. Takes {routes, version}. */}}
{{- define "grpc-manifest.versionSelector" -}}
{{ include "grpc-manifest.selectorLabels" .routes }}
app.kubernetes.io/tag: {{ .version.name }}
{{- end -}}

{{/* The labels of a version's pods that routes, services and `release` look at. Takes {routes, version}. */}}
{{- define "grpc-manifest.versionLabels" -}}
{{ include "grpc-manifest.versionSelector" . }}
app.kubernetes.io/type: grpc
app.kubernetes.io/version: {{ .version.tag | quote }}
grpcsvc/{{ .version.name }}: "true"
{{- end -}}

{{/* Makes a mapping of a chart's own into what all templates take: Release, Chart, and Values laid out as grpc-manifest's. */}}
{{- define "grpc-manifest.context" -}}
{{- if hasKey . "Values" -}}
  {{- if not (and .Values.routing .Values.virtualService) -}}
    {{- fail "the values of this chart aren't laid out as those of grpc-manifest: include \"grpc-manifest.routes\" (dict \"chart\" . \"port\" 50051)" -}}
  {{- end -}}
{{- else -}}
  {{- $known := list "chart" "fullname" "service" "port" "targetPort" "labels" "image" "values" -}}
  {{- include "grpc-manifest.refuseUnknown" (dict "found" . "known" $known "where" "the mapping for the routes") -}}
  {{- if not .chart -}}
    {{- fail "the routes must be told of the chart: include \"grpc-manifest.routes\" (dict \"chart\" . \"port\" 50051)" -}}
  {{- end -}}
  {{- if gt (len (default "" .fullname)) 52 -}}
    {{- printf "fullname, %s, has more than 52 characters, so that %s-v1 and the like would not fit into 63" .fullname .fullname | fail -}}
  {{- end -}}
  {{- $values := include "grpc-manifest.defaults" . | fromYaml -}}
  {{- include "grpc-manifest.refuseUnknown" (dict "found" .values "known" (keys $values) "where" "`values` for the routes") -}}
  {{- include "grpc-manifest.layOver" (dict "below" $values "above" .values) -}}
  {{- $image := .image | default .chart.Values.image | default dict -}}
  {{- range $key := list "tag" "retired" -}}
    {{- range $tag := get $image $key | default dict -}}
      {{- if not (kindIs "string" $tag) -}}
        {{- printf "image.%s: %v is no text: write it in quotes" $key $tag | fail -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- $service := dict "name" .service "port" .port "targetPort" .targetPort -}}
  {{- range $key, $value := dict "image" $image "service" $service "fullnameOverride" .fullname "selector" .labels -}}
    {{- $_ := set $values $key $value -}}
  {{- end -}}
  {{- range $key, $value := dict "Release" .chart.Release "Chart" .chart.Chart "Values" $values -}}
    {{- $_ := set $ $key $value -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* Takes {found, known, where}. */}}
{{- define "grpc-manifest.refuseUnknown" -}}
{{- range $key, $_ := .found -}}
  {{- if not (has $key $.known) -}}
    {{- printf "%s: there is no %s; possible are %s" $.where $key (sortAlpha $.known | join ", ") | fail -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* Lays a mapping over another one, in place, as Helm lays values: null takes a key away. Takes {below, above}. */}}
{{- define "grpc-manifest.layOver" -}}
{{- range $key, $value := .above -}}
  {{- if and (kindIs "map" $value) (kindIs "map" (get $.below $key)) -}}
    {{- include "grpc-manifest.layOver" (dict "below" (get $.below $key) "above" $value) -}}
  {{- else -}}
    {{- $_ := set $.below $key $value -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* What holds where a chart of its own says nothing else: the values of grpc-manifest, whose values.yaml describes them. */}}
{{- define "grpc-manifest.defaults" -}}
clusterDomain: cluster.local
syncWaves: true
autoscaling: {enabled: false}
routing:
  kind: istio
  route: GRPCRoute
  parentRefs: []
  hostnames: []
  annotations: {}
virtualService:
  gateways: [mesh]
  hosts: []
  weight: 100
  timeout: ""
  retries: {}
  grpcWeb: false
  corsPolicy: {}
  responseHeader: grpcsvc
  annotations: {}
destinationRule:
  trafficPolicy:
    loadBalancer:
      simple: LEAST_REQUEST
    outlierDetection:
      splitExternalLocalOriginErrors: true
      consecutiveLocalOriginFailures: 10
      consecutive5xxErrors: 0
      consecutiveGatewayErrors: 0
      interval: 5s
      baseEjectionTime: 30s
      maxEjectionPercent: 100
      minHealthPercent: 1
  pool:
    outlierDetection:
      splitExternalLocalOriginErrors: false
      consecutiveGatewayErrors: 10
  annotations: {}
gateway:
  enabled: false
  selector:
    istio: ingressgateway
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
  annotations: {}
envoyFilter:
  enabled: false
  namespace: istio-system
  selector:
    istio: ingressgateway
  annotations: {}
{{- end -}}

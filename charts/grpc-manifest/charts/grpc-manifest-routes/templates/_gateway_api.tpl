{{/* The objects of the Gateway API. Each takes the chart's `.`, or what grpc-manifest.context has made of a mapping. */}}

{{/*
A Service for each deployed version, and one for the default. Moving the default changes the selector of that one alone; it
comes with the routes of its pods (wave 1), so that it never chooses pods that are not there yet.
*/}}
{{- define "grpc-manifest.versionServices" -}}
{{- include "grpc-manifest.table" . -}}
{{- $fullname := include "grpc-manifest.fullname" . -}}
{{- $labels := include "grpc-manifest.labels" . -}}
{{- $selector := include "grpc-manifest.selectorLabels" . -}}
{{- $early := include "grpc-manifest.annotations" (dict "state" "live" "values" .Values) -}}
{{- $late := include "grpc-manifest.annotations" (dict "state" "retired" "values" .Values) -}}
{{- $next := include "grpc-manifest.annotations" (dict "wave" 1 "values" .Values) -}}
{{- $default := dict "name" "default" "chosen" .Values.table.default "state" "" -}}
{{- range append .Values.table.deployed $default }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $fullname }}-{{ .name }}
  namespace: {{ $.Release.Namespace | quote }}
  labels:
    {{- nindent 4 $labels }}
    {{- if not .chosen }}
    app.kubernetes.io/tag: {{ .name }}
    {{- end }}
    app.kubernetes.io/type: grpc
  {{- with empty .state | ternary $next (eq .state "live" | ternary $early $late) }}
  {{- nindent 2 . }}
  {{- end }}
spec:
  type: ClusterIP
  ports:
  - name: grpc
    appProtocol: kubernetes.io/h2c
    port: {{ $.Values.service.port | int }}
    targetPort: {{ $.Values.service.targetPort | default "grpc" }}
    protocol: TCP
  selector:
    {{- nindent 4 $selector }}
    app.kubernetes.io/tag: {{ .chosen | default .name }}
{{- end }}
{{- end -}}

{{/*
GRPCRoutes, or HTTPRoutes where the values ask for them. A route has room for 16 rules: it holds fifteen numbers of versions,
whichever of them are live, and last the rule of the calls without a version. So a route keeps its name when a version
comes or goes, and a quarantine changes a route rather than removing one, which not everybody lets a controller do.
*/}}
{{- define "grpc-manifest.gatewayRoutes" -}}
{{- include "grpc-manifest.table" . -}}
{{- include "grpc-manifest.checkGatewayApi" . -}}
{{- $fullname := include "grpc-manifest.fullname" . -}}
{{- $routing := .Values.routing -}}
{{- $header := .Values.virtualService.responseHeader -}}
{{- $end := dict "port" (.Values.service.port | int) "header" $header "fullname" $fullname -}}
{{- $first := 0 -}}
{{- range $version := .Values.table.deployed }}
{{- $number := .name | trimPrefix "v" | int }}
{{- if or (not $first) (gt $number (add $first 14)) }}
{{- if $first }}
  {{- include "grpc-manifest.gatewayRule" (merge (dict "name" "default") $end) | nindent 2 }}
{{- end }}
{{- $first = sub $number (mod (sub $number 1) 15) }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: {{ $routing.route }}
metadata:
  name: {{ printf "%s-v%d-v%d" $fullname $first (add $first 14) }}
  namespace: {{ $.Release.Namespace | quote }}
  labels:
    {{- include "grpc-manifest.labels" $ | nindent 4 }}
    app.kubernetes.io/type: grpc
  {{- with include "grpc-manifest.annotations" (dict "wave" 2 "values" $.Values "annotations" $routing.annotations) }}
  {{- nindent 2 . }}
  {{- end }}
spec:
  parentRefs:
  {{- toYaml $routing.parentRefs | nindent 2 }}
  {{- with $routing.hostnames }}
  hostnames:
  {{- toYaml . | nindent 2 }}
  {{- end }}
  rules:
{{- end }}
{{- if eq .state "live" }}
  {{- include "grpc-manifest.gatewayRule" (merge (dict "name" .name "values" .headers) $end) | nindent 2 }}
{{- end }}
{{- end }}
  {{- include "grpc-manifest.gatewayRule" (merge (dict "name" "default") $end) | nindent 2 }}
{{- end -}}

{{/*
One rule. Takes {name, values, port, header, fullname}. The header of the response says `default`, and no version: the route
does not change when the default moves.
*/}}
{{- define "grpc-manifest.gatewayRule" -}}
{{- if .values -}}
- matches:
  {{- range .values }}
  - headers:
    - {name: grpcsvc, type: Exact, value: {{ . | quote }}}
  {{- end }}
  {{- if .header }}
  filters:
  - type: ResponseHeaderModifier
    responseHeaderModifier:
      set:
      - {name: {{ .header }}, value: {{ .name }}}
  {{- end }}
  backendRefs:
  - {name: {{ .fullname }}-{{ .name }}, port: {{ .port }}}
{{- else -}}
# No version, or one that is not live: the default.
- backendRefs:
  - {name: {{ .fullname }}-default, port: {{ .port }}}
  {{- if .header }}
  filters:
  - type: ResponseHeaderModifier
    responseHeaderModifier:
      set:
      - {name: {{ .header }}, value: default}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* Fails where values say what the other kind of routing reads. */}}
{{- define "grpc-manifest.checkGatewayApi" -}}
{{- $routing := .Values.routing -}}
{{- $service := .Values.virtualService -}}
{{- if not $routing.parentRefs -}}
  {{- fail "routing.parentRefs is empty, so no call would find the routes: name the Gateway that clients call, for example [{name: public, namespace: gateways}]" -}}
{{- end -}}
{{- range $routing.parentRefs -}}
  {{- if and (ne (.kind | default "Gateway") "Service") (not $routing.hostnames) -}}
    {{- printf "routing.hostnames is empty, so the last rule would take the calls of every host of the gateway %s: name the hosts that clients call" .name | fail -}}
  {{- end -}}
{{- end -}}
{{- $other := dict "gateway.enabled" .Values.gateway.enabled "envoyFilter.enabled" .Values.envoyFilter.enabled
      "virtualService.hosts" $service.hosts "virtualService.timeout" $service.timeout "virtualService.retries" $service.retries
      "virtualService.grpcWeb" $service.grpcWeb "virtualService.corsPolicy" $service.corsPolicy
      "virtualService.weight" (lt ($service.weight | int) 100) -}}
{{- range $key, $value := $other -}}
  {{- if $value -}}
    {{- printf "%s is for Istio's own routes, and routing.kind is gateway-api: take it out, or set routing.kind to istio" $key | fail -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* The same for Istio. */}}
{{- define "grpc-manifest.checkIstio" -}}
{{- range $key := list "parentRefs" "hostnames" -}}
  {{- if get $.Values.routing $key -}}
    {{- printf "routing.%s is for routes of the Gateway API, and routing.kind is istio: take it out, or set routing.kind to gateway-api" $key | fail -}}
  {{- end -}}
{{- end -}}
{{- end -}}

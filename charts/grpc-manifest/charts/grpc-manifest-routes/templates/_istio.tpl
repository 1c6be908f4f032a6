{{/* The objects of Istio. Each takes the chart's `.`, or what grpc-manifest.context has made of a mapping. */}}

{{/* A gateway of the release's own, if it is switched on. */}}
{{- define "grpc-manifest.istioGateway" -}}
{{- if .Values.gateway.enabled -}}
{{- $hosts := .Values.virtualService.hosts -}}
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: {{ include "grpc-manifest.fullname" . }}
  namespace: {{ .Release.Namespace | quote }}
  labels:
    {{- include "grpc-manifest.labels" . | nindent 4 }}
    app.kubernetes.io/type: grpc
  {{- with include "grpc-manifest.annotations" (dict "wave" 1 "values" .Values "annotations" .Values.gateway.annotations) }}
  {{- nindent 2 . }}
  {{- end }}
spec:
  selector:
    {{- toYaml .Values.gateway.selector | nindent 4 }}
  servers:
  {{- range .Values.gateway.servers }}
  - {{ merge (dict "hosts" (.hosts | default $hosts)) . | toYaml | indent 4 | trim }}
  {{- end }}
{{- end }}
{{- end -}}

{{/*
A DestinationRule for each deployed version, with its subset: the pods of the version, and no others. Istio joins the rules of
one host, and takes the trafficPolicy of the one that has it (`destinationRule`).

So a subset comes with its pods, before the routes, and goes with them, after the routes, in one sync: one rule for
all versions could do the one or the other. Where both change, these must come first: Helm and kubectl apply in the order of
the template, and a subset that moves here from another rule is never missing.
*/}}
{{- define "grpc-manifest.versionRules" -}}
{{- include "grpc-manifest.table" . -}}
{{- $fullname := include "grpc-manifest.fullname" . -}}
{{- $labels := include "grpc-manifest.labels" . -}}
{{- $host := include "grpc-manifest.host" . -}}
{{- $own := .Values.destinationRule.annotations -}}
{{- $early := include "grpc-manifest.annotations" (dict "state" "live" "values" .Values "annotations" $own) -}}
{{- $late := include "grpc-manifest.annotations" (dict "state" "retired" "values" .Values "annotations" $own) -}}
{{- range .Values.table.deployed }}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: {{ $fullname }}-{{ .name }}
  namespace: {{ $.Release.Namespace | quote }}
  labels:
    {{- nindent 4 $labels }}
    app.kubernetes.io/tag: {{ .name }}
    app.kubernetes.io/type: grpc
  {{- with eq .state "live" | ternary $early $late }}
  {{- nindent 2 . }}
  {{- end }}
spec:
  host: {{ $host }}
  subsets:
  - name: {{ .name }}
    labels:
      app.kubernetes.io/tag: {{ .name }}
{{- end }}
{{- end -}}

{{/* The rules of the versions, and that of the default pool, which also says what holds for all of them. */}}
{{- define "grpc-manifest.destinationRule" -}}
{{- include "grpc-manifest.balancer" . -}}
{{- $policy := .Values.destinationRule.trafficPolicy | default dict -}}
{{- $pool := .Values.destinationRule.pool | default dict -}}
{{- if or $policy.portLevelSettings $pool.portLevelSettings -}}
  {{- fail "portLevelSettings in destinationRule would take the place of the default pool's order of failover: the service has one port, so write its settings into destinationRule.trafficPolicy or destinationRule.pool itself" -}}
{{- end -}}
{{- include "grpc-manifest.versionRules" . }}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: {{ include "grpc-manifest.fullname" . }}
  namespace: {{ .Release.Namespace | quote }}
  labels:
    {{- include "grpc-manifest.labels" . | nindent 4 }}
    app.kubernetes.io/type: grpc
  {{- with include "grpc-manifest.annotations" (dict "wave" 1 "values" .Values "annotations" .Values.destinationRule.annotations) }}
  {{- nindent 2 . }}
  {{- end }}
spec:
  host: {{ include "grpc-manifest.host" . }}
  {{- with $policy }}
  trafficPolicy:
    {{- with omit . "outlierDetection" }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .outlierDetection }}
    outlierDetection:
      {{- include "grpc-manifest.detection" . | nindent 6 }}
    {{- end }}
  {{- end }}
  subsets:
  {{- include "grpc-manifest.pool" . | nindent 2 }}
{{- end -}}

{{- define "grpc-manifest.virtualService" -}}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: {{ include "grpc-manifest.fullname" . }}
  namespace: {{ .Release.Namespace | quote }}
  labels:
    {{- include "grpc-manifest.labels" . | nindent 4 }}
    app.kubernetes.io/type: grpc
  {{- with include "grpc-manifest.annotations" (dict "wave" 2 "values" .Values "annotations" .Values.virtualService.annotations) }}
  {{- nindent 2 . }}
  {{- end }}
spec:
  gateways:
  {{- include "grpc-manifest.gateways" . | nindent 2 }}
  hosts:
  {{- include "grpc-manifest.routedHosts" . | nindent 2 }}
  http:
  {{- include "grpc-manifest.gateway" . | nindent 2 }}
{{- end -}}

{{/*
The hosts of the VirtualService: those of the values and, for the sidecars of the mesh, the service itself.
*/}}
{{- define "grpc-manifest.routedHosts" -}}
{{- $hosts := .Values.virtualService.hosts -}}
{{- if and .Values.gateway.enabled (not $hosts) -}}
  {{- fail "virtualService.hosts is empty: name the hosts that clients call through the gateway (gateway.enabled)" -}}
{{- end -}}
{{- if has "mesh" .Values.virtualService.gateways -}}
  {{- if has "*" $hosts -}}
    {{- fail "virtualService.hosts holds \"*\", which Istio refuses for `mesh`: name the hosts, or take `mesh` out of virtualService.gateways" -}}
  {{- end -}}
  {{- $hosts = append $hosts (include "grpc-manifest.host" .) | uniq -}}
{{- end -}}
{{- if not $hosts -}}
  {{- fail "virtualService.hosts is empty: name the hosts that clients call through virtualService.gateways, or add `mesh` to the gateways" -}}
{{- end -}}
{{- toYaml $hosts -}}
{{- end -}}

{{/* The gateways of the VirtualService: those of the values and the release's own. */}}
{{- define "grpc-manifest.gateways" -}}
{{- $gateways := .Values.virtualService.gateways -}}
{{- if .Values.gateway.enabled -}}
  {{- $gateways = append $gateways (printf "%s/%s" .Release.Namespace (include "grpc-manifest.fullname" .)) | uniq -}}
{{- end -}}
{{- if not $gateways -}}
  {{- fail "virtualService.gateways is empty, so no call would find the routes: name a gateway as namespace/name, write `mesh`, or set gateway.enabled" -}}
{{- end -}}
{{- toYaml $gateways -}}
{{- end -}}

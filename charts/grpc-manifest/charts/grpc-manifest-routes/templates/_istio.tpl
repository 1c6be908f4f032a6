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

{{- define "grpc-manifest.destinationRule" -}}
{{- $policy := .Values.destinationRule.trafficPolicy | default dict -}}
{{- $pool := .Values.destinationRule.pool | default dict -}}
{{- if or $policy.portLevelSettings $pool.portLevelSettings -}}
  {{- fail "portLevelSettings in destinationRule would take the place of the default pool's order of failover: the service has one port, so write its settings into destinationRule.trafficPolicy or destinationRule.pool itself" -}}
{{- end -}}
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
  {{- include "grpc-manifest.route" . | nindent 2 }}
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

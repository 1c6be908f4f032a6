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

{{/* One destination of a route. Takes {common: {host, port, header}, subset, version, weight}. */}}
{{- define "grpc-manifest.destination" -}}
- destination:
    host: {{ .common.host }}
    port:
      number: {{ .common.port }}
    subset: {{ .subset }}
  weight: {{ .weight }}
  {{- if .common.header }}
  headers:
    response:
      set:
        {{ .common.header }}: {{ .version }}
  {{- end }}
{{- end -}}

{{/* What all routes have in common; nothing by default. Takes the values of the VirtualService. */}}
{{- define "grpc-manifest.routeOptions" -}}
{{- $options := dict -}}
{{- range $key := list "timeout" "retries" "corsPolicy" -}}
  {{- with get $ $key -}}
    {{- $_ := set $options $key . -}}
  {{- end -}}
{{- end -}}
{{- if $options -}}
  {{- toYaml $options -}}
{{- end -}}
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

{{/*
The order of the `default` subset's pods, for Istio's failoverPriority. Takes the versions.

A pod has the priority of the first line that it does not match, the last line being the most wanted. Of lines with the
same key Istio keeps one, and `<key>=` matches pods without the key: so each version has a key of its own, which lets any
set of versions be put last by labels that no change of state has to touch.
*/}}
{{- define "grpc-manifest.failoverPriority" -}}
{{- $default := .default | trimPrefix "v" | int -}}
{{- $quarantined := list -}}
{{- $retired := list -}}
{{- $above := list -}}
{{- range .deployed -}}
  {{- if eq .state "quarantined" -}}
    {{- $quarantined = prepend $quarantined .name -}}
  {{- else if eq .state "retired" -}}
    {{- $retired = append $retired .name -}}
  {{- else if gt (.name | trimPrefix "v" | int) $default -}}
    {{- $above = prepend $above .name -}}
  {{- end -}}
{{- end -}}
{{- range concat $quarantined $retired $above -}}
- grpcsvc/{{ . }}=
{{ end -}}
- app.kubernetes.io/tag={{ .default }}
{{- end -}}

{{/*
The outlier detection of the `default` subset: that of all subsets, with what `destinationRule.pool` says instead. Without
any there is no failover. Of a number that is 0 and a switch that is off Sprig's `merge` thinks that they are missing.

At most as many pods are left out as the default has. So whatever clients bring about, the calls go no further than to the
next live versions. With an autoscaler nobody knows how many pods that are, and with one live version there is no next.
*/}}
{{- define "grpc-manifest.poolDetection" -}}
{{- $live := 0 -}}
{{- range .Values.table.deployed -}}
  {{- if eq .state "live" -}}
    {{- $live = add1 $live -}}
  {{- end -}}
{{- end -}}
{{- $share := 1 -}}
{{- if gt $live 1 -}}
  {{- $share = .Values.autoscaling.enabled | ternary 50 (div (add $live 99) $live) -}}
{{- end -}}
{{- $found := dict "consecutive5xxErrors" 0 "consecutiveGatewayErrors" 10 "minHealthPercent" 1 -}}
{{- $policy := .Values.destinationRule.trafficPolicy | default dict -}}
{{- $pool := .Values.destinationRule.pool | default dict -}}
{{- range $part := list $policy.outlierDetection (dict "maxEjectionPercent" $share) $pool.outlierDetection -}}
  {{- range $key, $value := $part -}}
    {{- if not (kindIs "invalid" $value) -}}
      {{- $_ := set $found $key $value -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- include "grpc-manifest.detection" $found -}}
{{- end -}}

{{/* An outlier detection as Istio accepts it: it refuses a number for failures that are not counted by themselves. */}}
{{- define "grpc-manifest.detection" -}}
{{- if .splitExternalLocalOriginErrors -}}
  {{- toYaml . -}}
{{- else -}}
  {{- omit . "consecutiveLocalOriginFailures" | toYaml -}}
{{- end -}}
{{- end -}}

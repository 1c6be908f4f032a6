{{/*
The parts of Istio's routes, for a VirtualService and a DestinationRule. Each takes the chart's `.`, or a mapping (`_own.tpl`).
*/}}

{{/* `http` of a VirtualService: a route for each live version, and last that of the calls without one. */}}
{{- define "grpc-manifest.gateway" -}}
{{- include "grpc-manifest.table" . -}}
{{- include "grpc-manifest.checkIstio" . -}}
{{- $versions := .Values.table -}}
{{- $routing := .Values.virtualService -}}
{{- $weight := $routing.weight | int -}}
{{- $options := include "grpc-manifest.routeOptions" $routing -}}
{{- $retries := $routing.retries | default (dict "attempts" 3 "retryOn" "connect-failure,refused-stream,unavailable,cancelled") -}}
{{- if and $retries.attempts (not (hasKey $retries "retryRemoteLocalities")) -}}
  {{- /* Two attempts at the default's pods, then at the next ones of its pool. */ -}}
  {{- $retries = merge (dict "retryRemoteLocalities" true) $retries -}}
{{- end -}}
{{- $defaultOptions := include "grpc-manifest.routeOptions" (merge (dict "retries" $retries) $routing) -}}
{{- $host := include "grpc-manifest.host" . -}}
{{- $port := .Values.service.port | int -}}
{{- if not $port -}}
  {{- fail "the routes need the port of the service: include \"grpc-manifest.routes\" (dict \"chart\" . \"port\" 50051)" -}}
{{- end -}}
{{- $header := $routing.responseHeader -}}
{{- $default := dict "host" $host "port" $port "header" $header "version" $versions.default -}}
{{- /* What is no gRPC finds no route: a server would cut it off, and be taken for a sick one by the outlier detection.
       For the same reason each call gets the `te: trailers` that gRPC wants. */ -}}
{{- $grpc := "(?i)application/grpc([ ;+-].*)?" | quote -}}
{{- range $versions.deployed -}}
{{- if eq .state "live" -}}
- name: {{ .name }}
  match:
  {{- range .headers }}
  - headers:
      content-type:
        regex: {{ $grpc }}
      grpcsvc:
        exact: {{ . | quote }}
    method:
      exact: POST
  {{- end }}
  headers:
    request:
      set:
        te: trailers
  route:
  - destination:
      host: {{ $host }}
      port:
        number: {{ $port }}
      subset: {{ .name }}
    weight: {{ $weight }}
    {{- if $header }}
    headers:
      response:
        set:
          {{ $header }}: {{ .name }}
    {{- end }}
  {{- if lt $weight 100 }}
  {{- include "grpc-manifest.defaultPool" (merge (dict "weight" (sub 100 $weight)) $default) | nindent 2 }}
  {{- end }}
  {{- with $options }}
  {{- nindent 2 . }}
  {{- end }}
{{ end }}
{{- end -}}
# No version, or one that is not live: the default. What is no gRPC finds no route.
- name: default
  match:
  - headers:
      content-type:
        regex: {{ $grpc }}
    method:
      exact: POST
  {{- if $routing.grpcWeb }}
  - method:
      exact: OPTIONS
  {{- end }}
  headers:
    request:
      set:
        te: trailers
  route:
  {{- include "grpc-manifest.defaultPool" (merge (dict "weight" 100) $default) | nindent 2 }}
  {{- with $defaultOptions }}
  {{- nindent 2 . }}
  {{- end }}
{{- end -}}

{{/* `subsets` of a DestinationRule for all versions: the default pool, and one for each deployed version. */}}
{{- define "grpc-manifest.route" -}}
{{- include "grpc-manifest.pool" . }}
# For calls that name a version: its own pods, and no others.
{{- range .Values.table.deployed }}
- name: {{ .name }}
  labels:
    app.kubernetes.io/tag: {{ .name }}
{{- end }}
{{- end -}}

{{/* Takes `simple`, which the values of the chart set, away beside `consistentHash`: Istio takes one of both. */}}
{{- define "grpc-manifest.balancer" -}}
{{- with (.Values.destinationRule.trafficPolicy | default dict).loadBalancer -}}
  {{- if .consistentHash -}}
    {{- $_ := unset . "simple" -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* The subset of the default pool. */}}
{{- define "grpc-manifest.pool" -}}
{{- include "grpc-manifest.balancer" . -}}
{{- include "grpc-manifest.table" . -}}
{{- $policy := .Values.destinationRule.trafficPolicy | default dict -}}
{{- $pool := .Values.destinationRule.pool | default dict -}}
# For calls without a version, the pods of the default; while too few of them are healthy, those of the live versions
# below it, then those above it, then the retired and last the quarantined ones. `grpcsvc/v5=` means: not v5. What
# fails to match an early line comes late.
- name: default
  labels:
    {{- include "grpc-manifest.poolLabels" . | nindent 4 }}
  trafficPolicy:
    loadBalancer:
      {{- with omit ($pool.loadBalancer | default $policy.loadBalancer | default dict) "localityLbSetting" }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      localityLbSetting:
        enabled: true
        failoverPriority:
        {{- include "grpc-manifest.failoverPriority" .Values.table | nindent 8 }}
    outlierDetection:
      {{- include "grpc-manifest.poolDetection" . | nindent 6 }}
    {{- with omit $pool "loadBalancer" "outlierDetection" }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The default pool as the destination of a route. Takes {host, port, header, version, weight}. */}}
{{- define "grpc-manifest.defaultPool" -}}
- destination:
    host: {{ .host }}
    port:
      number: {{ .port }}
    subset: default
  weight: {{ .weight }}
  {{- if .header }}
  headers:
    response:
      set:
        {{ .header }}: {{ .version }}
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

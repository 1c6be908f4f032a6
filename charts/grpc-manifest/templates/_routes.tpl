{{/*
The hosts of the VirtualService: those of the values and, for the sidecars of the mesh, the service itself.
*/}}
{{- define "grpc-manifest.routedHosts" -}}
{{- $hosts := .Values.virtualService.hosts -}}
{{- if has "mesh" .Values.virtualService.gateways -}}
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

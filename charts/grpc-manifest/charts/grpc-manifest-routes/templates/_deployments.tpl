{{/*
A Deployment for each version, made of a template of your chart that renders one Deployment for one tag: it gets your
values with that tag in the place of all versions. Takes a mapping:

  chart     your chart's `.`
  template  the name of that template
  key       below which key of the values the versions stand; `image` if it is left out
*/}}
{{- define "grpc-manifest.deployments" -}}
{{- $key := .key | default "image" -}}
{{- $image := .chart.Values -}}
{{- range splitList "." $key -}}
  {{- $image = get $image . -}}
{{- end -}}
{{- /* The tag alone: your template writes the repository before it. */ -}}
{{- $labels := include "grpc-manifest.selectorOf" . | fromYaml -}}
{{- $routes := dict "chart" .chart "image" (omit $image "repository") "labels" $labels -}}
{{- include "grpc-manifest.table" $routes -}}
{{- range $version := $routes.Values.table.deployed }}
  {{- $told := dict "routes" $routes "version" . -}}
  {{- $deployment := include "grpc-manifest.deploymentOf" (merge (dict "tag" .image "key" $key) $) | fromYaml -}}
  {{- if $deployment }}
    {{- $wave := dict "state" .state "values" $routes.Values "annotations" $deployment.metadata.annotations -}}
    {{- $own := dict "name" (printf "%s-%s" $deployment.metadata.name .name) -}}
    {{- $_ := set $own "labels" (dict "app.kubernetes.io/tag" .name "app.kubernetes.io/version" .tag) -}}
    {{- $_ := mergeOverwrite $deployment.metadata $own (include "grpc-manifest.annotations" $wave | fromYaml) -}}
    {{- $pods := $deployment.spec.template.metadata -}}
    {{- $_ := set $pods "labels" (merge (include "grpc-manifest.versionLabels" $told | fromYaml) ($pods.labels | default dict)) -}}
    {{- $_ := set $deployment.spec.selector "matchLabels" (include "grpc-manifest.versionSelector" $told | fromYaml) }}
---
{{ toYaml $deployment }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The labels that the pods of all versions share: those by which that one Deployment selects. Takes the same. */}}
{{- define "grpc-manifest.selectorOf" -}}
{{- $deployment := include "grpc-manifest.deploymentOf" (merge (dict "tag" "any") .) | fromYaml -}}
{{- with $deployment.spec -}}
{{ toYaml .selector.matchLabels }}
{{- end -}}
{{- end -}}

{{/* What your template makes of one tag. Takes the same, and {tag}. */}}
{{- define "grpc-manifest.deploymentOf" -}}
{{- $values := deepCopy .chart.Values -}}
{{- $image := $values -}}
{{- range splitList "." (.key | default "image") -}}
  {{- $image = get $image . -}}
{{- end -}}
{{- $_ := set $image "tag" .tag -}}
{{- $text := include .template (merge (dict "Values" $values) (omit .chart "Values")) -}}
{{- $deployment := fromYaml $text -}}
{{- if or (hasKey $deployment "Error") (and $deployment (ne $deployment.kind "Deployment")) -}}
  {{- printf "%s renders no single Deployment: %s" .template ($deployment.Error | default $deployment.kind) | fail -}}
{{- end -}}
{{ $text }}
{{- end -}}

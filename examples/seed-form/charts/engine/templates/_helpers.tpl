{{/*
The versions as a mapping from name to tag, in YAML. The entry at position N of a list is v<N>; the names of a mapping are
its keys, so that no version gets another name when an older one goes.
*/}}
{{- define "engine.versions" -}}
{{- $versions := .Values.image.tag -}}
{{- if kindIs "slice" $versions -}}
  {{- $versions = dict -}}
  {{- range $position, $tag := .Values.image.tag -}}
    {{- $_ := set $versions (printf "v%d" (add1 $position)) $tag -}}
  {{- end -}}
{{- end -}}
{{- toYaml $versions -}}
{{- end -}}

{{/* `http` of the VirtualService. */}}
{{- define "engine.gateway" -}}
{{- range $name, $tag := include "engine.versions" . | fromYaml }}
- match:
  - headers:
      grpcsvc:
        exact: {{ $name }}
  - headers:
      grpcsvc:
        exact: {{ $tag | quote }}
  route:
  - destination:
      host: {{ $.Release.Name }}
      port:
        number: {{ $.Values.port }}
      subset: {{ $name }}
{{- end }}
{{- end -}}

{{/* `subsets` of the DestinationRule. */}}
{{- define "engine.route" -}}
{{- range $name, $_ := include "engine.versions" . | fromYaml }}
- name: {{ $name }}
  labels:
    app.kubernetes.io/instance: {{ $.Release.Name }}
    app.kubernetes.io/tag: {{ $name }}
{{- end }}
{{- end -}}

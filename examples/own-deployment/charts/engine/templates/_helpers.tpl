{{- define "engine.name" -}}
{{- .Release.Name }}-server
{{- end -}}

{{/* Labels of the pods of all versions. */}}
{{- define "engine.pods" -}}
app: engine
release: {{ .Release.Name }}
{{- end -}}

{{- define "NAME.fullname" -}}
{{- .Release.Name }}
{{- end -}}

{{/* Labels of the pods of all versions. */}}
{{- define "NAME.pods" -}}
app.kubernetes.io/name: NAME
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The port that the containers listen on. */}}
{{- define "grpc-manifest.containerPort" -}}
{{- .Values.service.containerPort | default .Values.service.port | int -}}
{{- end -}}

{{/* The service account of the pods; empty: the namespace's default one. */}}
{{- define "grpc-manifest.serviceAccountName" -}}
{{- $created := .Values.serviceAccount.create | ternary (include "grpc-manifest.fullname" .) "" -}}
{{- default $created .Values.serviceAccount.name -}}
{{- end -}}

{{/*
What the pods of all versions have in common, in three parts, each rendered once: a Deployment then adds the name, the
image and the labels of its version. Pods know neither the default nor the state of their version, so neither a moved
default nor a retirement or a quarantine rolls them.
*/}}

{{/* Keys of the pod's specification, apart from the containers and the spread. */}}
{{- define "grpc-manifest.podSettings" -}}
{{- $settings := dict
  "automountServiceAccountToken" .Values.automountServiceAccountToken
  "terminationGracePeriodSeconds" .Values.terminationGracePeriodSeconds -}}
{{- range $key := list "imagePullSecrets" "volumes" "nodeSelector" "affinity" "tolerations" -}}
  {{- with get $.Values $key -}}
    {{- $_ := set $settings $key . -}}
  {{- end -}}
{{- end -}}
{{- with include "grpc-manifest.serviceAccountName" . -}}
  {{- $_ := set $settings "serviceAccountName" . -}}
{{- end -}}
{{- with .Values.podSecurityContext -}}
  {{- $_ := set $settings "securityContext" . -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* Keys of the container, apart from its name and image. */}}
{{- define "grpc-manifest.containerSettings" -}}
{{- $port := include "grpc-manifest.containerPort" . | int -}}
{{- $settings := dict
  "imagePullPolicy" .Values.pullPolicy
  "ports" (list (dict "name" "grpc" "containerPort" $port "protocol" "TCP")) -}}
{{- range $key := list "args" "env" "envFrom" "resources" "securityContext" "volumeMounts" "lifecycle" -}}
  {{- with get $.Values $key -}}
    {{- $_ := set $settings $key . -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.preStopSeconds (not .Values.lifecycle) -}}
  {{- $_ := set $settings "lifecycle" (dict "preStop" (dict "sleep" (dict "seconds" .Values.preStopSeconds))) -}}
{{- end -}}
{{- range $key := list "startupProbe" "readinessProbe" "livenessProbe" -}}
  {{- with get $.Values $key -}}
    {{- $probe := deepCopy . -}}
    {{- if not (or .grpc .httpGet .tcpSocket .exec) -}}
      {{- $_ := set $probe "grpc" (dict "port" $port) -}}
    {{- end -}}
    {{- $_ := set $settings $key $probe -}}
  {{- end -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* The values' labels of the pods, without those that the chart sets itself. */}}
{{- define "grpc-manifest.podLabels" -}}
{{- $labels := omit (default dict .Values.podLabels) "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/tag" "app.kubernetes.io/type" "app.kubernetes.io/version" -}}
{{- if $labels -}}
{{- toYaml $labels -}}
{{- end -}}
{{- end -}}

{{/* The chart's name, or the name that the values put in its place. */}}
{{- define "grpc-manifest.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/*
The name of the objects: `<release>-<chart>`, or the release alone where it holds the chart's name already.
At most 52 characters, so that `<fullname>-v<N>` is a DNS label (63) with nine digits. Made once (see `table`).
*/}}
{{- define "grpc-manifest.fullname" -}}
{{- if not (hasKey .Values "fullname") -}}
  {{- $_ := set .Values "fullname" (include "grpc-manifest.newFullname" .) -}}
{{- end -}}
{{- .Values.fullname -}}
{{- end -}}

{{- define "grpc-manifest.newFullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $fullname := printf "%s-%s" .Release.Name $name -}}
{{- if .Values.fullnameOverride -}}
  {{- $fullname = .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
  {{- $fullname = .Release.Name -}}
{{- end -}}
{{- $fullname = $fullname | trunc 52 | trimSuffix "-" -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $fullname) -}}
  {{- printf "the objects would be called %s, which a Service can't be: set fullnameOverride to a name of small letters, digits and dashes that begins with a letter" ($fullname | quote) | fail -}}
{{- end -}}
{{- $fullname -}}
{{- end -}}

{{/* The service's full name: short ones mean different services in different namespaces. */}}
{{- define "grpc-manifest.host" -}}
{{- $service := .Values.service.name | default (include "grpc-manifest.fullname" .) -}}
{{- printf "%s.%s.svc.%s" $service .Release.Namespace .Values.clusterDomain -}}
{{- end -}}

{{/* The labels that pods of every version share. `instance` is the release's name, not the fullname. */}}
{{- define "grpc-manifest.selectorLabels" -}}
{{- if .Values.selector -}}
{{ toYaml .Values.selector }}
{{- else -}}
app.kubernetes.io/name: {{ include "grpc-manifest.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}
{{- end -}}

{{/* Those by which the `default` subset takes all pods of the Service. */}}
{{- define "grpc-manifest.poolLabels" -}}
{{- if .Values.selector -}}
{{ toYaml .Values.selector }}
{{- else -}}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}
{{- end -}}

{{/* The labels of every object. None of them is on the pods, or a new chart would roll them all. */}}
{{- define "grpc-manifest.labels" -}}
{{- if not (hasKey .Values "labels") -}}
  {{- $_ := set .Values "labels" (include "grpc-manifest.newLabels" .) -}}
{{- end -}}
{{- .Values.labels -}}
{{- end -}}

{{- define "grpc-manifest.newLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{ include "grpc-manifest.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end -}}

{{/*
Annotations with the wave in which Argo CD applies an object, nothing if there are none. Takes {wave, annotations,
values}, or in place of the wave the {state} of the version that the object belongs to. The waves:

  0  ServiceAccount, Service, all of live versions (pods, subset, budget): Argo CD waits until they are healthy
  1  DestinationRule of the default pool, Gateway
  2  VirtualService, EnvoyFilter
  3  all of quarantined and retired versions, autoscalers: they may be Degraded (an autoscaler is until its pods are
     measured), and hold nothing up here

What belongs to a live version goes after all of these (PruneLast): if Git takes a version away whose retirement was never
applied, its route goes first. Argo CD reads that off the object in the cluster. So versions that are not live lack it:
their routes went when that was applied, and their removal waits for nothing. They lose it in wave 3, after the routes.
*/}}
{{- define "grpc-manifest.annotations" -}}
{{- $annotations := default dict .annotations -}}
{{- if .values.syncWaves -}}
  {{- $live := eq (.state | default "") "live" -}}
  {{- $wave := empty .state | ternary .wave ($live | ternary 0 3) -}}
  {{- $annotations = mergeOverwrite (dict "argocd.argoproj.io/sync-wave" (toString $wave)) $annotations -}}
  {{- $options := get $annotations "argocd.argoproj.io/sync-options" | default "" -}}
  {{- if and $live (not (contains "PruneLast=" $options)) -}}
    {{- $_ := set $annotations "argocd.argoproj.io/sync-options" (list $options "PruneLast=true" | compact | join ",") -}}
  {{- end -}}
{{- end -}}
{{- if $annotations -}}
{{- printf "annotations:%s" (toYaml $annotations | nindent 2) -}}
{{- end -}}
{{- end -}}

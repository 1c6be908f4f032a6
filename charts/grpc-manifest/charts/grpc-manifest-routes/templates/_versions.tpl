{{/*
Puts the versions (below) into `.Values.table`, for the first template that asks: every other finds them there. The values
are checked against their schema before, so nobody can bring a table of their own.
*/}}
{{- define "grpc-manifest.table" -}}
{{- include "grpc-manifest.context" . -}}
{{- if not (hasKey .Values "table") -}}
  {{- $_ := set .Values "table" (include "grpc-manifest.versions" . | fromJson) -}}
{{- end -}}
{{- end -}}

{{/*
The versions of this release, normalised from either form of the values, as JSON:

  default   the name of the default
  deployed  [version]: live, quarantined and retired ones

and a version is

  name      v<N>
  state     live (routed), quarantined or retired
  image     <repository>:<tag>, with the digest if there is one; without a repository in the values, the rest of it
  tag       the tag, without a digest
  headers   what clients may send as `grpcsvc` to reach it: its name, and its tag

They are in the order of their numbers, whatever the order in the values: so a version that comes, goes or changes its
state moves nothing else in what is rendered. It prints its list instead of appending to one, which copies it each time.
*/}}
{{- define "grpc-manifest.versions" -}}
{{- $image := .Values.image -}}
{{- $repository := empty $image.repository | ternary "" (printf "%v:" $image.repository) -}}
{{- $running := include "grpc-manifest.byName" (dict "key" "image.tag" "versions" $image.tag) | fromJson -}}
{{- $retired := include "grpc-manifest.byName" (dict "key" "image.retired" "versions" $image.retired) | fromJson -}}
{{- $quarantined := $image.quarantined | default dict -}}
{{- $default := $image.default | default (include "grpc-manifest.sortedNames" (list $running) | fromJsonArray | first) -}}
{{- $table := dict "image" $image "running" $running "retired" $retired "quarantined" $quarantined "default" $default -}}
{{- include "grpc-manifest.checkVersions" $table -}}
{{- $holders := dict -}}
{"default": {{ toJson $default }}, "deployed": [
{{- range $position, $name := include "grpc-manifest.sortedNames" (list $running $retired) | fromJsonArray -}}
  {{- $written := get $running $name | default (get $retired $name) -}}
  {{- $tag := splitList "@" $written | first -}}
  {{- if or (gt (len $tag) 63) (not (eq $tag (trimAll "._-" $tag))) -}}
    {{- printf "the tag of %s, %s, can't be the value of a label (app.kubernetes.io/version): give the image a tag of at most 63 characters that begins and ends with a letter or a digit" $name $tag | fail -}}
  {{- end -}}
  {{- if hasKey $holders $tag -}}
    {{- printf "%s and %s have the same tag, %s: a call that names it could go to either; keep one of them" (get $holders $tag) $name $tag | fail -}}
  {{- end -}}
  {{- $_ := set $holders $tag $name -}}
  {{- $headers := list $name $tag -}}
  {{- if and (hasPrefix "v" $tag) (not (contains "." $tag)) (regexMatch "^v[0-9]+$" $tag) -}}
    {{- /* It looks like a name. As a header it would claim the calls of another version, and names win. */ -}}
    {{- $headers = list $name -}}
  {{- end -}}
  {{- $state := hasKey $retired $name | ternary "retired" (hasKey $quarantined $name | ternary "quarantined" "live") -}}
  {{- if $position }},{{ end -}}
  {{- dict
    "name" $name
    "state" $state
    "image" (print $repository $written)
    "tag" $tag
    "headers" $headers | toJson -}}
{{- end -}}
]}
{{- end -}}

{{/*
Name -> tag, from a list (the entry at position N is v<N>) or a mapping, as JSON. Takes {key, versions}.
*/}}
{{- define "grpc-manifest.byName" -}}
{{- $byName := .versions | default dict -}}
{{- if kindIs "slice" .versions -}}
  {{- $byName = dict -}}
  {{- range $position, $tag := .versions -}}
    {{- $_ := set $byName (printf "v%d" (add1 $position)) $tag -}}
  {{- end -}}
{{- end -}}
{{- /* One regular expression for all names: each call compiles it anew. */ -}}
{{- if not (regexMatch "^(v[1-9][0-9]{0,8}(/|$))*$" (keys $byName | join "/")) -}}
  {{- range keys $byName | sortAlpha -}}
    {{- if not (regexMatch "^v[1-9][0-9]{0,8}$" .) -}}
      {{- printf "%s: %s is no name of a version: a name is v and a number from 1 on, for example v1" $.key (quote .) | fail -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $byName | toJson -}}
{{- end -}}

{{/*
The names of one or more mappings in the order of their numbers (v2 before v10), as a JSON array. Takes their list.
*/}}
{{- define "grpc-manifest.sortedNames" -}}
{{- $byNumber := dict -}}
{{- range . -}}
  {{- range $name, $_ := . -}}
    {{- $_ := set $byNumber (trimPrefix "v" $name | printf "%09s") $name -}}
  {{- end -}}
{{- end -}}
[
{{- range $position, $number := keys $byNumber | sortAlpha -}}
  {{- if $position }},{{ end -}}
  {{- get $byNumber $number | quote -}}
{{- end -}}
]
{{- end -}}

{{/*
Fails when the parts of the table contradict each other. Takes {image, running, retired, quarantined, default}.
*/}}
{{- define "grpc-manifest.checkVersions" -}}
{{- if not .running -}}
  {{- fail "image.tag holds no version: name at least one, for example `image: {tag: {v1: v1.0.1}}`" -}}
{{- end -}}
{{- range $name, $_ := .retired -}}
  {{- if hasKey $.running $name -}}
    {{- printf "%s stands in image.tag and in image.retired: take it out of one of them" $name | fail -}}
  {{- end -}}
{{- end -}}
{{- range $name, $_ := .quarantined -}}
  {{- if not (hasKey $.running $name) -}}
    {{- $names := include "grpc-manifest.sortedNames" (list $.running) | fromJsonArray | join ", " -}}
    {{- printf "image.quarantined names %s, which image.tag does not hold (it holds %s): take it out, or correct the name" $name $names | fail -}}
  {{- end -}}
{{- end -}}
{{- if or (not (hasKey .running .default)) (hasKey .quarantined .default) -}}
  {{- include "grpc-manifest.refuseDefault" . -}}
{{- end -}}
{{- end -}}

{{/* Says why the default can't be the default. Takes what checkVersions takes. */}}
{{- define "grpc-manifest.refuseDefault" -}}
{{- $what := printf "image.default is %s" .default -}}
{{- if not .image.default -}}
  {{- $what = printf "image.default is not set, so the lowest name, %s, is the default" .default -}}
{{- end -}}
{{- $why := hasKey .retired .default | ternary "retired" (hasKey .quarantined .default | ternary "quarantined" "not in image.tag") -}}
{{- $live := list -}}
{{- range $name := include "grpc-manifest.sortedNames" (list .running) | fromJsonArray -}}
  {{- if not (hasKey $.quarantined $name) -}}
    {{- $live = append $live $name -}}
  {{- end -}}
{{- end -}}
{{- if $live -}}
  {{- printf "%s, but %s is %s: set image.default to a live version (%s)" $what .default $why (join ", " $live) | fail -}}
{{- end -}}
{{- printf "%s, but %s is %s, and no version is live: take one out of image.quarantined" $what .default $why | fail -}}
{{- end -}}

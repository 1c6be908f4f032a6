{{- define "grpc-manifest.envoyFilter" -}}
{{- if .Values.envoyFilter.enabled -}}
{{- include "grpc-manifest.table" . -}}
{{- $versions := .Values.table -}}
{{- $filter := printf "grpcsvc.%s.%s" .Release.Namespace (include "grpc-manifest.fullname" .) -}}
{{- $hosts := .Values.virtualService.hosts -}}
{{- if or (not $hosts) (has "*" $hosts) -}}
  {{- fail "envoyFilter corrects the calls of this release's own hosts, so virtualService.hosts must name them, and not \"*\", which other services of the gateway share" -}}
{{- end -}}
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: {{ printf "%s-%s" .Release.Namespace (include "grpc-manifest.fullname" .) }}
  # Istio reads it from the namespace of the gateway's pods.
  namespace: {{ .Values.envoyFilter.namespace | quote }}
  labels:
    {{- include "grpc-manifest.labels" . | nindent 4 }}
    app.kubernetes.io/type: grpc
  {{- with include "grpc-manifest.annotations" (dict "wave" 2 "values" .Values "annotations" .Values.envoyFilter.annotations) }}
  {{- nindent 2 . }}
  {{- end }}
spec:
  workloadSelector:
    labels:
      {{- toYaml .Values.envoyFilter.selector | nindent 6 }}
  configPatches:
  # The filter never changes, and is off but for the hosts below: what changes with the versions is a part of the routes,
  # so no listener is made anew and no stream is cut.
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener:
        filterChain:
          filter:
            name: envoy.filters.network.http_connection_manager
    patch:
      operation: INSERT_FIRST
      value:
        name: {{ $filter }}
        disabled: true
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
          default_source_code:
            inline_string: |
              function envoy_on_request(handle)
                local headers = handle:headers()
                local kind = (headers:get("content-type") or ""):lower()
                if kind ~= "application/grpc" and not kind:find("^application/grpc[ ;+-]") then
                  return
                end
                local routes = handle:filterContext()
                local versions = routes:get("versions")
                local wanted = headers:get("grpcsvc")
                if versions ~= nil and (wanted == nil or versions[wanted] == nil) then
                  headers:replace("grpcsvc", routes:get("default"))
                end
              end
  {{- range $hosts }}
  - applyTo: VIRTUAL_HOST
    match:
      context: GATEWAY
      routeConfiguration:
        vhost:
          domainName: {{ . | quote }}
    patch:
      operation: MERGE
      value:
        typed_per_filter_config:
          {{ $filter }}:
            "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute
            filter_context:
              default: {{ $versions.default }}
              # What clients may send, and the version that it means.
              versions:
                {{- range $versions.deployed }}
                {{- if eq .state "live" }}
                {{- $name := .name }}
                {{- range .headers }}
                {{ . | quote }}: {{ $name }}
                {{- end }}
                {{- end }}
                {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

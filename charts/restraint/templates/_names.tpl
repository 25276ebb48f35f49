{{- define "restraint.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of the installation. 52 characters leave room for endings. */}}
{{- define "restraint.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "restraint.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "restraint.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "restraint.selector" -}}
app.kubernetes.io/name: {{ include "restraint.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "restraint.labels" -}}
{{ include "restraint.selector" . }}
{{ include "restraint.releaseLabels" . }}
{{- end -}}

{{/* Labels that all objects have, whatever they are part of. */}}
{{- define "restraint.releaseLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* What audits again and again. Its pods are no webhook, so they have another name in their labels. */}}
{{- define "restraint.auditName" -}}
{{- printf "%s-audit" (include "restraint.fullname" .) -}}
{{- end -}}

{{- define "restraint.auditSelector" -}}
app.kubernetes.io/name: {{ include "restraint.name" . | trunc 57 | trimSuffix "-" }}-audit
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "restraint.auditLabels" -}}
{{ include "restraint.auditSelector" . }}
{{ include "restraint.releaseLabels" . }}
{{- end -}}

{{- define "restraint.auditMetadata" -}}
name: {{ include "restraint.auditName" . }}
namespace: {{ .Release.Namespace }}
labels: {{- include "restraint.auditLabels" . | nindent 2 }}
{{- end -}}

{{- define "restraint.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end -}}

{{/* Where pods may go: to the API server, and to names. */}}
{{- define "restraint.egress" -}}
# the API server, by its own ports: what its Service is called is translated before
- ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - {port: {{ . | int }}, protocol: TCP}
    {{- end }}
  {{- with .Values.networkPolicy.apiServerCidrs }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
  {{- end }}
# names, where the API server is found by one
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
  to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]
{{- end -}}

{{- define "restraint.policiesConfigMap" -}}
{{- printf "%s-policies" (include "restraint.fullname" .) -}}
{{- end -}}

{{- define "restraint.tlsSecret" -}}
{{- $name := .Values.tls.secretName | default (printf "%s-tls" (include "restraint.fullname" .)) -}}
{{- if eq $name (include "restraint.sealSecret" .) -}}
{{- fail (printf "tls.secretName: %q is the Secret of the seal keys" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "restraint.sealSecret" -}}
{{- printf "%s-seal" (include "restraint.fullname" .) -}}
{{- end -}}

{{/* Metadata that all objects have; the context is the root. Names have no ending here. */}}
{{- define "restraint.metadata" -}}
name: {{ include "restraint.fullname" . }}
namespace: {{ .Release.Namespace }}
labels: {{- include "restraint.labels" . | nindent 2 }}
{{- end -}}

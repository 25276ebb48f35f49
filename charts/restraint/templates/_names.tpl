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
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
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

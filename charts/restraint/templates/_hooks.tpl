{{/* A memory value differs: requests and limits of containers and init containers (sidecars), and of the pod itself. */}}
{{- define "restraint.memoryDiffers" -}}
{{- $memory := "[c.?resources.?limits.?memory.orValue(''), c.?resources.?requests.?memory.orValue('')]" -}}
(object.spec.containers + object.spec.?initContainers.orValue([])).map(c, {{ $memory }})
!= (oldObject.spec.containers + oldObject.spec.?initContainers.orValue([])).map(c, {{ $memory }})
|| object.spec.?resources.?limits.?memory.orValue('') != oldObject.spec.?resources.?limits.?memory.orValue('')
|| object.spec.?resources.?requests.?memory.orValue('') != oldObject.spec.?resources.?requests.?memory.orValue('')
{{- end -}}

{{/* An annotation that approves is added, changed or taken off: (annotations). There is no oldObject on CREATE. */}}
{{- define "restraint.approvalDiffers" -}}
{{ toJson . }}.exists(k, object.metadata.?annotations[?k].orValue('')
!= (request.operation == 'CREATE' ? '' : oldObject.metadata.?annotations[?k].orValue('')))
{{- end -}}

{{/* failurePolicy of a narrow hook: (root, value). */}}
{{- define "restraint.failurePolicy" -}}
{{- index . 1 | default (eq (index . 0).Values.cap "enforce" | ternary "Fail" "Ignore") -}}
{{- end -}}

{{/* clientConfig: (root, path). The service, or cert-manager, writes caBundle itself: what is not here Helm leaves alone. */}}
{{- define "restraint.clientConfig" -}}
{{- $root := index . 0 -}}
service:
  namespace: {{ $root.Release.Namespace }}
  name: {{ include "restraint.fullname" $root }}
  path: {{ index . 1 }}
  port: {{ $root.Values.service.port | int }}
{{- if eq $root.Values.tls.mode "secret" }}
caBundle: {{ $root.Values.tls.caBundle | b64enc }}
{{- end }}
{{- end -}}

{{/* namespaceSelector: (root, operator, namespaces), where the last two narrow it to enforceNamespaces or the rest. */}}
{{- define "restraint.namespaceSelector" -}}
{{- $root := index . 0 -}}
{{- with $root.Values.webhooks.namespaceSelector.matchLabels -}}
matchLabels: {{- toYaml . | nindent 2 }}
{{ end -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{ append $root.Values.webhooks.excludeNamespaces $root.Release.Namespace | uniq | toJson }}
  {{- with $root.Values.webhooks.namespaceSelector.matchExpressions }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if gt (len .) 1 }}
  - key: kubernetes.io/metadata.name
    operator: {{ index . 1 }}
    values: {{ index . 2 | toJson }}
  {{- end }}
{{- end -}}

{{- define "restraint.configuration" -}}
name: {{ include "restraint.fullname" . }}
labels: {{- include "restraint.labels" . | nindent 2 }}
{{- if eq .Values.tls.mode "certManager" }}
annotations:
  cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/{{ include "restraint.fullname" . }}
{{- end }}
{{- end -}}

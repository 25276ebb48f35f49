{{/* Containers and init containers (sidecars) before and after. */}}
{{- define "restraint.oldContainers" -}}
(oldObject.spec.containers + oldObject.spec.?initContainers.orValue([]))
{{- end -}}
{{- define "restraint.newContainers" -}}
(object.spec.containers + object.spec.?initContainers.orValue([]))
{{- end -}}

{{/*
It takes no memory: each limit, of containers and of the pod, is provably the same or larger, and so is the size of each
volume in memory and with (requests) each request. `0` is no limit, and a first limit is less than none. What does not fit
64 bits is less on its way to the kernel.
*/}}
{{- define "restraint.keepsMemory" -}}
{{ include "restraint.newContainers" . }}.all(c,
{{ include "restraint.oldContainers" . }}.exists(o, o.name == c.name && {{ include "restraint.keepsLimit" (list "o" "c") }}
{{- if . }}
&& {{ include "restraint.keepsRequest" (list "o" "c") }}
{{- end }}))
&& {{ include "restraint.keepsLimit" (list "oldObject.spec" "object.spec") }}
{{- if . }}
&& {{ include "restraint.keepsRequest" (list "oldObject.spec" "object.spec") }}
{{- end }}
&& object.spec.?volumes.orValue([]).all(v, v.?emptyDir.?medium.orValue('') != 'Memory'
|| oldObject.spec.?volumes.orValue([]).exists(o, o.name == v.name && {{ include "restraint.keepsSize" (list "o" "v") }}))
{{- end -}}

{{/* The limit of one part is the same or larger: (before, after). */}}
{{- define "restraint.keepsLimit" -}}
{{- $old := printf "%s.?resources.?limits.?memory.orValue('')" (index . 0) -}}
{{- $new := printf "%s.?resources.?limits.?memory.orValue('')" (index . 1) -}}
{{- $before := printf "quantity(%s.resources.limits.memory)" (index . 0) -}}
{{- $after := printf "quantity(%s.resources.limits.memory)" (index . 1) -}}
({{ $old }} == {{ $new }}
|| (isQuantity({{ $old }}) && isQuantity({{ $new }})
&& {{ $before }}.isGreaterThan(quantity('0')) && {{ $after }}.compareTo({{ $before }}) >= 0
&& !{{ $after }}.isGreaterThan(quantity('9223372036854775807'))))
{{- end -}}

{{/* The request of one part is the same or larger: (before, after). None is 0. */}}
{{- define "restraint.keepsRequest" -}}
{{- $old := printf "%s.?resources.?requests.?memory.orValue('0')" (index . 0) -}}
{{- $new := printf "%s.?resources.?requests.?memory.orValue('0')" (index . 1) -}}
({{ $old }} == {{ $new }}
|| (isQuantity({{ $old }}) && isQuantity({{ $new }}) && quantity({{ $new }}).compareTo(quantity({{ $old }})) >= 0))
{{- end -}}

{{/* The size of one volume is the same or larger: (before, after). */}}
{{- define "restraint.keepsSize" -}}
{{- $old := printf "%s.?emptyDir.?sizeLimit.orValue('0')" (index . 0) -}}
{{- $new := printf "%s.?emptyDir.?sizeLimit.orValue('0')" (index . 1) -}}
({{ $old }} == {{ $new }}
|| (isQuantity({{ $old }}) && isQuantity({{ $new }}) && (!quantity({{ $new }}).isGreaterThan(quantity('0'))
|| (quantity({{ $old }}).isGreaterThan(quantity('0')) && quantity({{ $new }}).compareTo(quantity({{ $old }})) >= 0))))
{{- end -}}

{{/*
A value differs that rules look at: memory of containers and of the pod, and cpu as far as (cpu) says: "all" of it, or
where the container "restarts" for it.
*/}}
{{- define "restraint.resourcesDiffer" -}}
{{- $values := include "restraint.values" (list "c" .) -}}
{{ include "restraint.newContainers" . }}.map(c, {{ $values }})
!= {{ include "restraint.oldContainers" . }}.map(c, {{ $values }})
|| {{ include "restraint.values" (list "object.spec" (empty . | ternary "" "all")) }}
!= {{ include "restraint.values" (list "oldObject.spec" (empty . | ternary "" "all")) }}
{{- end -}}

{{/* The values of one part that rules look at: (part, cpu). */}}
{{- define "restraint.values" -}}
{{- $part := index . 0 -}}
{{- $cpu := index . 1 -}}
[{{ $part }}.?resources.?limits.?memory.orValue(''), {{ $part }}.?resources.?requests.?memory.orValue('')
{{- if eq $cpu "all" }},
{{ $part }}.?resources.?limits.?cpu.orValue(''), {{ $part }}.?resources.?requests.?cpu.orValue('')
{{- else if eq $cpu "restarts" }}]
+ (!{{ $part }}.?resizePolicy.orValue([]).exists(p, p.resourceName == 'cpu' && p.restartPolicy == 'RestartContainer') ? []
: [{{ $part }}.?resources.?limits.?cpu.orValue(''), {{ $part }}.?resources.?requests.?cpu.orValue('')]
{{- end }}{{ eq $cpu "restarts" | ternary ")" "]" }}
{{- end -}}

{{/* The requester is one of these: (users, groups). In a name `*` is any run of characters. */}}
{{- define "restraint.requester" -}}
{{- $conditions := list -}}
{{- with include "restraint.name.matches" (list "request.userInfo.username" (index . 0)) -}}
{{- $conditions = append $conditions . -}}
{{- end -}}
{{- with include "restraint.name.matches" (list "g" (index . 1)) -}}
{{- $conditions = append $conditions (printf "request.userInfo.?groups.orValue([]).exists(g, %s)" .) -}}
{{- end -}}
{{- join "\n|| " $conditions | default "false" -}}
{{- end -}}

{{/* What a name has to be, one of a list: (name, list). Empty for an empty list. */}}
{{- define "restraint.name.matches" -}}
{{- $exact := list -}}
{{- $patterns := list -}}
{{- range uniq (index . 1) -}}
{{- if contains "*" . -}}
{{- $parts := list -}}
{{- range splitList "*" . -}}
{{- $parts = append $parts (regexQuoteMeta .) -}}
{{- end -}}
{{- $patterns = append $patterns (join ".*" $parts) -}}
{{- else -}}
{{- $exact = append $exact . -}}
{{- end -}}
{{- end -}}
{{- $conditions := list -}}
{{- with $exact -}}
{{- $conditions = append $conditions (printf "%s in %s" (index $ 0) (toJson .)) -}}
{{- end -}}
{{- with $patterns -}}
{{- $conditions = append $conditions (printf "%s.matches(%s)" (index $ 0) (printf "(?s)^(?:%s)$" (join "|" .) | toJson)) -}}
{{- end -}}
{{- join " || " $conditions -}}
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

{{/* Metadata of a webhook configuration. What the chart needs wins over values. */}}
{{- define "restraint.configuration" -}}
{{- $labels := include "restraint.labels" . | fromYaml -}}
{{- $annotations := dict -}}
{{- if eq .Values.tls.mode "certManager" -}}
{{- $_ := set $annotations "cert-manager.io/inject-ca-from" (printf "%s/%s" .Release.Namespace (include "restraint.fullname" .)) -}}
{{- end -}}
name: {{ include "restraint.fullname" . }}
labels: {{- merge $labels .Values.webhooks.labels | toYaml | nindent 2 }}
{{- with merge $annotations .Values.webhooks.annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
The policies in force, as a YAML map of their names to their texts. Texts stay as they were written, comments included;
only the lines `name:` and `mode:` are changed.

With enforceNamespaces a policy that acts becomes two: itself with that scope, and NAME-elsewhere, which in all
other namespaces warns instead of denying, and records instead of changing, as under a cap of warn. A cap could not do it: the smaller of the service's and the namespace's is in force, so that no
namespace can be raised above the others, and one that is made later would begin without a label.
*/}}
{{- define "restraint.policies" -}}
{{- $texts := dict -}}
{{- range $path, $content := .Files.Glob "policies/*.yaml" -}}
{{- $_ := set $texts (base $path | trimSuffix ".yaml") (toString $content) -}}
{{- end -}}
{{- if not $texts -}}
{{- fail "the chart has no policies: the folder policies/ did not come with it" -}}
{{- end -}}
{{- range $name, $mode := .Values.policies.modes -}}
{{- if hasKey $.Values.policies.overrides $name -}}
{{- fail (printf "policies.modes.%s: policies.overrides has this policy, set its mode there" $name) -}}
{{- end -}}
{{- if not (hasKey $texts $name) -}}
{{- fail (printf "policies.modes.%s: no policy of this name comes with the chart" $name) -}}
{{- end -}}
{{- $_ := set $texts $name (include "restraint.policies.line" (list (get $texts $name) "mode" $mode)) -}}
{{- end -}}
{{- range $name, $text := .Values.policies.overrides -}}
{{- $_ := set $texts $name $text -}}
{{- end -}}
{{- if and (eq .Values.cap "enforce") .Values.enforceNamespaces -}}
{{- $namespaces := .Values.enforceNamespaces | toJson -}}
{{- range $name, $text := deepCopy $texts -}}
{{- $policy := include "restraint.policies.parsed" (list $name $text) | fromYaml -}}
{{- if and (has $policy.mode (list "enforce" "fix")) (ne $policy.rule "approval-authority") -}}
{{- if $policy.scope -}}
{{- fail (printf "enforceNamespaces: policy \"%s\" has a scope of its own; name the namespaces there, and give it mode \"warn\" or less here" $name) -}}
{{- end -}}
{{- $within := printf "%s\nscope:\n  namespaces: {names: %s}\n" (trimSuffix "\n" $text) $namespaces -}}
{{- $_ := set $texts $name $within -}}
{{- $elsewhere := printf "%s-elsewhere" $name -}}
{{- $weakened := eq $policy.mode "fix" | ternary "audit" "warn" -}}
{{- $weaker := include "restraint.policies.line" (list (include "restraint.policies.line" (list $text "mode" $weakened)) "name" $elsewhere) -}}
{{- $_ := set $texts $elsewhere (printf "%s\nscope:\n  namespaces: {except: %s}\n" (trimSuffix "\n" $weaker) $namespaces) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* toYaml takes the last line break off, which is part of the last text */ -}}
{{- toYaml $texts | printf "%s\n" -}}
{{- end -}}

{{/* A policy's text with another value in one of its lines: (text, field, value). */}}
{{- define "restraint.policies.line" -}}
{{- $text := index . 0 -}}
{{- $line := printf "(?m)^%s:.*$" (index . 1) -}}
{{- if not (regexMatch $line $text) -}}
{{- fail (printf "a policy has no line \"%s:\" of its own: %s" (index . 1) $text) -}}
{{- end -}}
{{- regexReplaceAll $line $text (printf "%s: %q" (index . 1) (index . 2)) -}}
{{- end -}}

{{/* A policy (name, text) as YAML. The words off and no are booleans here and modes there. */}}
{{- define "restraint.policies.parsed" -}}
{{- $name := index . 0 -}}
{{- $policy := index . 1 | fromYaml -}}
{{- if hasKey $policy "Error" -}}
{{- fail (printf "policies.overrides.%s is no YAML: %s" $name $policy.Error) -}}
{{- end -}}
{{- if ne (toString $policy.name) $name -}}
{{- fail (printf "policies.overrides.%s: its name is \"%v\"" $name $policy.name) -}}
{{- end -}}
{{- if not $policy.rule -}}
{{- fail (printf "policies.overrides.%s has no rule" $name) -}}
{{- end -}}
{{- if kindIs "bool" $policy.mode -}}
{{- $_ := set $policy "mode" "off" -}}
{{- end -}}
{{- toYaml $policy -}}
{{- end -}}

{{/*
What the policies need of the cluster: the annotations that grant, whose decreases are put back, whether requests count
as limits do, which changes of cpu are looked at, and which live facts are looked up. Hooks and rights follow from it, so
that no policy is in force that nobody asks about.
*/}}
{{- define "restraint.needs" -}}
{{- $annotations := list "approved-by-sre" "restraint.dev/approve" "restraint.dev/approval" -}}
{{- $users := list -}}
{{- $groups := list -}}
{{- $requests := false -}}
{{- $cpu := "" -}}
{{- $usage := false -}}
{{- $nodeCapacity := false -}}
{{- range $name, $text := include "restraint.policies" . | fromYaml -}}
{{- $policy := include "restraint.policies.parsed" (list $name $text) | fromYaml -}}
{{- $settings := $policy.settings | default dict -}}
{{- if eq $policy.rule "approval-authority" -}}
{{- $annotations = append $annotations ($settings.approvalAnnotation | default "approved-by-sre") -}}
{{- end -}}
{{- if ne $policy.mode "off" -}}
{{- if eq $policy.rule "memory-limit-decrease" -}}
{{- $automation := include "restraint.automation" $settings | fromYaml -}}
{{- $users = concat $users $automation.users -}}
{{- $groups = concat $groups $automation.groups -}}
{{- range $settings.allowances -}}
{{- $usage = or $usage (hasKey . "aboveUsage") -}}
{{- end -}}
{{- else if and (eq $policy.rule "memory-request-decrease") (eq $policy.mode "enforce") -}}
{{- $requests = true -}}
{{- else if and (eq $policy.rule "resize-restarts-container") (not $cpu) -}}
{{- $cpu = "restarts" -}}
{{- else if eq $policy.rule "memory-above-usage" -}}
{{- $usage = true -}}
{{- else if eq $policy.rule "resize-beyond-node" -}}
{{- $nodeCapacity = true -}}
{{- $cpu = "all" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "annotations" (uniq $annotations) "users" (uniq $users) "groups" (uniq $groups) "requests" $requests "cpu" $cpu
  "usage" $usage "nodeCapacity" $nodeCapacity | toYaml -}}
{{- end -}}

{{/* Users and groups whose unapproved decreases a policy of memory-limit-decrease puts back, by its settings. */}}
{{- define "restraint.automation" -}}
{{- $people := dict "users" (list "system:serviceaccount:*:*vpa*updater*" "system:serviceaccount:*:*vertical-pod-autoscaler*updater*") -}}
{{- if hasKey . "automation" -}}
{{- $people = .automation | default dict -}}
{{- end -}}
{{- if eq (.unapproved | default "restore") "deny" -}}
{{- $people = dict -}}
{{- end -}}
{{- dict "users" ($people.users | default list) "groups" ($people.groups | default list) | toYaml -}}
{{- end -}}

{{/*
The name of the first allowance that covers a whole resize, and '' where none does: (settings, whether it has to be
certain). CEL cannot say `aboveUsage`: where it has to be certain such an allowance covers nothing, and else it may cover
whatever its other conditions let through.
*/}}
{{- define "restraint.allowance" -}}
{{- $certain := index . 1 -}}
{{- $expression := "''" -}}
{{- range reverse ((index . 0).allowances | default list) -}}
{{- if not (and $certain (hasKey . "aboveUsage")) -}}
{{- $expression = printf "%s ? %s\n: %s" (include "restraint.allowance.covers" .) (toJson .name) $expression -}}
{{- end -}}
{{- end -}}
{{- $expression -}}
{{- end -}}

{{/* All that an allowance asks for, of every part that shrinks. What does not fit 64 bits is never allowed. */}}
{{- define "restraint.allowance.covers" -}}
{{- $parts := list "!quantity(c.new).isGreaterThan(quantity('9223372036854775807'))" -}}
{{- if hasKey . "atLeast" -}}
{{- $least := kindIs "float64" .atLeast | ternary (int64 .atLeast | toString) (toString .atLeast) -}}
{{- $parts = append $parts (printf "!quantity(c.new).isLessThan(quantity(%s))" (toJson $least)) -}}
{{- end -}}
{{- if hasKey . "step" -}}
{{- $rest := sub 100 (toString .step | trimSuffix "%" | int) -}}
{{- $parts = append $parts "quantity(c.old).isGreaterThan(quantity('0')) && quantity(c.old).isLessThan(quantity('1Pi'))" -}}
{{- $parts = append $parts "quantity(c.old).isInteger() && quantity(c.new).isInteger()" -}}
{{- $parts = append $parts (printf "quantity(c.new).asInteger() * 100 >= quantity(c.old).asInteger() * %d" $rest) -}}
{{- end -}}
{{- if .onlyWithRestart -}}
{{- $parts = append $parts "c.part in variables.restarting" -}}
{{- end -}}
{{- $conditions := list (printf "variables.decreases.all(c, %s)" (join "\n&& " $parts)) -}}
{{- if .onlyUnscheduled -}}
{{- $conditions = prepend $conditions "oldObject.spec.?nodeName.orValue('') == ''" -}}
{{- end -}}
{{- if hasKey . "requesters" -}}
{{- $people := .requesters | default dict -}}
{{- $conditions = prepend $conditions (printf "(%s)" (include "restraint.requester" (list ($people.users | default list) ($people.groups | default list)))) -}}
{{- end -}}
{{- join "\n&& " $conditions -}}
{{- end -}}

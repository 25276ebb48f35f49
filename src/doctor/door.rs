//! What an API server may be asked, and which rules of webhooks match it.

use std::fmt::{self, Display, Formatter};

use k8s_openapi::api::admissionregistration::v1::RuleWithOperations;

/// An operation on a resource or on a subresource, `pods/resize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Door {
    pub(super) operation: &'static str,
    pub(super) resource: &'static str,
    pub(super) group: &'static str,
}

/// The version of every resource that is asked about here.
const VERSION: &str = "v1";

impl Door {
    /// A door to a resource of the core group.
    pub(super) const fn core(operation: &'static str, resource: &'static str) -> Self {
        Self::of(operation, resource, "")
    }

    pub(super) const fn of(
        operation: &'static str,
        resource: &'static str,
        group: &'static str,
    ) -> Self {
        Self { operation, resource, group }
    }

    /// Whether a Binding goes through it. It has labels of its own, as a rule none, whatever those of the pod are.
    pub(super) fn takes_bindings(&self) -> bool {
        matches!(self.resource, "bindings" | "pods/binding")
    }

    /// Whether a rule matches it where objects have a namespace.
    pub(super) fn is_matched_by(&self, rule: &RuleWithOperations) -> bool {
        rule.scope.as_deref() != Some("Cluster") && self.is_named_by(rule)
    }

    /// The same where they have none.
    pub(super) fn is_matched_cluster_wide_by(&self, rule: &RuleWithOperations) -> bool {
        rule.scope.as_deref() != Some("Namespaced") && self.is_named_by(rule)
    }

    fn is_named_by(&self, rule: &RuleWithOperations) -> bool {
        let has = |list: &Option<Vec<String>>, wanted: &str| {
            list.iter().flatten().any(|entry| entry == "*" || entry == wanted)
        };
        has(&rule.operations, self.operation)
            && has(&rule.api_groups, self.group)
            && has(&rule.api_versions, VERSION)
            && rule.resources.iter().flatten().any(|entry| self.is_to(entry))
    }

    /// Whether an entry such as `pods`, `pods/*`, `*/resize` or `*/*` names its resource. Without a
    /// slash it names no subresource, and `/*` names the resource itself as well.
    fn is_to(&self, entry: &str) -> bool {
        let parts = |text: &'static str| text.split_once('/').unwrap_or((text, ""));
        let (resource, subresource) = parts(self.resource);
        let (of_entry, under_entry) = entry.split_once('/').unwrap_or((entry, ""));
        (of_entry == "*" || of_entry == resource)
            && (under_entry == "*" || under_entry == subresource)
    }
}

impl Display for Door {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.operation, self.resource)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const RESIZE: Door = Door::core("UPDATE", "pods/resize");
    const CREATION: Door = Door::core("CREATE", "pods");
    const BINDING: Door = Door::core("CREATE", "bindings");
    const ROLLOUT: Door = Door::of("UPDATE", "deployments", "apps");

    /// A rule that matches everything that has a namespace, but for one field.
    fn rule(field: &str, value: Value) -> RuleWithOperations {
        let mut rule = json!({
            "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"], "scope": "*",
        });
        rule[field] = value;
        serde_json::from_value(rule).unwrap()
    }

    #[test]
    fn resources_match_as_in_the_api_server() {
        for (entries, matched) in [
            (json!(["pods"]), [false, true, false]),
            (json!(["pods/*"]), [true, true, false]),
            (json!(["pods/resize"]), [true, false, false]),
            (json!(["pods/status"]), [false, false, false]),
            (json!(["*"]), [false, true, true]),
            (json!(["*/*"]), [true, true, true]),
            (json!(["*/resize"]), [true, false, false]),
            (json!(["bindings", "pods/resize"]), [true, false, true]),
            (json!(["nodes/*", "bindings/*"]), [false, false, true]),
            (json!([]), [false, false, false]),
            (Value::Null, [false, false, false]),
        ] {
            let rule = rule("resources", entries.clone());
            let seen = [RESIZE, CREATION, BINDING].map(|door| door.is_matched_by(&rule));
            assert_eq!(seen, matched, "{entries}");
        }
    }

    #[test]
    fn operations_groups_versions_and_scopes_match_as_in_the_api_server() {
        for (field, value, matched) in [
            ("operations", json!(["CREATE"]), [false, true, false]),
            ("operations", json!(["UPDATE"]), [true, false, true]),
            ("operations", json!(["DELETE", "CONNECT"]), [false, false, false]),
            ("operations", json!(["CREATE", "UPDATE"]), [true, true, true]),
            ("operations", json!(["*"]), [true, true, true]),
            ("apiGroups", json!([""]), [true, true, false]),
            ("apiGroups", json!(["apps"]), [false, false, true]),
            ("apiGroups", json!(["", "apps"]), [true, true, true]),
            ("apiGroups", json!(["policy"]), [false, false, false]),
            ("apiVersions", json!(["v1"]), [true, true, true]),
            ("apiVersions", json!(["v2", "v1beta1"]), [false, false, false]),
            ("scope", json!("Namespaced"), [true, true, true]),
            ("scope", json!("Cluster"), [false, false, false]),
            ("scope", Value::Null, [true, true, true]),
        ] {
            let rule = rule(field, value.clone());
            let seen = [RESIZE, CREATION, ROLLOUT].map(|door| door.is_matched_by(&rule));
            assert_eq!(seen, matched, "{field}: {value}");
        }
        let node = Door::core("CREATE", "nodes");
        for (scope, matched) in [("Namespaced", false), ("Cluster", true), ("*", true)] {
            assert_eq!(node.is_matched_cluster_wide_by(&rule("scope", json!(scope))), matched);
        }
        assert!(!node.is_matched_cluster_wide_by(&rule("resources", json!(["pods/*"]))));
    }
}

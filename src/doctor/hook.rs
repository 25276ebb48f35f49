//! Hooks of either kind of configuration, and what they catch.

use std::collections::BTreeMap;

use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MutatingWebhook, RuleWithOperations, ValidatingWebhook, WebhookClientConfig,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::cluster::selector::selects;

use super::facts::{Facts, Installation, Place};
use super::names;

/// What the names of Restraint's own hooks end with.
pub(super) const OURS: &str = ".restraint.dev";

/// Seconds that a hook has where it does not say.
const DEFAULT_TIMEOUT: i32 = 10;

/// Which kind of configuration a hook is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Mutating,
    Validating,
}

/// A hook of a configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hook<'f> {
    pub(super) kind: Kind,
    /// The name of the configuration.
    pub(super) configuration: &'f str,
    pub(super) name: &'f str,
    pub(super) client: &'f WebhookClientConfig,
    pub(super) rules: &'f [RuleWithOperations],
    pub(super) conditions: &'f [MatchCondition],
    namespaces: Option<&'f LabelSelector>,
    objects: Option<&'f LabelSelector>,
    pub(super) fails_closed: bool,
    /// Seconds the API server waits for an answer.
    pub(super) timeout: i32,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Mutating => "MutatingWebhookConfiguration",
            Self::Validating => "ValidatingWebhookConfiguration",
        }
    }
}

/// Every hook that is known.
pub(super) fn every(facts: &Facts) -> impl Iterator<Item = Hook<'_>> {
    let mutating = facts.mutating.iter().flatten().flat_map(|configuration| {
        let name = configuration.metadata.name.as_deref().unwrap_or_default();
        configuration.webhooks.iter().flatten().map(move |hook| mutating(name, hook))
    });
    let validating = facts.validating.iter().flatten().flat_map(|configuration| {
        let name = configuration.metadata.name.as_deref().unwrap_or_default();
        configuration.webhooks.iter().flatten().map(move |hook| validating(name, hook))
    });
    mutating.chain(validating)
}

/// The hooks of an installation.
pub(super) fn of<'f>(
    facts: &'f Facts,
    installation: &Installation,
) -> impl Iterator<Item = Hook<'f>> {
    let place = installation.place();
    every(facts).filter(move |hook| hook.is_ours() && hook.service().as_ref() == Some(&place))
}

/// Hooks of others that the API server does not write without.
pub(super) fn foreign_and_closed(facts: &Facts) -> impl Iterator<Item = Hook<'_>> {
    every(facts).filter(|hook| !hook.is_ours() && hook.fails_closed)
}

/// A hook of either type: they have the same fields, as far as they are looked at.
macro_rules! hook {
    ($kind:expr, $configuration:expr, $hook:expr) => {
        Hook {
            kind: $kind,
            configuration: $configuration,
            name: &$hook.name,
            client: &$hook.client_config,
            rules: $hook.rules.as_deref().unwrap_or_default(),
            conditions: $hook.match_conditions.as_deref().unwrap_or_default(),
            namespaces: $hook.namespace_selector.as_ref(),
            objects: $hook.object_selector.as_ref(),
            fails_closed: $hook.failure_policy.as_deref() != Some("Ignore"),
            timeout: $hook.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT),
        }
    };
}

fn mutating<'f>(configuration: &'f str, hook: &'f MutatingWebhook) -> Hook<'f> {
    hook!(Kind::Mutating, configuration, hook)
}

fn validating<'f>(configuration: &'f str, hook: &'f ValidatingWebhook) -> Hook<'f> {
    hook!(Kind::Validating, configuration, hook)
}

impl Hook<'_> {
    /// The configuration, and the hook in it.
    pub(super) fn object(&self) -> String {
        format!("{} {}, hook {}", self.kind.as_str(), self.configuration, self.name)
    }

    pub(super) fn is_ours(&self) -> bool {
        self.name.ends_with(OURS)
    }

    /// The Service it leads to; `None` where it leads to a URL.
    pub(super) fn service(&self) -> Option<Place> {
        let service = self.client.service.as_ref()?;
        Some((service.namespace.clone(), service.name.clone()))
    }

    /// Whether it catches `operation` on a resource of the core group, in a namespace.
    pub(super) fn catches(&self, resource: &str, operation: &str) -> bool {
        self.rules.iter().any(|rule| {
            rule.scope.as_deref() != Some("Cluster") && catches(rule, resource, operation)
        })
    }

    /// Whether it catches `operation` on a cluster-wide resource of the core group. No selector of
    /// namespaces narrows that.
    pub(super) fn catches_cluster_wide(&self, resource: &str, operation: &str) -> bool {
        self.rules.iter().any(|rule| {
            rule.scope.as_deref() != Some("Namespaced") && catches(rule, resource, operation)
        })
    }

    /// Whether it looks into a namespace with these labels. What cannot be read selects nothing.
    pub(super) fn looks_into(&self, labels: &BTreeMap<String, String>) -> bool {
        self.namespaces.is_none_or(|selector| selects(selector, labels))
    }

    /// Whether labels of objects matter to it.
    fn is_choosy(&self) -> bool {
        self.objects.is_some_and(|selector| {
            selector.match_labels.as_ref().is_some_and(|labels| !labels.is_empty())
                || selector
                    .match_expressions
                    .as_ref()
                    .is_some_and(|expressions| !expressions.is_empty())
        })
    }

    /// Whether anything but its rules and the namespace narrows it.
    pub(super) fn is_narrowed(&self) -> bool {
        !self.conditions.is_empty() || self.is_choosy()
    }
}

fn catches(rule: &RuleWithOperations, resource: &str, operation: &str) -> bool {
    let any = |list: &Option<Vec<String>>, wanted: &[&str]| {
        list.iter().flatten().any(|entry| wanted.contains(&entry.as_str()))
    };
    let resources: &[&str] = match resource.split_once('/') {
        Some((_, "resize")) => &[resource, "pods/*", "*/*", "*/resize"],
        _ => &[resource, "*", "*/*", "pods/*"],
    };
    let resources = resources
        .iter()
        .filter(|entry| **entry != "pods/*" || resource.starts_with("pods"))
        .copied()
        .collect::<Vec<_>>();
    any(&rule.api_groups, &["", "*"])
        && any(&rule.operations, &[operation, "*"])
        && any(&rule.resources, &resources)
}

/// Hooks that the same is said of, with what is said, by configuration.
pub(super) fn grouped<'f>(
    said: impl IntoIterator<Item = (Hook<'f>, String)>,
) -> Vec<(String, String)> {
    let mut groups: Vec<(Kind, &str, String, Vec<&str>)> = Vec::new();
    for (hook, message) in said {
        match groups.iter_mut().find(|(kind, name, other, _)| {
            (*kind, *name) == (hook.kind, hook.configuration) && *other == message
        }) {
            Some((.., hooks)) => hooks.push(hook.name),
            None => groups.push((hook.kind, hook.configuration, message, vec![hook.name])),
        }
    }
    let object = |kind: Kind, name: &str, hooks: &[&str]| {
        format!("{} {name}, hook {}", kind.as_str(), names::some(hooks))
    };
    groups
        .into_iter()
        .map(|(kind, name, message, hooks)| (object(kind, name, &hooks), message))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(resources: &[&str], operations: &[&str]) -> RuleWithOperations {
        serde_json::from_value(json!({"apiGroups": [""], "apiVersions": ["v1"], "resources": resources, "operations": operations})).unwrap()
    }

    #[test]
    fn rules_catch_what_the_api_server_says_they_do() {
        for (resources, caught) in [
            (["pods"], true),
            (["pods/*"], true),
            (["*"], true),
            (["*/*"], true),
            (["pods/status"], false),
        ] {
            assert_eq!(
                catches(&rule(&resources, &["CREATE"]), "pods", "CREATE"),
                caught,
                "{resources:?}"
            );
        }
        for (resources, caught) in [
            (["pods"], false),
            (["*"], false),
            (["pods/*"], true),
            (["*/*"], true),
            (["*/resize"], true),
        ] {
            assert_eq!(
                catches(&rule(&resources, &["*"]), "pods/resize", "UPDATE"),
                caught,
                "{resources:?}"
            );
        }
        assert!(
            !catches(&rule(&["pods/*"], &["*"]), "nodes", "CREATE")
                && catches(&rule(&["*"], &["*"]), "nodes", "CREATE")
        );
        assert!(!catches(&rule(&["pods"], &["UPDATE"]), "pods", "CREATE"));
    }
}

//! Webhooks of either kind of configuration, and which requests they match.

use std::collections::BTreeMap;

use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MutatingWebhook, RuleWithOperations, ValidatingWebhook, WebhookClientConfig,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::cluster::NamespacedName;
use crate::cluster::selector::selects;

use super::facts::{Facts, Installation};
use super::names;

/// How the names of Restraint's own webhooks end.
pub(super) const OURS: &str = ".restraint.dev";

/// Our webhook that fixes new pods.
pub(super) const PODS: &str = "pods.restraint.dev";

/// Our webhook that restores what automation took.
pub(super) const RESTORE: &str = "restore.restraint.dev";

/// What happens while nobody fixes new pods.
pub(super) const WITHOUT_PODS: &str = "new pods get no resizePolicy; policies in mode fix warn about them (only \
     record those of controllers) and count them in restraint_fix_missed_total, policies in mode enforce deny them";

/// The timeout of a webhook that names none, in seconds.
const DEFAULT_TIMEOUT: i32 = 10;

/// Which kind of configuration a webhook is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HookKind {
    Mutating,
    Validating,
}

/// A webhook of a configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hook<'f> {
    pub(super) kind: HookKind,
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

impl HookKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Mutating => "MutatingWebhookConfiguration",
            Self::Validating => "ValidatingWebhookConfiguration",
        }
    }
}

/// Every webhook that is known.
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

/// The webhooks of an installation.
pub(super) fn of<'f>(
    facts: &'f Facts,
    installation: &Installation,
) -> impl Iterator<Item = Hook<'f>> {
    let service = installation.service.clone();
    every(facts).filter(move |hook| hook.is_ours() && hook.service().as_ref() == Some(&service))
}

/// Whether an installation looks after `namespace`: a webhook of one matches there. Where no
/// webhook is known nothing tells which namespaces are left out.
pub(super) fn looks_after(facts: &Facts, namespace: &str) -> bool {
    let labels = facts.namespace_labels(namespace);
    let ours = facts.installations.iter().flat_map(|installation| of(facts, installation));
    let mut ours = ours.peekable();
    ours.peek().is_none() || ours.any(|hook| hook.matches_in(&labels))
}

/// Webhooks of others that fail closed.
pub(super) fn foreign_and_closed(facts: &Facts) -> impl Iterator<Item = Hook<'_>> {
    every(facts).filter(|hook| !hook.is_ours() && hook.fails_closed)
}

/// A webhook of either type: they have the same fields, as far as they are looked at.
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
    hook!(HookKind::Mutating, configuration, hook)
}

fn validating<'f>(configuration: &'f str, hook: &'f ValidatingWebhook) -> Hook<'f> {
    hook!(HookKind::Validating, configuration, hook)
}

impl Hook<'_> {
    /// The configuration, and the webhook in it, as messages name them.
    pub(super) fn object(&self) -> String {
        format!("{} {}, hook {}", self.kind.as_str(), self.configuration, self.name)
    }

    pub(super) fn is_ours(&self) -> bool {
        self.name.ends_with(OURS)
    }

    /// The Service that it calls; `None` if it calls a URL.
    pub(super) fn service(&self) -> Option<NamespacedName> {
        let service = self.client.service.as_ref()?;
        Some(NamespacedName::new(&service.namespace, &service.name))
    }

    /// Whether it matches `operation` on a namespaced resource of the core group.
    pub(super) fn matches(&self, resource: &str, operation: &str) -> bool {
        self.rules.iter().any(|rule| {
            rule.scope.as_deref() != Some("Cluster") && matches(rule, resource, operation)
        })
    }

    /// Whether it matches `operation` on a cluster-wide resource of the core group. Its namespace
    /// selector does not narrow that.
    pub(super) fn matches_cluster_wide(&self, resource: &str, operation: &str) -> bool {
        self.rules.iter().any(|rule| {
            rule.scope.as_deref() != Some("Namespaced") && matches(rule, resource, operation)
        })
    }

    /// Whether it matches in a namespace with these labels.
    pub(super) fn matches_in(&self, labels: &BTreeMap<String, String>) -> bool {
        self.namespaces.is_none_or(|selector| selects(selector, labels))
    }

    /// Whether it selects objects by their labels.
    fn selects_objects(&self) -> bool {
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
        !self.conditions.is_empty() || self.selects_objects()
    }
}

fn matches(rule: &RuleWithOperations, resource: &str, operation: &str) -> bool {
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

/// Webhooks of one configuration and one message, together, with the message.
pub(super) fn grouped<'f>(
    messages: impl IntoIterator<Item = (Hook<'f>, String)>,
) -> Vec<(String, String)> {
    let mut groups: Vec<(HookKind, &str, String, Vec<&str>)> = Vec::new();
    for (hook, message) in messages {
        match groups.iter_mut().find(|(kind, name, other, _)| {
            (*kind, *name) == (hook.kind, hook.configuration) && *other == message
        }) {
            Some((.., hooks)) => hooks.push(hook.name),
            None => groups.push((hook.kind, hook.configuration, message, vec![hook.name])),
        }
    }
    let object = |kind: HookKind, name: &str, hooks: &[&str]| {
        format!("{} {name}, hook {}", kind.as_str(), names::listed(hooks))
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
    fn rules_match_as_in_the_api_server() {
        for (resources, matched) in [
            (["pods"], true),
            (["pods/*"], true),
            (["*"], true),
            (["*/*"], true),
            (["pods/status"], false),
        ] {
            assert_eq!(
                matches(&rule(&resources, &["CREATE"]), "pods", "CREATE"),
                matched,
                "{resources:?}"
            );
        }
        for (resources, matched) in [
            (["pods"], false),
            (["*"], false),
            (["pods/*"], true),
            (["*/*"], true),
            (["*/resize"], true),
        ] {
            assert_eq!(
                matches(&rule(&resources, &["*"]), "pods/resize", "UPDATE"),
                matched,
                "{resources:?}"
            );
        }
        assert!(
            !matches(&rule(&["pods/*"], &["*"]), "nodes", "CREATE")
                && matches(&rule(&["*"], &["*"]), "nodes", "CREATE")
        );
        assert!(!matches(&rule(&["pods"], &["UPDATE"]), "pods", "CREATE"));
    }
}

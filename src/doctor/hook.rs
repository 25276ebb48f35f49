//! Webhooks of either kind of configuration, and which requests they match.

use std::collections::BTreeMap;

use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MutatingWebhook, RuleWithOperations, ValidatingWebhook, WebhookClientConfig,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::cluster::NamespacedName;
use crate::cluster::installation;
pub(super) use crate::cluster::installation::OURS;
use crate::cluster::selector::selects;

use super::door::Door;
use super::facts::{Facts, Installation};
use super::names;

/// Our webhook that fixes new pods.
pub(super) const PODS: &str = "pods.restraint.dev";

/// Our webhook that restores what automation took.
pub(super) const RESTORE: &str = "restore.restraint.dev";

/// Our webhook on changes of ConfigMaps and Secrets.
pub(super) const CONFIGURATION: &str = "configuration.restraint.dev";

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
    /// Which namespaces it looks at.
    pub(super) namespaces: Option<&'f LabelSelector>,
    /// Which objects it looks at, by their labels; `None` where it looks at all.
    pub(super) objects: Option<&'f LabelSelector>,
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
            objects: $hook.object_selector.as_ref().filter(|selector| !is_empty(selector)),
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
        installation::service(self.client)
    }

    /// Whether a rule of it matches there where objects have a namespace.
    pub(super) fn matches(&self, door: Door) -> bool {
        self.rules.iter().any(|rule| door.is_matched_by(rule))
    }

    /// Whether a rule of it matches there where objects have none. Its namespace selector does not
    /// narrow that.
    pub(super) fn matches_cluster_wide(&self, door: Door) -> bool {
        self.rules.iter().any(|rule| door.is_matched_cluster_wide_by(rule))
    }

    /// Whether it matches in a namespace with these labels.
    pub(super) fn matches_in(&self, labels: &BTreeMap<String, String>) -> bool {
        self.namespaces.is_none_or(|selector| selects(selector, labels))
    }

    /// Whether anything but its rules and the namespace narrows it.
    pub(super) fn is_narrowed(&self) -> bool {
        !self.conditions.is_empty() || self.objects.is_some()
    }
}

fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.iter().flatten().next().is_none()
        && selector.match_expressions.iter().flatten().next().is_none()
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

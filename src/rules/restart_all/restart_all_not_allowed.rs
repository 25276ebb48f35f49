//! A restart of all containers where nobody agreed to it.
//!
//! **Why it matters.** With `RestartAllContainers` one container decides over all others in its
//! pod, without their hooks and with two seconds' notice. It suits workloads that were built for
//! it, and few were.
//!
//! **What it looks at.** Rules with action `RestartAllContainers` in pods and templates that the
//! allowlist does not admit: by the labels of their namespace and the name of the workload. The
//! name of a pod that a controller made is its maker's: a Deployment's name for the pods of its
//! ReplicaSets, a CronJob's for those of its Jobs. While there is no allowlist it looks at nothing.
//! Owners of workloads cannot silence it.
//!
//! **What it allows.** What one entry of the allowlist admits in full. Labels of a namespace that
//! are not known admit nobody, but its name, as the label `kubernetes.io/metadata.name`, always is.
//!
//! **How to fix it.** Let the container restart alone (`Restart`), or ask whoever keeps the
//! allowlist.
//!
//! **Settings.** `allow`: a list of entries, each with `namespaces`, a label selector, and
//! `workloads`, names that may end in `*`. A part that is absent admits everything; an empty list
//! admits nobody. Put the policy in mode `enforce` with it.

use serde::Deserialize;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::scope::name_matches;
use crate::judge::settings::Setting;
use crate::judge::view::PodView;
use crate::kube::selector::Selector;

pub(crate) const RULE: Rule = Rule::with_settings::<RestartAllNotAllowed>(
    "restart-all-not-allowed",
    include_str!("../../../policies/restart-all-not-allowed.yaml"),
    &[Setting::with_fields("allow", ALLOW_FIELDS)],
)
.not_ignorable();

const ALLOW_FIELDS: &[Setting] =
    &[Setting::with_fields("namespaces", SELECTOR_FIELDS), Setting::plain("workloads")];

/// Labels have any key: what is in `matchLabels` is left alone.
const SELECTOR_FIELDS: &[Setting] =
    &[Setting::plain("matchExpressions"), Setting::plain("matchLabels")];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RestartAllNotAllowed {
    allow: Option<Vec<AllowEntry>>,
}

/// An entry of the allowlist.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AllowEntry {
    namespaces: Selector,
    workloads: Option<Vec<String>>,
}

impl Check for RestartAllNotAllowed {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        let Some(allow) = &self.allow else { return };
        for placed in pod.all_containers() {
            let Some(index) =
                placed.container.restart_policy_rules.iter().position(|rule| rule.is_restart_all())
            else {
                continue;
            };
            if allow.iter().any(|entry| entry.admits(pod)) {
                return;
            }
            let (name, workload) =
                (&placed.container.name, pod.workload_names().next().unwrap_or_default());
            let message = |names: Names| {
                let (name, workload, namespace) =
                    (names.quoted(name), names.quoted(workload), names.quoted(pod.namespace));
                format!("container {name}: no RestartAllContainers for {workload} in {namespace}")
            };
            let remedy = "let the container restart alone, or have the workload added to the policy's allowlist";
            let pointer =
                pod.container_pointer(&placed, &format!("restartPolicyRules/{index}/action"));
            findings.report(Finding::new(RULE.name, pointer, message, remedy).in_container(name));
        }
    }
}

impl AllowEntry {
    fn admits(&self, pod: &PodView<'_>) -> bool {
        let named = |names: &Vec<String>| {
            pod.workload_names().any(|name| names.iter().any(|pattern| name_matches(pattern, name)))
        };
        self.namespaces.surely_matches(pod.namespace, pod.namespace_labels())
            && self.workloads.as_ref().is_none_or(named)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_read_or_refused() {
        for good in [
            json!({}),
            json!({"allow": []}),
            json!({"allow": [{"namespaces": {"matchLabels": {"a": "b"}}, "workloads": ["web-*"]}]}),
        ] {
            assert!(RULE.configure(good.clone()).is_ok(), "{good}");
        }
        for bad in [
            json!({"allow": [{"workload": ["web"]}]}),
            json!({"allow": [{"namespaces": ["shop"]}]}),
            json!({"allow": {}}),
        ] {
            assert!(RULE.configure(bad.clone()).is_err(), "{bad}");
        }
    }
}

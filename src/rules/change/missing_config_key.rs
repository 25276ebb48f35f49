//! A key of a ConfigMap, or a whole one, that a container needs at its next start and that goes.
//!
//! **Why it matters.** Nothing happens at first: processes keep what they have. The next start of the
//! container, whatever the reason, ends in `CreateContainerConfigError`, and a new pod stays in
//! `ContainerCreating`: a node that is drained at night takes the service down.
//!
//! **What it looks at.** ConfigMaps that are updated or deleted, against the workloads, CronJobs and
//! pods of the namespace that use them: by `env`, by `items` of a volume, by `subPath`, and, where
//! the whole object goes, by `envFrom` and by volumes. In `lint` and `audit`: workloads that need a
//! key which the ConfigMap, where it is known, does not have. Values of `binaryData` are no
//! variables. Secrets are looked at where the service is told to, by their keys alone.
//!
//! **What it allows.** `optional` references, workloads with no replicas, Jobs and pods that have
//! ended, and pods that never start again.
//!
//! **How to fix it.** First take the reference out of the workload, or make it optional; then take
//! the key away.

use std::collections::BTreeSet;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::{ConfigurationView, PodView};
use crate::kube::config_use::{ConfigUse, Way, config_uses};
use crate::kube::volume::VolumeSource;
use crate::rules::config_change::{ConfigEffect, Words, missing, report};

pub(crate) const RULE: Rule = Rule::new::<MissingConfigKey>(
    "missing-config-key",
    include_str!("../../../policies/missing-config-key.yaml"),
);

/// How it is told.
pub(crate) const WORDS: Words = Words {
    verb: "needs",
    many: "they need",
    remedy: |effect: &ConfigEffect<'_>, _| effect.keep(),
};

#[derive(Debug, Default)]
struct MissingConfigKey;

impl Check for MissingConfigKey {
    fn configuration(&self, change: &ConfigurationView<'_>, findings: &mut Findings) {
        report(RULE.name, change, &missing(change), WORDS, findings);
    }

    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if !pod.knows_configuration() || pod.workload.replicas == Some(0) {
            return;
        }
        let needed = config_uses(pod.spec).into_iter().filter(|used| !used.optional);
        let mut seen = BTreeSet::new();
        for used in needed {
            let source = VolumeSource::of(used.kind, &used.name);
            let Some(object) = pod.config_object(source) else { continue };
            let is_there = match (used.key.as_deref(), used.way) {
                _ if object.is_absent => false,
                (None, _) => true,
                (Some(key), Way::Env) => object.has_variable(key),
                (Some(key), _) => object.has_file(key),
            };
            let key = used.key.as_deref().filter(|_| !object.is_absent).map(str::to_owned);
            let told = (used.container.clone(), used.name.clone(), key);
            if !is_there && seen.insert(told) {
                findings.report(not_there(pod, &used, object.is_absent));
            }
        }
    }
}

fn not_there(pod: &PodView<'_>, used: &ConfigUse<'_>, is_absent: bool) -> Finding {
    let message = |names: Names| {
        let (container, name) = (names.quoted(&used.container), names.quoted(&used.name));
        match used.key.as_deref().filter(|_| !is_absent) {
            Some(key) => {
                let key = names.quoted(key);
                format!(
                    "container {container}: {} {name} has no key {key} ({})",
                    used.kind, used.way
                )
            }
            None => {
                format!("container {container}: there is no {} {name} ({})", used.kind, used.way)
            }
        }
    };
    let remedy = match is_absent {
        true => "create it, or make the reference optional: the container does not start",
        false => "add the key, or make the reference optional: the container does not start",
    };
    let placed = pod.all_containers().find(|one| *one.container.name == *used.container);
    let pointer = placed.map(|placed| pod.container_pointer(&placed, "")).unwrap_or_default();
    Finding::new(RULE.name, pointer.trim_end_matches('/').to_owned(), message, remedy)
        .in_container(&used.container)
}

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

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::{ConfigurationView, PodView};
use crate::kube::config_use::{Way, config_uses};
use crate::kube::volume::VolumeSource;
use crate::rules::config_change::{ConfigEffect, Words, missing, report};

pub(crate) const RULE: Rule = Rule::new::<MissingConfigKey>(
    "missing-config-key",
    include_str!("../../../policies/missing-config-key.yaml"),
);

#[derive(Debug, Default)]
struct MissingConfigKey;

impl Check for MissingConfigKey {
    fn configuration(&self, change: &ConfigurationView<'_>, findings: &mut Findings) {
        let words = Words {
            verb: "needs",
            many: "they need",
            remedy: |effect: &ConfigEffect<'_>, _| effect.keep(),
        };
        report(RULE.name, change, &missing(change), words, findings);
    }

    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if !pod.knows_configuration() || pod.workload.replicas == Some(0) {
            return;
        }
        for used in config_uses(pod.spec) {
            let source = VolumeSource::of(used.kind, &used.name);
            let (Some(key), Some(object)) = (used.key.as_deref(), pod.config_object(source)) else {
                continue;
            };
            let is_there = match used.way {
                Way::Env => object.has_variable(key),
                _ => object.has_file(key),
            };
            if used.optional || is_there {
                continue;
            }
            let Some(placed) =
                pod.all_containers().find(|one| *one.container.name == *used.container)
            else {
                continue;
            };
            let message = |names: Names| {
                let container = names.quoted(&used.container);
                let (name, key) = (names.quoted(&used.name), names.quoted(key));
                format!(
                    "container {container}: {} {name} has no key {key} ({})",
                    used.kind, used.way
                )
            };
            let remedy =
                "add the key, or make the reference optional: the container does not start";
            let pointer = pod.container_pointer(&placed, "");
            let finding =
                Finding::new(RULE.name, pointer.trim_end_matches('/').to_owned(), message, remedy);
            findings.report(finding.in_container(&used.container));
        }
    }
}

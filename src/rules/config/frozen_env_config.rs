//! Environment variables from a ConfigMap or Secret that never change in a running container.
//!
//! **Why it matters.** `env` and `envFrom` are resolved when a container is created. A change of
//! the source reaches nobody until something restarts the container, and then it reaches it
//! unannounced.
//!
//! **What it looks at.** Regular containers and sidecars of workloads that run until someone stops
//! them, where nothing rolls the workload when the source changes. One finding for each workload.
//!
//! **What it allows.** Jobs; sources with a trigger. These are triggers: a checksum of configuration
//! in an annotation, a label or a variable of the template (`checksum/config`, `configmap/sha`,
//! `CONFIG_HASH`), or what is another one each time it is made (`rollme`, `timestamp`); an effective
//! annotation for Reloader or for Wave; a name with a generated hash; `immutable: true` where that
//! is known. These are none, and the remedy says where they belong: a checksum in the metadata of
//! the workload itself or beside that of the template, an annotation for Reloader among labels or in
//! another place where it is not read. A hash of a commit or an image is none, and neither is one of
//! nothing, which a chart writes that hashes a file it does not have.
//!
//! **How to fix it.** Give the template a checksum of the source, let Reloader roll the
//! workload, or use names with a generated hash.

use std::collections::BTreeSet;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::rules::trigger::Triggers;

use crate::rules::environment::{EnvSource, env_sources};

pub(crate) const RULE: Rule = Rule::new::<FrozenEnvConfig>(
    "frozen-env-config",
    include_str!("../../../policies/frozen-env-config.yaml"),
);

#[derive(Debug, Default)]
struct FrozenEnvConfig;

impl Check for FrozenEnvConfig {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if !pod.is_long_running() {
            return;
        }
        let mut triggers = None;
        let mut seen = BTreeSet::new();
        let mut first = None;
        for placed in pod.app_containers() {
            for EnvSource { field, source, .. } in env_sources(placed.container) {
                let Some((kind, source_name)) = source.named() else { continue };
                if !triggers.get_or_insert_with(|| Triggers::of(pod)).fire_for(source)
                    && seen.insert((kind, source_name))
                {
                    first.get_or_insert((placed, field, kind, source_name));
                }
            }
        }
        let Some((placed, field, kind, source_name)) = first else { return };
        let name = &placed.container.name;
        let more = if seen.len() > 1 {
            format!(" (and {} more)", seen.len().saturating_sub(1))
        } else {
            String::new()
        };
        let message = |names: Names| {
            let (name, source_name) = (names.quoted(name), names.quoted(source_name));
            format!(
                "container {name}: env from {kind} {source_name}{more} is frozen until a restart"
            )
        };
        let remedy = Triggers::of(pod)
            .remedy("put a checksum of it on the template, or let Reloader roll the workload");
        let finding =
            Finding::new(RULE.name, pod.container_pointer(&placed, field), message, remedy)
                .in_container(name);
        // the message names one source: another set of them is another finding
        let sources: Vec<String> =
            seen.into_iter().map(|(kind, source_name)| format!("{kind} {source_name}")).collect();
        findings.report(finding.about(sources.join(", ")));
    }
}

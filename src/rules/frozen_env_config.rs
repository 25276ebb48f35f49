//! Environment variables from a ConfigMap or Secret that never change in a running container.
//!
//! **Why it matters.** `env` and `envFrom` are resolved when a container is created. A change of the source reaches
//! nobody until something restarts the container, and then it reaches it unannounced.
//!
//! **What it looks at.** Regular containers and sidecars of workloads that run until someone stops them, where nothing
//! rolls the workload when the source changes. One finding for each workload.
//!
//! **What it allows.** Jobs; sources with a trigger: a checksum annotation on the template, an effective Reloader
//! annotation, a name with a generated hash.
//!
//! **How to put it right.** Give the template a checksum of the source, let Reloader roll the workload, or use names
//! with a generated hash.

use serde::Deserialize;

use crate::judge::finding::{Finding, Findings, quoted};
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::volume::Source;

use super::trigger::rolls_on_change;

/// The rule.
pub const RULE: Rule = Rule::new::<FrozenEnvConfig>("frozen-env-config", include_str!("frozen_env_config.rs"), &[]);

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FrozenEnvConfig {}

impl Check for FrozenEnvConfig {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if !pod.is_long_running() {
            return;
        }
        let frozen = pod.app_containers().flat_map(|placed| {
            let sources = env_sources(placed.container).filter(|(_, source)| !rolls_on_change(pod, *source));
            sources.map(move |(field, source)| (placed, field, describe(source)))
        });
        let mut frozen: Vec<_> = frozen.collect();
        let mut seen = Vec::new();
        frozen.retain(|(_, _, source)| {
            let new = !seen.contains(source);
            seen.extend(new.then(|| source.clone()));
            new
        });
        let Some((placed, field, first)) = frozen.first() else { return };
        let name = &placed.container.name;
        let more = if seen.len() > 1 { format!(" (and {} more)", seen.len() - 1) } else { String::new() };
        let message = format!("container {}: env from {first}{more} is frozen until a restart", quoted(name));
        let remedy = "put a checksum of it on the template, or let Reloader roll the workload";
        let finding = Finding::new(pod.container_pointer(placed, field), &message, remedy).in_container(name);
        findings.report(finding.about(seen.join(", ")));
    }
}

/// Where the container's environment comes from, with the field that says so.
fn env_sources<'s>(container: &'s Container<'_>) -> impl Iterator<Item = (&'static str, Source<'s>)> {
    let single = container.env.iter().filter_map(|variable| {
        let from = variable.value_from.as_ref()?;
        let config_map = from.config_map_key_ref.as_ref().map(|reference| Source::ConfigMap(&reference.name));
        config_map.or_else(|| from.secret_key_ref.as_ref().map(|reference| Source::Secret(&reference.name)))
    });
    let whole = container.env_from.iter().filter_map(|from| {
        let config_map = from.config_map_ref.as_ref().map(|reference| Source::ConfigMap(&reference.name));
        config_map.or_else(|| from.secret_ref.as_ref().map(|reference| Source::Secret(&reference.name)))
    });
    single.map(|source| ("env", source)).chain(whole.map(|source| ("envFrom", source)))
}

fn describe(source: Source<'_>) -> String {
    match source {
        Source::Secret(name) => format!("Secret {}", quoted(name)),
        Source::ConfigMap(name) => format!("ConfigMap {}", quoted(name)),
        Source::Token | Source::Projected(_) | Source::DownwardApi => "a volume".to_owned(),
    }
}

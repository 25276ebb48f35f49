//! What a change of a ConfigMap or Secret does to those who use it, as events on them: GitOps
//! controllers, who make most changes, show nobody the warnings of the API server.

use std::collections::BTreeSet;

use crate::judge::context::PolicyContext;
use crate::judge::subject::Subject;
use crate::judge::verdict::{Outcome, Verdict};
use crate::judge::view::{ConfigurationView, View};
use crate::rules::change::{missing_config_key, unseen_config_change};
use crate::rules::config_change::{ConfigEffect, by_user, missing, unseen};
use crate::serve::configuration::Index;
use crate::yaml::suggest::quoted;

use super::occurrence::{Occurrence, Reason, Regarding, note};

/// The most workloads that one change tells.
const MOST: usize = 50;

/// The most keys that one event names.
const KEYS: usize = 5;

/// What the change in `subject` does to workloads, where clients are warned of it. A dry run and what
/// is denied change nothing.
pub(super) fn occurrences(
    subject: &Subject<'_>,
    verdict: &Verdict,
    index: &Index,
) -> Vec<Occurrence> {
    let is_changed = subject.resource.configuration().is_some() && !subject.dry_run;
    let is_told = |rule: &str| {
        verdict.rulings.iter().any(|told| told.rule == rule && told.outcome == Outcome::Warned)
    };
    let is_missed = is_told(missing_config_key::RULE.name);
    let is_unseen = is_told(unseen_config_change::RULE.name);
    if !(is_changed && verdict.allowed() && (is_missed || is_unseen)) {
        return Vec::new();
    }
    let context = PolicyContext::default();
    let Some(View::Configuration(change)) = View::of(subject, &context) else {
        return Vec::new();
    };
    let who = &*subject.requester.username;
    let mut told = Vec::new();
    if is_missed {
        told.extend(of(Reason::ConfigurationMissing, &change, &missing(&change), who, index));
    }
    if is_unseen {
        told.extend(of(Reason::ConfigurationUnseen, &change, &unseen(&change), who, index));
    }
    told
}

fn of(
    reason: Reason,
    change: &ConfigurationView<'_>,
    effects: &[ConfigEffect<'_>],
    who: &str,
    index: &Index,
) -> Vec<Occurrence> {
    let occurrence = |((kind, name), effects): ((&'static str, &str), Vec<&ConfigEffect<'_>>)| {
        let sentence = sentence(reason, change, &effects)?;
        Some(Occurrence {
            reason,
            note: note(who, vec![sentence]),
            requested: None,
            namespace: change.namespace.to_owned(),
            regarding: Regarding {
                api_version: api_version(kind).to_owned(),
                kind: kind.to_owned(),
                name: name.to_owned(),
                uid: index.uid(kind, change.namespace, name).unwrap_or_default(),
            },
        })
    };
    by_user(effects).into_iter().take(MOST).filter_map(occurrence).collect()
}

/// What happened, to whom in the workload, and what to do.
fn sentence(
    reason: Reason,
    change: &ConfigurationView<'_>,
    effects: &[&ConfigEffect<'_>],
) -> Option<String> {
    let first = effects.first()?;
    let keys: BTreeSet<&str> = effects.iter().filter_map(|effect| effect.key).collect();
    let mut named: Vec<String> = keys.iter().take(KEYS).map(|key| quoted(key)).collect();
    let more = keys.len().saturating_sub(KEYS);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let what = match named.as_slice() {
        [] => String::new(),
        [_] => format!(", key {}", named.join(", ")),
        _ => format!(", keys {}", named.join(", ")),
    };
    let (kind, name) = (change.kind, quoted(change.name));
    let verb = if change.is_deleted() { "deleted" } else { "changed" };
    let (way, container) = (first.by.used.way, quoted(&first.by.used.container));
    Some(match reason {
        Reason::ConfigurationMissing => format!(
            "{kind} {name} {verb}{what}: container {container} does not start without it ({way}); {}",
            first.keep()
        ),
        _ => format!(
            "{kind} {name} {verb}{what}: container {container} keeps what it took when it started ({way}); {}",
            first.restart(change.namespace)
        ),
    })
}

fn api_version(kind: &str) -> &'static str {
    match kind {
        "Pod" => "v1",
        "Job" | "CronJob" => "batch/v1",
        _ => "apps/v1",
    }
}

#[cfg(test)]
mod tests;

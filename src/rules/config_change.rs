//! What a change of a ConfigMap or Secret does to those who use it.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::view::{ConfigurationView, KeyChange};
use crate::kube::config_use::Way;
use crate::kube::config_user::{ConfigUser, UserUse};

/// What a change does to one container by one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigEffect<'v> {
    /// The workload.
    pub user: &'v ConfigUser,
    /// The container, and how it uses the object.
    pub by: &'v UserUse,
    /// The key; `None` where the whole object goes.
    pub key: Option<&'v str>,
}

/// The workloads that are named one by one; of the others the number is told.
const NAMED: usize = 5;

/// The most keys that are told of one use: of a ConfigMap with thousands that thousands use, nobody
/// reads more, and they would take more memory than the service has.
const KEYS: usize = 64;

/// What cannot start again: a key or the whole object goes that a container needs.
pub(crate) fn missing<'v>(change: &'v ConfigurationView<'_>) -> Vec<ConfigEffect<'v>> {
    let mut effects = Vec::new();
    for (user, by) in uses(change).filter(|(user, by)| user.life.starts && !by.used.optional) {
        if change.is_deleted() {
            effects.push(ConfigEffect { user, by, key: None });
            continue;
        }
        let Some(key) = by.used.key.as_deref() else { continue };
        if change_of(change, key).is_some_and(|change| takes_away(by, change)) {
            effects.push(ConfigEffect { user, by, key: Some(key) });
        }
    }
    effects
}

/// The change of `key`, where it changes.
fn change_of<'v, 's>(change: &'v ConfigurationView<'s>, key: &str) -> Option<&'v KeyChange<'s>> {
    let changes = change.changes();
    let at = changes.binary_search_by(|change| (*change.key).cmp(key)).ok()?;
    changes.get(at)
}

/// Whether what the use needs is not there after the change.
fn takes_away(by: &UserUse, change: &KeyChange<'_>) -> bool {
    let is_variable = by.used.way == Way::Env;
    change.is_gone() || (is_variable && change.is_no_text_any_longer())
}

/// Who keeps what was: a key changes or goes that a running container took when it started, and
/// nothing rolls it. What it needs and loses is [`missing`] alone.
pub(crate) fn unseen<'v>(change: &'v ConfigurationView<'_>) -> Vec<ConfigEffect<'v>> {
    if !change.is_stored() {
        return Vec::new();
    }
    let lost = missing(change);
    let lost: BTreeSet<_> = lost.iter().map(ConfigEffect::place).collect();
    let mut effects = Vec::new();
    for (user, by) in uses(change) {
        let holds = user.life.holds && by.used.role.is_app() && by.used.way.is_frozen();
        if !holds || by.is_rolled {
            continue;
        }
        let changes = match by.used.key.as_deref() {
            Some(key) => change_of(change, key).map_or(&[][..], std::slice::from_ref),
            None => change.changes(),
        };
        let held = changes.iter().filter(|change| is_held_by(by, change)).take(KEYS);
        let keys = held.map(|held| Some(&*held.key).filter(|_| !change.is_deleted()));
        // of an object that goes as a whole it is said once
        let keys: BTreeSet<Option<&str>> = keys.collect();
        for key in keys {
            let effect = ConfigEffect { user, by, key };
            if !lost.contains(&effect.place()) {
                effects.push(effect);
            }
        }
    }
    effects
}

/// Whether the container took the key when it started, and it is another one now.
fn is_held_by(by: &UserUse, change: &KeyChange<'_>) -> bool {
    let Some(old) = change.old else { return false };
    match (by.used.key.as_deref(), by.used.way) {
        (Some(key), way) => *change.key == *key && (old.is_text || way != Way::Env),
        (None, Way::EnvFrom) => old.is_text,
        // which file an expression means nobody can tell
        (None, _) => false,
    }
}

fn uses<'v>(
    change: &'v ConfigurationView<'_>,
) -> impl Iterator<Item = (&'v ConfigUser, &'v UserUse)> {
    let (kind, name) = (change.kind, change.name);
    let users = change.users().unwrap_or_default();
    users.iter().flat_map(move |user| {
        user.uses.iter().filter(move |by| by.used.is_of(kind, name)).map(move |by| (user, by))
    })
}

impl ConfigEffect<'_> {
    /// Which key of which container it is about.
    fn place(&self) -> (&str, &str, &str, Option<&str>) {
        (self.user.kind, &self.user.name, &self.by.used.container, self.key)
    }

    /// What puts that in force which is stored now: a command wherever there is one.
    pub(crate) fn restart(&self, namespace: &str) -> String {
        let target = self.user.target();
        match self.user.kind {
            "Pod" | "Deployment" | "StatefulSet" | "DaemonSet" if self.by.restarts_in_place => {
                format!("restraint restart {target} -n {namespace} --in-place")
            }
            "Deployment" | "StatefulSet" | "DaemonSet" => {
                format!("kubectl rollout restart {target} -n {namespace}")
            }
            "Pod" => format!("delete {target} and create it again"),
            _ => format!("delete the pods of {target}: the new ones have it"),
        }
    }

    /// How to keep it from failing at its next start.
    pub(crate) fn keep(&self) -> String {
        let target = self.user.target();
        match self.key {
            Some(key) => {
                format!(
                    "keep key {key:?} until {target} refers to it no more, or make the reference optional"
                )
            }
            None => format!(
                "keep it until {target} refers to it no more, or make the reference optional"
            ),
        }
    }
}

/// The effects on each workload, by its kind and name.
pub(crate) fn by_user<'e, 'v>(
    effects: &'e [ConfigEffect<'v>],
) -> BTreeMap<(&'static str, &'e str), Vec<&'e ConfigEffect<'v>>> {
    let mut by_user: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for effect in effects {
        by_user.entry((effect.user.kind, &*effect.user.name)).or_default().push(effect);
    }
    by_user
}

/// Reports `effects`: a finding for each of the first workloads, and one for all others.
pub(crate) fn report(
    rule: &'static str,
    change: &ConfigurationView<'_>,
    effects: &[ConfigEffect<'_>],
    words: Words,
    findings: &mut Findings,
) {
    let by_user = by_user(effects);
    for ((kind, name), effects) in by_user.iter().take(NAMED) {
        let Some(first) = effects.first() else { continue };
        let mut keys: Vec<&str> = effects.iter().filter_map(|effect| effect.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let message = |names: Names| {
            let key = match keys.as_slice() {
                [] => format!("the {}", change.kind),
                [key] => names.quoted(key).to_string(),
                [key, more @ ..] => format!("{} and {} more", names.quoted(key), more.len()),
            };
            let container = names.quoted(&first.by.used.container);
            format!(
                "{kind} {} {} {key} ({} of container {container})",
                names.quoted(name),
                words.verb,
                first.by.used.way
            )
        };
        let remedy = (words.remedy)(first, change.namespace);
        let finding = Finding::new(rule, pointer(change, first.key), message, remedy);
        findings.report(finding.about(format!("{kind}/{name}: {}", keys.join(", "))));
    }
    let more = by_user.len().saturating_sub(NAMED);
    if more > 0 {
        let message = |_: Names| format!("{more} more workloads: {} it", words.many);
        let (kind, name) = (change.kind.as_str().to_lowercase(), change.name);
        let remedy = format!(
            "see all of them: restraint explain change --from live:{kind}/{name} -n {} --to FILE",
            change.namespace
        );
        let finding = Finding::new(rule, pointer(change, None), message, remedy);
        findings.report(finding.about(more.to_string()));
    }
}

/// How a rule tells of effects.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    /// What a workload does to a key.
    pub verb: &'static str,
    /// What many do to the object.
    pub many: &'static str,
    /// What to do, in this namespace.
    pub remedy: fn(&ConfigEffect<'_>, &str) -> String,
}

/// Where a key stands.
fn pointer(change: &ConfigurationView<'_>, key: Option<&str>) -> String {
    match key {
        Some(key) => change.pointer(key),
        None => "/data".to_owned(),
    }
}

//! The resizes that events tell of, each with what became of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::amount::Amount;
use super::summary::summary;
use super::{Resize, State};
use crate::explain::history::event::{Event, Events, Kill};
use crate::explain::history::record::{Container, Record, Resources};
use crate::kube::container::Role;

/// A resize that events tell of.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PastResize {
    /// The generation of the spec that asked for it.
    pub generation: i64,
    /// What became of it.
    pub outcome: Outcome,
    /// When the kubelet first spoke of it.
    pub started_at: Option<Timestamp>,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
    /// The containers that were restarted for it.
    pub restarted: Vec<String>,
    /// What it changed, or was to change, as far as that is known.
    pub changes: Vec<Change>,
    /// What is to be said of it.
    pub why: String,
}

/// What became of a resize.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// It is being carried out.
    InProgress,
    /// It waits for room.
    Deferred,
    /// The kubelet will not do it.
    Infeasible,
    /// It was tried in vain, and is tried again.
    Error,
    /// It was never carried out: a later one, or a return to the old values, came first.
    Superseded,
    /// Nothing tells.
    Unknown,
}

impl Outcome {
    /// What it is called in the text form.
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::InProgress => "in progress",
            Self::Deferred => "deferred",
            Self::Infeasible => "infeasible",
            Self::Error => "failed, tried again",
            Self::Superseded => "replaced before it was done",
            Self::Unknown => "not known",
        }
    }
}

/// An amount that a resize changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The container; `None` for the pod itself.
    pub container: Option<String>,
    /// `limits.memory`, for example.
    pub resource: String,
    /// What was in force before; `None` where that is not known.
    pub from: Option<String>,
    /// What was asked for.
    pub to: Option<String>,
}

/// Amounts by container (none for the pod itself) and place.
type Amounts = BTreeMap<(Option<String>, String), String>;

fn amounts<'c>(containers: impl Iterator<Item = &'c Container>) -> Amounts {
    let mut amounts = Amounts::new();
    for container in containers {
        let name = Some(container.name.clone());
        insert(&mut amounts, name.as_ref(), &container.resources);
    }
    amounts
}

fn insert(amounts: &mut Amounts, name: Option<&String>, resources: &Resources) {
    for (list, values) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        for (resource, amount) in values {
            amounts.insert((name.cloned(), format!("{list}.{resource}")), amount.clone());
        }
    }
}

/// What one generation of the spec asked for.
struct Group<'e> {
    generation: i64,
    events: Vec<(&'e Event, Amounts)>,
}

impl Group<'_> {
    /// What was asked for. The kubelet may say "completed" before it restarts a container, with
    /// what is in force then.
    fn target(&self) -> Amounts {
        let asked = self.events.iter().rfind(|(event, _)| event.reason != "ResizeCompleted");
        asked.or(self.events.last()).map(|(_, amounts)| amounts.clone()).unwrap_or_default()
    }

    fn completed(&self) -> impl Iterator<Item = &(&Event, Amounts)> {
        self.events.iter().filter(|(event, _)| event.reason == "ResizeCompleted")
    }
}

fn groups(events: &Events) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<i64, Vec<(&Event, Amounts)>> = BTreeMap::new();
    let told = events.iter().filter(|event| {
        event.container.is_empty()
            && event.author != "restraint.dev"
            && event.reason.starts_with("Resize")
    });
    for event in told {
        let Some(summary) = summary(&event.message) else { continue };
        let asked = amounts(summary.init_containers.iter().chain(&summary.containers));
        groups.entry(summary.generation).or_default().push((event, asked));
    }
    groups.into_iter().map(|(generation, events)| Group { generation, events }).collect()
}

/// What the pod was made with, as far as `kubectl apply` wrote it down and nothing can have come
/// between.
fn made_with(record: &Record, events: &Events, first: i64) -> Amounts {
    const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let is_first = first == 2 || events.are_complete();
    let applied = record.metadata.annotations.get(LAST_APPLIED).filter(|_| is_first);
    let Some(applied) = applied.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return Amounts::new();
    };
    let Ok(applied) = Record::deserialize_from(&applied) else { return Amounts::new() };
    let mut made = amounts(applied.spec.init_containers.iter().chain(&applied.spec.containers));
    insert(&mut made, None, &applied.spec.resources);
    made
}

/// Every resize that events tell of, in order.
pub(in crate::explain::history) fn all(
    record: &Record,
    events: &Events,
    now: &Resize,
) -> Vec<PastResize> {
    let groups = groups(events);
    let Some(first) = groups.first() else { return Vec::new() };
    let mut in_force = made_with(record, events, first.generation);
    let mut resizes = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let next = groups.get(place.saturating_add(1));
        let (target, is_last) = (group.target(), next.is_none());
        let completed: Vec<_> = group.completed().collect();
        let done = completed.iter().rfind(|(_, amounts)| *amounts == target);
        // "completed" with other values tells what was in force
        if let Some((_, old)) = completed.iter().find(|(_, amounts)| *amounts != target) {
            in_force.extend(old.iter().map(|(key, amount)| (key.clone(), amount.clone())));
        }
        let outcome = match (done, is_last) {
            (Some(_), _) => Outcome::Done,
            (None, true) => unfinished(record, now, &target),
            (None, false) => Outcome::Superseded,
        };
        let started_at = group.events.iter().filter_map(|(event, _)| event.first).min();
        let finished_at = done.and_then(|(event, _)| event.last);
        let until = finished_at
            .or_else(|| next.and_then(|next| next.events.first()?.0.first))
            .unwrap_or(Timestamp::MAX);
        let restarted = restarted(record, events, started_at, until);
        let mut changes = changes(&in_force, &target);
        if group.generation == current(record) {
            changes.extend(pod_level(record, &in_force));
        }
        if outcome != Outcome::Done && is_last && !now.differing.is_empty() {
            changes = differing(now);
        }
        let came = match next {
            Some(next) => format!("generation {} came in its place", next.generation),
            None if is_spec(record, &in_force) => "the old values were asked for again".to_owned(),
            None => "another spec came in its place".to_owned(),
        };
        let why = why(record, (group, outcome), &came, &changes, &restarted);
        if outcome == Outcome::Done {
            in_force.extend(target);
        }
        let generation = group.generation;
        resizes.push(PastResize {
            generation,
            outcome,
            started_at,
            finished_at,
            restarted,
            changes,
            why,
        });
    }
    resizes
}

/// Whether the spec asks for what is in force, as far as that is known.
fn is_spec(record: &Record, in_force: &Amounts) -> bool {
    let spec = amounts(record.spec.init_containers.iter().chain(&record.spec.containers));
    !in_force.is_empty()
        && in_force.iter().all(|(key, amount)| key.0.is_none() || spec.get(key) == Some(amount))
}

/// The generation of the spec: a deletion counts as one, and changes nothing.
fn current(record: &Record) -> i64 {
    let deletion = i64::from(record.metadata.deletion_timestamp.is_some());
    record.metadata.generation.unwrap_or_default().saturating_sub(deletion)
}

/// What became of the last one, which nothing says was done.
fn unfinished(record: &Record, now: &Resize, target: &Amounts) -> Outcome {
    let containers = record.spec.init_containers.iter().chain(&record.spec.containers);
    match now.state {
        State::Deferred => Outcome::Deferred,
        State::Infeasible => Outcome::Infeasible,
        State::Error => Outcome::Error,
        State::InProgress => Outcome::InProgress,
        State::Settled if *target == amounts(containers) => Outcome::Done,
        State::Settled => Outcome::Superseded,
        State::Unseen | State::NotRunning => Outcome::Unknown,
    }
}

fn changes(old: &Amounts, new: &Amounts) -> Vec<Change> {
    let is_known = new.keys().any(|key| old.contains_key(key));
    let differs = |(key, to): &(&(Option<String>, String), &String)| match old.get(*key) {
        Some(from) => from != *to,
        // without any old value every new one may be one that changed
        None => !is_known,
    };
    let change = |((container, resource), to): (&(Option<String>, String), &String)| Change {
        container: container.clone(),
        resource: resource.clone(),
        from: old.get(&(container.clone(), resource.clone())).cloned(),
        to: Some(to.clone()),
    };
    new.iter().filter(differs).map(change).collect()
}

/// What changed of the pod itself: events do not tell, the spec of now does.
fn pod_level(record: &Record, old: &Amounts) -> Vec<Change> {
    let mut now = Amounts::new();
    insert(&mut now, None, &record.spec.resources);
    now.retain(|key, _| old.contains_key(key));
    changes(old, &now)
}

fn differing(now: &Resize) -> Vec<Change> {
    let change = |amount: &Amount| Change {
        container: amount.container.clone(),
        resource: amount.resource.clone(),
        from: amount.allocated.clone().or_else(|| amount.actual.clone()),
        to: amount.desired.clone(),
    };
    now.differing.iter().map(change).collect()
}

fn restarted(
    record: &Record,
    events: &Events,
    started: Option<Timestamp>,
    until: Timestamp,
) -> Vec<String> {
    let Some(started) = started else { return Vec::new() };
    let was = |name: &&String| {
        events
            .kills(name)
            .any(|(kill, event)| kill == Kill::Resize && event.is_within(started, until))
    };
    record.containers().map(|told| &told.status.name).filter(was).cloned().collect()
}

fn why(
    record: &Record,
    (group, outcome): (&Group<'_>, Outcome),
    came: &str,
    changes: &[Change],
    restarted: &[String],
) -> String {
    let last = group.events.iter().rfind(|(event, _)| event.reason != "ResizeCompleted");
    let said = last.map(|(event, _)| event.reason.as_str()).unwrap_or_default();
    let mut why = match (outcome, said) {
        (Outcome::Done, _) if restarted.is_empty() => "in place, without a restart".to_owned(),
        (Outcome::Done, _) => format!("restarted for it: {}", restarted.join(", ")),
        (Outcome::Superseded, "ResizeDeferred") => format!("it was deferred, and then {came}"),
        (Outcome::Superseded, "ResizeInfeasible") => format!("it was infeasible, and then {came}"),
        (Outcome::Superseded, "ResizeError") => format!("it failed, and then {came}"),
        (Outcome::Superseded, _) => came.to_owned(),
        _ => String::new(),
    };
    if changes.is_empty() && outcome == Outcome::Done {
        why.push_str(
            "; what it changed is not told: of the pod's own resources events tell nothing",
        );
    }
    for told in record.containers().filter(|told| told.role == Role::Init) {
        let is_changed = |change: &Change| change.container.as_ref() == Some(&told.status.name);
        let has_ended = told.status.state.terminated.is_some();
        if has_ended && changes.iter().any(is_changed) {
            why = format!(
                "{why}; init container {:?} had ended before: nothing happened, and it counts only should the init containers run again",
                told.status.name
            );
        }
    }
    why
}

//! How many requests there were of which kind, and when the first and last of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::recording::Decision;

use super::entry::Entry;

/// The most names that are counted one by one: whoever may send requests may make up more.
const MOST: usize = 10_000;

/// Under this name the others are counted.
const OTHERS: &str = "(others)";

/// The examples that are kept of what changes.
const EXAMPLES: usize = 20;

/// How many, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) requests: usize,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

impl Count {
    fn add(&mut self, time: Option<Timestamp>) {
        self.requests = self.requests.saturating_add(1);
        self.first = [self.first, time].into_iter().flatten().min();
        self.last = self.last.max(time);
    }
}

/// Counts by name.
pub(super) type Counts = BTreeMap<String, Count>;

/// Requests of one decision.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) all: Count,
    pub(super) rules: Counts,
    pub(super) namespaces: Counts,
    pub(super) requesters: Counts,
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) all: Count,
    pub(super) groups: BTreeMap<Decision, Group>,
    /// Why nothing can be told.
    pub(super) unknown: Counts,
    /// How the API server refused.
    pub(super) refused: Counts,
    /// What changes, from what to what.
    pub(super) changes: Counts,
    /// The first of what changes.
    pub(super) examples: Vec<String>,
    /// How many were compared.
    pub(super) compared: usize,
    /// How many of the decisions are Restraint's own of then.
    pub(super) said: usize,
    /// How many only tried.
    pub(super) dry_runs: usize,
}

fn count(counts: &mut Counts, name: &str, time: Option<Timestamp>) {
    let name = if counts.len() >= MOST && !counts.contains_key(name) { OTHERS } else { name };
    match counts.get_mut(name) {
        Some(known) => known.add(time),
        None => counts.entry(name.to_owned()).or_default().add(time),
    }
}

fn more(count: &mut usize, by: bool) {
    *count = count.saturating_add(usize::from(by));
}

impl Tally {
    /// Counts `entry`.
    pub(super) fn add(&mut self, entry: &Entry) {
        let time = entry.time;
        self.all.add(time);
        more(&mut self.said, entry.said);
        more(&mut self.dry_runs, entry.dry_run);
        let group = self.groups.entry(entry.decision).or_default();
        group.all.add(time);
        match entry.decision {
            Decision::Unknown => count(&mut self.unknown, &entry.reason, time),
            Decision::Refused => count(&mut self.refused, &entry.reason, time),
            Decision::Allowed => {}
            _ => {
                entry.rules.iter().for_each(|rule| count(&mut group.rules, rule, time));
                count(&mut group.namespaces, &entry.namespace, time);
                count(&mut group.requesters, &entry.requester, time);
            }
        }
        self.compare(entry);
    }

    fn compare(&mut self, entry: &Entry) {
        let Some(before) = entry.against.as_ref().filter(|before| before.changed.is_some()) else {
            return;
        };
        more(&mut self.compared, true);
        if !entry.is_changed() {
            return;
        }
        let side = |decision: Decision, rules: &std::collections::BTreeSet<&str>| {
            let rules: Vec<_> = rules.iter().copied().collect();
            let rules =
                if rules.is_empty() { String::new() } else { format!(" ({})", rules.join(", ")) };
            format!("{decision}{rules}")
        };
        let change = format!(
            "{} -> {}",
            side(before.decision, &before.rules),
            side(entry.decision, &entry.rules)
        );
        count(&mut self.changes, &change, entry.time);
        if self.examples.len() < EXAMPLES {
            let time = entry.time.map(|time| time.to_string()).unwrap_or_default();
            self.examples.push(format!(
                "{time} {} {} {}/{} by {}: {change}",
                entry.operation, entry.resource, entry.namespace, entry.name, entry.requester
            ));
        }
    }

    /// How many were decided so.
    pub(super) fn of(&self, decision: Decision) -> usize {
        self.groups.get(&decision).map_or(0, |group| group.all.requests)
    }

    /// How many are decided otherwise than before.
    pub(super) fn changed(&self) -> usize {
        self.changes.values().map(|count| count.requests).fold(0, usize::saturating_add)
    }
}

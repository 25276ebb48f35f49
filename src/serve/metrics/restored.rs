//! Decreases by automation that were put back.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::judge::verdict::{Outcome, Verdict};

/// The most requesters with a series of their own: a policy may list them with a `*`, and whoever
/// may create service accounts could make many.
const MOST: usize = 32;

/// The requester of what has no series of its own.
const OTHERS: &str = "other";

/// Resizes of which something was put back, by requester.
#[derive(Debug, Default)]
pub(super) struct Restored {
    resizes: Family<RequesterLabels, Counter>,
    known: Mutex<BTreeSet<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequesterLabels {
    requester: String,
}

impl Restored {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let restored = Self::default();
        registry.register(
            "restored",
            "resizes by automation of which an unapproved decrease was put back, by requester",
            restored.resizes.clone(),
        );
        restored
    }

    /// Counts it if something was put back.
    pub(super) fn count(&self, requester: &str, verdict: &Verdict) {
        if verdict.rulings.iter().any(|ruling| ruling.outcome == Outcome::Restored) {
            let requester = self.label(requester).to_owned();
            self.resizes.get_or_create(&RequesterLabels { requester }).inc();
        }
    }

    fn label<'n>(&self, requester: &'n str) -> &'n str {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(requester) {
            if known.len() >= MOST {
                return OTHERS;
            }
            known.insert(requester.to_owned());
        }
        requester
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_series_and_no_more() {
        let restored = Restored::default();
        let names: Vec<_> = (0..40).map(|number| format!("updater-{number}")).collect();
        let labels = || names.iter().map(|name| restored.label(name)).collect::<BTreeSet<_>>();
        assert_eq!(labels().len(), MOST + 1);
        assert_eq!(labels().len(), MOST + 1, "those that have one keep it");
        assert_eq!(restored.label("updater-0"), "updater-0");
        assert_eq!(restored.label("another"), OTHERS);
    }
}

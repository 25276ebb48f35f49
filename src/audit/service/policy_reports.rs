//! What is counted of policy reports.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::audit::reports::kept::{Kept, State};

/// What is counted of policy reports.
#[derive(Debug, Default)]
pub(super) struct PolicyReports {
    state: Family<StateLabels, Gauge>,
    standing: Gauge,
    omitted: Gauge,
    writes: Family<WriteLabels, Counter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    result: &'static str,
}

impl PolicyReports {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "policy_reports_state",
            "1 for what became of policy reports the last time",
            self.state.clone(),
        );
        registry.register("policy_reports", "policy reports that stand", self.standing.clone());
        registry.register(
            "policy_report_results_omitted",
            "findings that policy reports leave out",
            self.omitted.clone(),
        );
        registry.register("policy_report_writes", "writes, by result", self.writes.clone());
        self.tell(State::Off);
        for (result, _) in Kept::default().writes() {
            drop(self.writes.get_or_create(&WriteLabels { result }));
        }
    }

    pub(super) fn count(&self, kept: &Kept) {
        self.tell(kept.state);
        for (result, count) in kept.writes() {
            self.writes
                .get_or_create(&WriteLabels { result })
                .inc_by(u64::try_from(count).unwrap_or(u64::MAX));
        }
        if let State::Kept(_) = kept.state {
            self.standing.set(i64::try_from(kept.standing).unwrap_or(i64::MAX));
            self.omitted.set(i64::try_from(kept.omitted).unwrap_or(i64::MAX));
        }
    }

    fn tell(&self, now: State) {
        for state in State::ALL {
            self.state
                .get_or_create(&StateLabels { state: state.as_str() })
                .set(i64::from(state.as_str() == now.as_str()));
        }
    }
}

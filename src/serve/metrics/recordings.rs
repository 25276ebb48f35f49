//! Reviews that were to be recorded.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// What came of a review that was to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::serve) enum RecordingOutcome {
    /// It is in the folder.
    Written,
    /// Too many waited for the disk.
    Dropped,
    /// It could not be written: the disk is full, or broken.
    Failed,
}

impl RecordingOutcome {
    const ALL: [Self; 3] = [Self::Written, Self::Dropped, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug)]
pub(super) struct CountedRecordings(Family<Labels, Counter>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    outcome: &'static str,
}

impl CountedRecordings {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let counted = Self(Family::default());
        registry.register(
            "recordings",
            "reviews that --record was to keep, by outcome",
            counted.0.clone(),
        );
        for outcome in RecordingOutcome::ALL {
            drop(counted.0.get_or_create(&labels(outcome)));
        }
        counted
    }

    pub(super) fn count(&self, outcome: RecordingOutcome) {
        self.0.get_or_create(&labels(outcome)).inc();
    }
}

fn labels(outcome: RecordingOutcome) -> Labels {
    Labels { outcome: outcome.as_str() }
}

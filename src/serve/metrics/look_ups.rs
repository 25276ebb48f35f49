//! Facts that were asked for, by what came of it.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::judge::rule::LookUp;

/// What came of asking for a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::serve) enum LookUpOutcome {
    /// It is known.
    Found,
    /// There is none: no such object, no such API, no API server.
    Absent,
    /// It took too long.
    TooSlow,
    /// The answer was an error, too large or not understood.
    Failed,
    /// Nobody was asked, because too many ask at a time.
    Busy,
}

impl LookUpOutcome {
    const ALL: [Self; 5] = [Self::Found, Self::Absent, Self::TooSlow, Self::Failed, Self::Busy];

    fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Absent => "absent",
            Self::TooSlow => "too-slow",
            Self::Failed => "failed",
            Self::Busy => "busy",
        }
    }
}

#[derive(Debug)]
pub(super) struct CountedLookUps(Family<Labels, Counter>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    evidence: &'static str,
    outcome: &'static str,
}

impl CountedLookUps {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let counted = Self(Family::default());
        registry.register(
            "look_ups",
            "facts asked for before judging, by evidence and outcome",
            counted.0.clone(),
        );
        for what in [LookUp::Usage, LookUp::NodeCapacity] {
            for outcome in LookUpOutcome::ALL {
                drop(counted.0.get_or_create(&labels(what, outcome)));
            }
        }
        counted
    }

    pub(super) fn count(&self, what: LookUp, outcome: LookUpOutcome) {
        self.0.get_or_create(&labels(what, outcome)).inc();
    }
}

fn labels(what: LookUp, outcome: LookUpOutcome) -> Labels {
    let evidence = match what {
        LookUp::Usage => "usage",
        LookUp::NodeCapacity => "node-capacity",
    };
    Labels { evidence, outcome: outcome.as_str() }
}

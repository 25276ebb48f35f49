//! Reviews: what came of them, what was found, and how long they took.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::judge::subject::{Operation, Subject};
use crate::judge::verdict::{MissedFix, Outcome, Ruling, Verdict};
use crate::review::Path;

/// Upper bounds in seconds: most reviews take a fraction of a millisecond.
const DURATION_BUCKETS: [f64; 13] = [
    0.000_025, 0.000_05, 0.000_1, 0.000_2, 0.000_4, 0.000_8, 0.001_6, 0.005, 0.02, 0.1, 0.5, 1.0,
    3.0,
];

/// Reviews and their findings.
#[derive(Debug)]
pub(super) struct CountedReviews {
    reviews: Family<ReviewLabels, Counter>,
    findings: Family<FindingLabels, Counter>,
    missed_fixes: Family<CauseLabels, Counter>,
    durations: Family<PathLabels, Histogram, Buckets>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabels {
    cause: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    path: &'static str,
    operation: &'static str,
    resource: &'static str,
    subresource: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FindingLabels {
    path: &'static str,
    rule: &'static str,
    mode: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PathLabels {
    path: &'static str,
}

#[derive(Clone, Debug)]
struct Buckets;

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(DURATION_BUCKETS)
    }
}

/// Why a review got no verdict. Each is an HTTP status; the webhook configuration's `failurePolicy`
/// decides then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Failure {
    /// 400: it cannot be judged.
    Malformed,
    /// 408: its body took longer than the deadline.
    TooSlow,
    /// 413: its body is too large.
    TooLarge,
    /// 500: judging it panicked.
    Panicked,
    /// 503: too much is in flight.
    Overloaded,
    /// 503: there were no sound policies yet.
    NoPolicies,
}

impl Failure {
    /// The word for it in logs and metrics.
    pub(in crate::serve) fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooSlow => "too-slow",
            Self::TooLarge => "too-large",
            Self::Panicked => "panicked",
            Self::Overloaded => "overloaded",
            Self::NoPolicies => "no-policies",
        }
    }
}

impl CountedReviews {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let counted = Self {
            reviews: Family::default(),
            findings: Family::default(),
            missed_fixes: Family::default(),
            durations: Family::new_with_constructor(Buckets),
        };
        registry.register(
            "reviews",
            "reviews answered, by path, operation, resource, subresource and outcome",
            counted.reviews.clone(),
        );
        registry.register(
            "findings",
            "findings, by path, rule, the mode its policy asks for, and what came of it",
            counted.findings.clone(),
        );
        registry.register(
            "fix_missed",
            "new pods that came without what a policy in mode fix would have fixed, by probable cause",
            counted.missed_fixes.clone(),
        );
        for cause in MissedFix::ALL {
            let cause = cause.as_str();
            drop(counted.missed_fixes.get_or_create(&CauseLabels { cause })); // there from the start
        }
        registry.register_with_unit(
            "review_duration",
            "from the last byte of a review to its answer",
            Unit::Seconds,
            counted.durations.clone(),
        );
        counted
    }

    pub(super) fn verdict(
        &self,
        path: Path,
        subject: &Subject<'_>,
        verdict: &Verdict,
        duration: Duration,
    ) {
        self.reviews.get_or_create(&review_labels(path, subject, outcome(verdict))).inc();
        self.durations
            .get_or_create(&PathLabels { path: path.as_str() })
            .observe(duration.as_secs_f64());
        if let Some(cause) = verdict.missed_fix.filter(|_| !subject.dry_run) {
            self.missed_fixes.get_or_create(&CauseLabels { cause: cause.as_str() }).inc();
        }
        // findings of one rule stand together, and what came of them is mostly the same
        for group in verdict
            .rulings
            .chunk_by(|one, next| finding_labels(path, one) == finding_labels(path, next))
        {
            if let Some(first) = group.first() {
                self.findings
                    .get_or_create(&finding_labels(path, first))
                    .inc_by(group.len() as u64);
            }
        }
    }

    pub(super) fn failure(&self, path: Path, failure: Failure) {
        let labels = ReviewLabels {
            path: path.as_str(),
            operation: Operation::Other.as_str(),
            resource: "unknown",
            subresource: "",
            outcome: failure.as_str(),
        };
        self.reviews.get_or_create(&labels).inc();
    }
}

fn review_labels(path: Path, subject: &Subject<'_>, outcome: &'static str) -> ReviewLabels {
    ReviewLabels {
        path: path.as_str(),
        operation: subject.operation.as_str(),
        resource: subject.resource.plural(),
        subresource: subject.resource.subresource(),
        outcome,
    }
}

fn finding_labels(path: Path, ruling: &Ruling) -> FindingLabels {
    FindingLabels {
        path: path.as_str(),
        rule: ruling.rule,
        mode: ruling.wanted.as_str(),
        outcome: ruling.outcome.as_str(),
    }
}

/// What came of a review as a whole: the strongest thing that was done, or would have been done
/// without the cap.
fn outcome(verdict: &Verdict) -> &'static str {
    // in the order of the type: what was done before what would have been
    let strongest = verdict.rulings.iter().map(|ruling| ruling.outcome).min();
    strongest.filter(|outcome| *outcome != Outcome::Noted).map_or("allowed", Outcome::as_str)
}

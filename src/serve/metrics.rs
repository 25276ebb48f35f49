//! What is counted. Labels never carry names of namespaces, objects or people.

mod approvals;
mod connections;
mod keys;
mod log;
mod look_ups;
mod panics;
mod rotations;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tracing_appender::non_blocking::ErrorCounter;

use crate::judge::rule::LookUp;
use crate::judge::subject::{Operation, Subject};
use crate::judge::verdict::{Outcome, Ruling, Verdict};
use crate::review::Path;

use super::followed::Followed;
use super::listener::Counters;
use super::seal::SealKeys;
use approvals::Approvals;
use connections::Connections;
use keys::Keys;
use log::Lines;
use look_ups::CountedLookUps;
pub(super) use look_ups::LookUpOutcome;
use panics::Panics;
pub(super) use rotations::Rotations;

/// Upper bounds in seconds: most reviews take a fraction of a millisecond.
const DURATION_BUCKETS: [f64; 13] = [
    0.000_025, 0.000_05, 0.000_1, 0.000_2, 0.000_4, 0.000_8, 0.001_6, 0.005, 0.02, 0.1, 0.5, 1.0,
    3.0,
];

/// Everything that is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    reviews: Family<ReviewLabels, Counter>,
    findings: Family<FindingLabels, Counter>,
    approvals: Approvals,
    look_ups: CountedLookUps,
    events_dropped: Counter,
    events_failed: Counter,
    durations: Family<PathLabels, Histogram, Buckets>,
    policy_reloads: Family<ResultLabels, Counter>,
    policies: Gauge,
    policies_refused: Gauge,
    certificate_reloads: Family<ResultLabels, Counter>,
    certificate_expiry: Gauge<f64, AtomicU64>,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
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
pub(super) enum Failure {
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
}

impl Failure {
    /// The word for it in logs and metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooSlow => "too-slow",
            Self::TooLarge => "too-large",
            Self::Panicked => "panicked",
            Self::Overloaded => "overloaded",
        }
    }
}

impl Metrics {
    /// Everything at zero.
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("restraint");
        let reviews = Family::default();
        registry.register(
            "reviews",
            "reviews answered, by path, operation, resource, subresource and outcome",
            reviews.clone(),
        );
        let findings = Family::default();
        registry.register(
            "findings",
            "findings, by path, rule, the mode its policy asks for, and what came of it",
            findings.clone(),
        );
        let approvals = Approvals::register(&mut registry);
        let look_ups = CountedLookUps::register(&mut registry);
        let events_dropped = Counter::default();
        registry.register(
            "events_dropped",
            "events on pods that were not written: too many, or repeated",
            events_dropped.clone(),
        );
        let events_failed = Counter::default();
        registry.register(
            "events_failed",
            "events on pods that the API server did not take",
            events_failed.clone(),
        );
        let durations = Family::new_with_constructor(Buckets);
        registry.register_with_unit(
            "review_duration",
            "from the last byte of a review to its answer",
            Unit::Seconds,
            durations.clone(),
        );
        let policy_reloads = Family::default();
        registry.register(
            "policy_reloads",
            "policy sets read after start, by result",
            policy_reloads.clone(),
        );
        let policies = Gauge::default();
        registry.register("policies", "policies in force", policies.clone());
        let policies_refused = Gauge::default();
        registry.register(
            "policies_refused",
            "1 while the newest policy set is refused and an older one is in force",
            policies_refused.clone(),
        );
        let certificate_reloads = Family::default();
        registry.register(
            "certificate_reloads",
            "certificates read after start, by result",
            certificate_reloads.clone(),
        );
        let certificate_expiry = Gauge::default();
        registry.register(
            "certificate_expiry_timestamp",
            "when the serving certificate expires, in seconds since 1970",
            certificate_expiry.clone(),
        );
        registry.register_collector(Box::new(Panics));
        registry.register(
            "build",
            "the build of this binary",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        for reloads in [&policy_reloads, &certificate_reloads] {
            // there from the start, so that the first refusal is an increase
            for accepted in [true, false] {
                drop(Family::<ResultLabels, Counter>::get_or_create(reloads, &reload(accepted)));
            }
        }
        Self {
            registry,
            reviews,
            findings,
            approvals,
            look_ups,
            events_dropped,
            events_failed,
            durations,
            policy_reloads,
            policies,
            policies_refused,
            certificate_reloads,
            certificate_expiry,
        }
    }

    /// Shows what a listener sees.
    pub(super) fn follow_connections(&mut self, counters: Arc<Counters>) {
        self.registry.register_collector(Box::new(Connections(counters)));
    }

    /// Tells how many lines the log lost, too.
    pub(super) fn follow_log(&mut self, lost: ErrorCounter) {
        self.registry.register_collector(Box::new(Lines(lost)));
    }

    /// Shows how many keys there are.
    pub(super) fn follow_seal_keys(&mut self, keys: Arc<Followed<SealKeys>>) {
        self.registry.register_collector(Box::new(Keys(keys)));
    }

    /// Shows what happens to certificates that replicas share, which the returned counters are
    /// told.
    pub(super) fn follow_rotations(&mut self) -> Rotations {
        Rotations::register(&mut self.registry)
    }

    /// Counts a verdict and how long it took.
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
        if !subject.dry_run {
            self.approvals.count(&verdict.approvals);
        }
    }

    /// Counts a review that got no verdict.
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

    /// Counts what came of asking for a fact.
    pub(super) fn look_up(&self, what: LookUp, outcome: LookUpOutcome) {
        self.look_ups.count(what, outcome);
    }

    /// Counts an event that was not written.
    pub(super) fn event_dropped(&self) {
        self.events_dropped.inc();
    }

    /// Counts an event that the API server did not take.
    pub(super) fn event_failed(&self) {
        self.events_failed.inc();
    }

    /// Counts a policy set: how many policies are in force now, and whether the newest set was
    /// accepted.
    pub(super) fn policies(&self, in_force: usize, accepted: bool) {
        self.policies.set(i64::try_from(in_force).unwrap_or(i64::MAX));
        self.policies_refused.set(i64::from(!accepted));
    }

    /// Counts a policy set that was read while the server runs.
    pub(super) fn policy_reload(&self, accepted: bool) {
        self.policy_reloads.get_or_create(&reload(accepted)).inc();
    }

    /// Counts a certificate that was read while the server runs.
    pub(super) fn certificate_reload(&self, accepted: bool) {
        self.certificate_reloads.get_or_create(&reload(accepted)).inc();
    }

    /// Takes note of when the serving certificate expires, in seconds since 1970.
    pub(super) fn certificate_expiry(&self, seconds: i64) {
        self.certificate_expiry.set(seconds as f64);
    }

    /// Everything as OpenMetrics text.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry); // writing to memory cannot fail
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Shared by everything that counts.
pub(super) type SharedMetrics = Arc<Metrics>;

fn reload(accepted: bool) -> ResultLabels {
    ResultLabels { result: if accepted { "accepted" } else { "refused" } }
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

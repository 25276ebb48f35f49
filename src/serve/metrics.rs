//! What is counted. Labels never carry names of namespaces, objects or people.

mod approvals;
mod in_force;
mod look_ups;
mod recordings;
mod restored;
mod reviews;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tracing_appender::non_blocking::ErrorCounter;

use crate::judge::rule::LookUp;
use crate::judge::subject::Subject;
use crate::judge::verdict::Verdict;
use crate::review::Path;
use crate::service::log::collector::Lines;
use crate::service::panics::collector::Panics;

use approvals::Approvals;
use in_force::InForce;
use look_ups::CountedLookUps;
pub(super) use look_ups::LookUpOutcome;
use recordings::CountedRecordings;
pub(super) use recordings::RecordingOutcome;
use restored::Restored;
use reviews::CountedReviews;
pub(super) use reviews::Failure;

/// Shared by everything that counts.
pub(super) type SharedMetrics = Arc<Metrics>;

/// Everything that is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    reviews: CountedReviews,
    approvals: Approvals,
    restored: Restored,
    look_ups: CountedLookUps,
    recordings: CountedRecordings,
    in_force: InForce,
    events_dropped: Counter,
    events_failed: Counter,
}

impl Metrics {
    /// Everything at zero.
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("restraint");
        let reviews = CountedReviews::register(&mut registry);
        let approvals = Approvals::register(&mut registry);
        let restored = Restored::register(&mut registry);
        let look_ups = CountedLookUps::register(&mut registry);
        let recordings = CountedRecordings::register(&mut registry);
        let in_force = InForce::register(&mut registry);
        let (events_dropped, events_failed) = (Counter::default(), Counter::default());
        registry.register(
            "events_dropped",
            "events on pods that were not written: too many, or repeated",
            events_dropped.clone(),
        );
        registry.register(
            "events_failed",
            "events on pods that the API server did not take",
            events_failed.clone(),
        );
        registry.register_collector(Box::new(Panics));
        registry.register(
            "build",
            "the build of this binary",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        Self {
            registry,
            reviews,
            approvals,
            restored,
            look_ups,
            recordings,
            in_force,
            events_dropped,
            events_failed,
        }
    }

    /// Where whoever counts for itself registers what it counts.
    pub(super) fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Shows how many lines the log lost.
    pub(super) fn follow_log(&mut self, lost: ErrorCounter) {
        self.registry.register_collector(Box::new(Lines(lost)));
    }

    /// Counts a verdict and how long it took.
    pub(super) fn verdict(
        &self,
        path: Path,
        subject: &Subject<'_>,
        verdict: &Verdict,
        duration: Duration,
    ) {
        self.reviews.verdict(path, subject, verdict, duration);
        if !subject.dry_run {
            self.approvals.count(&verdict.approvals);
            self.restored.count(&subject.requester.username, verdict);
        }
    }

    /// Counts a review that got no verdict.
    pub(super) fn failure(&self, path: Path, failure: Failure) {
        self.reviews.failure(path, failure);
    }

    /// Counts what came of asking for a fact.
    pub(super) fn look_up(&self, what: LookUp, outcome: LookUpOutcome) {
        self.look_ups.count(what, outcome);
    }

    /// Counts what came of a review that was to be recorded.
    pub(super) fn recording(&self, outcome: RecordingOutcome) {
        self.recordings.count(outcome);
    }

    /// Counts an event that was not written.
    pub(super) fn event_dropped(&self) {
        self.events_dropped.inc();
    }

    /// Counts an event that the API server did not take.
    pub(super) fn event_failed(&self) {
        self.events_failed.inc();
    }

    /// Takes note of how many policies are in force, and whether the newest set was accepted.
    pub(super) fn policies(&self, count: usize, accepted: bool) {
        self.in_force.policies(count, accepted);
    }

    /// Counts a policy set that was read while the server runs.
    pub(super) fn policy_reload(&self, accepted: bool) {
        self.in_force.policy_reload(accepted);
    }

    /// Counts a certificate that was read while the server runs.
    pub(super) fn certificate_reload(&self, accepted: bool) {
        self.in_force.certificate_reload(accepted);
    }

    /// Takes note of when the serving certificate expires, in seconds since 1970.
    pub(super) fn certificate_expiry(&self, seconds: i64) {
        self.in_force.certificate_expiry(seconds);
    }

    /// Everything as OpenMetrics text.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry); // writing to memory cannot fail
        text
    }
}

//! What the service counts. Labels carry names of namespaces and pods, and are bounded.

use std::fmt::Error;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tracing_appender::non_blocking::ErrorCounter;

use crate::audit::reports::kept::Kept;
use crate::service::log::collector::Lines;
use crate::service::panics::collector::Panics;

use super::numbers::Numbers;
use super::policy_reports::PolicyReports;

/// What came of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All was read.
    Success,
    /// Something was not.
    Incomplete,
    /// There is no report.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

/// Everything that is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    numbers: Arc<ArcSwap<Numbers>>,
    success: Arc<Mutex<Instant>>,
    runs: Family<ResultLabels, Counter>,
    succeeded: Gauge,
    missing: Gauge,
    duration: Gauge<f64, AtomicU64>,
    last_run: Gauge<f64, AtomicU64>,
    last_success: Gauge<f64, AtomicU64>,
    policy_reports: PolicyReports,
}

impl Metrics {
    /// Nothing was audited yet.
    pub(super) fn new(interval: Duration, lost: ErrorCounter) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("restraint"),
            numbers: Arc::default(),
            success: Arc::new(Mutex::new(Instant::now())),
            runs: Family::default(),
            succeeded: Gauge::default(),
            missing: Gauge::default(),
            duration: Gauge::default(),
            last_run: Gauge::default(),
            last_success: Gauge::default(),
            policy_reports: PolicyReports::default(),
        };
        // all are there from the start, so that the first failure is an increase
        for outcome in [Outcome::Success, Outcome::Incomplete, Outcome::Failed] {
            drop(metrics.runs.get_or_create(&outcome.labels()));
        }
        metrics.register(interval, lost);
        metrics
    }

    fn register(&mut self, interval: Duration, lost: ErrorCounter) {
        let registry = &mut self.registry;
        registry.register("audit_runs", "audits, by result", self.runs.clone());
        registry.register(
            "audit_success",
            "1 if the last audit read all that it has to",
            self.succeeded.clone(),
        );
        registry.register(
            "audit_missing",
            "what the last audit could not read",
            self.missing.clone(),
        );
        registry.register(
            "audit_duration_seconds",
            "how long the last audit took",
            self.duration.clone(),
        );
        registry.register(
            "audit_last_run_timestamp",
            "when the last audit ended, in seconds since 1970",
            self.last_run.clone(),
        );
        registry.register(
            "audit_last_success_timestamp",
            "when the last audit ended that read all, in seconds since 1970; 0 where none did",
            self.last_success.clone(),
        );
        let seconds = Gauge::<f64, AtomicU64>::default();
        seconds.set(interval.as_secs_f64());
        registry.register("audit_interval_seconds", "how often to audit", seconds);
        self.policy_reports.register(registry);
        registry.register(
            "audit_build",
            "the build of this binary",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register_collector(Box::new(Age(Arc::clone(&self.success))));
        registry.register_collector(Box::new(Shown(Arc::clone(&self.numbers))));
        registry.register_collector(Box::new(Panics));
        registry.register_collector(Box::new(Lines(lost)));
    }

    /// Takes note of an audit, and of how much it could not read.
    pub(super) fn run(&self, outcome: Outcome, duration: Duration, missing: usize) {
        let now = Timestamp::now().as_duration().as_secs_f64();
        self.runs.get_or_create(&outcome.labels()).inc();
        self.succeeded.set(i64::from(outcome == Outcome::Success));
        self.duration.set(duration.as_secs_f64());
        self.last_run.set(now);
        if outcome != Outcome::Failed {
            self.missing.set(i64::try_from(missing).unwrap_or(i64::MAX));
        }
        if outcome == Outcome::Success {
            self.last_success.set(now);
            *self.success.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }

    /// From now on these are told.
    pub(super) fn show(&self, numbers: Numbers) {
        self.numbers.store(Arc::new(numbers));
    }

    /// Counts what came of keeping policy reports.
    pub(super) fn kept(&self, kept: &Kept) {
        self.policy_reports.count(kept);
    }

    /// Everything as OpenMetrics text.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry); // writing to memory cannot fail
        text
    }
}

impl Outcome {
    fn labels(self) -> ResultLabels {
        let result = match self {
            Self::Success => "success",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        };
        ResultLabels { result }
    }
}

/// Since when nothing was read whole, by a clock that nobody sets.
#[derive(Debug)]
struct Age(Arc<Mutex<Instant>>);

impl Collector for Age {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = ConstGauge::new(since.elapsed().as_secs_f64());
        let help =
            "how long ago the last audit ended that read all; since the start where none did";
        age.encode(encoder.encode_descriptor("audit_age_seconds", help, None, age.metric_type())?)
    }
}

/// What the report that is shown says.
#[derive(Debug)]
struct Shown(Arc<ArcSwap<Numbers>>);

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let numbers = self.0.load();
        let findings = numbers.findings.iter().map(|((namespace, rule, mode), count)| {
            let labels = [("rule", *rule), ("mode", mode), ("namespace", namespace)];
            (labels, number(*count))
        });
        family(
            &mut encoder,
            "audit_findings",
            "findings by rule, mode and namespace, in the 200 namespaces that have most",
            findings,
        )?;
        let resizes = numbers.resizes.iter().map(|((namespace, pod, reason), age)| {
            ([("namespace", namespace.as_str()), ("pod", pod), ("reason", reason)], *age)
        });
        family(
            &mut encoder,
            "pod_resize_lingering_seconds",
            "for how long a resize is not done, for the 500 pods that wait longest",
            resizes,
        )?;
        let lingering =
            numbers.lingering.iter().map(|(reason, count)| ([("reason", *reason)], number(*count)));
        family(&mut encoder, "pod_resizes_lingering", "resizes that are not done", lingering)?;
        for (name, help, value) in [
            (
                "audit_namespaces_omitted",
                "namespaces with findings that audit_findings leaves out",
                size(numbers.omitted_namespaces),
            ),
            (
                "audit_findings_omitted",
                "findings that audit_findings leaves out",
                number(numbers.omitted_findings),
            ),
            (
                "audit_findings_cluster_scoped",
                "findings of objects in no namespace",
                number(numbers.cluster_scoped),
            ),
            (
                "pod_resizes_omitted",
                "resizes that pod_resize_lingering_seconds leaves out",
                size(numbers.omitted_resizes),
            ),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// A gauge with labels.
fn family<'l, const LABELS: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: impl Iterator<Item = ([(&'static str, &'l str); LABELS], i64)>,
) -> Result<(), Error> {
    let kind = ConstGauge::new(0_i64).metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in series {
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use tracing_appender::non_blocking::NonBlockingBuilder;

    use crate::audit::testing::{finding, report, resize};

    use super::*;

    fn metrics() -> Metrics {
        let (lines, _guard) = NonBlockingBuilder::default().finish(std::io::sink());
        Metrics::new(Duration::from_secs(900), lines.error_counter())
    }

    #[test]
    fn a_report_is_counted_and_a_failure_keeps_it() {
        let metrics = metrics();
        let report = report(
            vec![finding("shop", "Pod", "a", "file-watch")],
            vec![resize("a", "Deferred", Some(90))],
        );
        metrics.run(Outcome::Success, Duration::from_secs(2), 0);
        metrics.show(Numbers::of(&report));
        metrics.run(Outcome::Failed, Duration::from_secs(1), 0);
        let text = metrics.render();
        for line in [
            "restraint_audit_findings{rule=\"file-watch\",mode=\"warn\",namespace=\"shop\"} 1",
            "restraint_pod_resize_lingering_seconds{namespace=\"shop\",pod=\"a\",reason=\"Deferred\"} 90",
            "restraint_pod_resizes_lingering{reason=\"Error\"} 0",
            "restraint_audit_runs_total{result=\"success\"} 1",
            "restraint_audit_runs_total{result=\"incomplete\"} 0",
            "restraint_audit_runs_total{result=\"failed\"} 1",
            "restraint_audit_success 0",
            "restraint_audit_duration_seconds 1.0",
            "restraint_audit_interval_seconds 900.0",
            "restraint_pod_resizes_omitted 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        // one that watches for the webhook must not take this for it
        assert!(!text.contains("restraint_build_info"), "{text}");
    }

    #[test]
    fn the_age_is_of_the_last_whole_audit() {
        let metrics = metrics();
        let age = |metrics: &Metrics| -> f64 {
            let text = metrics.render();
            let line =
                text.lines().find_map(|line| line.strip_prefix("restraint_audit_age_seconds "));
            line.unwrap().parse().unwrap()
        };
        let before = Instant::now().checked_sub(Duration::from_secs(5)).unwrap();
        *metrics.success.lock().unwrap() = before;
        metrics.run(Outcome::Incomplete, Duration::ZERO, 3);
        assert!(age(&metrics) >= 5.0);
        assert!(metrics.render().contains("\nrestraint_audit_missing 3\n"));
        metrics.run(Outcome::Success, Duration::ZERO, 0);
        assert!((0.0..5.0).contains(&age(&metrics)));
    }
}

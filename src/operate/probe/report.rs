//! What probes measured: one schema for every form.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::condition::Breach;
use super::duration::Milliseconds;
use super::failure::Failure;
use super::gap::Gap;
use super::phase::Phase;
use super::series::Series;
use super::tally::{Counts, Tally};

/// The schema of the report.
pub(super) const SCHEMA: &str = "restraint.dev/probes/v1";

/// What probes measured. The names of its fields stay as they are. Times are counted from `started`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProbeReport {
    /// The name and version of this form.
    pub(super) schema: &'static str,
    /// When the first request was due.
    pub(super) started: Timestamp,
    /// When the last was.
    #[serde(rename = "milliseconds")]
    pub(super) length: Milliseconds,
    pub(super) terms: Terms,
    pub(super) probes: Vec<Measured>,
    /// When each phase began.
    pub(super) phases: Vec<PhaseSpan>,
    /// What the command did, and when.
    pub(super) marks: Vec<Mark>,
    /// Conditions that were broken at any time.
    pub(super) broken: Vec<Breach>,
}

/// What was asked for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Terms {
    /// Requests a second, of each probe.
    pub(super) per_second: f64,
    /// How long an answer may take.
    #[serde(rename = "timeoutMilliseconds")]
    pub(super) timeout: Milliseconds,
    /// As it was written.
    pub(super) max_errors: Option<String>,
    #[serde(rename = "maxLatencyMilliseconds")]
    pub(super) max_latency: Option<Milliseconds>,
}

/// When a phase began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhaseSpan {
    pub(super) phase: Phase,
    #[serde(rename = "startMilliseconds")]
    pub(super) start: Milliseconds,
}

/// A step of the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mark {
    #[serde(rename = "milliseconds")]
    pub(super) time: Milliseconds,
    pub(super) label: String,
}

/// What one probe measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Measured {
    /// Where its requests went, without what follows a `?`.
    pub(super) probe: String,
    /// All phases together.
    pub(super) whole: Numbers,
    /// When the longest time without a successful answer began.
    #[serde(rename = "longestGapStartMilliseconds")]
    pub(super) gap_start: Milliseconds,
    pub(super) phases: Vec<PhaseNumbers>,
    /// For the plot.
    #[serde(skip)]
    pub(super) series: Series,
}

/// The numbers of one phase.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhaseNumbers {
    pub(super) phase: Phase,
    #[serde(flatten)]
    pub(super) numbers: Numbers,
}

/// What became of requests. Latencies are of successful answers and of requests that timed out,
/// counted from when they were due; absent where there is none.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Numbers {
    /// Requests that were due: successful ones and errors.
    pub(super) requests: u64,
    /// Those that left.
    pub(super) sent: u64,
    pub(super) ok: u64,
    pub(super) errors: u64,
    pub(super) errors_by_kind: BTreeMap<&'static str, u64>,
    /// Errors of the kind `status`, by their status.
    pub(super) statuses: BTreeMap<u16, u64>,
    /// The same, for people.
    #[serde(skip)]
    pub(super) failures: BTreeMap<Failure, u64>,
    #[serde(rename = "p50Milliseconds")]
    pub(super) p50: Option<Milliseconds>,
    #[serde(rename = "p99Milliseconds")]
    pub(super) p99: Option<Milliseconds>,
    #[serde(rename = "maxMilliseconds")]
    pub(super) max: Option<Milliseconds>,
    /// The longest time without a successful answer; of a phase, what lies within it.
    #[serde(rename = "longestGapMilliseconds")]
    pub(super) gap: Milliseconds,
}

impl ProbeReport {
    /// Whether there was no probe.
    pub(crate) fn is_empty(&self) -> bool {
        self.probes.is_empty()
    }

    /// The conditions that were broken at any time.
    pub(crate) fn broken(&self) -> &[Breach] {
        &self.broken
    }
}

impl Measured {
    /// What `tally` holds of a run with these phases.
    pub(super) fn of(probe: &str, tally: &Tally, phases: &[Phase]) -> Self {
        let Gap { start, length } = tally.gaps().longest();
        let of_phase = |phase: Phase| PhaseNumbers {
            phase,
            numbers: Numbers::of(tally.of(phase), Milliseconds(tally.gaps().of(phase))),
        };
        let entered = Phase::ALL.into_iter().filter(|phase| phases.contains(phase));
        Self {
            probe: probe.to_owned(),
            whole: Numbers::of(&tally.sum(&Phase::ALL), Milliseconds(length)),
            gap_start: Milliseconds(start),
            phases: entered.map(of_phase).collect(),
            series: tally.series().clone(),
        }
    }
}

impl Numbers {
    fn of(counts: &Counts, gap: Milliseconds) -> Self {
        let mut numbers = Self {
            requests: counts.requests(),
            sent: counts.sent(),
            ok: counts.ok,
            errors: counts.failed(),
            failures: counts.errors.clone(),
            p50: counts.latency.percentile(50).map(Milliseconds),
            p99: counts.latency.percentile(99).map(Milliseconds),
            max: counts.latency.max().map(Milliseconds),
            gap,
            ..Self::default()
        };
        for (failure, count) in &counts.errors {
            let of_kind = numbers.errors_by_kind.entry(failure.kind()).or_default();
            *of_kind = of_kind.saturating_add(*count);
            if let Failure::Status(status) = failure {
                numbers.statuses.insert(*status, *count);
            }
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operate::probe::testing::report;

    #[test]
    fn the_report_has_these_fields_in_json() {
        let json = serde_json::to_value(report("service:web:80/")).unwrap();
        let names = |value: &serde_json::Value| {
            let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names.join(" ")
        };
        let fields = "broken marks milliseconds phases probes schema started terms";
        assert_eq!(names(&json), fields);
        assert_eq!(json["schema"], SCHEMA);
        assert_eq!(json["milliseconds"], 60_000.0);
        let terms = json!({
            "perSecond": 10.0,
            "timeoutMilliseconds": 2_000.0,
            "maxErrors": "1%",
            "maxLatencyMilliseconds": 250.0,
        });
        assert_eq!(json["terms"], terms);
        assert_eq!(json["phases"][1], json!({"phase": "during", "startMilliseconds": 10_000.0}));
        let mark = json!({"milliseconds": 10_400.0, "label": "resize is in progress"});
        assert_eq!(json["marks"][1], mark);
        let probe = &json["probes"][0];
        assert_eq!(names(probe), "longestGapStartMilliseconds phases probe whole");
        let during = &probe["phases"][1];
        assert_eq!(during["phase"], "during");
        assert_eq!(during["errorsByKind"], json!({"refused": 60, "status": 2}));
        assert_eq!(during["statuses"], json!({"503": 2}));
        let fields = "errors errorsByKind longestGapMilliseconds maxMilliseconds ok \
            p50Milliseconds p99Milliseconds requests sent statuses";
        assert_eq!(names(&probe["whole"]), fields);
        let breach = json!({
            "probe": "service:web:80/",
            "window": "change",
            "condition": "--max-errors",
            "limit": "1%",
            "found": "62 of 500 requests failed",
        });
        assert_eq!(json["broken"], json!([breach]));
    }
}

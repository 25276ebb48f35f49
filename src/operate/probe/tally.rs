//! What became of the requests of one probe. Times are counted from the start of the run, so that
//! nothing here looks at a clock.

use std::collections::BTreeMap;
use std::time::Duration;

use super::condition::{Conditions, Sample, Window};
use super::failure::Failure;
use super::gap::Gaps;
use super::histogram::Histogram;
use super::phase::{ByPhase, Phase};
use super::series::Series;

/// A request that was due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// When it had to leave.
    pub(super) due: Duration,
    /// The phase in which it left.
    pub(super) phase: Phase,
}

/// What became of the requests of one probe.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    conditions: Conditions,
    phase: Phase,
    counts: ByPhase<Counts>,
    gaps: Gaps,
    series: Series,
}

/// What became of requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) ok: u64,
    pub(super) errors: BTreeMap<Failure, u64>,
    /// From when a request was due to its answer, or until it timed out. What failed at once would
    /// make a service look fast.
    pub(super) latency: Histogram,
    /// How many of these took longer than the condition allows.
    slow: u64,
}

impl Tally {
    pub(super) fn new(conditions: Conditions) -> Self {
        Self { conditions, ..Self::default() }
    }

    /// A request is due now.
    pub(super) fn request(&self, due: Duration) -> Request {
        Request { due, phase: self.phase }
    }

    /// `request` ended.
    pub(super) fn end(&mut self, request: Request, at: Duration, outcome: Result<(), Failure>) {
        let latency = at.saturating_sub(request.due);
        let counts = self.counts.of_mut(request.phase.of_request(self.phase));
        match outcome {
            Ok(()) => {
                counts.ok = counts.ok.saturating_add(1);
                self.gaps.success(at);
            }
            Err(failure) => {
                let count = counts.errors.entry(failure).or_default();
                *count = count.saturating_add(1);
            }
        }
        if matches!(outcome, Ok(()) | Err(Failure::TimedOut)) {
            counts.latency.record(latency);
            let is_slow = self.conditions.max_latency.is_some_and(|limit| latency > limit);
            counts.slow = counts.slow.saturating_add(u64::from(is_slow));
        }
        self.series.record(request.due, latency, outcome);
    }

    /// Another phase begins.
    pub(super) fn switch(&mut self, phase: Phase, at: Duration) {
        self.phase = phase;
        self.gaps.switch(phase, at);
    }

    /// No more requests are sent.
    pub(super) fn close(&mut self, at: Duration) {
        self.gaps.close(at);
    }

    /// The condition that is broken in this part of the run: which, its value, and what was found.
    pub(super) fn broken(&self, goes_on: bool) -> Option<(&'static str, String, String)> {
        let phases: &[Phase] = match self.window() {
            Window::Before => &[Phase::Before],
            Window::Change => &[Phase::During, Phase::After],
        };
        let counts = self.sum(phases);
        let sample = Sample {
            requests: counts.requests(),
            errors: counts.failed(),
            timed: counts.latency.count(),
            slow: counts.slow,
        };
        self.conditions.broken(&sample, goes_on)
    }

    /// The part of the run that the conditions are about now.
    pub(super) fn window(&self) -> Window {
        if self.phase == Phase::Before { Window::Before } else { Window::Change }
    }

    /// Whether any request of this phase has ended.
    pub(super) fn is_measured(&self) -> bool {
        self.of(self.phase).requests() > 0
    }

    /// What became of the requests of `phase`.
    pub(super) fn of(&self, phase: Phase) -> &Counts {
        self.counts.of(phase)
    }

    /// What became of the requests of these phases.
    pub(super) fn sum(&self, phases: &[Phase]) -> Counts {
        let mut sum = Counts::default();
        phases.iter().for_each(|phase| sum.add(self.of(*phase)));
        sum
    }

    pub(super) fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    pub(super) fn series(&self) -> &Series {
        &self.series
    }
}

impl Counts {
    /// Requests that were due, whether they could be sent or not.
    pub(super) fn requests(&self) -> u64 {
        self.ok.saturating_add(self.failed())
    }

    /// Requests that left.
    pub(super) fn sent(&self) -> u64 {
        let kept = self.errors.get(&Failure::NotSent).copied().unwrap_or_default();
        self.requests().saturating_sub(kept)
    }

    /// Requests that are errors.
    pub(super) fn failed(&self) -> u64 {
        self.errors.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn add(&mut self, other: &Self) {
        self.ok = self.ok.saturating_add(other.ok);
        for (failure, more) in &other.errors {
            let count = self.errors.entry(*failure).or_default();
            *count = count.saturating_add(*more);
        }
        self.latency.add(&other.latency);
        self.slow = self.slow.saturating_add(other.slow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn tally(max_errors: &str) -> Tally {
        let max_latency = Some(at(200));
        Tally::new(Conditions { max_errors: max_errors.parse().ok(), max_latency })
    }

    #[test]
    fn latency_counts_from_when_a_request_was_due() {
        let mut tally = tally("");
        // the sender was stopped for a second: the request left late, and answered at once
        let request = tally.request(at(1_000));
        tally.end(request, at(2_001), Ok(()));
        assert_eq!(tally.of(Phase::Before).latency.max(), Some(at(1_001)));
    }

    #[test]
    fn what_fails_at_once_does_not_make_a_service_fast() {
        let mut tally = tally("");
        for (due, took, outcome) in [
            (0, 100, Ok(())),
            (100, 1, Err(Failure::Refused)),
            (200, 1, Err(Failure::Status(503))),
            (300, 2_000, Err(Failure::TimedOut)),
            (400, 0, Err(Failure::NotSent)),
        ] {
            let request = tally.request(at(due));
            tally.end(request, at(due + took), outcome);
        }
        let counts = tally.of(Phase::Before);
        assert_eq!((counts.requests(), counts.sent(), counts.ok, counts.failed()), (5, 4, 1, 4));
        assert_eq!((counts.latency.count(), counts.latency.max()), (2, Some(at(2_000))));
        assert_eq!(counts.slow, 1, "a timeout is slow");
    }

    #[test]
    fn errors_before_the_change_are_not_blamed_on_it() {
        let mut tally = tally("1");
        for due in [0, 100] {
            let request = tally.request(at(due));
            tally.end(request, at(due + 1), Err(Failure::Refused));
        }
        assert_eq!(tally.window(), Window::Before);
        let (condition, limit, found) = tally.broken(true).unwrap();
        assert_eq!((condition, &*limit, &*found), ("--max-errors", "1", "2 of 2 requests failed"));
        let under_way = tally.request(at(200));
        tally.switch(Phase::During, at(210));
        assert_eq!((tally.window(), tally.broken(true)), (Window::Change, None));
        tally.end(under_way, at(220), Err(Failure::Reset));
        assert_eq!(tally.broken(true), None, "one is allowed");
        tally.switch(Phase::After, at(230));
        let request = tally.request(at(300));
        tally.end(request, at(301), Err(Failure::Reset));
        assert!(tally.broken(true).is_some(), "what fails after the change is of the change, too");
        let failed = Phase::ALL.map(|phase| tally.of(phase).failed());
        assert_eq!(failed, [2, 1, 1]);
    }
}

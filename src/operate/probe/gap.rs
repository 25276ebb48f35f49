//! The longest time without a successful answer.

use std::time::Duration;

use super::phase::{ByPhase, Phase};

/// A time without a successful answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gap {
    /// When it began, counted from the start of the run.
    pub(super) start: Duration,
    /// How long it was.
    pub(super) length: Duration,
}

/// The longest gaps: of the whole run, and of each phase what lay within it.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    longest: Gap,
    by_phase: ByPhase<Duration>,
    phase: Phase,
    phase_start: Duration,
    /// The last success, or the start.
    last: Duration,
    is_closed: bool,
}

impl Gaps {
    /// An answer came.
    pub(super) fn success(&mut self, at: Duration) {
        if !self.is_closed {
            self.measure(at);
            self.last = self.last.max(at);
        }
    }

    /// Another phase begins.
    pub(super) fn switch(&mut self, phase: Phase, at: Duration) {
        self.measure(at);
        (self.phase, self.phase_start) = (phase, at);
    }

    /// The run is over: what comes late is no longer missed.
    pub(super) fn close(&mut self, at: Duration) {
        self.measure(at);
        self.is_closed = true;
    }

    pub(super) fn longest(&self) -> Gap {
        self.longest
    }

    /// The longest part of a gap within `phase`.
    pub(super) fn of(&self, phase: Phase) -> Duration {
        *self.by_phase.of(phase)
    }

    fn measure(&mut self, at: Duration) {
        let gap = Gap { start: self.last, length: at.saturating_sub(self.last) };
        if gap.length > self.longest.length {
            self.longest = gap;
        }
        let within = at.saturating_sub(self.last.max(self.phase_start));
        let longest = self.by_phase.of_mut(self.phase);
        *longest = within.max(*longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_gap_over_a_boundary_is_whole_in_the_run_and_in_parts_in_the_phases() {
        let mut gaps = Gaps::default();
        gaps.success(at(100));
        gaps.success(at(200));
        gaps.switch(Phase::During, at(500));
        gaps.success(at(1_200));
        gaps.success(at(1_300));
        gaps.switch(Phase::After, at(1_400));
        gaps.close(at(1_600));
        assert_eq!(gaps.longest(), Gap { start: at(200), length: at(1_000) });
        let by_phase = Phase::ALL.map(|phase| gaps.of(phase));
        assert_eq!(by_phase, [at(300), at(700), at(200)]);
    }

    #[test]
    fn where_nothing_answers_the_gap_is_the_run() {
        let mut gaps = Gaps::default();
        gaps.switch(Phase::During, at(1_000));
        gaps.close(at(3_000));
        assert_eq!(gaps.longest(), Gap { start: at(0), length: at(3_000) });
        assert_eq!(gaps.of(Phase::During), at(2_000));
        gaps.success(at(9_000));
        assert_eq!(gaps.longest().length, at(3_000), "it came after the end");
    }
}

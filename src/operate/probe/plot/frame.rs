//! Where times and latencies are in a drawing.

use std::time::Duration;

use crate::operate::probe::report::{Measured, ProbeReport};

/// How wide a drawing is.
pub(super) const WIDTH: f64 = 960.0;

/// Where the plot begins.
pub(super) const LEFT: f64 = 60.0;

/// Where it ends.
pub(super) const RIGHT: f64 = 935.0;

/// How high the plot is.
const HEIGHT: f64 = 190.0;

/// Lines across a plot, in microseconds.
const DECADES: [u64; 9] =
    [10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// From one written time to the next, in seconds.
const STEPS: [u64; 16] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400];

/// The most written times.
const MOST_TIMES: u64 = 12;

/// The place of one plot in a drawing, and what it spans.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) top: f64,
    length: Duration,
    /// The lowest line and the highest.
    low: Duration,
    high: Duration,
}

/// Where a time is in a run of this length.
pub(super) fn x(time: Duration, length: Duration) -> f64 {
    let share = time.as_secs_f64() / length.as_secs_f64().max(0.001);
    LEFT + (RIGHT - LEFT) * share.clamp(0.0, 1.0)
}

impl Frame {
    /// A frame for all that `measured` has, with its upper edge at `top`.
    pub(super) fn of(measured: &Measured, report: &ProbeReport, top: f64) -> Self {
        let points = || measured.series.points().map(|(_, point)| point);
        let limit = report.terms.max_latency.map(|limit| limit.0);
        let least = points().filter_map(|point| point.mean()).chain(limit).min();
        let most = points().filter(|point| point.answers > 0).map(|point| point.slowest);
        let most = most.chain(limit).max();
        let (least, most) =
            (least.unwrap_or(Duration::from_millis(1)), most.unwrap_or(Duration::from_secs(1)));
        let mut decades = DECADES.map(Duration::from_micros).into_iter();
        let low = decades.clone().rfind(|line| *line <= least);
        let low = low.unwrap_or(Duration::from_micros(10));
        let high = decades.find(|line| *line >= most && *line > low);
        let high = high.unwrap_or(Duration::from_secs(1_000));
        Self { top, length: report.length.0, low, high }
    }

    pub(super) fn height(&self) -> f64 {
        HEIGHT
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + HEIGHT
    }

    /// Where the lane of errors begins.
    pub(super) fn lane(&self) -> f64 {
        self.bottom() + 7.0
    }

    pub(super) fn x(&self, time: Duration) -> f64 {
        x(time, self.length)
    }

    /// How wide a span of time is.
    pub(super) fn wide(&self, span: Duration) -> f64 {
        self.x(span) - LEFT
    }

    /// Where a latency is; each power of ten takes the same room.
    pub(super) fn y(&self, latency: Duration) -> f64 {
        let power = |time: Duration| time.as_secs_f64().max(1e-9).log10();
        let (low, high) = (power(self.low), power(self.high));
        let share = (power(latency) - low) / (high - low);
        self.bottom() - HEIGHT * share.clamp(0.0, 1.0)
    }

    /// The latencies that have a line.
    pub(super) fn decades(self) -> impl Iterator<Item = Duration> {
        let within = move |line: &Duration| (self.low..=self.high).contains(line);
        DECADES.map(Duration::from_micros).into_iter().filter(within)
    }

    /// The times that are written below the plot.
    pub(super) fn times(self) -> impl Iterator<Item = (Duration, String)> {
        let length = self.length.as_secs();
        let fits = |step: &u64| length.checked_div(*step).is_some_and(|count| count <= MOST_TIMES);
        let step = STEPS.into_iter().find(fits).unwrap_or(86_400);
        let places = 0..=length.checked_div(step).unwrap_or_default().min(MOST_TIMES);
        places.map(move |place| {
            let time = place.saturating_mul(step);
            let label = if step < 60 { format!("{time} s") } else { format!("{} min", time / 60) };
            (Duration::from_secs(time), label)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: u64) -> Frame {
        let (low, high) = (Duration::from_millis(1), Duration::from_secs(1));
        Frame { top: 10.0, length: Duration::from_secs(length), low, high }
    }

    #[test]
    fn everything_stays_within_the_frame() {
        let frame = frame(10);
        for (seconds, place) in [(0, LEFT), (10, RIGHT), (99, RIGHT)] {
            assert!((frame.x(Duration::from_secs(seconds)) - place).abs() < 1e-6);
        }
        for (micros, place) in [
            (0, frame.bottom()),
            (1, frame.bottom()),
            (1_000, frame.bottom()),
            (31_623, frame.top + HEIGHT / 2.0),
            (1_000_000, frame.top),
            (90_000_000, frame.top),
        ] {
            let y = frame.y(Duration::from_micros(micros));
            assert!((y - place).abs() < 0.01, "{micros}: {y}");
        }
        assert!(x(Duration::from_secs(1), Duration::ZERO) <= RIGHT, "a run of no length");
    }

    #[test]
    fn few_times_are_written_however_long_it_takes() {
        for length in [0, 1, 12, 13, 60, 700, 3_600, 86_400, 10_000_000] {
            let count = frame(length).times().count();
            assert!((1..=13).contains(&count), "{length}: {count}");
        }
        let labels: Vec<_> = frame(130).times().map(|(_, label)| label).collect();
        assert_eq!(labels.first().map(String::as_str), Some("0 s"));
        assert_eq!(frame(1_300).times().nth(2).unwrap().1, "4 min");
    }

    #[test]
    fn lines_are_powers_of_ten() {
        let lines: Vec<_> = frame(1).decades().map(|line| line.as_millis()).collect();
        assert_eq!(lines, [1, 10, 100, 1_000]);
    }
}

//! Latency over time, for a plot: as many points as a plot shows, however long it takes.

use std::time::Duration;

use super::failure::Failure;

/// The most points.
const MOST: usize = 480;

/// How much time a point is at first.
const FINEST: Duration = Duration::from_millis(100);

/// What happened in equal spans of time.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// How much time a point is.
    width: Duration,
    points: Vec<Point>,
}

/// What became of the requests of a span of time, by when they were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) answers: u32,
    pub(super) errors: u32,
    /// The slowest answer.
    pub(super) slowest: Duration,
    total: Duration,
}

impl Default for Series {
    fn default() -> Self {
        Self { width: FINEST, points: Vec::new() }
    }
}

impl Series {
    /// A request that was due at `due` ended after `latency`.
    pub(super) fn record(
        &mut self,
        due: Duration,
        latency: Duration,
        outcome: Result<(), Failure>,
    ) {
        let mut place = self.place(due);
        while place >= MOST {
            self.widen();
            place = self.place(due);
        }
        if self.points.len() <= place {
            self.points.resize(place.saturating_add(1), Point::default());
        }
        let answered = outcome.is_ok();
        let one = Point {
            answers: u32::from(answered),
            errors: u32::from(!answered),
            slowest: if answered { latency } else { Duration::ZERO },
            total: if answered { latency } else { Duration::ZERO },
        };
        if let Some(point) = self.points.get_mut(place) {
            *point = point.and(one);
        }
    }

    /// The points, with the middle of each one's span.
    pub(super) fn points(&self) -> impl Iterator<Item = (Duration, &Point)> {
        let mut start = Duration::ZERO;
        self.points.iter().map(move |point| {
            let middle = start.saturating_add(self.half());
            start = start.saturating_add(self.width);
            (middle, point)
        })
    }

    /// From the start of a point to its middle.
    pub(super) fn half(&self) -> Duration {
        self.width.checked_div(2).unwrap_or_default()
    }

    /// How much time a point is.
    pub(super) fn width(&self) -> Duration {
        self.width
    }

    fn place(&self, due: Duration) -> usize {
        let width = self.width.as_nanos().max(1);
        usize::try_from(due.as_nanos().checked_div(width).unwrap_or_default()).unwrap_or(usize::MAX)
    }

    /// Makes one point of two.
    fn widen(&mut self) {
        self.width = self.width.saturating_mul(2);
        let pairs = self.points.chunks(2);
        self.points = pairs
            .map(|pair| pair.iter().fold(Point::default(), |sum, point| sum.and(*point)))
            .collect();
    }
}

impl Point {
    /// The mean of the answers, if there was any.
    pub(super) fn mean(&self) -> Option<Duration> {
        self.total.checked_div(self.answers)
    }

    fn and(self, other: Self) -> Self {
        Self {
            answers: self.answers.saturating_add(other.answers),
            errors: self.errors.saturating_add(other.errors),
            slowest: self.slowest.max(other.slowest),
            total: self.total.saturating_add(other.total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_has_no_more_points_than_a_short_one() {
        let mut series = Series::default();
        for second in 0..10_000 {
            let outcome = if second % 10 == 0 { Err(Failure::Refused) } else { Ok(()) };
            series.record(Duration::from_secs(second), Duration::from_millis(second), outcome);
        }
        let points: Vec<_> = series.points().collect();
        assert!(points.len() <= MOST, "{}", points.len());
        assert_eq!(points.iter().map(|(_, point)| point.answers).sum::<u32>(), 9_000);
        assert_eq!(points.iter().map(|(_, point)| point.errors).sum::<u32>(), 1_000);
        let slowest = points.iter().map(|(_, point)| point.slowest).max();
        assert_eq!(slowest, Some(Duration::from_millis(9_999)));
        let (middle, _) = points.last().unwrap();
        assert!((9_900..10_100).contains(&middle.as_secs()), "{middle:?}");
    }

    #[test]
    fn points_are_the_time_when_requests_were_due() {
        let mut series = Series::default();
        let due = |due, latency| (Duration::from_millis(due), Duration::from_millis(latency));
        for (due, latency) in [due(0, 900), due(50, 100), due(250, 3)] {
            series.record(due, latency, Ok(()));
        }
        series.record(Duration::from_millis(260), Duration::ZERO, Err(Failure::Reset));
        let points: Vec<_> = series.points().map(|(_, point)| *point).collect();
        let shown = points.iter().map(|point| (point.answers, point.errors, point.slowest));
        let at = Duration::from_millis;
        assert_eq!(shown.collect::<Vec<_>>(), [(2, 0, at(900)), (0, 0, at(0)), (1, 1, at(3))]);
        assert_eq!(points[0].mean(), Some(at(500)));
        assert_eq!(points[1].mean(), None);
    }
}

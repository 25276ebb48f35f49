//! How long answers took, in memory that does not grow: counts in buckets that are finer for short
//! times than for long ones.

use std::time::Duration;

/// Buckets to each power of two, as a power of two: a time is at most 1/64 above what is told of it.
const BITS: u32 = 6;

/// How many that is.
const STEPS: u64 = 1 << BITS;

/// The longest time that is told from longer ones: 2^36 microseconds, 19 hours.
const LONGEST: u64 = (1 << 36) - 1;

/// Times, to the microsecond below 64 of them and to 1/64 above.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    /// As many as the longest time needs.
    buckets: Vec<u64>,
    count: u64,
    longest: u64,
}

impl Histogram {
    pub(super) fn record(&mut self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(LONGEST).min(LONGEST);
        let bucket = bucket(time);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket.saturating_add(1), 0);
        }
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
        self.longest = self.longest.max(time);
    }

    /// Adds what `other` counted.
    pub(super) fn add(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine = mine.saturating_add(*theirs);
        }
        self.count = self.count.saturating_add(other.count);
        self.longest = self.longest.max(other.longest);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The longest time, if there is any.
    pub(super) fn max(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_micros(self.longest))
    }

    /// The shortest time that `percent` of all times are no longer than: never less than it is, and
    /// at most 1/64 more.
    pub(super) fn percentile(&self, percent: u64) -> Option<Duration> {
        let rank = self.count.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0_u64;
        let found = self.buckets.iter().position(|count| {
            seen = seen.saturating_add(*count);
            seen >= rank
        })?;
        Some(Duration::from_micros(upper_end(found).min(self.longest)))
    }
}

/// The bucket of `time`: one for each time below [`STEPS`], and [`STEPS`] for each power of two
/// above.
fn bucket(time: u64) -> usize {
    let octave = u64::from(time.checked_ilog2().unwrap_or_default().saturating_sub(BITS));
    let within = time.wrapping_shr(u32::try_from(octave).unwrap_or(u32::MAX));
    usize::try_from(octave.saturating_mul(STEPS).saturating_add(within)).unwrap_or(usize::MAX)
}

/// The longest time in `bucket`.
fn upper_end(bucket: usize) -> u64 {
    let bucket = u64::try_from(bucket).unwrap_or(u64::MAX);
    let octave = (bucket / STEPS).saturating_sub(1);
    let within = bucket.saturating_sub(octave.saturating_mul(STEPS));
    let shift = u32::try_from(octave).unwrap_or(u32::MAX);
    within.saturating_add(1).wrapping_shl(shift).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        times.into_iter().for_each(|time| histogram.record(Duration::from_micros(time)));
        histogram
    }

    fn micros(time: Option<Duration>) -> u128 {
        time.unwrap().as_micros()
    }

    #[test]
    fn every_time_is_in_a_bucket_that_ends_at_most_a_64th_above() {
        let mut last = None;
        for time in (0..70_000).chain([LONGEST - 1, LONGEST]) {
            let end = upper_end(bucket(time));
            assert!(end >= time && end - time <= time / STEPS, "{time}: {end}");
            assert!(last.is_none_or(|last| bucket(time) >= last), "{time}");
            last = Some(bucket(time));
        }
        assert_eq!(upper_end(bucket(LONGEST)), LONGEST);
        assert!(bucket(LONGEST) < 2048, "memory is bounded: {}", bucket(LONGEST));
    }

    #[test]
    fn percentiles_of_known_times() {
        let small = of(1..=60);
        assert_eq!(micros(small.percentile(50)), 30);
        assert_eq!(micros(small.percentile(99)), 60);
        let many = of((1..=1000).map(|time| time * 1000));
        let within = |found: u128, exact: u128| found >= exact && found <= exact + exact / 64;
        assert!(within(micros(many.percentile(50)), 500_000), "{:?}", many.percentile(50));
        assert!(within(micros(many.percentile(99)), 990_000), "{:?}", many.percentile(99));
        assert_eq!(micros(many.max()), 1_000_000);
        assert_eq!(micros(many.percentile(100)), 1_000_000);
    }

    #[test]
    fn one_slow_answer_of_a_hundred_is_no_p99_and_two_are() {
        let with = |slow: usize| of((0..100).map(|n| if n < slow { 1_000_000 } else { 10 }));
        assert_eq!(micros(with(1).percentile(99)), 10);
        assert_eq!(micros(with(2).percentile(99)), 1_000_000);
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!((of([]).percentile(50), of([]).max()), (None, None));
        assert_eq!(micros(of([0]).percentile(50)), 0);
    }

    #[test]
    fn two_become_one() {
        let mut all = of([1, 2]);
        all.add(&of([1000, 50]));
        assert_eq!((all.count(), micros(all.max()), micros(all.percentile(50))), (4, 1000, 2));
    }
}

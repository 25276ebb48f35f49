//! Durations of requests, as they are read and shown.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::operate::limits;

/// A duration that programs get in milliseconds, to the microsecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Milliseconds(pub(crate) Duration);

impl Serialize for Milliseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(milliseconds(self.0))
    }
}

/// Reads a duration such as `250ms`, `2s` or `1m`; at least a millisecond, at most an hour.
///
/// # Errors
///
/// Where it is none of these.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = limits::duration(text)?;
    let range = Duration::from_millis(1)..=Duration::from_secs(3600);
    let is_within = range.contains(&duration);
    is_within.then_some(duration).ok_or_else(|| "expected a duration from 1ms to 1h".to_owned())
}

/// A duration for people: three digits are enough.
pub(super) fn shown(duration: Duration) -> String {
    let milliseconds = milliseconds(duration);
    let (value, unit) =
        if milliseconds < 999.5 { (milliseconds, "ms") } else { (milliseconds / 1000.0, "s") };
    let digits = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    let value = format!("{value:.digits$}");
    let value = if value.contains('.') {
        value.trim_end_matches('0').trim_end_matches('.')
    } else {
        &value
    };
    format!("{value} {unit}")
}

fn milliseconds(duration: Duration) -> f64 {
    let rounded = (duration.as_secs_f64() * 1_000_000.0).round();
    rounded / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_a_sensible_size() {
        for (text, milliseconds) in [("1ms", 1), ("250ms", 250), ("1.5s", 1500), ("1m 2s", 62_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "2", "0s", "-1s", "10us", "2h", "fast", "1d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn three_digits_are_shown() {
        for (micros, text) in [
            (0, "0 ms"),
            (300, "0.3 ms"),
            (1_234, "1.23 ms"),
            (12_345, "12.3 ms"),
            (200_000, "200 ms"),
            (999_400, "999 ms"),
            (999_600, "1 s"),
            (12_340_000, "12.3 s"),
            (120_000_000, "120 s"),
        ] {
            assert_eq!(shown(Duration::from_micros(micros)), text);
        }
    }
}

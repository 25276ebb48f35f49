//! What a change must not do to requests: conditions, and whether one is broken.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

use super::duration::shown;

/// A whole, in millionths.
const WHOLE: u64 = 1_000_000;

/// The share of answers that may be slower than a p99: one of this many.
const P99: u64 = 100;

/// How many requests may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxErrors {
    /// So many.
    Count(u64),
    /// So many millionths of all.
    Share(u64),
}

/// Text that says no number of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of requests such as 5, or a share of them such as 1% or 0.5%")]
pub(crate) struct MaxErrorsError;

/// What must not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    pub(crate) max_errors: Option<MaxErrors>,
    /// What 99 of 100 answers must not exceed.
    pub(crate) max_latency: Option<Duration>,
}

/// What the conditions are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) requests: u64,
    pub(super) errors: u64,
    /// Requests whose latency counts.
    pub(super) timed: u64,
    /// Those of them that took longer than the condition allows.
    pub(super) slow: u64,
}

/// The part of a run that a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Window {
    /// Before the first change.
    Before,
    /// From the first change to the end.
    Change,
}

/// A condition that is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Breach {
    /// The probe.
    pub(crate) probe: String,
    /// When: before the first change, or from there on.
    pub(crate) window: Window,
    /// The flag: `--max-errors` or `--max-latency`.
    pub(crate) condition: &'static str,
    /// Its value.
    pub(crate) limit: String,
    /// What was found.
    pub(crate) found: String,
}

impl Conditions {
    /// The first condition that is broken, with what was found. Where the run goes on, no share is
    /// broken by a single request, however few there were until then.
    pub(super) fn broken(
        &self,
        sample: &Sample,
        goes_on: bool,
    ) -> Option<(&'static str, String, String)> {
        let Sample { requests, errors, timed, slow } = *sample;
        if let Some(limit) = self.max_errors.filter(|limit| limit.is_broken(sample, goes_on)) {
            let found = format!("{errors} of {requests} requests failed");
            return Some(("--max-errors", limit.to_string(), found));
        }
        let base = if goes_on { timed.max(P99) } else { timed };
        let limit = self.max_latency.filter(|_| slow.saturating_mul(P99) > base)?;
        let limit = shown(limit);
        let found = format!("{slow} of {timed} answers took longer than {limit}");
        Some(("--max-latency", limit, found))
    }
}

impl MaxErrors {
    fn is_broken(self, sample: &Sample, goes_on: bool) -> bool {
        match self {
            Self::Count(most) => sample.errors > most,
            Self::Share(share) => {
                let one = if goes_on { WHOLE.div_ceil(share.max(1)) } else { 1 };
                let base = if share == 0 { 1 } else { sample.requests.max(one) };
                sample.errors.saturating_mul(WHOLE) > base.saturating_mul(share)
            }
        }
    }
}

impl FromStr for MaxErrors {
    type Err = MaxErrorsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let Some(share) = text.strip_suffix('%') else {
            return is_number(text)
                .then(|| text.parse().ok())
                .flatten()
                .map(Self::Count)
                .ok_or(MaxErrorsError);
        };
        let (whole, part) = share.split_once('.').unwrap_or((share, "0"));
        if !is_number(whole) || !is_number(part) || part.len() > 4 {
            return Err(MaxErrorsError);
        }
        let share: u64 = format!("{whole}{part:0<4}").parse().map_err(|_| MaxErrorsError)?;
        if share > WHOLE { Err(MaxErrorsError) } else { Ok(Self::Share(share)) }
    }
}

impl fmt::Display for MaxErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(most) => write!(formatter, "{most}"),
            Self::Share(share) => {
                let (whole, part) = (share / 10_000, format!("{:04}", share % 10_000));
                match part.trim_end_matches('0') {
                    "" => write!(formatter, "{whole}%"),
                    part => write!(formatter, "{whole}.{part}%"),
                }
            }
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { probe, window, condition, limit, found } = self;
        let when = match window {
            Window::Before => ", before any change",
            Window::Change => "",
        };
        write!(formatter, "probe {probe:?}: {found}{when} ({condition} {limit})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str, errors: u64, requests: u64, goes_on: bool) -> bool {
        let conditions = Conditions { max_errors: text.parse().ok(), max_latency: None };
        assert!(conditions.max_errors.is_some(), "{text}");
        let sample = Sample { requests, errors, ..Sample::default() };
        conditions.broken(&sample, goes_on).is_some()
    }

    #[test]
    fn a_number_of_errors_is_exact_at_any_time() {
        for goes_on in [true, false] {
            assert!(!errors("0", 0, 10, goes_on) && errors("0", 1, 10, goes_on));
            assert!(!errors("5", 5, 5, goes_on) && errors("5", 6, 10_000, goes_on));
        }
    }

    #[test]
    fn a_share_is_of_all_at_the_end_and_never_broken_by_one_request_before() {
        assert!(!errors("1%", 1, 1, true) && errors("1%", 2, 2, true));
        assert!(!errors("1%", 2, 200, true) && errors("1%", 3, 200, true));
        assert!(!errors("0.1%", 1, 20, true) && errors("0.1%", 2, 1999, true));
        assert!(!errors("100%", 50, 50, true) && !errors("100%", 50, 50, false));
        assert!(errors("1%", 1, 99, false) && !errors("1%", 1, 100, false));
        assert!(errors("0%", 1, 1_000_000, true) && errors("0%", 1, 1, false));
        assert!(!errors("0%", 0, 0, false) && !errors("1%", 0, 0, false));
    }

    #[test]
    fn a_p99_is_broken_where_more_than_one_of_a_hundred_was_slower() {
        let slow = |slow, timed, goes_on| {
            let limit = Some(Duration::from_millis(200));
            let conditions = Conditions { max_errors: None, max_latency: limit };
            conditions.broken(&Sample { timed, slow, ..Sample::default() }, goes_on)
        };
        assert!(slow(1, 1, true).is_none() && slow(1, 1, false).is_some());
        assert!(slow(1, 100, false).is_none() && slow(2, 100, false).is_some());
        assert!(slow(0, 0, false).is_none());
        let (condition, limit, found) = slow(2, 20, true).unwrap();
        assert_eq!((condition, &*limit), ("--max-latency", "200 ms"));
        assert_eq!(found, "2 of 20 answers took longer than 200 ms");
    }

    #[test]
    fn limits_are_written_as_they_are_read() {
        for text in ["0", "12", "1%", "0.5%", "100%", "0.0001%", "0%"] {
            assert_eq!(text.parse::<MaxErrors>().unwrap().to_string(), text);
        }
        assert_eq!("01.50%".parse(), Ok(MaxErrors::Share(15_000)));
        for text in [
            "",
            "%",
            "-1",
            "+1",
            "1.5",
            "101%",
            "1 %",
            "1.%",
            ".5%",
            "1.00001%",
            "x",
            "1e3",
            "99999999999999999999",
            "99999999999999999999%",
        ] {
            assert_eq!(text.parse::<MaxErrors>(), Err(MaxErrorsError), "{text}");
        }
    }

    #[test]
    fn a_breach_says_what_when_and_how_much_is_allowed() {
        let breach = Breach {
            probe: "http://web/".to_owned(),
            window: Window::Before,
            condition: "--max-errors",
            limit: "1%".to_owned(),
            found: "3 of 120 requests failed".to_owned(),
        };
        let said =
            "probe \"http://web/\": 3 of 120 requests failed, before any change (--max-errors 1%)";
        assert_eq!(breach.to_string(), said);
    }
}

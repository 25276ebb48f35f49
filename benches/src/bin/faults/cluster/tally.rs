//! What became of the requests.

use std::fmt::{self, Display};
use std::time::Duration;

use crate::outcome::percentiles;

/// The answer to a request, beside the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// As it should be.
    Right,
    /// What has to pass was refused.
    WronglyRefused(String),
    /// What nobody approved passed.
    WronglyAdmitted(String),
    /// As the API server answers where no replica does: a pod without a fix, or a decrease that is
    /// refused without a reason of Restraint's.
    NotJudged(String),
}

/// Answers, counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    right: usize,
    pub(super) wrongly_refused: usize,
    pub(super) wrongly_admitted: usize,
    pub(super) not_judged: usize,
    /// The first few of what was not right.
    pub(super) errors: Vec<String>,
    /// In microseconds.
    latencies: Vec<u32>,
}

impl Tally {
    pub(super) fn take(&mut self, answer: Answer, took: Duration) {
        self.latencies.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        let (count, error) = match answer {
            Answer::Right => return self.right += 1,
            Answer::WronglyRefused(error) => (&mut self.wrongly_refused, error),
            Answer::WronglyAdmitted(error) => (&mut self.wrongly_admitted, error),
            Answer::NotJudged(error) => (&mut self.not_judged, error),
        };
        *count += 1;
        if self.errors.len() < 5 && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    pub(super) fn latency(&mut self) -> String {
        percentiles(&mut self.latencies)
    }
}

impl Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} requests: {} wrongly refused, {} wrongly admitted, {} not judged",
            self.latencies.len(),
            self.wrongly_refused,
            self.wrongly_admitted,
            self.not_judged
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_right_is_counted_and_told_once() {
        let mut tally = Tally::default();
        let answers = [
            Answer::Right,
            Answer::WronglyRefused("no".to_owned()),
            Answer::WronglyRefused("no".to_owned()),
            Answer::NotJudged("none".to_owned()),
        ];
        for answer in answers {
            tally.take(answer, Duration::from_millis(3));
        }
        assert_eq!(
            tally.to_string(),
            "4 requests: 2 wrongly refused, 0 wrongly admitted, 1 not judged"
        );
        assert_eq!(tally.errors, ["no", "none"]);
    }
}

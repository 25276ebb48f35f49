//! What the doctor says.

use serde_json::Value;

use crate::kubectl::Outcome;

/// The observations of one examination.
pub(super) struct Report(Vec<Value>);

/// A check, a severity, and parts of the object and of the message of an observation.
pub(super) type Said<'w> = (&'w str, &'w str, &'w str, &'w str);

impl Report {
    /// What `--format json` printed.
    #[track_caller]
    pub(super) fn of(outcome: &Outcome) -> Self {
        Self(outcome.object().as_array().unwrap().clone())
    }

    /// That each of these was said.
    #[track_caller]
    pub(super) fn assert_says(&self, wanted: &[Said<'_>]) {
        for &(check, severity, object, message) in wanted {
            let contains = |entry: &Value, field: &str, part: &str| {
                entry[field].as_str().unwrap().contains(part)
            };
            let is_it = |entry: &&Value| {
                entry["severity"] == severity
                    && contains(entry, "object", object)
                    && contains(entry, "message", message)
            };
            assert!(
                self.by(check).any(|entry| is_it(&entry)),
                "no {severity} of {check} about {object} with {message:?}: {:#?}",
                self.by(check).collect::<Vec<_>>()
            );
        }
    }

    /// What one check said.
    pub(super) fn by(&self, check: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |entry| entry["check"] == check)
    }

    /// What one check said that has to be corrected.
    pub(super) fn found(&self, check: &str) -> Vec<&Value> {
        let is_found =
            |entry: &&Value| entry["severity"] == "problem" || entry["severity"] == "warning";
        self.by(check).filter(is_found).collect()
    }

    /// What is wrong, whatever it is about.
    pub(super) fn problems(&self) -> Vec<&Value> {
        self.0.iter().filter(|entry| entry["severity"] == "problem").collect()
    }

    /// What could not be seen.
    pub(super) fn unseen(&self) -> Vec<&Value> {
        self.0.iter().filter(|entry| entry["severity"] == "unknown").collect()
    }
}

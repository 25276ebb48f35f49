//! What was approved, for people and for programs.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::approval::{Floors, Stamp};
use crate::terminal::plain;

/// What a stamp says was approved. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ApprovalDetails {
    pub(super) memory: Floors,
    pub(super) approver: String,
    pub(super) granted: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) force: bool,
    /// Whether it ends when the pod gets a node.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) unscheduled: bool,
    pub(super) reason: Option<String>,
}

impl From<Stamp> for ApprovalDetails {
    fn from(stamp: Stamp) -> Self {
        let Stamp { memory, approver, granted, expires, force, unscheduled, reason, .. } = stamp;
        Self { memory, approver, granted, expires, force, unscheduled, reason }
    }
}

impl ApprovalDetails {
    /// How far memory may fall.
    pub(super) fn memory(&self) -> String {
        let forced = if self.force { ", forced" } else { "" };
        self.memory.words() + forced
    }
}

impl fmt::Display for ApprovalDetails {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lifetime = lifetime(self.expires.duration_since(self.granted));
        write!(
            formatter,
            "{}, by {}, until {} ({lifetime})",
            self.memory(),
            plain(&self.approver),
            self.expires
        )
    }
}

fn lifetime(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let units = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let written = units
        .iter()
        .filter(|(amount, _)| *amount != 0)
        .map(|(amount, unit)| format!("{amount} {unit}"));
    written.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn details(memory: &str, force: bool) -> ApprovalDetails {
        let (granted, expires) =
            ("2026-11-21T13:04:56Z".parse().unwrap(), "2026-11-21T13:34:56Z".parse().unwrap());
        ApprovalDetails {
            memory: Floors::parse(memory).unwrap(),
            approver: "alice@example.com".to_owned(),
            granted,
            expires,
            force,
            unscheduled: false,
            reason: None,
        }
    }

    #[test]
    fn details_are_words() {
        let expected =
            "app down to 256Mi, by alice@example.com, until 2026-11-21T13:34:56Z (30 min)";
        assert_eq!(details("app=256Mi", false).to_string(), expected);
        assert_eq!(
            details("app=256Mi,@pod=1Gi", true).memory(),
            "app down to 256Mi, the pod down to 1Gi, forced"
        );
        assert_eq!(details("true", false).memory(), "any decrease");
    }

    #[test]
    fn lifetimes_are_written_for_people() {
        for (seconds, text) in [
            (1800, "30 min"),
            (5400, "1 h 30 min"),
            (90, "1 min 30 s"),
            (86_400, "24 h"),
            (45, "45 s"),
        ] {
            assert_eq!(lifetime(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn programs_read_stable_names() {
        let expected = json!({
            "memory": "app=256Mi", "approver": "alice@example.com", "granted": "2026-11-21T13:04:56Z",
            "expires": "2026-11-21T13:34:56Z", "force": false, "reason": null,
        });
        assert_eq!(json!(details("app=256Mi", false)), expected);
    }
}

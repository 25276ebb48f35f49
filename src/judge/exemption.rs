//! Exemptions: what silences a rule, until when and why.
//!
//! The owner of a workload writes them in `restraint.dev/ignore`: names of rules, each perhaps with
//! an end and a reason, as in `file-watch until 2026-12-31: replaced in Q4, subpath-config-mount`.
//! Policies hold them as well, for whatever rules and scope.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::kube::object::Metadata;

use super::scope::Scope;
use super::subject::Subject;

/// The annotation by which an owner silences rules.
const IGNORE_ANNOTATION: &str = "restraint.dev/ignore";

/// An exemption that the owner of a workload wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnExemption<'t> {
    /// The rule.
    pub rule: &'t str,
    /// When it ends; `None` where it does not.
    pub until: Option<Result<End, Unreadable<'t>>>,
    /// Why, where that is said.
    pub reason: &'t str,
}

/// An exemption in a file of the policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exemption {
    /// Its name.
    pub name: String,
    /// The rules that it silences.
    pub rules: Vec<&'static str>,
    /// Where.
    pub scope: Scope,
    /// When it ends; `None` where it does not.
    pub until: Option<End>,
    /// Why.
    pub reason: String,
}

/// When an exemption ends: after a day, in UTC, or at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    text: String,
    at: Timestamp,
}

/// An end that nobody can read: it exempts nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable<'t>(pub &'t str);

/// Whether a rule is silenced, or why it is not any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nobody silenced it.
    None,
    /// It is.
    InForce,
    /// It was: what is to be said with a finding.
    Over(String),
}

impl Exemption {
    /// Whether it is about `rule` and `subject`.
    pub(super) fn covers(&self, rule: &str, subject: &Subject<'_>) -> bool {
        self.rules.contains(&rule) && self.scope.covers(subject)
    }
}

impl End {
    /// Reads a day (`2026-12-31`) or a time (`2026-12-31T12:00:00Z`).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let after_day = |day: Date| {
            let next = day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?;
            Some(next.timestamp())
        };
        let is_day = text.len() == "2026-12-31".len();
        let at = match is_day {
            true => after_day(text.parse().ok()?)?,
            false => text.parse().ok()?,
        };
        Some(Self { text: text.to_owned(), at })
    }

    /// Whether it is still to come. Where nobody knows the time, it is not.
    pub(crate) fn is_ahead(&self, now: Option<Timestamp>) -> bool {
        now.is_some_and(|now| now < self.at)
    }

    /// The time of it.
    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The exemptions in `text`, the value of the annotation.
pub(crate) fn parse(text: &str) -> impl Iterator<Item = OwnExemption<'_>> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(|entry| {
        // a time has colons of its own, and blanks follow none of them
        let (head, reason) = match entry.split_once(": ") {
            Some((head, reason)) => (head, reason.trim()),
            None => (entry.strip_suffix(':').unwrap_or(entry), ""),
        };
        let (rule, until) = match head.split_once(" until ") {
            Some((rule, end)) => (rule.trim_end(), Some(end.trim())),
            None => (head.trim_end(), None),
        };
        let until = until.map(|end| End::parse(end).ok_or(Unreadable(end)));
        OwnExemption { rule, until, reason }
    })
}

/// What the owner of the workload with this `metadata` wrote about `rule`.
pub(super) fn of_owner(metadata: &Metadata<'_>, rule: &str, now: Option<Timestamp>) -> Silence {
    let Some(text) = metadata.annotations.text(IGNORE_ANNOTATION) else { return Silence::None };
    let mut silence = Silence::None;
    for exemption in parse(&text).filter(|exemption| exemption.rule == rule) {
        match exemption.until {
            None => return Silence::InForce,
            Some(Ok(end)) if end.is_ahead(now) => return Silence::InForce,
            Some(Ok(end)) => silence = Silence::Over(format!("exemption ended {end}")),
            Some(Err(Unreadable(end))) => {
                silence = Silence::Over(format!("exemption until {end:?}, which is no date"));
            }
        }
    }
    silence
}

/// Whether the owner of the workload silenced `rule`.
pub(crate) fn ignores(metadata: &Metadata<'_>, rule: &str, now: Option<Timestamp>) -> bool {
    of_owner(metadata, rule, now) == Silence::InForce
}

/// The text of the exemptions that the owner wrote, where there is one.
pub(crate) fn written<'m>(metadata: &'m Metadata<'_>) -> Option<std::borrow::Cow<'m, str>> {
    metadata.annotations.text(IGNORE_ANNOTATION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn silence(text: &str, rule: &str, now: &str) -> Silence {
        let json = serde_json::json!({"annotations": {IGNORE_ANNOTATION: text}}).to_string();
        let metadata: Metadata<'_> = json::read(&json).unwrap();
        of_owner(&metadata, rule, now.parse().ok())
    }

    #[test]
    fn entries_have_a_rule_perhaps_an_end_and_perhaps_a_reason() {
        let text = "file-watch until 2026-12-31: replaced in Q4, subpath-config-mount,, a until 2026-12-31T12:00:00Z, b: why, c until soon: never";
        let read: Vec<_> = parse(text)
            .map(|each| {
                let until =
                    each.until.map(|end| end.map(|end| end.to_string()).map_err(|end| end.0));
                (each.rule, until, each.reason)
            })
            .collect();
        let day = |text: &str| Some(Ok(text.to_owned()));
        assert_eq!(
            read,
            [
                ("file-watch", day("2026-12-31"), "replaced in Q4"),
                ("subpath-config-mount", None, ""),
                ("a", day("2026-12-31T12:00:00Z"), ""),
                ("b", None, "why"),
                ("c", Some(Err("soon")), "never"),
            ]
        );
    }

    #[test]
    fn a_day_is_over_when_the_next_begins() {
        let text = "file-watch until 2026-12-31: replaced in Q4, other";
        assert_eq!(silence(text, "file-watch", "2026-12-31T23:59:59Z"), Silence::InForce);
        let over = Silence::Over("exemption ended 2026-12-31".to_owned());
        assert_eq!(silence(text, "file-watch", "2027-01-01T00:00:00Z"), over);
        assert_eq!(silence(text, "other", "2030-01-01T00:00:00Z"), Silence::InForce);
        assert_eq!(silence(text, "watch", "2026-01-01T00:00:00Z"), Silence::None);
    }

    #[test]
    fn what_cannot_be_read_exempts_nothing_and_is_said() {
        for end in ["soon", "31.12.2026", "2026-13-01", "2026-12-31T12:00:00", ""] {
            let told = silence(&format!("a until {end}: why"), "a", "2026-01-01T00:00:00Z");
            let silence = Silence::Over(format!("exemption until {end:?}, which is no date"));
            assert!(
                told == silence || (end.is_empty() && told == Silence::None),
                "{end}: {told:?}"
            );
        }
    }

    #[test]
    fn without_a_clock_nothing_that_ends_exempts() {
        let unknown = silence("a until 2026-12-31", "a", "no time");
        assert_eq!(unknown, Silence::Over("exemption ended 2026-12-31".to_owned()));
        assert_eq!(silence("a", "a", "no time"), Silence::InForce);
    }

    #[test]
    fn of_two_entries_the_one_that_holds_counts() {
        let text = "a until 2020-01-01, a until 2030-01-01";
        assert_eq!(silence(text, "a", "2026-01-01T00:00:00Z"), Silence::InForce);
    }
}

//! The stamp: the service's own record of a grant, sealed with a key that only the service holds.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::floors::Floors;

/// The version of the stamp's form.
const VERSION: u8 = 1;

/// The longest stamp that is read, in bytes.
const LONGEST: usize = 16 * 1024;

/// How far the clocks of two replicas may differ.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// How long after it was granted a stamp may still arrive to be stored: the longest that the API
/// server works on one write, and the skew of clocks.
pub const FRESH: SignedDuration = SignedDuration::from_secs(34 + 60);

/// A grant that the service took note of: who agreed to what, until when, for which pod in which
/// state. Times are the service's, in whole seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    version: u8,
    /// The user who granted it.
    pub approver: String,
    /// How far memory may fall.
    pub memory: Floors,
    /// When it was granted.
    pub granted: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// `metadata.uid` of the pod.
    pub uid: String,
    /// `metadata.generation` of the pod: any change of its spec ends the approval, the resize it is
    /// for included.
    pub generation: i64,
    /// Whether the pod was on no node. To be bound to one is no change of `generation`, and ends the
    /// approval as one does: whoever agreed had no process in mind.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unscheduled: bool,
    /// Whether a heap that does not fit the new limit is no obstacle.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which key it is sealed with.
    pub key: String,
    /// The seal: an HMAC-SHA256 in base64.
    pub seal: String,
}

/// Text that is no stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no stamp of this service's form")]
pub struct Malformed;

/// What is agreed to, before it is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The user who grants it.
    pub approver: String,
    /// How far memory may fall.
    pub memory: Floors,
    /// When it is granted.
    pub granted: Timestamp,
    /// How long it holds.
    pub lifetime: SignedDuration,
    /// `metadata.uid` of the pod.
    pub uid: String,
    /// `metadata.generation` of the pod.
    pub generation: i64,
    /// Whether the pod is on no node.
    pub unscheduled: bool,
    /// Whether a heap that does not fit the new limit is no obstacle.
    pub force: bool,
    /// Why.
    pub reason: Option<String>,
}

/// The pod that a stamp is on, and whether it is only tried out: sealed with the rest.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StampTarget<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Whether nothing is stored. A stamp that was tried out is worth nothing when it is for real.
    pub dry_run: bool,
}

impl Stamp {
    /// The stamp of `agreement`, not sealed yet.
    pub fn of(agreement: Agreement) -> Self {
        let granted = whole_seconds(agreement.granted);
        Self {
            version: VERSION,
            approver: agreement.approver,
            memory: agreement.memory,
            granted,
            expires: granted.saturating_add(agreement.lifetime).map_or(granted, whole_seconds),
            uid: agreement.uid,
            generation: agreement.generation,
            unscheduled: agreement.unscheduled,
            force: agreement.force,
            reason: agreement.reason,
            key: String::new(),
            seal: String::new(),
        }
    }

    /// Reads a stamp. What is not written exactly as the service writes it is no stamp.
    ///
    /// # Errors
    ///
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > LONGEST {
            return Err(Malformed);
        }
        let stamp: Self = serde_json::from_str(text).map_err(|_| Malformed)?;
        if stamp.version == VERSION && stamp.text() == text { Ok(stamp) } else { Err(Malformed) }
    }

    /// The text of the annotation.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() // writing strings and numbers to memory cannot fail
    }

    /// What is sealed: the place, and everything the stamp says but the seal itself.
    pub fn message(&self, place: StampTarget<'_>) -> Vec<u8> {
        #[derive(Serialize)]
        struct Message<'a> {
            purpose: &'static str,
            place: StampTarget<'a>,
            stamp: &'a Stamp,
        }
        let stamp = &Self { seal: String::new(), ..self.clone() };
        serde_json::to_vec(&Message { purpose: "restraint.dev/approval", place, stamp })
            .unwrap_or_default()
    }

    /// The same stamp, sealed: `seal` makes the seal of a message with the key called `key`.
    pub fn sealed(
        mut self,
        place: StampTarget<'_>,
        key: &str,
        seal: impl FnOnce(&[u8]) -> String,
    ) -> Self {
        key.clone_into(&mut self.key);
        self.seal = seal(&self.message(place));
        self
    }
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::grant::Grant;
    use super::*;

    const HERE: StampTarget<'_> = StampTarget { namespace: "shop", name: "db-0", dry_run: false };

    fn stamp() -> Stamp {
        Stamp::of(Agreement {
            approver: "alice \"the\" sre".to_owned(),
            memory: Floors::parse("app=256Mi,@pod=1Gi").unwrap(),
            granted: "2026-11-21T12:00:00.9Z".parse().unwrap(),
            lifetime: SignedDuration::from_mins(30),
            uid: "4f8f".to_owned(),
            generation: 3,
            unscheduled: true,
            force: true,
            reason: Some("INC-4711".to_owned()),
        })
    }

    #[test]
    fn a_stamp_is_text_that_people_can_read() {
        let text = stamp().sealed(HERE, "k1", |_| "c2VhbA".to_owned()).text();
        let expected = r#"{"version":1,"approver":"alice \"the\" sre","memory":"app=256Mi,@pod=1Gi","granted":"2026-11-21T12:00:00Z","expires":"2026-11-21T12:30:00Z","uid":"4f8f","generation":3,"unscheduled":true,"force":true,"reason":"INC-4711","key":"k1","seal":"c2VhbA"}"#;
        assert_eq!(text, expected);
        assert_eq!(Stamp::parse(&text).unwrap().text(), text);
    }

    #[test]
    fn what_is_not_written_as_the_service_writes_it_is_no_stamp() {
        let text = stamp().text();
        for (from, to) in [
            ("{", " {"),
            ("{", "{ "),
            ("\"version\":1", "\"version\":2"),
            ("\"version\":1", "\"version\":1.0"),
            ("\"unscheduled\":true", "\"unscheduled\":false"),
            ("\"force\":true", "\"force\":false"),
            ("\"force\":true", "\"force\":true,\"more\":1"),
            ("\"generation\":3", "\"generation\":3,\"generation\":3"),
            ("app=256Mi,", "app=256Mi, "),
            ("app=256Mi", "app=0"),
            ("12:00:00Z", "12:00:00+00:00"),
            ("\"key\":", "\"Key\":"),
            ("}", ""),
        ] {
            assert!(text.contains(from));
            assert_eq!(Stamp::parse(&text.replacen(from, to, 1)), Err(Malformed), "{from} {to}");
        }
        for text in ["", "true", "[]", "{}", "null"] {
            assert_eq!(Stamp::parse(text), Err(Malformed));
        }
    }

    #[test]
    fn the_longest_grant_fits_a_stamp() {
        let floors =
            (0..64).map(|index| format!("a{index:045}=123456789Mi")).collect::<Vec<_>>().join(",");
        let grant =
            Grant::parse(&format!("{floors}; for=24h; force; reason={}", "x".repeat(30))).unwrap();
        let stamp = Stamp {
            memory: grant.floors,
            reason: grant.reason,
            approver: "é".repeat(256),
            ..stamp()
        };
        assert_eq!(Stamp::parse(&stamp.text()), Ok(stamp));
    }

    #[test]
    fn a_stamp_may_be_long_but_not_endless() {
        let long = |more: usize| {
            let room = LONGEST - Stamp { reason: Some(String::new()), ..stamp() }.text().len();
            Stamp { reason: Some("x".repeat(room + more)), ..stamp() }
        };
        assert_eq!(Stamp::parse(&long(0).text()), Ok(long(0)));
        assert_eq!(Stamp::parse(&long(1).text()), Err(Malformed));
    }

    #[test]
    fn everything_that_matters_is_sealed() {
        let stamp = stamp().sealed(HERE, "k1", |_| "first".to_owned());
        let message = stamp.message(HERE);
        let other = |place: StampTarget<'_>| stamp.message(place);
        assert_ne!(message, other(StampTarget { namespace: "dev", ..HERE }));
        assert_ne!(message, other(StampTarget { name: "db-1", ..HERE }));
        assert_ne!(message, other(StampTarget { dry_run: true, ..HERE }));
        let changes: [fn(&mut Stamp); 10] = [
            |stamp| stamp.approver.push('x'),
            |stamp| stamp.memory = Floors::Any,
            |stamp| stamp.granted = Timestamp::UNIX_EPOCH,
            |stamp| stamp.expires = Timestamp::MAX,
            |stamp| stamp.uid.push('x'),
            |stamp| stamp.generation += 1,
            |stamp| stamp.unscheduled = false,
            |stamp| stamp.force = false,
            |stamp| stamp.reason = None,
            |stamp| stamp.key.push('x'),
        ];
        for change in changes {
            let mut changed = stamp.clone();
            change(&mut changed);
            assert_ne!(message, changed.message(HERE));
        }
        let resealed = Stamp { seal: "second".to_owned(), ..stamp.clone() };
        assert_eq!(message, resealed.message(HERE), "the seal does not seal itself");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "\\PC{0,60}|\\{[a-z\":,0-9{}]{0,60}") {
            prop_assert!(Stamp::parse(&text).is_err());
        }
    }
}

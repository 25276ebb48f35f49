//! Which keys of a Secret there should be, and which one seals: functions of the Secret's data and
//! the time.
//!
//! A new key waits before it seals, until every replica has read it, and an old one is accepted
//! until every stamp under it has ended. Clocks may jump and differ: a key of the future is
//! accepted and never makes a key, so that two replicas that disagree on the time do not outdo each
//! other.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;

use super::{LEAST_KEY, SealKeys};

/// How long after its creation a key seals at the earliest.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// The age at which a key gets a successor.
const LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long after the creation of its successor a key is still of use: the successor's wait, the
/// longest lifetime of an approval, and an hour for clocks.
const RETENTION: SignedDuration = SignedDuration::from_mins(25 * 60 + 5);

/// How the name of an entry says when its key was created, in UTC.
const CREATED_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// The length of such a time, in characters.
const CREATED_LENGTH: usize = 16;

/// A key as a Secret keeps it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    created: Timestamp,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Entry").field(&self.name).finish()
    }
}

impl Entry {
    /// A key created at `now`, under a name that is not `taken`.
    pub(super) fn created(
        now: Timestamp,
        bytes: [u8; LEAST_KEY],
        taken: impl Fn(&str) -> bool,
    ) -> Self {
        let creation = now.strftime(CREATED_FORMAT).to_string();
        let numbered = (2_u32..).map(|number| format!("{creation}-{number}"));
        let name = std::iter::once(creation.clone())
            .chain(numbered)
            .find(|name| !taken(name))
            .unwrap_or(creation);
        Self { name, created: now, bytes: bytes.to_vec() }
    }

    fn read(name: &str, bytes: &[u8]) -> Option<Self> {
        let (creation, number) = name.split_at_checked(CREATED_LENGTH)?;
        let numbered = |number: &str| {
            number.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok())
        };
        let created =
            TimeZone::UTC.to_timestamp(DateTime::strptime(CREATED_FORMAT, creation).ok()?).ok()?;
        let sound = bytes.len() >= LEAST_KEY && (number.is_empty() || numbered(number));
        sound.then(|| Self { name: name.to_owned(), created, bytes: bytes.to_vec() })
    }

    /// Its place in a Secret's data.
    pub(super) fn data(&self) -> (String, ByteString) {
        (self.name.clone(), ByteString(self.bytes.clone()))
    }
}

/// The keys of a Secret, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entries(Vec<Entry>);

/// What should be done to a Secret.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Whether to add a key.
    pub(super) add: bool,
    /// The names of entries to drop.
    pub(super) drop: Vec<String>,
}

impl Entries {
    /// The entries that are keys, and the names of those that are none.
    pub(super) fn read(data: &BTreeMap<String, ByteString>) -> (Self, Vec<String>) {
        let (mut entries, mut bad) = (Vec::new(), Vec::new());
        for (name, ByteString(bytes)) in data {
            match Entry::read(name, bytes) {
                Some(entry) => entries.push(entry),
                None => bad.push(name.clone()),
            }
        }
        (Self::of(entries), bad)
    }

    pub(super) fn of(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|one, other| (one.created, &one.name).cmp(&(other.created, &other.name)));
        Self(entries)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What should be done at `now`. Keys are only dropped where one is added: one write does both.
    pub(super) fn plan(&self, now: Timestamp) -> Plan {
        let youngest = self.0.iter().rfind(|entry| age(entry, now) >= SignedDuration::ZERO);
        let due = youngest.is_some_and(|youngest| age(youngest, now) > LIFETIME);
        if !due && !self.is_empty() {
            return Plan::default();
        }
        let superseded = self
            .0
            .iter()
            .zip(self.0.iter().skip(1))
            .filter(|(_, successor)| age(successor, now) > RETENTION);
        Plan { add: true, drop: superseded.map(|(entry, _)| entry.name.clone()).collect() }
    }

    /// The keys, first the one that seals at `now`: the youngest that every replica knows, or the
    /// oldest.
    pub(super) fn keys(&self, now: Timestamp) -> SealKeys {
        let known = self.0.iter().rfind(|entry| age(entry, now) > OVERLAP).or(self.0.first());
        let others =
            self.0.iter().rev().filter(|entry| Some(&entry.name) != known.map(|known| &known.name));
        SealKeys::of(known.into_iter().chain(others).map(|entry| &*entry.bytes))
    }
}

/// Negative for what is created in the future.
fn age(entry: &Entry, now: Timestamp) -> SignedDuration {
    now.duration_since(entry.created)
}

#[cfg(test)]
mod tests {
    use crate::approval::{CLOCK_SKEW, LONGEST_LIFETIME};

    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);
    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn start() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    /// Keys of 1, 2, 3... created so long after the start.
    fn entries<const N: usize>(times: [SignedDuration; N]) -> Entries {
        let created = |(index, after)| {
            Entry::created(start() + after, [u8::try_from(index + 1).unwrap(); LEAST_KEY], |_| {
                false
            })
        };
        Entries::of(times.into_iter().enumerate().map(created).collect())
    }

    fn sealing(entries: &Entries, now: Timestamp) -> u8 {
        let keys = entries.keys(now);
        assert_eq!(keys.names().count(), entries.0.len(), "all are accepted");
        let same = |byte: &u8| {
            SealKeys::of([[*byte; LEAST_KEY].as_slice()]).names().next() == keys.names().next()
        };
        (1..=9).find(same).unwrap()
    }

    #[test]
    fn the_first_key_seals_at_once_and_a_later_one_when_all_know_it() {
        let one = entries([SignedDuration::ZERO]);
        assert_eq!(sealing(&one, start()), 1);
        let two = entries([SignedDuration::ZERO, DAY * 30]);
        assert_eq!(sealing(&two, start() + DAY * 30), 1);
        assert_eq!(sealing(&two, start() + DAY * 30 + MINUTE * 5), 1);
        assert_eq!(sealing(&two, start() + DAY * 30 + MINUTE * 6), 2);
        let twins = entries([SignedDuration::ZERO, MINUTE]);
        assert_eq!(sealing(&twins, start() + MINUTE * 2), 1, "of two that are new the oldest");
        assert!(Entries::default().keys(start()).sealing().is_none());
    }

    #[test]
    fn a_key_gets_a_successor_after_thirty_days() {
        assert_eq!(Entries::default().plan(start()), Plan { add: true, drop: vec![] });
        let one = entries([SignedDuration::ZERO]);
        assert_eq!(one.plan(start() + DAY * 30), Plan::default());
        assert_eq!(one.plan(start() + DAY * 30 + MINUTE), Plan { add: true, drop: vec![] });
        let two = entries([SignedDuration::ZERO, DAY * 30]);
        assert_eq!(two.plan(start() + DAY * 59), Plan::default(), "dropping alone is no write");
        assert_eq!(
            two.plan(start() + DAY * 61),
            Plan { add: true, drop: vec!["20261121T120000Z".to_owned()] }
        );
    }

    #[test]
    fn a_key_is_kept_while_a_stamp_under_it_may_hold() {
        assert!(RETENTION >= OVERLAP + LONGEST_LIFETIME + CLOCK_SKEW);
        let three = entries([SignedDuration::ZERO, DAY * 30, DAY * 90]);
        let plan = three.plan(start() + DAY * 61);
        assert_eq!(
            plan.drop,
            ["20261121T120000Z"],
            "not the second: its successor is of the future"
        );
    }

    #[test]
    fn clocks_that_jump_make_no_flood_of_keys() {
        let one = entries([SignedDuration::ZERO]);
        // back: the only key is of the future, and is good enough
        assert_eq!(one.plan(start() - DAY * 365), Plan::default());
        assert_eq!(sealing(&one, start() - DAY * 365), 1);
        // forth: one more, once, and the old one is still accepted
        let far = start() + DAY * 365 * 50;
        assert_eq!(one.plan(far), Plan { add: true, drop: vec![] });
        let two = entries([SignedDuration::ZERO, DAY * 365 * 50]);
        assert_eq!(two.plan(far), Plan::default());
        // and back again: the key of the future neither seals nor stops the rotation
        assert_eq!(two.plan(start() + DAY), Plan::default());
        assert_eq!(sealing(&two, start() + DAY), 1);
        assert_eq!(two.plan(start() + DAY * 31), Plan { add: true, drop: vec![] });
        // the ends of time
        for now in [Timestamp::MIN, Timestamp::MAX] {
            let _ = (two.plan(now), two.keys(now));
        }
    }

    #[test]
    fn what_is_no_key_is_passed_over() {
        let long = ByteString(vec![1; LEAST_KEY]);
        let names = [
            "20261121T120000Z",
            "20261121T120000Z-2",
            "20261121T120000Z-two",
            "20261321T120000Z",
            "key",
            "",
            "20261121T12000äZ",
        ];
        let mut data: BTreeMap<_, _> = names.map(|name| (name.to_owned(), long.clone())).into();
        data.insert("20261122T120000Z".to_owned(), ByteString(vec![1; LEAST_KEY - 1]));
        let (read, bad) = Entries::read(&data);
        assert_eq!(
            read.iter().map(|entry| &*entry.name).collect::<Vec<_>>(),
            ["20261121T120000Z", "20261121T120000Z-2"]
        );
        assert_eq!(bad.len(), 6);
        assert!(read.iter().all(|entry| entry.created == start()));
        assert_eq!(read.keys(start()).names().count(), 1, "equal keys are one");
        assert!(!format!("{read:?}").contains("1, 1"));
    }

    #[test]
    fn names_are_births_and_numbers() {
        let taken = ["20261121T120000Z", "20261121T120000Z-2"];
        assert_eq!(
            Entry::created(start(), [1; LEAST_KEY], |name| taken.contains(&name)).name,
            "20261121T120000Z-3"
        );
    }
}

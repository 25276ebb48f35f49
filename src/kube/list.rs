//! Lists with a bound: what a few bytes of JSON may cost in memory.
//!
//! An empty entry takes three bytes in a body and hundreds once decoded, and whoever may create pods may send
//! megabytes of them. So one decoding may read only so many entries, far more than any object that runs.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::json;

/// The most entries of one list.
pub const LIST_LIMIT: usize = 4096;

/// The most entries of all lists and maps that one decoding reads, both objects of an update together.
pub const ENTRY_LIMIT: usize = 32_768;

thread_local! {
    /// What is left of [`ENTRY_LIMIT`]. Decoding runs on one thread from beginning to end.
    static LEFT: Cell<usize> = const { Cell::new(ENTRY_LIMIT) };
    /// How many templates stand around the one that is read.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// The most templates within each other: a CronJob has two.
const DEPTH_LIMIT: usize = 4;

/// Reads a template that may hold another, but not so many that the stack would not hold them.
pub(crate) fn template<'de, D, T>(deserializer: D) -> Result<Option<Box<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let depth = DEPTH.get().checked_add(1).filter(|depth| *depth <= DEPTH_LIMIT).ok_or_else(|| D::Error::custom("too many templates"))?;
    DEPTH.set(depth);
    let template = Option::deserialize(deserializer);
    DEPTH.set(depth.saturating_sub(1));
    template
}

/// Begins a decoding: it may read [`ENTRY_LIMIT`] entries.
pub(crate) fn begin() {
    LEFT.set(ENTRY_LIMIT);
    DEPTH.set(0);
}

/// Reads `text` as a decoding of its own: what the thread decoded before does not count.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, json::Error> {
    begin();
    json::read(text)
}

/// Takes note of one more entry.
pub(super) fn spend<E: Error>() -> Result<(), E> {
    let left = LEFT.get().checked_sub(1).ok_or_else(|| E::custom("too many entries"))?;
    LEFT.set(left);
    Ok(())
}

/// Reads a list of at most [`LIST_LIMIT`] entries, and `null` as an empty one, as Go does; for
/// `#[serde(default, deserialize_with = "list")]`.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(optional_list(deserializer)?.unwrap_or_default())
}

/// Reads a list of at most [`LIST_LIMIT`] entries, and `null` as none.
pub(crate) fn optional_list<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct ListVisitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
        type Value = Option<Vec<T>>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut list = Vec::new();
            while let Some(entry) = entries.next_element()? {
                spend()?;
                if list.len() == LIST_LIMIT {
                    return Err(A::Error::custom("too many entries"));
                }
                list.push(entry);
            }
            Ok(Some(list))
        }
    }

    deserializer.deserialize_any(ListVisitor(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::super::container::Container;
    use super::*;

    fn numbers(json: &str) -> Result<Vec<u8>, serde_json::Error> {
        list(&mut serde_json::Deserializer::from_str(json))
    }

    fn zeros(count: usize) -> String {
        format!("[{}]", vec!["0"; count].join(","))
    }

    #[test]
    fn lists_are_bounded() {
        begin();
        assert!(numbers("null").unwrap().is_empty());
        assert_eq!(numbers("[1,2]").unwrap(), [1, 2]);
        assert_eq!(numbers(&zeros(LIST_LIMIT)).unwrap().len(), LIST_LIMIT);
        assert!(numbers(&zeros(LIST_LIMIT + 1)).is_err());
        assert!(numbers("{}").is_err());
    }

    #[test]
    fn one_decoding_is_bounded() {
        begin();
        let mut reads = 0;
        while numbers(&zeros(LIST_LIMIT)).is_ok() {
            reads += 1;
        }
        assert_eq!(reads, ENTRY_LIMIT / LIST_LIMIT);
        begin();
        assert!(numbers(&zeros(LIST_LIMIT)).is_ok());
    }

    #[test]
    fn decodings_do_not_add_up() {
        let json = format!(r#"{{"args": [{}]}}"#, vec!["null"; LIST_LIMIT].join(","));
        for _ in 0..=ENTRY_LIMIT / LIST_LIMIT {
            let container: Container<'_> = read(&json).unwrap();
            assert_eq!(container.args.len(), LIST_LIMIT);
        }
    }
}

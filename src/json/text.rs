//! Borrowed text and maps of it, decoded from JSON without a copy wherever the JSON has no escape.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use crate::json;

use super::{Decode, Failed, Raw, Reader};

/// Text borrowed from the input where it has no escapes, owned where it had to be unescaped.
///
/// `null` reads as empty text, as Go reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text, borrowed as long as the input is there where it has no escapes.
    pub(crate) fn into_cow(self) -> Cow<'a, str> {
        self.0
    }

    /// The text itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'a> Decode<'a> for Text<'a> {
    const INSTEAD_OF_NULL: Option<&'static str> = None;

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        if !reader.null()? {
            self.0 = reader.text()?;
        }
        Ok(())
    }
}

/// A JSON object read as a list of entries in the order they were written.
#[derive(Clone, Debug)]
pub struct Entries<'a, V>(Vec<(Text<'a>, V)>);

/// `metadata.labels`.
pub(crate) type Labels<'a> = Entries<'a, Text<'a>>;

/// `metadata.annotations`. Values stay undecoded: most are never read, and some (the last applied
/// configuration) are as large as the object itself.
pub(crate) type Annotations<'a> = Entries<'a, Raw<'a>>;

impl<'a, V> Entries<'a, V> {
    /// The value under `key`. Of repeated keys the last one counts, as in Go.
    pub fn value(&self, key: &str) -> Option<&V> {
        self.0.iter().rev().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// The entries in the order they were written.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// The same, taken apart.
    pub(crate) fn into_pairs(self) -> impl Iterator<Item = (Text<'a>, V)> {
        self.0.into_iter()
    }
}

impl Annotations<'_> {
    /// The text of the annotation `key`, decoded now. An annotation that is no string counts as
    /// absent.
    pub fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        decode_text(*self.value(key)?)
    }
}

impl<'a, V> FromIterator<(Text<'a>, V)> for Entries<'a, V> {
    fn from_iter<I: IntoIterator<Item = (Text<'a>, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<V> Default for Entries<'_, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, V: Decode<'a>> Decode<'a> for Entries<'a, V> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        let mut more = reader.begin_map()?;
        while more {
            let mut value = V::default();
            let (name, further) = reader.map_entry(&mut value)?;
            self.0.push((Text(name), value));
            more = further;
        }
        Ok(())
    }
}

/// The text that `raw` is; `None` for anything else.
pub(crate) fn decode_text(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    json::read::<Option<Text<'_>>>(raw.get()).ok().flatten().map(|text| text.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borrows_unless_escaped() {
        let plain: Text<'_> = json::read(r#""plain""#).unwrap();
        assert!(matches!(plain.0, Cow::Borrowed("plain")));
        let escaped: Text<'_> = json::read(r#""a\u003cb""#).unwrap();
        assert_eq!(&*escaped, "a<b");
        let null: Text<'_> = json::read("null").unwrap();
        assert_eq!(&*null, "");
        assert!(json::read::<Text<'_>>("1").is_err());
    }

    #[test]
    fn annotations_are_decoded_on_demand() {
        let annotations: Annotations<'_> =
            json::read(r#"{"a": "x\ny", "b": {"not": "text"}, "a/b": null}"#).unwrap();
        assert_eq!(annotations.text("a").as_deref(), Some("x\ny"));
        assert_eq!(annotations.text("b"), None);
        assert_eq!(annotations.text("a/b"), None);
        assert_eq!(annotations.text("c"), None);
    }

    #[test]
    fn the_last_of_repeated_keys_counts() {
        let labels: Labels<'_> = json::read(r#"{"a": "1", "a": "2"}"#).unwrap();
        assert_eq!(labels.value("a").map(Text::as_str), Some("2"));
    }
}

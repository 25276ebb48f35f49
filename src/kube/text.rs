//! Borrowed text and maps of it, decoded from JSON without a copy wherever the JSON has no escape.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::json::{self, Raw};
use super::list::spend;

/// Text borrowed from the input where it has no escapes, owned where it had to be unescaped.
///
/// `null` reads as empty text, as Go reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    /// The text itself.
    pub fn as_str(&self) -> &str {
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

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text::from(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text::from(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Text::from(text))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

/// A JSON object read as a list of entries in the order they were written.
#[derive(Clone, Debug)]
pub struct Entries<'a, V>(Vec<(Text<'a>, V)>);

/// `metadata.labels`.
pub type Labels<'a> = Entries<'a, Text<'a>>;

/// `metadata.annotations`. Values stay undecoded: most are never read, and some (the last applied configuration) are
/// as large as the object itself.
pub type Annotations<'a> = Entries<'a, Raw<'a>>;

impl<'a, V> Entries<'a, V> {
    /// The value under `key`. Of repeated keys the last one counts, as in Go.
    pub fn value(&self, key: &str) -> Option<&V> {
        self.0.iter().rev().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// The entries in the order they were written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl Annotations<'_> {
    /// The text of the annotation `key`, decoded now. An annotation that is no string counts as absent.
    pub fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        decode(*self.value(key)?)
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

impl<'de: 'a, 'a, V: Deserialize<'de>> Deserialize<'de> for Entries<'a, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<V> {
            type Value = Entries<'de, V>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    spend()?;
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

/// Reads `null` as the default, as Go does; for `#[serde(default, deserialize_with = "nullable")]`.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn decode(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    json::read::<Option<Text<'_>>>(raw.get()).ok().flatten().map(|text| text.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borrows_unless_escaped() {
        let plain: Text<'_> = serde_json::from_str(r#""plain""#).unwrap();
        assert!(matches!(plain.0, Cow::Borrowed("plain")));
        let escaped: Text<'_> = serde_json::from_str(r#""a\u003cb""#).unwrap();
        assert_eq!(&*escaped, "a<b");
        let null: Text<'_> = serde_json::from_str("null").unwrap();
        assert_eq!(&*null, "");
        assert!(serde_json::from_str::<Text<'_>>("1").is_err());
    }

    #[test]
    fn annotations_are_decoded_on_demand() {
        let annotations: Annotations<'_> = serde_json::from_str(r#"{"a": "x\ny", "b": {"not": "text"}, "a/b": null}"#).unwrap();
        assert_eq!(annotations.text("a").as_deref(), Some("x\ny"));
        assert_eq!(annotations.text("b"), None);
        assert_eq!(annotations.text("a/b"), None);
        assert_eq!(annotations.text("c"), None);
    }

    #[test]
    fn the_last_of_repeated_keys_counts() {
        let labels: Labels<'_> = serde_json::from_str(r#"{"a": "1", "a": "2"}"#).unwrap();
        assert_eq!(labels.value("a").map(Text::as_str), Some("2"));
    }
}

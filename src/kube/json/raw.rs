//! Values that are left as they were written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;

/// JSON that is not decoded, or not yet. Whoever decodes it later meets its faults then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

/// By this name the reader of this module knows that no decoding is asked for.
pub(super) const NAME: &str = "restraint::kube::json::Raw";

impl<'a> Raw<'a> {
    /// The JSON.
    pub fn get(self) -> &'a str {
        self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawVisitor;

        impl<'de> Visitor<'de> for RawVisitor {
            type Value = Raw<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, json: &'de str) -> Result<Self::Value, E> {
                Ok(Raw(json))
            }

            /// serde_json has its own way.
            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                <&RawValue>::deserialize(deserializer).map(|raw| Raw(raw.get()))
            }
        }

        deserializer.deserialize_newtype_struct(NAME, RawVisitor)
    }
}

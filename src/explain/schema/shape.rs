//! What a field of the API holds.

use std::collections::BTreeMap;

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::explain) enum Shape {
    /// An object with the fields of a type of the API, by its name.
    Object(&'static str),
    /// Any keys, each with such a value.
    Map(Box<Shape>),
    /// A list.
    List(Box<Shape>),
    /// Text.
    Text,
    /// Text in base64.
    Bytes,
    /// A point in time.
    Time,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Flag,
    /// A quantity: text or a number.
    Amount,
    /// A whole number or text.
    IntegerOrText,
    /// Whatever it likes, or nothing that is known.
    Any,
}

/// The fields of types, by the names of the types.
pub(super) type Types = BTreeMap<&'static str, BTreeMap<&'static str, Shape>>;

impl Shape {
    /// What an item of it is.
    pub(in crate::explain) fn item(&self) -> &Self {
        match self {
            Self::List(items) => items,
            _ => &Self::Any,
        }
    }

    /// What is wanted, in words.
    pub(in crate::explain) fn words(&self) -> &'static str {
        match self {
            Self::Object(_) | Self::Map(_) => "an object",
            Self::List(_) => "a list",
            Self::Text | Self::Bytes => "text",
            Self::Time => "a time",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::Amount => "a quantity",
            Self::IntegerOrText => "a whole number or text",
            Self::Any => "anything",
        }
    }
}

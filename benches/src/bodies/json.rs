//! JSON in the order it was written and spelled as Go spells it.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// A JSON value; objects keep the order of their fields.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The text the API server would send: compact, with `<`, `>` and `&` escaped.
    pub(crate) fn to_text(&self) -> serde_json::Result<String> {
        let text = serde_json::to_string(self)?;
        Ok(text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
    }

    /// The text that stands in a `last-applied-configuration` annotation.
    pub(crate) fn as_annotation(&self) -> serde_json::Result<Self> {
        Ok(Self::Text(self.to_text()? + "\n"))
    }

    /// This object with `field` set, at its place if it was there.
    pub(crate) fn with(mut self, field: &str, value: impl Into<Self>) -> Self {
        if let Self::Object(fields) = &mut self {
            match fields.iter_mut().find(|(name, _)| name == field) {
                Some((_, old)) => *old = value.into(),
                None => fields.push((field.to_owned(), value.into())),
            }
        }
        self
    }

    /// This object without `fields`.
    pub(crate) fn without(mut self, fields: &[&str]) -> Self {
        if let Self::Object(present) = &mut self {
            present.retain(|(name, _)| !fields.contains(&&**name));
        }
        self
    }

    /// What `managedFields` says of whoever wrote this value: list entries go by their name.
    pub(crate) fn managed(&self) -> Self {
        match self {
            Self::Object(fields) => Self::Object(
                fields.iter().map(|(name, value)| (format!("f:{name}"), value.managed())).collect(),
            ),
            Self::List(entries) if entries.iter().all(|entry| entry.name().is_some()) => {
                let entry = |entry: &Self| {
                    let owned = Self::Object(vec![(".".to_owned(), Self::Object(Vec::new()))]);
                    let Self::Object(fields) = entry.managed() else { return owned };
                    fields
                        .into_iter()
                        .fold(owned, |owned, (field, value)| owned.with(&field, value))
                };
                let key = |entry: &Self| {
                    format!("k:{{\"name\":\"{}\"}}", entry.name().unwrap_or_default())
                };
                Self::Object(entries.iter().map(|item| (key(item), entry(item))).collect())
            }
            _ => Self::Object(Vec::new()),
        }
    }

    fn name(&self) -> Option<&str> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find_map(|(field, value)| match value {
            Self::Text(name) if field == "name" => Some(&**name),
            _ => None,
        })
    }
}

impl From<bool> for Json {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Json>> for Json {
    fn from(entries: Vec<Json>) -> Self {
        Self::List(entries)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(entries) => serializer.collect_seq(entries),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// An object with its fields in this order.
macro_rules! object {
    ($($name:literal: $value:expr),* $(,)?) => {
        Json::Object(vec![$(($name.to_owned(), Json::from($value))),*])
    };
}

/// A list.
macro_rules! list {
    ($($entry:expr),* $(,)?) => {
        Json::List(vec![$(Json::from($entry)),*])
    };
}

pub(crate) use {list, object};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_as_go_does() {
        let value = object! { "b": "a && b", "a": list![1, true], "n": Json::Null };
        assert_eq!(value.to_text().unwrap(), r#"{"b":"a \u0026\u0026 b","a":[1,true],"n":null}"#);
    }

    #[test]
    fn manages_every_field() {
        let spec = object! { "containers": list![object! { "name": "app", "args": list!["x"] }], "priority": 0 };
        let managed = r#"{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:name":{},"f:args":{}}},"f:priority":{}}"#;
        assert_eq!(spec.managed().to_text().unwrap(), managed);
    }
}

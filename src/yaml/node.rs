//! Values that know where they are written.

use serde_json::Number;
use serde_saphyr::Location;

use super::suggest::quoted;

/// Where something is written: line and column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// A value and where it is written.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Position,
    /// The byte at which it is written, even where it is used through an alias.
    pub(crate) offset: usize,
    /// Whether it is used elsewhere than where it is written: through an alias or a merge key.
    pub(crate) borrowed: bool,
    pub(crate) value: Value,
}

/// A YAML value.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// Every entry as it is written, repeated keys too.
    Map(Vec<(Node, Node)>),
}

impl Position {
    /// The beginning of a text.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl From<Location> for Position {
    fn from(location: Location) -> Self {
        // a location that is not known says 0
        Self { line: location.line().max(1), column: location.column().max(1) }
    }
}

impl Node {
    /// What it is, for messages.
    pub(crate) fn description(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Text(text) => quoted(text),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }

    /// The same value without places, of repeated keys the last. Keys that are no strings become
    /// strings, and those that are lists, mappings or nothing are left out: whoever reads a dialect
    /// refuses them before.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(value) => value.clone().into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(list) => list.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .filter_map(|(key, value)| Some((key.to_key()?, value.to_json())))
                .collect(),
        }
    }

    /// The string it is, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub(crate) fn entries(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements, if it is a list.
    pub(crate) fn elements(&self) -> &[Self] {
        match &self.value {
            Value::List(list) => list,
            _ => &[],
        }
    }

    /// The entry under `key`: of repeated ones the last.
    pub(crate) fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        self.entries().iter().rev().find(|(name, _)| name.is_key(key))
    }

    /// The value under `key`: of repeated ones the last.
    pub(crate) fn field(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    pub(super) fn is_key(&self, key: &str) -> bool {
        match &self.value {
            Value::Text(text) => text == key,
            _ => self.to_key().is_some_and(|name| name == key),
        }
    }

    /// What it is as a key of a JSON object.
    pub(super) fn to_key(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Number(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Moves it and all it holds to where `original` says that their bytes are.
    pub(super) fn relocate(&mut self, original: &impl Fn(usize) -> usize) {
        self.offset = original(self.offset);
        match &mut self.value {
            Value::List(list) => list.iter_mut().for_each(|node| node.relocate(original)),
            Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                key.relocate(original);
                value.relocate(original);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
        }
    }
}

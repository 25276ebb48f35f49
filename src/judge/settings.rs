//! The settings of a rule: what may be written, and reading it.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// A setting of a rule, or a field of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Its name.
    pub name: &'static str,
    /// The fields of its value, or of each entry where that is a list; empty for words and amounts.
    pub fields: &'static [Self],
}

impl Setting {
    /// A setting that is a word, an amount, or a list of them.
    pub(crate) const fn plain(name: &'static str) -> Self {
        Self::with_fields(name, &[])
    }

    /// A setting that is a mapping, or a list of mappings.
    pub(crate) const fn with_fields(name: &'static str, fields: &'static [Self]) -> Self {
        Self { name, fields }
    }
}

/// Why settings cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SettingsError {
    /// The way to what is wrong; empty where the settings do not go together.
    pub path: Vec<PathStep>,
    /// What is wrong.
    pub message: String,
}

/// A step on the way to a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathStep {
    /// Into a field.
    Field(String),
    /// Into an entry of a list.
    Entry(usize),
}

impl SettingsError {
    /// Settings that do not go together.
    pub(crate) fn together(message: impl Into<String>) -> Self {
        Self { path: Vec::new(), message: message.into() }
    }
}

/// Reads settings, a JSON object.
///
/// # Errors
///
/// What is wrong, and where.
pub(crate) fn read<T: DeserializeOwned>(settings: serde_json::Value) -> Result<T, SettingsError> {
    serde_path_to_error::deserialize(settings).map_err(|error| {
        let step = |segment: &Segment| match segment {
            Segment::Seq { index } => Some(PathStep::Entry(*index)),
            Segment::Map { key } => Some(PathStep::Field(key.clone())),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        let path = error.path().iter().map_while(step).collect();
        SettingsError { path, message: error.inner().to_string() }
    })
}

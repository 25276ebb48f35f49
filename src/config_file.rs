//! Files of configuration: whether a program can read them.

/// Where and why a text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub expected: String,
    /// Who minds.
    pub severity: Severity,
}

/// How many programs mind a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// All.
    Broken,
    /// Some.
    Lenient,
}

/// What a file of configuration is written in, by the ending of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
}

impl Format {
    /// By the ending of `key`.
    pub fn of_name(key: &str) -> Option<Self> {
        key.to_ascii_lowercase().ends_with(".json").then_some(Self::Json)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        "JSON"
    }
}

/// The first fault of `text`, the content of the file called `key`.
pub fn fault(key: &str, text: &str) -> Option<Fault> {
    Format::of_name(key)?;
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    Some(Fault {
        line: error.line(),
        column: error.column(),
        expected: "broken".to_owned(),
        severity: Severity::Broken,
    })
}

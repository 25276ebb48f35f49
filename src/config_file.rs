//! Files of configuration, as ConfigMaps hold them: whether one can be read, and where it cannot.
//!
//! Nobody here knows which program reads a file. So a file is [`Broken`](Severity::Broken) only
//! where no program that reads its format takes it, and what some take and some refuse is
//! [`Lenient`](Severity::Lenient). What may be a template, which something fills in before it is
//! read, has no fault at all.

mod blanks;
mod flaw;
mod format;
mod ini;
mod json;
mod place;
mod properties;
mod template;
mod toml;
mod xml;
mod yaml;

pub use format::Format;

/// A text longer than this, in bytes, is not looked at: a ConfigMap cannot be larger.
const LONGEST: usize = 1 << 20;

/// What is nested deeper than this is not looked at.
const DEEPEST: usize = 100;

/// Where and why a text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters, from 1.
    pub column: usize,
    /// What was expected, or what is wrong: short, in lower case, and without anything of the text
    /// but a punctuation mark, as values may be secrets.
    pub expected: String,
    /// Who cannot read it.
    pub severity: Severity,
}

/// Who cannot read a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// No program reads it.
    Broken,
    /// Many programs read it, and many do not.
    Lenient,
}

/// The first fault of `text`, the content of the file called `key`: of several the first that is
/// [`Broken`](Severity::Broken).
///
/// `None` where it is read, where it is not looked at (another ending, nothing but blanks, too long
/// or nested too deeply), and where it cannot be read but may be a template.
#[must_use]
pub fn fault(key: &str, text: &str) -> Option<Fault> {
    let format = Format::of_name(key)?;
    if text.len() > LONGEST || blanks::is_blank(text) {
        return None;
    }
    let flaw = match format {
        Format::Json => json::flaw(text),
        Format::Yaml => yaml::flaw(text),
        Format::Toml => toml::flaw(text),
        Format::Properties => properties::flaw(text),
        Format::Xml => xml::flaw(text),
        Format::Ini => ini::flaw(text),
    }?;
    if template::may_be(text) {
        return None;
    }
    let (line, column) = place::of(text, flaw.offset);
    Some(Fault { line, column, expected: flaw.expected.into_owned(), severity: flaw.severity })
}

#[cfg(test)]
mod tests;

//! A list of names of Reloader's: each entry is a regular expression of Go's for the whole name.

use std::collections::BTreeSet;

use regex::bytes::{Regex, RegexBuilder};

/// What a list of Reloader's means.
#[derive(Debug, Default)]
pub(super) struct Listed {
    names: BTreeSet<String>,
    patterns: Vec<Regex>,
    /// Whether there are entries of which that is unknown.
    unknown: bool,
}

/// An entry of a list.
#[derive(Debug)]
pub(in crate::rules) enum Entry {
    /// Letters that stand for themselves only.
    Name,
    /// A regular expression.
    Pattern(Regex),
    /// Reloader's library refuses it.
    Invalid,
    /// It is unknown what it means.
    Unknown,
}

/// The longest expression that is read. A longer one is nobody's.
const LONGEST: usize = 256;

/// The most expressions of one list that are read.
const PATTERNS: usize = 16;

/// The most memory, in bytes, that one expression may take.
const SIZE: usize = 64 * 1024;

impl Listed {
    /// Reads the value of an annotation.
    pub(super) fn read(list: &str) -> Self {
        let mut listed = Self::default();
        for entry in list.split(',').map(str::trim) {
            if listed.patterns.len() >= PATTERNS && !is_name(entry) {
                listed.unknown = true;
                continue;
            }
            match Entry::read(entry) {
                Entry::Name => {
                    listed.names.insert(entry.to_owned());
                }
                Entry::Pattern(pattern) => listed.patterns.push(pattern),
                Entry::Invalid => {}
                Entry::Unknown => listed.unknown = true,
            }
        }
        listed
    }

    /// Whether it means this name, or may.
    pub(super) fn means(&self, name: &str) -> bool {
        self.unknown
            || self.names.contains(name)
            || self.patterns.iter().any(|pattern| pattern.is_match(name.as_bytes()))
    }
}

impl Entry {
    /// Reads an entry as Reloader does: `^entry$`, whatever that means with a `|` in it.
    pub(in crate::rules) fn read(entry: &str) -> Self {
        if is_name(entry) {
            return Self::Name;
        }
        if entry.len() > LONGEST {
            return Self::Unknown;
        }
        // names are ASCII, and Go's classes are as well
        let read = RegexBuilder::new(&format!("^{entry}$")).unicode(false).size_limit(SIZE).build();
        match read {
            Ok(pattern) => Self::Pattern(pattern),
            // what Go reads and this library does not: quotes, braces that stand for themselves
            Err(regex::Error::Syntax(_)) if !entry.contains(['{', '\\']) => Self::Invalid,
            Err(_) => Self::Unknown,
        }
    }
}

/// Whether the letters of an entry stand for themselves only: most entries are names.
fn is_name(entry: &str) -> bool {
    entry.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_mean_what_go_reads_in_them() {
        // tried with Go 1.26
        for (entry, expected) in [
            ("app-config", true),
            ("app-*", false),
            ("app-.*", true),
            ("app.config", true),
            ("app", false),
            ("app|x", true),
            ("x|config", true),
            ("(?i)APP-CONFIG", true),
            ("^app-config$", true),
            (r"app-\w+", true),
            ("app-[a-c]+", false),
            ("app-con(?P<rest>fig)", true),
            ("*", true),
            ("", false),
            ("(app-config", false),
            ("app-[c", false),
            ("(?=a).*", false),
            (r"\Qapp-config\E", true),
        ] {
            assert_eq!(Listed::read(entry).means("app-config"), expected, "{entry}");
        }
    }

    #[test]
    fn lists_of_many_or_long_expressions_may_mean_anything() {
        assert!(Listed::read(&"a.*b,".repeat(PATTERNS + 1)).means("c"));
        assert!(!Listed::read(&"a.*b,".repeat(PATTERNS)).means("c"));
        assert!(Listed::read(&format!("a.*{}", "b".repeat(LONGEST))).means("c"));
        assert!(Listed::read("((a.{1000}){1000}){1000}").means("c"), "too large for its memory");
        assert!(!Listed::read(&"name,".repeat(10_000)).means("c"));
    }
}

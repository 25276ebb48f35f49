//! What of the files could not be read, counted: nothing is lost in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Why a line says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Skipped {
    /// It is no JSON.
    Broken,
    /// It is the last line of a file, and cut off.
    CutOff,
    /// It is longer than `--line-limit`.
    TooLong,
    /// It is JSON of another kind.
    Foreign,
    /// It is a recording among events.
    Recording,
    /// It is an event of another shape than the API server writes.
    Malformed,
    /// It has no time. It is taken as it comes.
    NoTime,
    /// It was written more than a minute before an earlier line: a clock was put back, or the file
    /// is not in order. It is taken as it comes.
    Backwards,
}

impl Skipped {
    /// What is said of so many lines.
    fn words(self) -> &'static str {
        match self {
            Self::Broken => "lines that are no JSON",
            Self::CutOff => "last lines that are cut off",
            Self::TooLong => "lines longer than --line-limit",
            Self::Foreign => "lines that are neither events nor recordings",
            Self::Recording => "recordings among events",
            Self::Malformed => "events of another shape than kube-apiserver writes",
            Self::NoTime => "events without a time, taken as they came",
            Self::Backwards => "events more than a minute out of order, taken as they came",
        }
    }
}

/// What was read, and what was not.
#[derive(Debug, Default)]
pub(super) struct Skips {
    /// The bytes of all lines.
    pub(super) bytes: u64,
    /// The events, whatever they are about.
    pub(super) events: usize,
    /// The recordings.
    pub(super) recordings: usize,
    counts: BTreeMap<Skipped, (usize, BTreeSet<String>)>,
    versions: BTreeMap<String, usize>,
    faults: Vec<String>,
}

/// The names of files that are told with a count.
const NAMED: usize = 3;

impl Skips {
    /// A line of so many bytes was read.
    pub(super) fn read(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// It was an event.
    pub(super) fn event(&mut self) {
        self.events = self.events.saturating_add(1);
    }

    /// Counts a line of the file `name`.
    pub(super) fn count(&mut self, what: Skipped, name: &str) {
        let (count, names) = self.counts.entry(what).or_default();
        *count = count.saturating_add(1);
        if names.len() < NAMED {
            names.insert(name.to_owned());
        }
    }

    /// Counts an event of another version.
    pub(super) fn version(&mut self, version: &str, name: &str) {
        let known = self.versions.len() < NAMED || self.versions.contains_key(version);
        let version = if known { format!("{version} in {name}") } else { "other versions".into() };
        let count = self.versions.entry(version).or_default();
        *count = count.saturating_add(1);
    }

    /// What is wrong with the file `name`.
    pub(super) fn fault(&mut self, name: &str, what: &dyn Display) {
        self.faults.push(format!("\"{name}\": {what}"));
    }

    /// Whether anything was read that can be replayed.
    pub(super) fn has_read(&self) -> bool {
        self.events > 0 || self.recordings > 0
    }

    /// Everything that was not read, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let counts = self.counts.iter().map(|(what, (count, names))| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("{count} {} ({})", what.words(), names.join(", "))
        });
        let versions = self.versions.iter().map(|(version, count)| {
            format!("{count} events of {version}: only audit.k8s.io/v1 is read")
        });
        self.faults.iter().cloned().chain(versions).chain(counts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_counted_and_named() {
        let mut skips = Skips::default();
        assert!(!skips.has_read() && skips.lines().is_empty());
        skips.count(Skipped::TooLong, "a.log");
        skips.count(Skipped::TooLong, "b.log");
        skips.version("audit.k8s.io/v1beta1", "a.log");
        skips.fault("c.log", &"unexpected end of file");
        skips.event();
        assert!(skips.has_read());
        let expected = [
            "\"c.log\": unexpected end of file",
            "1 events of audit.k8s.io/v1beta1 in a.log: only audit.k8s.io/v1 is read",
            "2 lines longer than --line-limit (a.log, b.log)",
        ];
        assert_eq!(skips.lines(), expected);
    }
}

//! A file in a ConfigMap that no program can read.
//!
//! **Why it matters.** A program that reloads its configuration keeps the old one silently where the
//! new one cannot be read, and fails at its next start, long after the change and with nobody
//! watching.
//!
//! **What it looks at.** Keys of ConfigMaps whose names end in `.json`, `.yaml`, `.yml`, `.toml`,
//! `.properties`, `.xml` or `.ini`; on an update those alone that change, and that could be read
//! before. It says line and column of the value. Secrets are not read.
//!
//! **What it allows.** Templates: what holds `{{`, `{%`, `${`, `$(`, `<%`, `(@` or `@NAME@` and cannot be
//! read is filled in later. Empty files, and files over 1 MiB. What many programs read all the same
//! is no more than audited: comments and trailing commas in JSON, repeated keys and unknown tags in
//! YAML. Of `.properties` and `.ini` only what every reader refuses is a finding.
//!
//! **How to fix it.** Correct the file at the line that is named.

use crate::config_file::{Fault, Format, Severity, fault};
use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::mode::Mode;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::{ConfigurationView, KeyChange};
use crate::kube::configuration::ConfigKind;

pub(crate) const RULE: Rule = Rule::new::<BrokenConfigFile>(
    "broken-config-file",
    include_str!("../../../policies/broken-config-file.yaml"),
);

/// What to do.
pub(crate) const REMEDY: &str =
    "correct it: programs keep the old file, or fail at their next start";

#[derive(Debug, Default)]
struct BrokenConfigFile;

impl Check for BrokenConfigFile {
    fn configuration(&self, change: &ConfigurationView<'_>, findings: &mut Findings) {
        for (key, fault) in broken_files(change) {
            let message = |names: Names| {
                let (kind, name) = (change.kind, names.quoted(change.name));
                format!("{kind} {name}: {} {}", names.quoted(&key), told(&key, &fault))
            };
            let finding = Finding::new(RULE.name, change.pointer(&key), message, REMEDY);
            let most = match fault.severity {
                Severity::Broken => Mode::Fix,
                Severity::Lenient => Mode::Audit,
            };
            findings.report(finding.at_most(most).in_line(fault.line).about(key));
        }
    }
}

/// What is wrong with the file called `key`.
pub(crate) fn told(key: &str, fault: &Fault) -> String {
    let format = Format::of_name(key).map_or("file", Format::as_str);
    let Fault { line, column, expected, severity } = fault;
    // some programs read it
    let strict = if *severity == Severity::Lenient { "strict " } else { "" };
    format!("is no {strict}{format}: line {line}, column {column}: {expected}")
}

/// The files that a change breaks, each with its first fault.
pub(crate) fn broken_files(change: &ConfigurationView<'_>) -> Vec<(String, Fault)> {
    if change.kind == ConfigKind::Secret {
        return Vec::new();
    }
    if let Some(known) = change.known_faults() {
        return known.iter().map(|one| (one.key.clone(), one.fault.clone())).collect();
    }
    let broken = |change: &KeyChange<'_>| Some((change.key.to_string(), breaks(change)?));
    change.changes().iter().filter_map(broken).collect()
}

/// The fault of what comes, where it is worse than what was.
fn breaks(change: &KeyChange<'_>) -> Option<Fault> {
    Format::of_name(&change.key)?;
    let found = fault(&change.key, &change.new?.text()?)?;
    let before = change.old.as_ref().and_then(|old| fault(&change.key, &old.text()?));
    let was_as_bad = before.is_some_and(|before| {
        before.severity == Severity::Broken || before.severity == found.severity
    });
    (!was_as_bad).then_some(found)
}

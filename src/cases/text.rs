//! The report for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::recording::Ruled;
use crate::report::counted;
use crate::terminal::{paint, plain};

use super::expected::ExpectedFinding;
use super::flaw::Flaw;
use super::found::Found;
use super::matching::Difference;
use super::report::{CaseReport, CaseResult, Counts, FileReport, TestReport};

/// How the report looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Whether it has colours.
    pub(super) coloured: bool,
    /// Whether cases that pass are named.
    pub(super) verbose: bool,
}

/// The report in lines.
pub(super) fn render(report: &TestReport, look: Look) -> String {
    let mut text = String::new();
    for file in &report.files {
        for flaw in &file.flaws {
            error(&mut text, file, flaw, look);
        }
        for case in &file.cases {
            one(&mut text, file, case, look);
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text + &summary(report, look)
}

fn one(text: &mut String, file: &FileReport, case: &CaseReport, look: Look) {
    let head = format!("{}:{}: {}", plain(&file.name), case.line, plain(&case.name));
    let (word, colour) = match &case.result {
        CaseResult::Passed(_) if !look.verbose => return,
        CaseResult::Passed(_) => ("passed", AnsiColor::Green),
        CaseResult::Updated(_) => ("updated", AnsiColor::Yellow),
        CaseResult::Failed(..) => ("FAILED", AnsiColor::Red),
        CaseResult::Faulty(flaws) => {
            flaws.iter().for_each(|flaw| error(text, file, flaw, look));
            return;
        }
    };
    let _ = writeln!(text, "{} {head}", paint(word, style(colour), look.coloured));
    if let CaseResult::Failed(found, difference) = &case.result {
        for line in differences(case, found, difference) {
            let _ = writeln!(text, "  {line}");
        }
    }
}

/// What differs, line by line.
pub(super) fn differences(
    case: &CaseReport,
    found: &Found,
    difference: &Difference,
) -> Vec<String> {
    let mut lines = Vec::new();
    if case.expected.is_none() {
        lines.push(format!("nothing is expected, got {}", found.decision));
        lines.push("say what is expected, or let --update write what comes of it".to_owned());
        lines.extend(found.findings.iter().map(|ruled| format!("+ {}", found_line(ruled))));
    }
    if let Some((expected, found)) = difference.decision {
        lines.push(format!("expected {expected}, got {found}"));
    }
    if let Some((expected, found)) = &difference.allowance {
        let got = found.as_ref().map_or("none".to_owned(), |name| format!("{name:?}"));
        lines.push(format!("expected allowance {expected:?}, got {got}"));
    }
    let missing = case.missing();
    lines.extend(missing.iter().map(|finding| format!("- {}", expected_line(finding))));
    let unexpected = case.unexpected();
    lines.extend(unexpected.iter().map(|ruled| format!("+ {}", found_line(ruled))));
    lines.extend(found.hints().into_iter().map(str::to_owned));
    lines
}

fn expected_line(finding: &ExpectedFinding) -> String {
    let mode = finding.mode.map(|mode| format!(" ({mode})")).unwrap_or_default();
    let outcome =
        finding.outcome.map(|outcome| format!(" {}", outcome.as_str())).unwrap_or_default();
    let container = finding
        .container
        .as_ref()
        .map(|name| format!(" in container {name:?}"))
        .unwrap_or_default();
    let message =
        finding.message.as_ref().map(|words| format!(": …{}…", plain(words))).unwrap_or_default();
    format!("{}{mode}{outcome}{container}{message}", finding.rule)
}

fn found_line(ruled: &Ruled) -> String {
    format!("{} ({}) {}: {}", ruled.rule, ruled.mode, ruled.outcome, plain(&ruled.message))
}

fn error(text: &mut String, file: &FileReport, flaw: &Flaw, look: Look) {
    let word = paint("error", style(AnsiColor::Red), look.coloured);
    let (name, message) = (plain(&file.name), plain(&flaw.message));
    let _ = writeln!(text, "{word} {name}:{}:{}: {message}", flaw.line, flaw.column);
}

fn summary(report: &TestReport, look: Look) -> String {
    let Counts { passed, failed, updated, faulty } = report.counts();
    let files = counted(report.files.len(), "file");
    let mut parts = vec![format!("{passed} passed")];
    if updated > 0 {
        parts.push(format!("{updated} updated"));
    }
    parts.push(format!("{failed} failed"));
    if faulty > 0 {
        parts.push(counted(faulty, "error"));
    }
    let colour = if failed > 0 || faulty > 0 { AnsiColor::Red } else { AnsiColor::Green };
    let line = format!("{} in {files}", parts.join(", "));
    format!("{}\n", paint(&line, style(colour), look.coloured))
}

fn style(colour: AnsiColor) -> Style {
    colour.on_default()
}

//! Findings for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::judge::mode::Mode;
use crate::rules;
use crate::terminal::{paint, plain};

use super::finding::Finding;

/// How findings look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Whether they have colours.
    pub(super) coloured: bool,
    /// Whether the page of each rule follows.
    pub(super) explained: bool,
}

/// Each finding in three lines: where and what, in which object, and how to fix it.
pub(super) fn render(findings: &[Finding], look: Look) -> String {
    let mut text = String::new();
    for finding in findings {
        write(&mut text, finding, look);
    }
    if look.explained {
        let names: BTreeSet<_> = findings.iter().map(|finding| finding.rule).collect();
        for rule in names.into_iter().filter_map(rules::find) {
            let heading = look.paint(rule.name, Style::new().bold());
            let _ = write!(text, "\n{heading}\n\n{}\n", rule.documentation()); // writing to memory cannot fail
        }
    }
    text
}

fn write(text: &mut String, finding: &Finding, look: Look) {
    let place =
        look.paint(&format!("{}:{}:", plain(&finding.file), finding.line), Style::new().bold());
    let mode = look.paint(finding.mode.mode().as_str(), style(finding.mode.mode()));
    let rule = look.paint(&format!("[{}]", finding.rule), Style::new().dimmed());
    let subject = finding.subject();
    let hint = if finding.fixable { " (--fix does it)" } else { "" };
    let container = finding
        .container
        .as_ref()
        .map(|name| format!(", container {}", plain(name)))
        .unwrap_or_default();
    let _ = writeln!(text, "{place} {mode}: {} {rule}", plain(&finding.message));
    let _ = writeln!(text, "    in {}{container}", plain(&subject));
    let _ = writeln!(text, "    fix: {}{hint}", plain(&finding.remedy));
}

fn style(mode: Mode) -> Style {
    let colour = match mode {
        Mode::Off | Mode::Audit => AnsiColor::Cyan,
        Mode::Warn => AnsiColor::Yellow,
        Mode::Enforce | Mode::Fix => AnsiColor::Red,
    };
    colour.on_default().bold()
}

impl Look {
    fn paint(self, text: &str, style: Style) -> String {
        paint(text, style, self.coloured)
    }
}

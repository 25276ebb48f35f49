//! Findings as workflow commands: GitHub Actions shows them beside the lines they are about.

use crate::judge::mode::Mode;
use crate::terminal::plain;

use super::finding::Finding;

/// One command for each finding.
pub(super) fn render(findings: &[Finding]) -> String {
    findings.iter().map(command).collect()
}

fn command(finding: &Finding) -> String {
    let level = match finding.mode.mode() {
        Mode::Off | Mode::Audit => "notice",
        Mode::Warn => "warning",
        Mode::Enforce | Mode::Fix => "error",
    };
    let title = format!("{} in {}", finding.rule, finding.subject());
    let (file, title) = (property(&finding.file), property(&title));
    let text = data(&format!("{}\n{}", plain(&finding.message), plain(&finding.remedy)));
    format!("::{level} file={file},line={},title={title}::{text}\n", finding.line)
}

/// Text after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property: commas and colons would end it.
fn property(text: &str) -> String {
    data(&plain(text)).replace(':', "%3A").replace(',', "%2C")
}

//! The report as the XML of JUnit, which CI systems show.

use std::fmt::Write as _;

use super::flaw::Flaw;
use super::report::{CaseReport, CaseResult, FileReport, TestReport};
use super::text::differences;

/// What a file is called where it is one case by itself: one that cannot be read.
const FILE: &str = "the file of cases";

/// The report.
pub(super) fn render(report: &TestReport) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let counts = report.counts();
    let tests = report.files.iter().map(size).fold(0, usize::saturating_add);
    let _ = writeln!(
        text,
        "<testsuites name=\"restraint\" tests=\"{tests}\" failures=\"{}\" errors=\"{}\">",
        counts.failed, counts.faulty,
    );
    report.files.iter().for_each(|file| suite(&mut text, file));
    text + "</testsuites>\n"
}

fn size(file: &FileReport) -> usize {
    file.cases.len().saturating_add(usize::from(!file.flaws.is_empty()))
}

fn suite(text: &mut String, file: &FileReport) {
    let count =
        |is: fn(&CaseResult) -> bool| file.cases.iter().filter(|one| is(&one.result)).count();
    let failures = count(|result| matches!(result, CaseResult::Failed(..)));
    let errors = count(|result| matches!(result, CaseResult::Faulty(_)));
    let name = escaped(&file.name);
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"{}\">",
        size(file),
        errors.saturating_add(usize::from(!file.flaws.is_empty())),
    );
    if !file.flaws.is_empty() {
        open(text, file, FILE, 1);
        errors_of(text, &file.flaws);
        text.push_str("    </testcase>\n");
    }
    for case in &file.cases {
        open(text, file, &case.name, case.line);
        body(text, case);
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n");
}

fn open(text: &mut String, file: &FileReport, name: &str, line: u64) {
    let (name, file) = (escaped(name), escaped(&file.name));
    let _ = writeln!(
        text,
        "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\">"
    );
}

fn body(text: &mut String, case: &CaseReport) {
    match &case.result {
        CaseResult::Failed(found, difference) => {
            let lines = differences(case, found, difference);
            let first = lines.first().map_or("other findings", String::as_str);
            let _ = writeln!(
                text,
                "      <failure message=\"{}\">{}</failure>",
                escaped(first),
                escaped(&lines.join("\n")),
            );
        }
        CaseResult::Faulty(flaws) => errors_of(text, flaws),
        CaseResult::Passed(_) | CaseResult::Updated(_) => {}
    }
}

fn errors_of(text: &mut String, flaws: &[Flaw]) {
    let lines: Vec<String> = flaws
        .iter()
        .map(|flaw| format!("{}:{}: {}", flaw.line, flaw.column, flaw.message))
        .collect();
    let first = flaws.first().map_or("", |flaw| &*flaw.message);
    let _ = writeln!(
        text,
        "      <error message=\"{}\">{}</error>",
        escaped(first),
        escaped(&lines.join("\n")),
    );
}

/// `text` as XML. What XML cannot hold at all becomes a mark of replacement.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_xml_cannot_hold_is_left() {
        assert_eq!(
            escaped("a<b> & \"c\"\n\u{1b}[2J"),
            "a&lt;b&gt; &amp; &quot;c&quot;&#10;\u{fffd}[2J"
        );
    }
}

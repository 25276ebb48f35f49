//! What probes measured, for people: a table, and what was broken.

use std::fmt::Write;
use std::iter::once;

use crate::terminal::{plain, table};

use super::duration::{Milliseconds, shown};
use super::failure::told;
use super::report::{Measured, Numbers, ProbeReport};

/// The columns of every table.
pub(super) const COLUMNS: [&str; 8] =
    ["PHASE", "REQUESTS", "OK", "ERRORS", "P50", "P99", "MAX", "LONGEST GAP"];

/// The report in lines; nothing, where there was no probe.
pub(crate) fn render(report: &ProbeReport) -> String {
    let mut text = String::new();
    for measured in &report.probes {
        let _ = writeln!(text, "probe {}", plain(&measured.probe)); // writing to memory cannot fail
        let rows: Vec<_> =
            once(COLUMNS.map(str::to_owned)).chain(rows(measured).map(|(row, _)| row)).collect();
        text.push_str(&table(&rows));
        for (phase, errors) in errors(measured) {
            let _ = writeln!(text, "errors {phase}: {errors}");
        }
    }
    for breach in &report.broken {
        let _ = writeln!(text, "broken: {}", plain(&breach.to_string()));
    }
    text
}

/// A row for each phase, and one for all, with whether there are errors in it.
pub(super) fn rows(measured: &Measured) -> impl Iterator<Item = ([String; 8], bool)> {
    let phases = measured.phases.iter().map(|of| (of.phase.as_str(), &of.numbers));
    phases.chain(once(("all", &measured.whole))).map(|(name, numbers)| {
        let latency = |time: Option<Milliseconds>| {
            time.map_or_else(|| "-".to_owned(), |Milliseconds(time)| shown(time))
        };
        let Numbers { requests, ok, errors, p50, p99, max, gap, .. } = numbers;
        let row = [
            name.to_owned(),
            requests.to_string(),
            ok.to_string(),
            errors.to_string(),
            latency(*p50),
            latency(*p99),
            latency(*max),
            shown(gap.0),
        ];
        (row, *errors > 0)
    })
}

/// The errors of each phase that has any, in words.
pub(super) fn errors(measured: &Measured) -> impl Iterator<Item = (&'static str, String)> {
    let with_errors = measured.phases.iter().filter(|of| of.numbers.errors > 0);
    with_errors.map(|of| (of.phase.as_str(), told(&of.numbers.failures)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::probe::testing::report;

    #[test]
    fn phases_are_rows_and_errors_are_named() {
        let text = render(&report("service:web:80/"));
        let expected = "\
probe http://web.shop/healthz
PHASE    REQUESTS   OK    ERRORS   P50       P99      MAX      LONGEST GAP
before   100        100   0        8.06 ms   12 ms    12 ms    108 ms
during   350        288   62       8.06 ms   844 ms   940 ms   7.23 s
after    150        150   0        8.06 ms   12 ms    12 ms    108 ms
all      600        538   62       8.06 ms   696 ms   940 ms   7.23 s
errors during: 60 refused, 2 status 503
";
        assert!(text.starts_with(expected), "{text}");
        let broken =
            "broken: probe \"service:web:80/\": 62 of 500 requests failed (--max-errors 1%)\n";
        assert!(text.ends_with(broken), "{text}");
    }

    #[test]
    fn nothing_commands_the_terminal() {
        let text = render(&report("a\u{1b}[2J\u{202e}"));
        assert!(text.contains("probe a\\u{1b}[2J\\u{202e}\n"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    }
}

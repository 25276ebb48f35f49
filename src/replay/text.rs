//! The report for people: totals first, then whom it hits.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::recording::Decision;
use crate::report::counted;
use crate::terminal::{plain, table};

use super::summary::Summary;
use super::tally::{Count, Counts, Group};

/// The most rows of one table.
const MOST_ROWS: usize = 20;

/// What is done, in the order in which it is told.
const TOLD: [(Decision, &str); 4] = [
    (Decision::Denied, "denied"),
    (Decision::Restored, "restored: what automation lowered is put back"),
    (Decision::Amended, "amended: new pods are fixed, grants become stamps"),
    (Decision::Warned, "warned"),
];

/// Writing to memory cannot fail.
macro_rules! line {
    ($text:expr, $($words:tt)*) => { let _ = writeln!($text, $($words)*); };
}

/// The report in lines.
pub(super) fn render(summary: &Summary) -> String {
    let mut text = String::new();
    head(&mut text, summary);
    let tally = &summary.tally;
    for (decision, title) in TOLD {
        if let Some(group) = tally.groups.get(&decision) {
            told(&mut text, title, group);
        }
    }
    changes(&mut text, summary);
    section(&mut text, "unknown", &tally.unknown);
    section(&mut text, "refused by the API server or another webhook", &tally.refused);
    list(&mut text, "assumed, because the log does not tell", &summary.assumptions);
    list(&mut text, "not read", &summary.skipped);
    text
}

fn head(text: &mut String, summary: &Summary) {
    let tally = &summary.tally;
    line!(text, "policies {}, cap {}", summary.policies, summary.cap);
    let what = [(summary.events, "event"), (summary.recordings, "recording")];
    let what: Vec<_> = what
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(*count, what))
        .collect();
    let span = span(tally.all);
    line!(
        text,
        "{} of {}; {} that Restraint would be asked about{span}",
        if what.is_empty() { "nothing".to_owned() } else { what.join(", ") },
        counted(summary.files, "file"),
        counted(tally.all.requests, "request"),
    );
    let decisions: Vec<_> = Decision::ALL
        .iter()
        .filter(|decision| tally.of(**decision) > 0)
        .map(|decision| format!("{} {decision}", tally.of(*decision)))
        .collect();
    if !decisions.is_empty() {
        line!(text, "{}", decisions.join(", "));
    }
    if tally.said > 0 {
        line!(text, "{} by Restraint's own words in the log", counted(tally.said, "decision"));
    }
    if tally.dry_runs > 0 {
        line!(text, "{}", counted(tally.dry_runs, "dry run"));
    }
}

fn span(count: Count) -> String {
    match (count.first, count.last) {
        (Some(first), Some(last)) => format!(", {} to {}", shown(first), shown(last)),
        _ => String::new(),
    }
}

/// A time in whole seconds.
fn shown(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

fn told(text: &mut String, title: &str, group: &Group) {
    line!(text, "\n{title}: {}{}", counted(group.all.requests, "request"), span(group.all));
    for (head, counts) in
        [("RULE", &group.rules), ("NAMESPACE", &group.namespaces), ("REQUESTER", &group.requesters)]
    {
        rows(text, head, counts);
    }
}

fn section(text: &mut String, title: &str, counts: &Counts) {
    if counts.is_empty() {
        return;
    }
    let all = counts.values().map(|count| count.requests).fold(0, usize::saturating_add);
    line!(text, "\n{title}: {}", counted(all, "request"));
    rows(text, "WHY", counts);
}

/// A table, the most frequent first.
fn rows(text: &mut String, head: &str, counts: &Counts) {
    if counts.is_empty() {
        return;
    }
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(name, count)| (std::cmp::Reverse(count.requests), *name));
    let moment = |time: Option<Timestamp>| time.map(shown).unwrap_or_default();
    let mut rows = vec![[head, "REQUESTS", "FIRST", "LAST"].map(str::to_owned)];
    rows.extend(sorted.iter().take(MOST_ROWS).map(|(name, count)| {
        let (first, last) = (moment(count.first), moment(count.last));
        [plain(name).into_owned(), count.requests.to_string(), first, last]
    }));
    text.push_str(&table(&rows));
    if let Some(more) = sorted.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
        line!(text, "and {more} more: --format json has all");
    }
}

fn changes(text: &mut String, summary: &Summary) {
    let tally = &summary.tally;
    let Some(against) = summary.against.as_ref().filter(|_| tally.compared > 0) else { return };
    line!(
        text,
        "\nchanged against {against}: {} of {}",
        tally.changed(),
        counted(tally.compared, "request")
    );
    rows(text, "CHANGE", &tally.changes);
    for example in &tally.examples {
        line!(text, "  {}", plain(example));
    }
}

fn list(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    line!(text, "\n{title}:");
    for one in lines {
        line!(text, "  {}", plain(one));
    }
}

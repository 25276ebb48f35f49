//! What probes measured, as one HTML file that loads nothing and runs nothing.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use crate::report::page::{escaped, filled, security_policy};

use super::duration::shown;
use super::plot::plot;
use super::report::{Measured, ProbeReport};
use super::text::{COLUMNS, errors, rows};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = concat!(include_str!("../../report/page.css"), include_str!("page.css"));

/// Writing to memory cannot fail.
macro_rules! line {
    ($text:expr, $($words:tt)*) => { let _ = writeln!($text, $($words)*); };
}

/// The page, with this heading.
pub(super) fn render(heading: &str, report: &ProbeReport) -> String {
    let probes: String = report.probes.iter().map(|measured| section(measured, report)).collect();
    let (policy, heading) = (security_policy(STYLE, None), escaped(heading));
    let (terms, broken, steps) = (terms(report), broken(report), steps(report));
    let values = [
        ("policy", policy.as_str()),
        ("style", STYLE),
        ("heading", &heading),
        ("terms", &terms),
        ("broken", &broken),
        ("probes", &probes),
        ("steps", &steps),
    ];
    filled(PAGE, &values)
}

/// When it was, and what was asked for.
fn terms(report: &ProbeReport) -> String {
    let terms = &report.terms;
    let mut text = format!(
        "{}, for {}; {} requests a second of each probe, {} for an answer",
        report.started.strftime("%Y-%m-%d %H:%M:%S UTC"),
        shown(report.length.0),
        terms.per_second,
        shown(terms.timeout.0)
    );
    if let Some(limit) = &terms.max_errors {
        let _ = write!(text, "; --max-errors {limit}");
    }
    if let Some(limit) = terms.max_latency {
        let _ = write!(text, "; --max-latency {}", shown(limit.0));
    }
    escaped(&text)
}

fn broken(report: &ProbeReport) -> String {
    if report.broken.is_empty() {
        return String::new();
    }
    let mut text = "<ul class=\"broken\">\n".to_owned();
    for breach in &report.broken {
        line!(text, "<li class=\"bad\">{}</li>", escaped(&breach.to_string()));
    }
    text.push_str("</ul>\n");
    text
}

/// The table and the plot of one probe.
fn section(measured: &Measured, report: &ProbeReport) -> String {
    let mut text = String::new();
    line!(text, "<section>\n<h2>{}</h2>\n<div class=\"wide\"><table>", escaped(&measured.probe));
    let cells: String = COLUMNS
        .iter()
        .map(|name| format!("<th scope=\"col\">{}</th>", name.to_lowercase()))
        .collect();
    line!(text, "<thead><tr>{cells}</tr></thead>\n<tbody>");
    for (row, has_errors) in rows(measured) {
        let cells: String = row.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
        let class = if has_errors { " class=\"bad\"" } else { "" };
        line!(text, "<tr{class}>{cells}</tr>");
    }
    line!(text, "</tbody></table></div>");
    for (phase, errors) in errors(measured) {
        line!(text, "<p class=\"errors\">errors {phase}: {}</p>", escaped(&errors));
    }
    let plot = plot(measured, report);
    line!(text, "<div class=\"wide\">{plot}</div>\n</section>");
    text
}

fn steps(report: &ProbeReport) -> String {
    if report.marks.is_empty() {
        return String::new();
    }
    let mut text = "<section>\n<h2>Steps</h2>\n<table class=\"steps\"><tbody>\n".to_owned();
    for mark in &report.marks {
        let (time, label) = (shown(mark.time.0), escaped(&mark.label));
        line!(text, "<tr><td>{time}</td><td>{label}</td></tr>");
    }
    text.push_str("</tbody></table>\n</section>\n");
    text
}

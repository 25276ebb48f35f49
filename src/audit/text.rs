//! The report for people: totals first, details behind.

use std::fmt::Write;

use crate::report::counted;
use crate::terminal::{plain, table};

use super::report::{Finding, NEXT, Report};

/// The most namespaces that are listed.
const MOST_NAMESPACES: usize = 20;

/// Writing to memory cannot fail.
macro_rules! line {
    ($text:expr, $($words:tt)*) => { let _ = writeln!($text, $($words)*); };
}

/// The report in lines.
pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    head(&mut text, report);
    totals(&mut text, report);
    findings(&mut text, &report.findings);
    resizes(&mut text, report);
    differing(&mut text, report);
    approvals(&mut text, report);
    autoscalers(&mut text, report);
    missing(&mut text, report);
    line!(text, "\nnext: {NEXT}");
    text
}

fn head(text: &mut String, report: &Report) {
    let place = report
        .namespace
        .as_ref()
        .map_or("all namespaces".to_owned(), |name| format!("namespace {name:?}"));
    let selector = report
        .selector
        .as_ref()
        .map(|selector| format!(", labels {selector:?}"))
        .unwrap_or_default();
    let installation = report
        .installation
        .as_ref()
        .map(|name| format!(" (Service {})", plain(name)))
        .unwrap_or_default();
    line!(
        text,
        "{place}{selector}, Kubernetes {}, policies: {}, cap {}{installation}",
        report.cluster,
        plain(&report.policies),
        report.cap
    );
    let objects: Vec<_> =
        report.totals.objects.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let objects = if objects.is_empty() { "nothing".to_owned() } else { objects.join(", ") };
    line!(text, "judged: {objects}; {} seen", counted(report.totals.pods, "pod"));
}

fn totals(text: &mut String, report: &Report) {
    let totals = &report.totals;
    let modes: Vec<_> = ["enforce", "warn", "audit"]
        .iter()
        .map(|mode| format!("{} {mode}", totals.findings.get(mode).copied().unwrap_or_default()))
        .collect();
    line!(text, "{} ({})", counted(report.findings.len(), "finding"), modes.join(", "));
    if report.findings.is_empty() {
        return;
    }
    let header = ["RULE", "MODE", "FINDINGS", "PODS"].map(str::to_owned);
    let rows = totals.by_rule.iter().map(|row| {
        [
            row.rule.to_owned(),
            row.mode.mode().to_string(),
            row.findings.to_string(),
            row.pods.to_string(),
        ]
    });
    line!(text, "\n{}", table(&std::iter::once(header).chain(rows).collect::<Vec<_>>()).trim_end());
    let header = ["NAMESPACE", "ENFORCE", "WARN", "AUDIT"].map(str::to_owned);
    let rows = totals.by_namespace.iter().take(MOST_NAMESPACES).map(|row| {
        [
            plain(&row.namespace).into_owned(),
            row.enforce.to_string(),
            row.warn.to_string(),
            row.audit.to_string(),
        ]
    });
    line!(text, "\n{}", table(&std::iter::once(header).chain(rows).collect::<Vec<_>>()).trim_end());
    if let Some(more) =
        totals.by_namespace.len().checked_sub(MOST_NAMESPACES).filter(|more| *more > 0)
    {
        line!(text, "and {more} more");
    }
}

fn findings(text: &mut String, findings: &[Finding]) {
    for finding in findings {
        let Finding { rule, mode, namespace, kind, name, pods, message, remedy, .. } = finding;
        let pods =
            if *kind == "Pod" { String::new() } else { format!(" ({})", counted(*pods, "pod")) };
        line!(
            text,
            "\n{} [{rule}] {kind} {}/{}{pods}: {}",
            mode.mode(),
            plain(namespace),
            plain(name),
            plain(message)
        );
        if !remedy.is_empty() {
            line!(text, "  fix: {}", plain(remedy));
        }
    }
}

fn resizes(text: &mut String, report: &Report) {
    if report.resizes.is_empty() {
        return;
    }
    line!(text, "\nresizes that are not done: {}", report.resizes.len());
    for resize in &report.resizes {
        let node = if resize.node.is_empty() {
            String::new()
        } else {
            format!(" on {}", plain(&resize.node))
        };
        let age =
            resize.age_seconds.map(|age| format!(", for {}", duration(age))).unwrap_or_default();
        let place = format!("{}/{}", plain(&resize.namespace), plain(&resize.pod));
        line!(text, "  {place}{node}: {}{age}", plain(&resize.reason));
        if !resize.message.is_empty() {
            line!(text, "    said: {}", plain(&resize.message));
        }
    }
}

fn differing(text: &mut String, report: &Report) {
    if report.differing.is_empty() {
        return;
    }
    line!(text, "\ncontainers whose memory limit is not the spec's: {}", report.differing.len());
    for one in &report.differing {
        let place = format!("{}/{}", plain(&one.namespace), plain(&one.pod));
        line!(text, "  {place} {:?}: has {}, spec {}", one.container, one.actual, one.desired);
    }
}

fn approvals(text: &mut String, report: &Report) {
    if report.approvals.is_empty() {
        return;
    }
    line!(text, "\napprovals on pods: {}", report.approvals.len());
    for one in &report.approvals {
        let place = format!("{}/{}", plain(&one.namespace), plain(&one.pod));
        let by =
            one.approver.as_ref().map(|name| format!(" by {}", plain(name))).unwrap_or_default();
        let memory =
            one.memory.as_ref().map(|memory| format!(": {}", plain(memory))).unwrap_or_default();
        let until = one.expires.map(|end| format!(", until {end}")).unwrap_or_default();
        line!(text, "  {place}{memory}{by}{until} ({})", one.state);
    }
}

fn autoscalers(text: &mut String, report: &Report) {
    if report.autoscalers.is_empty() {
        return;
    }
    line!(text, "\nwhat autoscalers recommend would come to");
    for one in &report.autoscalers {
        let place = format!("{}/{}", plain(&one.namespace), plain(&one.name));
        let allowance = one
            .allowance
            .as_ref()
            .map(|name| format!(", by allowance {name:?}"))
            .unwrap_or_default();
        line!(
            text,
            "  {place} ({}, {}): {}{allowance}",
            plain(&one.target),
            plain(&one.mode),
            one.outcome
        );
        for change in &one.changes {
            line!(text, "    {}", plain(change));
        }
        if !one.restarts.is_empty() {
            line!(text, "    restarts: {}", plain(&one.restarts.join(", ")));
        }
        if !one.why.is_empty() {
            line!(text, "    why: {}", plain(&one.why));
        }
    }
}

fn missing(text: &mut String, report: &Report) {
    if report.missing.is_empty() {
        return;
    }
    line!(text, "\nnot in this report");
    for one in &report.missing {
        line!(text, "  {}: {}", plain(&one.what), plain(&one.why));
    }
}

fn duration(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

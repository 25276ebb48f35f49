//! The plan and the results for people.

use std::fmt::Write;

use crate::operate::act::headline;
use crate::operate::change::listed;
use crate::operate::ending::Ending;
use crate::operate::limits::words;
use crate::terminal::{paragraph, plain};

use super::configuration::ReadAnew;
use super::options::Options;
use super::plan::{Plan, PodPlan};
use super::report::Report;
use super::result::PodResult;
use super::runbook::{Light, Line};
use super::step::rollout_limit;

/// The plan: what is done to which pod, and in which order.
pub(super) fn plan(plan: &Plan, target: &str, namespace: &str, options: &Options) -> String {
    let (count, all) = (plan.to_do().count(), plan.pods.len());
    let mut text = headline(target, namespace, (count, all));
    let mut shown: Option<String> = None;
    for pod in &plan.pods {
        let ready = if pod.ready { "ready" } else { "not ready" };
        let head = format!("pod/{} ({ready})", plain(&pod.pod));
        if pod.over {
            let _ = writeln!(text, "{head}: has ended, or is being deleted: skipped");
            continue;
        }
        let body = if plan.no_way.is_empty() { body(pod) } else { String::new() };
        if shown.as_ref() == Some(&body) {
            let _ = writeln!(text, "{head}: the same");
        } else {
            let way = if plan.no_way.is_empty() { pod.way.words() } else { "no way" };
            let _ = writeln!(text, "{head}: {way}");
            text.push_str(&body);
            shown = Some(body);
        }
    }
    for (label, sentences) in
        [("no way", &plan.no_way), ("also changes", &plan.touches), ("not known", &plan.unknown)]
    {
        for sentence in sentences {
            paragraph(&mut text, label, sentence);
        }
    }
    if count > 0 && plan.no_way.is_empty() {
        paragraph(&mut text, "how", &how(plan, options, count));
    }
    text
}

fn body(pod: &PodPlan) -> String {
    let mut text = String::new();
    paragraph(&mut text, "way", &pod.why);
    paragraph(&mut text, "restarts", &format!("container {}", pod.containers.join(", ")));
    for left in &pod.left {
        paragraph(&mut text, "stays", left);
    }
    paragraph(&mut text, "by", &listed(&pod.changes));
    if let Some(answer) = &pod.answer {
        answer.tell(&mut text);
    }
    for line in &pod.runbook {
        paragraph(&mut text, line.check.name(), &light(line));
    }
    text.push_str(&configuration(&pod.configuration, "reads anew"));
    text
}

fn light(line: &Line) -> String {
    let word = match (line.light, line.skipped) {
        (Light::Green, _) => "green",
        (Light::Red, false) => "red",
        (Light::Red, true) => "red, and skipped",
        (Light::Unknown, _) => "not known",
    };
    format!("{word}: {}", line.why)
}

fn configuration(read: &[ReadAnew], label: &str) -> String {
    let mut text = String::new();
    for one in read {
        let said = match (one.is_newer, one.written, one.started) {
            (Some(true), Some(written), Some(started)) => {
                format!("written at {written}, after it started at {started}")
            }
            (Some(false), Some(written), _) => format!("as it was, written at {written}"),
            _ => "when it was written is not known".to_owned(),
        };
        let (object, by, container) = (&one.object, one.by, &one.container);
        paragraph(&mut text, label, &format!("{object} (by {by}) in {container}: {said}"));
    }
    text
}

fn how(plan: &Plan, options: &Options, count: usize) -> String {
    let ready = words(options.ready_for);
    if plan.is_rollout() {
        let limit = rollout_limit(options, count);
        return format!(
            "its controller replaces the pods as its strategy says; watched until it is complete for {ready}, at most {limit}"
        );
    }
    let turns = if count > 1 {
        format!("one pod at a time, {} between two; ", words(options.cool_down))
    } else {
        String::new()
    };
    let limit = words(options.timeout);
    format!(
        "{turns}the runbook again before each; at most {limit} a pod, which has to be ready for {ready} afterwards; the first that fails is the last"
    )
}

/// What became of one pod.
pub(super) fn result(result: &PodResult) -> String {
    let mut text = String::new();
    let kind = if result.pod.contains('/') { "" } else { "pod/" };
    let late = if result.timed_out { ", and the time is up" } else { "" };
    let by = result.replacement.as_ref().map(|pod| format!(" by pod/{}", plain(pod)));
    let _ = writeln!(
        text,
        "{kind}{}: {}{}{late} ({} s)",
        plain(&result.pod),
        result.fate.words(),
        by.unwrap_or_default(),
        result.seconds
    );
    if !result.done {
        paragraph(&mut text, "why", &result.why);
        paragraph(&mut text, "said", &result.message);
    }
    if let Some(breach) = &result.breach {
        paragraph(&mut text, "probe", &breach.to_string());
    }
    for one in &result.restarted {
        let (before, now) = one.restarts;
        let mut said = format!("{}, restart count {before} -> {now}", one.container);
        if let Some(seconds) = one.down_seconds {
            let _ = write!(said, ", {seconds} s down");
        }
        if let Some(seconds) = one.warm_up_seconds {
            let _ = write!(said, ", {seconds} s from its start until the pod was ready");
        }
        paragraph(&mut text, "restarted", &said);
    }
    if let Some(seconds) = result.ready_seconds {
        paragraph(&mut text, "ready", &format!("after {seconds} s"));
    }
    if result.done {
        text.push_str(&configuration(&result.configuration, "read anew"));
    }
    for warning in &result.warnings {
        paragraph(&mut text, "warning", warning);
    }
    text
}

/// What all of it came to.
pub(super) fn summary(report: &Report) -> String {
    let done = report.pods.iter().filter(|pod| pod.done).count();
    let count = report.pods.len();
    let things = if report.plan.is_rollout() { "workload" } else { "pods" };
    let mut text = match report.result {
        Ending::Planned => "nothing is changed: this is the plan\n".to_owned(),
        Ending::Denied => "nothing is changed: it is refused\n".to_owned(),
        Ending::NotStarted => "nothing is changed\n".to_owned(),
        Ending::Done => format!("done: {done} of {count} {things}\n"),
        Ending::Failed => {
            format!("not done: {done} of {count} {things} that had their turn are restarted\n")
        }
        Ending::Stopped => {
            format!("stopped: {done} of {count} {things} that had their turn are restarted\n")
        }
    };
    paragraph(&mut text, "why", &report.why);
    let is_early = matches!(report.result, Ending::Failed | Ending::Stopped | Ending::Denied);
    if is_early && !report.not_touched.is_empty() {
        paragraph(&mut text, "not touched", &report.not_touched.join(", "));
    }
    text
}

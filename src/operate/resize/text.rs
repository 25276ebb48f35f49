//! The plan and the results for people.

use std::fmt::Write;

use crate::explain::Explanation;
use crate::operate::act::headline;
use crate::operate::change::listed;
use crate::operate::ending::Ending;
use crate::operate::limits::words;
use crate::terminal::{paragraph, plain};

use super::options::{OnFailure, Options};
use super::plan::{Plan, PodPlan, Turn};
use super::report::{Report, Reverted};
use super::step::PodResult;

/// The plan: what is done to which pod, and in which order.
pub(super) fn plan(plan: &Plan, target: &str, namespace: &str, options: &Options) -> String {
    let (count, all) = (plan.to_do().count(), plan.pods.len());
    let mut text = headline(target, namespace, (count, all));
    let mut shown: Option<String> = None;
    for pod in &plan.pods {
        let body = body(pod);
        let ready = if pod.ready { "ready" } else { "not ready" };
        let head = format!("pod/{} ({ready})", plain(&pod.pod));
        // commands name the pod
        let alike = body.replace(&pod.pod, "");
        if shown.as_ref() == Some(&alike) {
            let _ = writeln!(text, "{head}: the same");
        } else {
            let _ = writeln!(text, "{head}: {}", turn(pod));
            text.push_str(&body);
            shown = Some(alike);
        }
    }
    for manager in &plan.managers {
        paragraph(&mut text, "also managed by", &format!("{}: {}", manager.name, manager.why));
    }
    if let Some(persist) = &plan.persist {
        paragraph(
            &mut text,
            "then",
            &format!("the template of {} gets the same values: {}", persist.workload, persist.why),
        );
    }
    for unknown in &plan.unknown {
        paragraph(&mut text, "not known", unknown);
    }
    if count > 0 {
        paragraph(&mut text, "how", &how(options, count));
    }
    text
}

fn turn(pod: &PodPlan) -> String {
    match pod.turn {
        Turn::Resize => plain(&listed(&pod.changes)).into_owned(),
        Turn::UnderWay => "asked for already, and not carried out yet".to_owned(),
        Turn::Done => "has it already".to_owned(),
        Turn::Over => "has ended, or is being deleted: skipped".to_owned(),
    }
}

fn body(pod: &PodPlan) -> String {
    let mut text = String::new();
    let mut said: Vec<&Explanation> = Vec::new();
    for effect in &pod.effects {
        if !said
            .iter()
            .any(|other| other.effect == effect.effect && other.container == effect.container)
        {
            let container = effect.container.as_deref().unwrap_or("the pod itself");
            let label = format!("effect on {container}");
            paragraph(&mut text, &label, &format!("{}: {}", effect.effect, effect.why));
            said.push(effect);
        }
    }
    if let Some(answer) = &pod.answer {
        answer.tell(&mut text);
    }
    if let Some(room) = &pod.room {
        let fits = if room.fits { "fits" } else { "does not fit now, and would wait" };
        let by = if room.neighbours.is_empty() {
            String::new()
        } else {
            format!("; held by {}", room.neighbours.join(", "))
        };
        paragraph(&mut text, "node", &format!("{:?}: it {fits}: {}{by}", room.node, room.why));
    }
    if let Some(back) = &pod.way_back {
        let word = if back.is_open { "open" } else { "closed" };
        paragraph(&mut text, "way back", &format!("{word}: {}", back.why));
        paragraph(&mut text, "do", &back.remedy);
    }
    text
}

fn how(options: &Options, count: usize) -> String {
    let failed = match options.on_failure {
        OnFailure::Revert => "what fails or takes longer is put back, and that is the end",
        OnFailure::Stop => "what fails or takes longer stays as it is, and that is the end",
        OnFailure::Leave => "what fails or takes longer stays as it is, and the next has its turn",
    };
    let turns = if count > 1 {
        format!("one pod at a time, {} between two; ", words(options.cool_down))
    } else {
        String::new()
    };
    let (limit, settle) = (words(options.timeout), words(options.settle));
    let back = match options.revert_after {
        Some(after) => format!("; everything is put back after {}", words(after)),
        None => String::new(),
    };
    format!(
        "{turns}at most {limit} a pod, which has to be well for {settle} afterwards; {failed}{back}"
    )
}

/// What became of one pod, in few words.
pub(super) fn state(result: &PodResult) -> &'static str {
    result.outcome.as_ref().map_or("not resized", |outcome| outcome.state.words())
}

/// What became of one pod.
pub(super) fn result(result: &PodResult) -> String {
    let mut text = String::new();
    let name = plain(&result.pod);
    match (&result.outcome, &result.refusal) {
        (_, Some(refusal)) => {
            let _ = writeln!(text, "pod/{name}: not resized");
            paragraph(&mut text, "said", &refusal.message);
        }
        (Some(outcome), None) => {
            let late = if result.timed_out { ", and the time is up" } else { "" };
            let _ = writeln!(
                text,
                "pod/{name}: {}{late} ({} s)",
                outcome.state.words(),
                result.seconds
            );
            if !result.done {
                paragraph(&mut text, "why", &outcome.why);
                paragraph(&mut text, "said", &outcome.message);
            }
            if let Some(breach) = &result.breach {
                paragraph(&mut text, "probe", &breach.to_string());
            }
            for restart in &outcome.restarted {
                let down = restart.seconds.map(|seconds| format!(", {seconds} s down"));
                let down = down.unwrap_or_default();
                paragraph(&mut text, "restarted", &format!("{}{down}", restart.container));
            }
        }
        (None, None) => {}
    }
    for warning in &result.warnings {
        paragraph(&mut text, "warning", warning);
    }
    if let Some(room) = &result.room {
        let held = room.neighbours.join(", ");
        paragraph(&mut text, "node", &format!("{:?}: {}; held by {held}", room.node, room.why));
    }
    if let Some(back) = &result.put_back {
        let word = if back.done { "yes" } else { "no" };
        paragraph(&mut text, "put back", &format!("{word}: {}", back.why));
    }
    text
}

/// What all of it came to.
pub(super) fn summary(report: &Report) -> String {
    let done = report.pods.iter().filter(|pod| pod.done).count();
    let count = report.pods.len();
    let mut text = match report.result {
        Ending::Planned => "nothing is changed: this is the plan\n".to_owned(),
        Ending::Denied if report.is_denied_by_restraint() => {
            "nothing is changed: Restraint denies it\n".to_owned()
        }
        Ending::Denied => "nothing is changed: it is refused\n".to_owned(),
        Ending::NotStarted => "nothing is changed\n".to_owned(),
        Ending::Done => format!("done: {done} of {count} pods\n"),
        Ending::Failed => {
            format!("not done: {done} of {count} pods that had their turn are as wanted\n")
        }
        Ending::Stopped => {
            format!("stopped: {done} of {count} pods that had their turn are as wanted\n")
        }
    };
    if !report.why.is_empty() {
        paragraph(&mut text, "why", &report.why);
    }
    let untouched = &report.not_touched;
    if !untouched.is_empty()
        && matches!(report.result, Ending::Failed | Ending::Stopped | Ending::Denied)
    {
        paragraph(&mut text, "not touched", &untouched.join(", "));
        if done > 0 {
            paragraph(&mut text, "go on", "the same command with --resume");
        }
    }
    for Reverted { pod, put_back } in &report.reverted {
        let word = if put_back.done { "yes" } else { "no" };
        paragraph(&mut text, &format!("{pod} put back"), &format!("{word}: {}", put_back.why));
    }
    if report.persisted {
        paragraph(&mut text, "template", "written");
    }
    text
}

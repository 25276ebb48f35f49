//! The history of a pod for people.

use std::fmt::Write;

use jiff::Timestamp;

use crate::explain::history::{
    Amount, Blocked, Change, Decision, End, History, PastResize, Restart,
};
use crate::kube::container::Role;
use crate::terminal::{paragraph, plain};

/// The history for people: what is down first, then what was, then the resize.
pub(super) fn text(history: &History) -> String {
    let mut text = String::new();
    head(&mut text, history);
    for blocked in &history.blocked {
        obstacle(&mut text, history, blocked);
    }
    if history.restarts.is_empty() {
        text.push_str("restarts: none\n");
    }
    for (place, restart) in history.restarts.iter().enumerate() {
        let mut above = history.restarts.iter().take(place);
        ends(&mut text, history, restart, above.find(|one| is_like(restart, one)));
    }
    for warning in &history.warnings {
        let _ = writeln!(text, "warning: container {:?}", warning.container);
        paragraph(&mut text, "why", &warning.why);
        paragraph(&mut text, "do", &warning.remedy);
    }
    recreation(&mut text, history);
    resize(&mut text, history);
    past(&mut text, history);
    if !history.unknown.is_empty() {
        text.push_str("\nnot known\n");
        for unknown in &history.unknown {
            let _ = writeln!(text, "  {}", plain(unknown));
        }
    }
    text
}

/// A time, and how long before the question it was.
fn at(history: &History, time: Timestamp) -> String {
    let Some(now) = history.as_of else { return time.to_string() };
    let seconds = now.duration_since(time).as_secs();
    let (count, unit) = match seconds {
        ..0 => return time.to_string(),
        0..120 => (seconds, "s"),
        120..7200 => (seconds / 60, "min"),
        7200..172_800 => (seconds / 3600, "h"),
        _ => (seconds / 86400, "d"),
    };
    format!("{time} ({count} {unit} ago)")
}

fn head(text: &mut String, history: &History) {
    // writing to memory cannot fail
    let _ = write!(text, "Pod {}/{}: {}", history.namespace, history.pod, history.phase);
    if let Some(created) = history.created {
        let _ = write!(text, ", made at {}", at(history, created));
    }
    text.push('\n');
    for now in &history.now {
        paragraph(text, "now", now);
    }
    if !history.now.is_empty() {
        paragraph(text, "said", &history.whole.message);
    }
    paragraph(text, "do", &history.whole.remedy);
    text.push('\n');
}

/// A container as the text names it.
fn role(role: Role) -> &'static str {
    match role {
        Role::Regular => "container",
        Role::Sidecar => "sidecar",
        Role::Init => "init container",
    }
}

fn obstacle(text: &mut String, history: &History, blocked: &Blocked) {
    let verb = if blocked.down_since.is_some() { "is down" } else { "has never run" };
    let _ = write!(text, "{} {:?} {verb}", role(blocked.role), blocked.container);
    if let Some(since) = blocked.down_since {
        let _ = write!(text, " since {}", at(history, since));
    }
    let _ = write!(text, ": {}", blocked.cause.words());
    if !blocked.reason.is_empty() {
        let _ = write!(text, " ({})", plain(&blocked.reason));
    }
    text.push('\n');
    paragraph(text, "why", &format!("{} ({})", blocked.why, blocked.certainty.as_str()));
    paragraph(text, "said", &blocked.message);
    paragraph(text, "do", &blocked.remedy);
}

fn end(text: &mut String, history: &History, end: &End) {
    text.push_str(end.cause.words());
    if let Some(code) = end.exit_code {
        let _ = write!(text, ", exit code {code}");
        if end.made_up {
            text.push_str(" (made up by the kubelet)");
        }
    }
    if let Some(time) = end.finished_at {
        let _ = write!(text, ", at {}", at(history, time));
    }
}

/// Whether `above` says all that is to be said of the end of `restart`, or all but the last of it.
fn is_like(restart: &Restart, above: &Restart) -> bool {
    restart.last.cause == above.last.cause && restart.last.why.starts_with(&above.last.why)
}

fn ends(text: &mut String, history: &History, restart: &Restart, above: Option<&Restart>) {
    let times = match restart.count {
        0 => "no restart".to_owned(),
        1 => "1 restart".to_owned(),
        count => format!("{count} restarts"),
    };
    let _ = write!(text, "{} {:?}: {times}; last end: ", role(restart.role), restart.container);
    end(text, history, &restart.last);
    text.push('\n');
    let why = match above.and_then(|above| restart.last.why.strip_prefix(&above.last.why)) {
        // what ends several containers is told once
        Some(rest) => format!("as above{rest}"),
        None => restart.last.why.clone(),
    };
    paragraph(text, "why", &format!("{why} ({})", restart.last.certainty.as_str()));
    if above.is_none_or(|above| above.last.remedy != restart.last.remedy) {
        paragraph(text, "do", &restart.last.remedy);
    }
    if let Some(before) = &restart.before {
        let mut line = String::new();
        end(&mut line, history, before);
        paragraph(text, "before", &format!("{line} ({})", before.certainty.as_str()));
        if before.cause != restart.last.cause {
            paragraph(text, "why", &before.why);
        }
    }
    let known = restart.known.iter().map(|one| format!("{} {}", one.times, one.cause.words()));
    let known: Vec<String> = known.collect();
    if restart.count > 1 || restart.known.len() > 1 {
        paragraph(text, "ends known", &known.join(", "));
    }
}

fn recreation(text: &mut String, history: &History) {
    if let Some(recreation) = &history.recreation {
        text.push_str("\nthe pod itself\n");
        let why = format!("{} ({})", recreation.why, recreation.certainty.as_str());
        paragraph(text, "why", &why);
    } else if let Some(uid) = history.earlier_pods.first() {
        text.push_str("\nthe pod itself\n");
        let others = history.earlier_pods.len();
        let count = if others == 1 { "another pod" } else { "other pods" };
        let why = format!(
            "among the events are some of {count} of this name ({uid} the last), which has nothing to do with it: nobody makes a pod \
             without a controller anew; they count for nothing here"
        );
        paragraph(text, "why", &why);
    }
}

fn resize(text: &mut String, history: &History) {
    let resize = &history.resize;
    let _ = writeln!(text, "\nresize: {}", resize.state.words());
    paragraph(text, "why", &resize.why);
    paragraph(text, "said", &resize.message);
    for amount in &resize.differing {
        paragraph(text, &place(amount.container.as_ref(), &amount.resource), &values(amount));
    }
    paragraph(text, "do", &resize.remedy);
    paragraph(text, "impossible", resize.impossible.as_deref().unwrap_or_default());
}

fn place(container: Option<&String>, resource: &str) -> String {
    match container {
        Some(name) => format!("container {name:?} {resource}"),
        None => format!("pod {resource}"),
    }
}

fn values(amount: &Amount) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let agreed = amount
        .allocated
        .as_ref()
        .map(|allocated| format!(", allocated {allocated}"))
        .unwrap_or_default();
    let behind =
        amount.behind.as_ref().map(|behind| format!(", waits behind {behind}")).unwrap_or_default();
    format!("desired {}{agreed}, actual {}{behind}", value(&amount.desired), value(&amount.actual))
}

/// What came of earlier resizes, and what Restraint said, in order of time.
fn past(text: &mut String, history: &History) {
    if !history.resizes.is_empty() {
        text.push_str("\nresizes that events tell of\n");
    }
    for resize in &history.resizes {
        paragraph(text, &format!("generation {}", resize.generation), &outcome(history, resize));
    }
    if !history.decisions.is_empty() {
        text.push_str("\nRestraint\n");
    }
    for Decision { at: time, reason, message } in &history.decisions {
        let time = time.map(|time| at(history, time)).unwrap_or_default();
        paragraph(text, reason, &format!("{message}, at {time}"));
    }
}

fn outcome(history: &History, resize: &PastResize) -> String {
    let mut line = resize.outcome.words().to_owned();
    if let Some(time) = resize.finished_at.or(resize.started_at) {
        let _ = write!(line, ", at {}", at(history, time));
    }
    let change = |change: &Change| {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let from = change.from.as_ref().map(|from| format!(" {from} ->")).unwrap_or_default();
        let place = place(change.container.as_ref(), &change.resource);
        format!("{place}{from} {}", value(&change.to))
    };
    let changes: Vec<String> = resize.changes.iter().map(change).collect();
    for part in [changes.join(", "), resize.why.clone()].iter().filter(|part| !part.is_empty()) {
        let _ = write!(line, "; {part}");
    }
    line
}

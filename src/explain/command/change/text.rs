//! Explanations for people: a block each, the gravest first, and how many there are.

use std::fmt::Write;

use serde_json::Value;

use crate::explain::redact::NOT_SHOWN;
use crate::explain::{Effect, Explanation};
use crate::terminal::plain;

/// The blocks and the summary.
pub(super) fn text(explanations: &[Explanation]) -> String {
    let mut text = String::new();
    for explanation in explanations {
        // writing to memory cannot fail
        let _ = writeln!(text, "[{}] {}: {}", explanation.effect, plain(&explanation.object), place(explanation));
        let _ = writeln!(text, "  {}", values(&explanation.from, &explanation.to));
        for (word, said) in [("who", &explanation.actor), ("why", &explanation.why), ("do", &explanation.remedy)] {
            if !said.is_empty() {
                let _ = writeln!(text, "  {word}: {}", plain(said));
            }
        }
        text.push('\n');
    }
    text.push_str(&summary(explanations));
    text
}

fn place(explanation: &Explanation) -> String {
    let field = plain(&explanation.field).into_owned();
    match &explanation.container {
        Some(name) if !field.contains(&format!("[{name}]")) => format!("{field} (container {:?})", name),
        _ => field,
    }
}

fn values(from: &Value, to: &Value) -> String {
    let hidden = |value: &Value| value == NOT_SHOWN;
    match (from, to) {
        (Value::Null, to) if hidden(to) => "added".to_owned(),
        (from, Value::Null) if hidden(from) => "removed".to_owned(),
        (from, to) if hidden(from) && hidden(to) => "changed".to_owned(),
        (from, to) => format!("{} -> {}", scalar(from), scalar(to)),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => plain(text).into_owned(),
        value => value.to_string(),
    }
}

fn summary(explanations: &[Explanation]) -> String {
    if explanations.is_empty() {
        return "no differences\n".to_owned();
    }
    let counts = Effect::ALL.into_iter().filter_map(|effect| {
        let count = explanations.iter().filter(|explanation| explanation.effect == effect).count();
        (count > 0).then(|| format!("{count} {effect}"))
    });
    let total = explanations.len();
    let noun = if total == 1 { "explanation" } else { "explanations" };
    format!("{total} {noun}: {}\n", counts.collect::<Vec<_>>().join(", "))
}

//! Explanations for people: a block each, the gravest first, and how many there are.

use std::fmt::Write;

use serde_json::Value;

use crate::explain::change::ConfigFinding;
use crate::explain::redact::NOT_SHOWN;
use crate::explain::{Effect, Explanation};
use crate::terminal::{paragraph, plain};

/// The blocks and the summary.
pub(super) fn text(findings: &[ConfigFinding], explanations: &[Explanation]) -> String {
    let mut text = String::new();
    for explanation in explanations {
        // writing to memory cannot fail
        let _ = writeln!(
            text,
            "[{}] {}: {}",
            explanation.effect,
            plain(&explanation.object),
            place(explanation)
        );
        let _ = writeln!(text, "  {}", values(&explanation.from, &explanation.to));
        paragraph(&mut text, "who", &explanation.actor);
        paragraph(&mut text, "why", &explanation.why);
        paragraph(&mut text, "do", &explanation.remedy);
        text.push('\n');
    }
    for ConfigFinding { rule, object, message, remedy, .. } in findings {
        let _ = writeln!(text, "[{rule}] {}: {}", plain(object), plain(message));
        paragraph(&mut text, "do", remedy);
        text.push('\n');
    }
    text.push_str(&summary(explanations));
    text
}

fn place(explanation: &Explanation) -> String {
    let field = plain(&explanation.field).into_owned();
    match &explanation.container {
        Some(name) if !field.contains(&format!("[{name}]")) => {
            format!("{field} (container {:?})", name)
        }
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
        (count > 0).then(|| format!("{effect} ({count})"))
    });
    let total = explanations.len();
    let noun = if total == 1 { "explanation" } else { "explanations" };
    format!("{total} {noun}: {}\n", counts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_and_a_summary() {
        let explanation = Explanation {
            object: "Secret shop/a".to_owned(),
            pointer: "/data/a".to_owned(),
            container: Some("app".to_owned()),
            from: NOT_SHOWN.into(),
            to: NOT_SHOWN.into(),
            effect: Effect::NextStart,
            actor: "nobody".to_owned(),
            why: "because".to_owned(),
            remedy: String::new(),
            field: "data.a\u{1b}[2J".to_owned(),
        };
        let expected = "\
[nothing until the next start] Secret shop/a: data.a\\u{1b}[2J (container \"app\")
  changed
  who: nobody
  why: because

1 explanation: nothing until the next start (1)
";
        assert_eq!(text(&[], &[explanation]), expected);
        assert_eq!(text(&[], &[]), "no differences\n");
        assert_eq!(values(&Value::Null, &NOT_SHOWN.into()), "added");
        assert_eq!(values(&NOT_SHOWN.into(), &Value::Null), "removed");
        assert_eq!(values(&json!(1), &json!("2")), "1 -> 2");
    }
}

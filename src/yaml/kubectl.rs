//! What kubectl makes of a tree: merge keys, numbers without a fraction, the booleans of YAML 1.1,
//! and keys that it refuses.

use serde_json::Number;

use super::fault::{Fault, FaultKind};
use super::node::{Node, Position, Value};

/// The largest number whose every whole neighbour a float can tell.
const EXACT: f64 = 9_007_199_254_740_991.0;

/// Booleans; in other letters they are words.
const BOOLEANS: [&str; 22] = [
    "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE", "n", "N", "no", "No",
    "NO", "off", "Off", "OFF", "false", "False", "FALSE",
];

/// Makes of `document` what kubectl makes of it. `text` is what it was read from.
pub(super) fn settle(document: &mut Node, text: &str) -> Result<(), Fault> {
    settle_node(document, text, text.contains("<<"))
}

fn settle_node(node: &mut Node, text: &str, merges: bool) -> Result<(), Fault> {
    match &mut node.value {
        Value::Number(number) => {
            if let Some(whole) = whole(number) {
                *number = whole;
            }
            Ok(())
        }
        Value::Bool(_) => {
            let written = text.get(node.offset..).unwrap_or_default();
            let end = written.find(|letter: char| !letter.is_ascii_alphabetic());
            let word = written.get(..end.unwrap_or(written.len())).unwrap_or_default();
            let is_known = |known: &&str| known.eq_ignore_ascii_case(word);
            if BOOLEANS.iter().any(is_known) && !BOOLEANS.contains(&word) {
                node.value = Value::Text(word.to_owned());
            }
            Ok(())
        }
        Value::List(list) => {
            list.iter_mut().try_for_each(|element| settle_node(element, text, merges))
        }
        Value::Map(entries) => {
            for (key, value) in &mut *entries {
                settle_node(key, text, merges)?;
                check_key(key)?;
                settle_node(value, text, merges)?;
            }
            if merges && entries.iter().any(|(key, _)| is_merge_key(key, text)) {
                *entries = merged(std::mem::take(entries), text)?;
            }
            Ok(())
        }
        Value::Null | Value::Text(_) => Ok(()),
    }
}

/// `1e3` and `2.0` as JSON of Go has them.
fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|float| number.is_f64() && float.abs() <= EXACT)?;
    if float.fract() != 0.0 {
        return None;
    }
    format!("{float:.0}").parse::<i64>().ok().map(Number::from)
}

/// JSON has no keys but strings, and kubectl makes strings of numbers and booleans alone.
fn check_key(key: &Node) -> Result<(), Fault> {
    match key.value {
        Value::Null | Value::List(_) | Value::Map(_) => {
            Err(invalid(key.place, format!("{} cannot be a key", key.description())))
        }
        Value::Bool(_) | Value::Number(_) | Value::Text(_) => Ok(()),
    }
}

/// Whether it is `<<` without quotes.
fn is_merge_key(key: &Node, text: &str) -> bool {
    key.as_text() == Some("<<") && text.get(key.offset..).is_some_and(|rest| rest.starts_with("<<"))
}

/// The entries with what merge keys refer to in their place, in order, so that what is written
/// later counts.
fn merged(entries: Vec<(Node, Node)>, text: &str) -> Result<Vec<(Node, Node)>, Fault> {
    let mut merged = Vec::new();
    for (key, value) in entries {
        if is_merge_key(&key, text) {
            merge(&mut merged, key.place, value)?;
        } else {
            put(&mut merged, key, value);
        }
    }
    Ok(merged)
}

/// Puts the entries of `value`, which a merge key at `place` refers to, among `entries`.
fn merge(entries: &mut Vec<(Node, Node)>, place: Position, value: Node) -> Result<(), Fault> {
    match value.value {
        Value::Map(borrowed) => {
            for (key, value) in borrowed {
                let value = Node { place, borrowed: true, ..value };
                put(entries, Node { place, borrowed: true, ..key }, value);
            }
            Ok(())
        }
        // of several mappings the first counts most
        Value::List(list) if list.iter().all(|node| matches!(node.value, Value::Map(_))) => {
            list.into_iter().rev().try_for_each(|node| merge(entries, place, node))
        }
        _ => {
            let reason = "a merge key needs a mapping or a list of mappings";
            Err(invalid(place, reason.to_owned()))
        }
    }
}

fn put(entries: &mut Vec<(Node, Node)>, key: Node, value: Node) {
    match key.to_key().and_then(|name| entries.iter_mut().find(|(known, _)| known.is_key(&name))) {
        Some(known) => *known = (key, value),
        None => entries.push((key, value)),
    }
}

fn invalid(place: Position, reason: String) -> Fault {
    Fault { place, kind: FaultKind::Invalid(reason) }
}

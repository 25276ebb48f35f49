//! From operations on values to insertions and deletions in a text.

use std::collections::BTreeMap;

use json_patch::Patch;
use serde_json::{Value, json};

use crate::manifest::layout::splice::Splice;
use crate::manifest::layout::{block, flow};
use crate::manifest::pointer::{resolve, tokens};
use crate::yaml::{Node, Value as YamlValue};

/// An operation of a JSON Patch on a document.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Adds a field, or with `-` an element.
    Add { path: String, value: Value },
    /// Removes a field.
    Remove { path: String },
}

/// The same operations as a JSON Patch.
pub(super) fn patch(operations: &[Operation]) -> Option<Patch> {
    let operation = |operation: &Operation| match operation {
        Operation::Add { path, value } => json!({"op": "add", "path": path, "value": value}),
        Operation::Remove { path } => json!({"op": "remove", "path": path}),
    };
    serde_json::from_value(operations.iter().map(operation).collect()).ok()
}

/// What to replace in `text`, which says `document`; `None` where it is not known how.
pub(super) fn splices(
    text: &str,
    document: &Node,
    operations: &[Operation],
) -> Option<Vec<Splice>> {
    let mut splices = Vec::new();
    let mut removed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut appended: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for operation in operations {
        match operation {
            Operation::Add { path, value } => match path.strip_suffix("/-") {
                Some(list) => appended.entry(list).or_default().push(value),
                None => splices.push(add(text, document, path, value)?),
            },
            Operation::Remove { path } => {
                let (parent, _) = path.rsplit_once('/')?;
                removed.entry(parent).or_default().push(tokens(path).last()?);
            }
        }
    }
    for (list, values) in appended {
        let node = written(document, list)?;
        splices.push(if is_flow(text, node) {
            flow::append(text, node, &values)?
        } else {
            block::append(text, node, &values)?
        });
    }
    for (parent, keys) in removed {
        splices.extend(remove(text, document, parent, &keys)?);
    }
    Some(splices)
}

fn add(text: &str, document: &Node, path: &str, value: &Value) -> Option<Splice> {
    let (parent, _) = path.rsplit_once('/')?;
    let key = tokens(path).last()?;
    let node = written(document, parent)?;
    match &node.value {
        YamlValue::Map(entries)
            if !entries.iter().any(|(known, _)| known.as_text() == Some(&key)) =>
        {
            if is_flow(text, node) {
                flow::add(text, node, &key, value)
            } else {
                block::add(text, node, &key, value, block::dash_offset(text, document, parent))
            }
        }
        _ => None,
    }
}

fn remove(text: &str, document: &Node, parent: &str, keys: &[String]) -> Option<Vec<Splice>> {
    let node = written(document, parent)?;
    let is_gone = |key: &Node| key.as_text().is_some_and(|key| keys.iter().any(|gone| gone == key));
    let all = node.entries().iter().all(|(key, _)| is_gone(key));
    match (is_flow(text, node), all) {
        (true, true) => flow::clear(text, node).map(|splice| vec![splice]),
        (true, false) => node
            .entries()
            .iter()
            .filter(|(key, _)| is_gone(key))
            .map(|(key, _)| flow::remove(text, node, key))
            .collect(),
        (false, true) => {
            let (holder, _) = parent.rsplit_once('/')?;
            let (key, _) = written(document, holder)?.entry(&tokens(parent).last()?)?;
            block::clear(text, key, node)
        }
        (false, false) => node
            .entries()
            .iter()
            .filter(|(key, _)| is_gone(key))
            .map(|(key, _)| block::remove(text, key))
            .collect(),
    }
}

/// The node at `pointer`, if it and all that holds it are written where they are used.
fn written<'n>(document: &'n Node, pointer: &str) -> Option<&'n Node> {
    let mut path = String::new();
    for token in pointer.split('/').skip(1) {
        path.push('/');
        path.push_str(token);
        resolve(document, &path).filter(|node| !node.borrowed)?;
    }
    resolve(document, pointer).filter(|node| node.entries().iter().all(|(key, _)| !key.borrowed))
}

fn is_flow(text: &str, node: &Node) -> bool {
    text.get(node.offset..).is_some_and(|rest| rest.starts_with(['{', '[']))
}

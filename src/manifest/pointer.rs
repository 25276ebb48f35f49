//! From JSON pointers to places in a file.

use crate::yaml::{Node, Value};

/// The tokens of a JSON pointer (RFC 6901).
pub(crate) fn tokens(pointer: &str) -> impl Iterator<Item = String> + use<'_> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

/// The node at `pointer`.
pub(crate) fn resolve<'n>(document: &'n Node, pointer: &str) -> Option<&'n Node> {
    tokens(pointer).try_fold(document, |node, token| step(node, &token).map(|(_, next)| next))
}

/// The line of what `pointer` points to in its document, from 1, or of the nearest thing that holds
/// it: of a field the line of its name.
pub(crate) fn line(document: &Node, pointer: &str) -> u64 {
    let (mut node, mut line) = (document, document.place.line);
    for token in tokens(pointer) {
        let Some((next_line, next)) = step(node, &token) else { break };
        (node, line) = (next, next_line);
    }
    line
}

/// The part of `node` that `token` names, and the line it begins in.
fn step<'n>(node: &'n Node, token: &str) -> Option<(u64, &'n Node)> {
    match &node.value {
        Value::Map(_) => node.entry(token).map(|(key, value)| (key.place.line, value)),
        Value::List(list) => {
            list.get(token.parse::<usize>().ok()?).map(|element| (element.place.line, element))
        }
        _ => None,
    }
}

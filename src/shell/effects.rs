//! What a piece of a script would do, told from its tree before it is walked.

use std::rc::Rc;

use super::assigned::{Assigned, Function, Functions};
use super::tree::{Item, List, Node, NodeKind, Pipeline, RawWord, Simple, WordPart};

impl<'t> Function<'t> {
    pub(super) fn new(body: &'t Node, functions: &Functions<'t>) -> Self {
        /// With more names than this, each call would cost too much to follow.
        const MANY: usize = 64;
        let mut assigned = Assigned::default().by_node(body, functions);
        assigned.names.sort_unstable();
        assigned.names.dedup();
        assigned.everything |= assigned.names.len() > MANY;
        if assigned.everything {
            assigned.names.clear();
        }
        Self {
            body,
            significant: node_significant(body, functions),
            leaves: node_may_leave(body, functions),
            assigned: Rc::new(assigned),
        }
    }
}

/// Commands that react to nothing: they wait, report, test or steer.
const IDLE: [&str; 30] = [
    ":", "true", "false", "echo", "printf", "logger", "sleep", "usleep", "date", "test", "[", "[[",
    "exit", "break", "continue", "return", "wait", "set", "cd", "read", "local", "export",
    "readonly", "declare", "typeset", "unset", "shift", "trap", "ulimit", "umask",
];

/// Whether a command of this name reacts to nothing.
pub(super) fn is_idle(name: &str) -> bool {
    IDLE.contains(&name)
}

/// Of the idle commands those that tell somebody: where a script does nothing else, that is its
/// answer to a change.
const REPORTS: [&str; 3] = ["echo", "printf", "logger"];

/// Whether a list tells somebody something.
pub(super) fn reports(list: &List) -> bool {
    list.0.iter().flat_map(pipelines).any(pipeline_reports)
}

pub(super) fn pipeline_reports(pipeline: &Pipeline) -> bool {
    pipeline.stages.iter().any(|node| match &node.kind {
        NodeKind::Simple(simple) => first(simple).is_some_and(|name| REPORTS.contains(&name)),
        kind => kind.lists().any(reports),
    })
}

fn pipelines(item: &Item) -> impl Iterator<Item = &Pipeline> {
    std::iter::once(&item.first).chain(item.rest.iter().map(|(_, pipeline)| pipeline))
}

/// Whether a list does something that could be the answer to a change.
pub(super) fn significant(list: &List, functions: &Functions<'_>) -> bool {
    list.0.iter().any(|item| item_significant(item, functions))
}

pub(super) fn item_significant(item: &Item, functions: &Functions<'_>) -> bool {
    pipelines(item).any(|pipeline| pipeline_significant(pipeline, functions))
}

pub(super) fn pipeline_significant(pipeline: &Pipeline, functions: &Functions<'_>) -> bool {
    pipeline.stages.iter().any(|node| node_significant(node, functions))
}

fn node_significant(node: &Node, functions: &Functions<'_>) -> bool {
    match &node.kind {
        NodeKind::Simple(simple) => simple.words.first().is_some_and(|word| {
            word.literal().is_none_or(|name| match functions.get(name) {
                Some(function) => function.as_ref().is_none_or(|function| function.significant),
                None => !is_idle(name),
            })
        }),
        kind => kind.lists().any(|list| significant(list, functions)),
    }
}

/// Whether a pipeline certainly does not return to what follows it: `exit`, `break`, or a group
/// that ends so.
pub(super) fn leaves(pipeline: &Pipeline) -> bool {
    match pipeline.stages.as_slice() {
        [node] => match &node.kind {
            NodeKind::Simple(simple) => {
                ["exit", "break", "continue", "return"].map(Some).contains(&first(simple))
            }
            NodeKind::Group(list) => list_leaves(list),
            _ => false,
        },
        _ => false,
    }
}

pub(super) fn list_leaves(list: &List) -> bool {
    list.0
        .last()
        .is_some_and(|item| item.rest.is_empty() && !item.background && leaves(&item.first))
}

fn first(simple: &Simple) -> Option<&str> {
    simple.words.first().and_then(RawWord::literal)
}

/// Whether anything in a list may leave the loop or the script around it.
pub(super) fn may_leave(list: &List, functions: &Functions<'_>) -> bool {
    list.0
        .iter()
        .flat_map(pipelines)
        .any(|pipeline| pipeline.stages.iter().any(|node| node_may_leave(node, functions)))
}

fn node_may_leave(node: &Node, functions: &Functions<'_>) -> bool {
    match &node.kind {
        NodeKind::Simple(simple) => first(simple).is_some_and(|name| {
            ["exit", "break", "return", "exec", "eval", ".", "source"].contains(&name)
                || functions.get(name).is_some_and(|function| {
                    function.as_ref().is_none_or(|function| function.leaves)
                })
        }),
        kind => kind.lists().any(|list| may_leave(list, functions)),
    }
}

/// Whether an item begins by looking at the exit status of the one before it.
pub(super) fn reads_status(item: &Item) -> bool {
    fn word_reads(word: &RawWord) -> bool {
        word.parts.iter().any(|part| matches!(part, WordPart::Variable { name, .. } if name == "?"))
    }
    fn node_reads(node: &Node) -> bool {
        match &node.kind {
            NodeKind::Simple(simple) => {
                simple.words.iter().any(word_reads)
                    || simple.assignments.iter().any(|one| word_reads(&one.value))
            }
            NodeKind::Case { subject, .. } => word_reads(subject),
            NodeKind::Arithmetic(text) => text.contains("$?"),
            kind => kind.lists().next().and_then(|list| list.0.first()).is_some_and(reads_status),
        }
    }
    pipelines(item).any(|pipeline| pipeline.stages.iter().any(node_reads))
}

/// Whether a condition is always true: `true`, `:`, `[ 1 ]`, `((1))`.
pub(super) fn always(condition: &List) -> bool {
    match only(condition) {
        Some(NodeKind::Simple(simple)) => {
            let words: Option<Vec<&str>> = simple.words.iter().map(RawWord::literal).collect();
            matches!(
                words.as_deref(),
                Some(["true" | ":"] | ["test", _] | ["[", _, "]"] | ["[[", _, "]]"])
            )
        }
        Some(NodeKind::Arithmetic(text)) => text.trim().parse::<u64>().is_ok_and(|value| value > 0),
        _ => false,
    }
}

/// Whether a condition is always false: `false`.
pub(super) fn never(condition: &List) -> bool {
    matches!(only(condition), Some(NodeKind::Simple(simple)) if simple.words.len() == 1 && first(simple) == Some("false"))
}

/// Whether a condition waits for a line: `read line`.
pub(super) fn reads(condition: &List) -> bool {
    matches!(only(condition), Some(NodeKind::Simple(simple)) if first(simple) == Some("read"))
}

/// Whether a condition only waits: `sleep 5`.
pub(super) fn sleeps(condition: &List) -> bool {
    matches!(only(condition), Some(NodeKind::Simple(simple)) if matches!(first(simple), Some("sleep" | "usleep")))
}

fn only(list: &List) -> Option<&NodeKind> {
    match list.0.as_slice() {
        [Item { first: Pipeline { negated: false, stages }, rest, background: false }]
            if rest.is_empty() =>
        {
            match stages.as_slice() {
                [node] => Some(&node.kind),
                _ => None,
            }
        }
        _ => None,
    }
}

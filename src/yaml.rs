//! YAML as a tree whose nodes know their places: policies and manifests are read here, each in its
//! own dialect.

mod fault;
mod kubectl;
mod margin;
mod node;
pub(crate) mod stream;
pub(crate) mod suggest;
mod tree;

use serde::de::Deserialize;
use serde_saphyr::{DuplicateKeyPolicy, Error, MergeKeyPolicy, NonFiniteFloatPolicy, Options};

pub(crate) use fault::{Fault, FaultKind};
pub(crate) use node::{Node, Position, Value};

/// How a text is read, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    /// The most values.
    pub(crate) nodes: usize,
    /// The deepest nesting.
    pub(crate) depth: usize,
    /// The most values that come out of aliases.
    pub(crate) repeated: usize,
    /// The most anchors.
    pub(crate) anchors: usize,
    /// Whether the text is read as kubectl reads manifests: `yes` and `off` are booleans, `0777` is
    /// octal, `<<` merges, quoted text goes on in any column, and tags that nobody knows are
    /// skipped. Otherwise only `true` and `false` are booleans, `<<` is a key as any other, and
    /// such tags are faults.
    pub(crate) as_kubectl: bool,
}

/// How many bytes are scanned again at most for quoted text that goes on too far left.
const MOST_RESCANNED: usize = 16 << 20;

/// Reads the only document of `text`. Where something follows it, both the document and the fault
/// are there.
pub(crate) fn read(text: &str, dialect: &Dialect) -> (Option<Node>, Option<Fault>) {
    if !dialect.as_kubectl {
        let (document, error) = parse(text, dialect);
        return (document, error.as_ref().map(Fault::of));
    }
    match parse(text, dialect) {
        (_, Some(error)) if margin::is_about_quotes(&error) => {
            match margin::Indented::of(text, MOST_RESCANNED) {
                Ok(indented) => {
                    let (document, error) = parse(indented.text(), dialect);
                    let (mut document, fault) = settled(indented.text(), document, error.as_ref());
                    if let Some(document) = &mut document {
                        document.relocate(&|offset| indented.original(offset));
                    }
                    (document, fault)
                }
                Err(_) => (None, Some(Fault::of(&error))),
            }
        }
        (document, error) => settled(text, document, error.as_ref()),
    }
}

/// What kubectl makes of what was parsed.
fn settled(
    text: &str,
    mut document: Option<Node>,
    error: Option<&Error>,
) -> (Option<Node>, Option<Fault>) {
    let fault = document.as_mut().and_then(|document| kubectl::settle(document, text).err());
    (document, error.map(Fault::of).or(fault))
}

fn parse(text: &str, dialect: &Dialect) -> (Option<Node>, Option<Error>) {
    let mut document = None;
    let whole = serde_saphyr::with_deserializer_from_str_with_options(
        text,
        options(text, dialect),
        |yaml| {
            // kept even where something follows it, so that its own errors are told too
            document = Some(Node::deserialize(yaml)?);
            Ok(())
        },
    );
    (document, whole.err())
}

/// Limits that no text can use to keep the reader busy.
fn options(text: &str, dialect: &Dialect) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: dialect.nodes.saturating_mul(3),
            max_nodes: dialect.nodes,
            max_depth: dialect.depth,
            flow_nesting_limit: dialect.depth,
            max_documents: 2,
            max_anchors: dialect.anchors,
            max_aliases: dialect.anchors.saturating_mul(4),
            max_recorded_anchor_events: dialect.repeated,
            max_recorded_anchor_bytes: text.len().max(dialect.repeated),
            max_total_scalar_bytes: text.len().max(dialect.repeated).saturating_mul(2),
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: dialect.repeated,
            max_replay_stack_depth: 8,
        },
        emit_comments: false,
        with_snippet: false,
        // hands every entry over; repeated keys are found afterwards, all of them
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        // merged afterwards, as kubectl does
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: if dialect.as_kubectl {
            NonFiniteFloatPolicy::Reject
        } else {
            NonFiniteFloatPolicy::AsString
        },
        legacy_octal_numbers: dialect.as_kubectl,
        reject_unsupported_tags: !dialect.as_kubectl,
        strict_booleans: !dialect.as_kubectl,
    }
}

#[cfg(test)]
mod tests;

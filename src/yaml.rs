//! YAML as a tree whose nodes know their places: policies and manifests are read here, each in its
//! own dialect.

pub(crate) mod suggest;
mod tree;

use serde::de::Deserialize;
use serde_json::Number;
use serde_saphyr::{
    DefaultMessageFormatter, DuplicateKeyPolicy, Error, Location, MergeKeyPolicy, MessageFormatter,
    NonFiniteFloatPolicy, Options,
};

/// The longest word that messages show whole, in characters.
pub(crate) const LONGEST_WORD: usize = 64;

/// Where something is written: line and column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// A value and where it is written.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Position,
    /// The byte at which it is written, even where it is used through an alias.
    pub(crate) offset: usize,
    /// Whether it is used elsewhere than where it is written: through an alias or a merge key.
    pub(crate) borrowed: bool,
    pub(crate) value: Value,
}

/// A YAML value.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// Every entry as it is written, repeated keys too.
    Map(Vec<(Node, Node)>),
}

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
    /// octal, `<<` merges, and tags that nobody knows are passed over. Otherwise only `true` and
    /// `false` are booleans, `<<` is a key as any other, and such tags are faults.
    pub(crate) as_kubectl: bool,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Position,
    pub(crate) kind: FaultKind,
}

/// What kind of thing is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// A second document follows.
    SecondDocument,
    /// It is larger or nested deeper than the dialect allows.
    TooMuch,
    /// It is not YAML, for this reason.
    Invalid(String),
}

/// Reads the only document of `text`. Where something follows it, both the document and the fault
/// are there.
pub(crate) fn read(text: &str, dialect: &Dialect) -> (Option<Node>, Option<Fault>) {
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
    let mut fault = whole.err().map(|error| Fault {
        place: error.location().map_or(Position::START, Position::from),
        kind: kind(&error),
    });
    if dialect.as_kubectl
        && text.contains("<<")
        && let Some(document) = &mut document
    {
        fault = fault.or(document.merge(text).err());
    }
    (document, fault)
}

impl Position {
    /// The beginning of a text.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl From<Location> for Position {
    fn from(location: Location) -> Self {
        // a location that is not known says 0
        Self { line: location.line().max(1), column: location.column().max(1) }
    }
}

impl Node {
    /// What it is, for messages.
    pub(crate) fn description(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Text(text) => quoted(text),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }

    /// The same value without places, of repeated keys the last. Keys that are no strings become
    /// strings, and those that are lists, mappings or nothing are left out.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(value) => value.clone().into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(list) => list.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .filter_map(|(key, value)| Some((key.to_key()?, value.to_json())))
                .collect(),
        }
    }

    /// The string it is, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub(crate) fn entries(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements, if it is a list.
    pub(crate) fn elements(&self) -> &[Self] {
        match &self.value {
            Value::List(list) => list,
            _ => &[],
        }
    }

    /// The entry under `key`: of repeated ones the last.
    pub(crate) fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        self.entries().iter().rev().find(|(name, _)| name.is_key(key))
    }

    /// The value under `key`: of repeated ones the last.
    pub(crate) fn field(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    fn is_key(&self, key: &str) -> bool {
        match &self.value {
            Value::Text(text) => text == key,
            _ => self.to_key().is_some_and(|name| name == key),
        }
    }

    /// What it is as a key of a JSON object.
    fn to_key(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Number(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Puts what merge keys refer to in their place, as kubectl does: in order, so that what is
    /// written later counts.
    fn merge(&mut self, text: &str) -> Result<(), Fault> {
        match &mut self.value {
            Value::List(list) => list.iter_mut().try_for_each(|node| node.merge(text)),
            Value::Map(entries) => {
                entries.iter_mut().try_for_each(|(_, value)| value.merge(text))?;
                if !entries.iter().any(|(key, _)| key.is_merge_key(text)) {
                    return Ok(());
                }
                let mut merged = Vec::new();
                for (key, value) in std::mem::take(entries) {
                    if key.is_merge_key(text) {
                        merge_all(&mut merged, key.place, value)?;
                    } else {
                        put(&mut merged, key, value);
                    }
                }
                *entries = merged;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether it is `<<` without quotes.
    fn is_merge_key(&self, text: &str) -> bool {
        self.as_text() == Some("<<")
            && text.get(self.offset..).is_some_and(|rest| rest.starts_with("<<"))
    }
}

/// Puts the entries of `value`, which a merge key at `place` refers to, among `entries`.
fn merge_all(entries: &mut Vec<(Node, Node)>, place: Position, value: Node) -> Result<(), Fault> {
    let fault = || Fault {
        place,
        kind: FaultKind::Invalid("a merge key needs a mapping or a list of mappings".to_owned()),
    };
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
            list.into_iter().rev().try_for_each(|node| merge_all(entries, place, node))
        }
        _ => Err(fault()),
    }
}

fn put(entries: &mut Vec<(Node, Node)>, key: Node, value: Node) {
    match key.to_key().and_then(|name| entries.iter_mut().find(|(known, _)| known.is_key(&name))) {
        Some(known) => *known = (key, value),
        None => entries.push((key, value)),
    }
}

/// `word` in double quotes, in one line.
pub(crate) fn quoted(word: &str) -> String {
    match word.char_indices().nth(LONGEST_WORD) {
        Some((end, _)) => format!("{:?}...", word.get(..end).unwrap_or_default()),
        None => format!("{word:?}"),
    }
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
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        legacy_octal_numbers: dialect.as_kubectl,
        reject_unsupported_tags: !dialect.as_kubectl,
        strict_booleans: !dialect.as_kubectl,
    }
}

fn kind(error: &Error) -> FaultKind {
    match error {
        Error::MultipleDocuments { .. } => FaultKind::SecondDocument,
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => FaultKind::TooMuch,
        Error::AliasError { error, .. } => kind(error),
        _ => FaultKind::Invalid(
            DefaultMessageFormatter.format_message(error).replace(char::is_control, " "),
        ),
    }
}

#[cfg(test)]
mod tests;

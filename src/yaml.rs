//! YAML as a tree whose nodes know their places: policies and manifests are read here, each in its own dialect.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::{
    DefaultMessageFormatter, DuplicateKeyPolicy, Error, Location, MergeKeyPolicy, MessageFormatter, NonFiniteFloatPolicy, Options, Spanned,
};

/// The longest word that messages show whole, in characters.
pub(crate) const LONGEST_WORD: usize = 64;

/// Where something is written: line and column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// A value and where it is written.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
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
    /// Whether the text is read as kubectl reads manifests: `yes` and `off` are booleans, `0777` is octal, `<<` merges,
    /// and tags that nobody knows are passed over. Otherwise only `true` and `false` are booleans, `<<` is a key as any
    /// other, and such tags are faults.
    pub(crate) as_kubectl: bool,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Place,
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

/// Reads the only document of `text`. Where something follows it, both the document and the fault are there.
pub(crate) fn read(text: &str, dialect: &Dialect) -> (Option<Node>, Option<Fault>) {
    let mut document = None;
    let whole = serde_saphyr::with_deserializer_from_str_with_options(text, options(text, dialect), |yaml| {
        // kept even where something follows it, so that its own errors are told too
        document = Some(Node::deserialize(yaml)?);
        Ok(())
    });
    let mut fault = whole.err().map(|error| Fault { place: error.location().map_or(Place::START, Place::from), kind: kind(&error) });
    if dialect.as_kubectl
        && text.contains("<<")
        && let Some(document) = &mut document
    {
        fault = fault.or(document.merge(text).err());
    }
    (document, fault)
}

impl Place {
    /// The beginning of a text.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl From<Location> for Place {
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

    /// The same value without places, of repeated keys the last. Keys that are no strings become strings, and those
    /// that are lists, mappings or nothing are left out.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(value) => value.clone().into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(list) => list.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries.iter().filter_map(|(key, value)| Some((key.to_key()?, value.to_json()))).collect(),
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

    /// Puts what merge keys refer to in their place, as kubectl does: in order, so that what is written later counts.
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
        self.as_text() == Some("<<") && text.get(self.offset..).is_some_and(|rest| rest.starts_with("<<"))
    }
}

/// Puts the entries of `value`, which a merge key at `place` refers to, among `entries`.
fn merge_all(entries: &mut Vec<(Node, Node)>, place: Place, value: Node) -> Result<(), Fault> {
    let fault = || Fault { place, kind: FaultKind::Invalid("a merge key needs a mapping or a list of mappings".to_owned()) };
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
        _ => FaultKind::Invalid(DefaultMessageFormatter.format_message(error).replace(char::is_control, " ")),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, defined } = Spanned::deserialize(deserializer)?;
        let offset = defined.span().byte_offset().and_then(|offset| usize::try_from(offset).ok()).unwrap_or(usize::MAX);
        Ok(Self { place: referenced.into(), offset, borrowed: referenced != defined, value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;

        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = Value;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Number(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Number(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Number::from_f64(value).map_or_else(|| Value::Text(value.to_string()), Value::Number))
            }

            fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
                Ok(Number::from_i128(value).map_or_else(|| Value::Text(value.to_string()), Value::Number))
            }

            fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
                Ok(Number::from_u128(value).map_or_else(|| Value::Text(value.to_string()), Value::Number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
                let mut nodes = Vec::new();
                while let Some(node) = list.next_element()? {
                    nodes.push(node);
                }
                Ok(Value::List(nodes))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Value::Map(entries))
            }
        }

        deserializer.deserialize_any(ValueVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFESTS: Dialect = Dialect { nodes: 10_000, depth: 32, repeated: 1_000, anchors: 100, as_kubectl: true };

    fn json(text: &str) -> String {
        let (document, fault) = read(text, &MANIFESTS);
        assert_eq!(fault, None, "{text}");
        document.unwrap().to_json().to_string()
    }

    fn fault(text: &str) -> FaultKind {
        read(text, &MANIFESTS).1.unwrap().kind
    }

    #[test]
    fn manifests_are_read_as_kubectl_reads_them() {
        assert_eq!(json("[yes, On, n, off, 'yes', \"on\", yesterday]"), r#"[true,true,false,false,"yes","on","yesterday"]"#);
        assert_eq!(json("{a: 0777, b: 0o17, c: 0x1F, d: 1_000, e: 1e3, f: 12:30, g: 2001-01-01}"), {
            r#"{"a":511,"b":15,"c":31,"d":1000,"e":1000.0,"f":"12:30","g":"2001-01-01"}"#
        });
        assert_eq!(json("{y: a, 8080: b}"), r#"{"8080":"b","true":"a"}"#);
        assert_eq!(json("{a: 1, a: 2}"), r#"{"a":2}"#);
        assert_eq!(json("a: !mine x"), r#"{"a":"x"}"#);
    }

    #[test]
    fn merge_keys_count_where_they_stand() {
        assert_eq!(json("x: &x {a: 1, b: 2}\nz:\n  <<: *x\n  b: 3\n"), r#"{"x":{"a":1,"b":2},"z":{"a":1,"b":3}}"#);
        // what is written later counts, a merge too
        assert_eq!(json("x: &x {a: 1}\nz:\n  a: 3\n  <<: *x\n"), r#"{"x":{"a":1},"z":{"a":1}}"#);
        assert_eq!(json("- &x {a: 1, b: 1}\n- &y {b: 2, c: 2}\n- <<: [*x, *y]\n"), r#"[{"a":1,"b":1},{"b":2,"c":2},{"a":1,"b":1,"c":2}]"#);
        assert_eq!(json("{'<<': {a: 1}}"), r#"{"<<":{"a":1}}"#);
        assert_eq!(fault("a:\n  <<: 1\n"), FaultKind::Invalid("a merge key needs a mapping or a list of mappings".to_owned()));
    }

    #[test]
    fn places_and_bytes_are_known() {
        let text = "é: 1\nx: &x\n  - a: 1\nz: *x\n";
        let document = read(text, &MANIFESTS).0.unwrap();
        let (key, value) = document.entry("x").unwrap();
        assert_eq!((key.place.line, key.place.column, key.offset), (2, 1, 6));
        let element = value.elements().first().unwrap();
        assert_eq!((element.place.line, text.get(element.offset..element.offset + 4), element.borrowed), (3, Some("a: 1"), false));
        let alias = document.field("z").unwrap();
        assert_eq!((alias.place.line, alias.borrowed), (4, true));
    }

    #[test]
    fn bombs_are_refused() {
        let bomb = (b'b'..=b'h').fold("a: &a [x, x, x, x, x, x, x, x]\n".to_owned(), |text, letter| {
            let (name, before) = (char::from(letter), char::from(letter - 1));
            format!("{text}{name}: &{name} [{}]\n", vec![format!("*{before}"); 8].join(", "))
        });
        assert_eq!(fault(&bomb), FaultKind::TooMuch);
    }
}

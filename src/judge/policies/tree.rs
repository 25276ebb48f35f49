//! A YAML document as a tree whose nodes know their places.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::{
    DefaultMessageFormatter, DuplicateKeyPolicy, Error, Location, MergeKeyPolicy, MessageFormatter, NonFiniteFloatPolicy, Options, Spanned,
};

use super::error::Flaws;
use super::words::quoted;

/// The longest file, in bytes: hundreds of times what a policy needs.
const LONGEST: usize = 256 * 1024;

/// Where something is written: line and column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// A value and where it is written.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A YAML value. Only `true` and `false` are booleans: `off` is a word.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// Every entry as it is written, repeated keys too.
    Map(Vec<(Node, Node)>),
}

/// Reads the only document of `text`. Whatever is wrong with the YAML itself, keys that are repeated or no strings
/// included, is added to `flaws`.
pub(super) fn parse(text: &str, flaws: &mut Flaws) -> Option<Node> {
    if text.len() > LONGEST {
        flaws.add(Place::START, format!("the file is larger than {} KiB", LONGEST / 1024));
        return None;
    }
    let mut document = None;
    let whole = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |yaml| {
        // kept even where something follows it, so that its own errors are told too
        document = Some(Node::deserialize(yaml)?);
        Ok(())
    });
    if let Err(error) = whole {
        flaws.add(error.location().map_or(Place::START, Place::from), message(&error));
    }
    if let Some(document) = &document {
        document.check_keys(flaws);
    }
    document
}

impl Place {
    /// The beginning of a file.
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        // a location that is not known says 0
        Self { line: location.line().max(1), column: location.column().max(1) }
    }
}

impl Node {
    /// What it is, for messages.
    pub(super) fn description(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Text(text) => quoted(text),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }

    /// The same value without places, of repeated keys the last. Keys that are no strings are left out.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(value) => value.clone().into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(list) => list.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries.iter().filter_map(|(key, value)| Some((key.as_text()?.to_owned(), value.to_json()))).collect(),
        }
    }

    /// The string it is, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn check_keys(&self, flaws: &mut Flaws) {
        match &self.value {
            Value::List(list) => list.iter().for_each(|node| node.check_keys(flaws)),
            Value::Map(entries) => {
                let mut seen = BTreeSet::new();
                for (key, value) in entries {
                    match key.as_text() {
                        Some(text) if seen.insert(text) => {}
                        Some(text) => flaws.add(key.place, format!("repeated field {}", quoted(text))),
                        None => flaws.add(key.place, format!("the name of a field must be a string, not {}", key.description())),
                    }
                    value.check_keys(flaws);
                }
            }
            _ => {}
        }
    }
}

/// Limits that no policy comes near and no text can use to keep the reader busy.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 60_000,
            max_nodes: 20_000,
            max_depth: 16,
            flow_nesting_limit: 16,
            max_documents: 2,
            max_anchors: 64,
            max_aliases: 256,
            max_recorded_anchor_events: 20_000,
            max_recorded_anchor_bytes: LONGEST,
            max_total_scalar_bytes: 2 * LONGEST,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 8,
        },
        emit_comments: false,
        with_snippet: false,
        // hands every entry over; repeated keys are found afterwards, all of them
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        strict_booleans: true,
    }
}

fn message(error: &Error) -> String {
    match error {
        Error::MultipleDocuments { .. } => "a second document: a policy file holds one policy".to_owned(),
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => "the document is larger or nested deeper than any policy".to_owned(),
        Error::AliasError { error, .. } => message(error),
        _ => {
            let text = DefaultMessageFormatter.format_message(error);
            format!("invalid YAML: {}", text.replace(char::is_control, " "))
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::deserialize(deserializer)?;
        Ok(Self { place: referenced.into(), value })
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

    fn flaws_of(text: &str) -> Vec<String> {
        let mut flaws = Flaws::default();
        parse(text, &mut flaws);
        flaws.of("f").map(|error| format!("{}:{}: {}", error.line, error.column, error.message)).collect()
    }

    fn json(text: &str) -> String {
        let mut flaws = Flaws::default();
        let document = parse(text, &mut flaws).unwrap();
        assert_eq!(flaws.count(), 0, "{flaws:?}");
        document.to_json().to_string()
    }

    #[test]
    fn only_true_and_false_are_booleans() {
        assert_eq!(json("[off, On, yes, n, true, False]"), r#"["off","On","yes","n",true,false]"#);
        assert_eq!(json("%YAML 1.1\n---\n{on: off}"), r#"{"on":"off"}"#);
    }

    #[test]
    fn every_kind_of_value_is_read() {
        assert_eq!(json("{a: 1, b: -2, c: 0.5, d: ~, e: , f: [x, '1'], g: {h: \"i\\nj\"}}"), {
            r#"{"a":1,"b":-2,"c":0.5,"d":null,"e":null,"f":["x","1"],"g":{"h":"i\nj"}}"#
        });
        assert_eq!(json("[.nan, .inf, 1e999]"), r#"[".nan",".inf",".inf"]"#);
        assert_eq!(json("a: &x [1]\nb: *x"), r#"{"a":[1],"b":[1]}"#);
        assert_eq!(json("---\na: 1\n...\n"), r#"{"a":1}"#);
    }

    #[test]
    fn faults_of_the_yaml_are_told_with_their_place() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("a: [", &["1:4: invalid YAML: unclosed bracket '['"]),
            ("a: 1\n b: 2", &["2:3: invalid YAML: mapping values are not allowed in this context"]),
            ("a: *x", &["1:4: invalid YAML: alias references unknown anchor"]),
            ("a: !secret x", &["1:12: invalid YAML: unsupported tag `!secret`"]),
            ("a: 1\n---\nb: 2", &["3:1: a second document: a policy file holds one policy"]),
            ("a: 1\nb: {c: 1, c: 2}\na: 3", &["2:11: repeated field \"c\"", "3:1: repeated field \"a\""]),
            ("a: [{b: 1, b: 2}]\n---\n", &["2:4: a second document: a policy file holds one policy", "1:12: repeated field \"b\""]),
            ("true: 1", &["1:1: the name of a field must be a string, not true"]),
            ("é: {? [a] : b}", &["1:7: the name of a field must be a string, not a list"]),
        ];
        for (text, expected) in cases {
            assert_eq!(flaws_of(text), *expected, "{text}");
        }
    }

    #[test]
    fn texts_that_would_keep_the_reader_busy_are_refused() {
        let too_much = "the document is larger or nested deeper than any policy";
        let bomb = (b'b'..=b'i').fold("a: &a [x, x]\n".to_owned(), |text, letter| {
            let (name, before) = (char::from(letter), char::from(letter - 1));
            let aliases = vec![format!("*{before}"); 8].join(", ");
            format!("{text}{name}: &{name} [{aliases}]\n")
        });
        assert!(flaws_of(&bomb).iter().all(|flaw| flaw.ends_with(too_much)) && flaws_of(&bomb).len() == 1, "{:?}", flaws_of(&bomb));
        let deep: String = (0..100).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert_eq!(flaws_of(&deep), [format!("17:17: {too_much}")]);
        assert_eq!(flaws_of(&"[".repeat(100_000)), ["1:17: invalid YAML: recursion limit exceeded"]);
        assert_eq!(flaws_of(&"- a\n".repeat(40_000)), [format!("20000:3: {too_much}")]);
        assert_eq!(flaws_of(&"#".repeat(LONGEST + 1)), ["1:1: the file is larger than 256 KiB"]);
        assert_eq!(flaws_of(&"#".repeat(LONGEST)), Vec::<String>::new());
    }
}

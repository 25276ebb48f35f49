//! A policy file as a tree whose nodes know their places.

use std::collections::BTreeSet;

use crate::yaml::suggest::quoted;
use crate::yaml::{self, Dialect, FaultKind};

use super::error::Flaws;

pub(crate) use crate::yaml::{Node, Position, Value};

/// The longest file, in bytes: hundreds of times what a policy needs.
const LONGEST: usize = 256 * 1024;

/// Limits that no policy comes near. Only `true` and `false` are booleans: `off` is a word.
const DIALECT: Dialect =
    Dialect { nodes: 20_000, depth: 16, repeated: 20_000, anchors: 64, as_kubectl: false };

/// Reads the only document of `text`. Whatever is wrong with the YAML itself, keys that are
/// repeated or no strings included, is added to `flaws`.
pub(super) fn parse(text: &str, flaws: &mut Flaws) -> Option<Node> {
    if text.len() > LONGEST {
        flaws.add(Position::START, format!("the file is larger than {} KiB", LONGEST / 1024));
        return None;
    }
    let (document, fault) = yaml::read(text, &DIALECT);
    if let Some(fault) = fault {
        flaws.add(fault.place, message(fault.kind));
    }
    if let Some(document) = &document {
        check_keys(document, flaws);
    }
    document
}

fn message(kind: FaultKind) -> String {
    match kind {
        FaultKind::SecondDocument => "a second document: a policy file holds one policy".to_owned(),
        FaultKind::TooMuch => "the document is larger or nested deeper than any policy".to_owned(),
        FaultKind::Invalid(reason) => format!("invalid YAML: {reason}"),
    }
}

/// Adds keys that are repeated or no strings to `flaws`.
pub(crate) fn check_keys(node: &Node, flaws: &mut Flaws) {
    match &node.value {
        Value::List(list) => list.iter().for_each(|node| check_keys(node, flaws)),
        Value::Map(entries) => {
            let mut seen = BTreeSet::new();
            for (key, value) in entries {
                match key.as_text() {
                    Some(text) if seen.insert(text) => {}
                    Some(text) => flaws.add(key.place, format!("repeated field {}", quoted(text))),
                    None => flaws.add(
                        key.place,
                        format!("the name of a field must be a string, not {}", key.description()),
                    ),
                }
                check_keys(value, flaws);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws_of(text: &str) -> Vec<String> {
        let mut flaws = Flaws::default();
        parse(text, &mut flaws);
        flaws
            .of("f")
            .map(|error| format!("{}:{}: {}", error.line, error.column, error.message))
            .collect()
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
            (
                "a: 1\nb: {c: 1, c: 2}\na: 3",
                &["2:11: repeated field \"c\"", "3:1: repeated field \"a\""],
            ),
            (
                "a: [{b: 1, b: 2}]\n---\n",
                &[
                    "2:4: a second document: a policy file holds one policy",
                    "1:12: repeated field \"b\"",
                ],
            ),
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
        assert!(
            flaws_of(&bomb).iter().all(|flaw| flaw.ends_with(too_much))
                && flaws_of(&bomb).len() == 1,
            "{:?}",
            flaws_of(&bomb)
        );
        let deep: String = (0..100).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert_eq!(flaws_of(&deep), [format!("17:17: {too_much}")]);
        assert_eq!(
            flaws_of(&"[".repeat(100_000)),
            ["1:17: invalid YAML: recursion limit exceeded"]
        );
        assert_eq!(flaws_of(&"- a\n".repeat(40_000)), [format!("20000:3: {too_much}")]);
        assert_eq!(flaws_of(&"#".repeat(LONGEST + 1)), ["1:1: the file is larger than 256 KiB"]);
        assert_eq!(flaws_of(&"#".repeat(LONGEST)), Vec::<String>::new());
    }
}

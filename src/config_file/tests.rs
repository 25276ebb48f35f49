use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

const KEYS: [&str; 7] = ["a.json", "a.yaml", "a.yml", "a.toml", "a.properties", "a.xml", "a.ini"];

fn told(key: &str, text: &str) -> Option<String> {
    fault(key, text).map(|fault| {
        let Fault { line, column, expected, severity } = fault;
        format!("{severity:?} at {line}:{column}: {expected}")
    })
}

#[test]
fn a_fault_tells_place_reason_and_severity() {
    for (key, text, expected) in [
        (
            "a.json",
            "{\"a\": 1\n \"b\": 2}",
            "Broken at 2:2: expected \",\" or \"}\", found a quote",
        ),
        ("a.JSON", "{\"a\": 1,}", "Lenient at 1:8: expected no comma before the end"),
        (
            "a.yaml",
            "ä: b: c\n",
            "Broken at 1:5: expected no second \":\" here: quotes or other indentation",
        ),
        ("a.yml", "a: !vault b\n", "Lenient at 1:4: expected a tag of YAML itself"),
        ("a.toml", "a = 1\na = 2\n", "Broken at 2:1: duplicate key"),
        (
            "a.properties",
            "a=1\nb=C:\\users\n",
            "Broken at 2:5: expected four hexadecimal digits after \"\\u\"",
        ),
        ("a.xml", "<a>\n</b>", "Broken at 2:1: expected the end tag of the element of line 1"),
        ("a.ini", "[a]\n[b\n", "Broken at 2:3: expected \"]\" after the name of the section"),
    ] {
        assert_eq!(told(key, text).as_deref(), Some(expected), "{key}: {text}");
    }
}

#[test]
fn what_is_not_looked_at_has_no_fault() {
    for key in KEYS {
        for text in ["", "\n\n", "\u{feff}\r\n"] {
            assert_eq!(fault(key, text), None, "{key}: {text:?}");
        }
        assert_eq!(fault(key, &"[".repeat(LONGEST + 1)), None, "{key}");
    }
    assert_eq!(fault("nginx.conf", "{"), None);
}

#[test]
fn what_is_nested_too_deeply_is_not_looked_at() {
    let within = DEEPEST - 1;
    for (key, open, close) in
        [("a.json", "[", "]"), ("a.yaml", "[", "]"), ("a.yaml", "- ", ""), ("a.xml", "<a>", "</a>")]
    {
        let nested = |depth: usize, inner: &str| {
            format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
        };
        for inner in ["1", "@"] {
            assert_eq!(fault(key, &nested(DEEPEST + 20, inner)), None, "{key}: {open}");
        }
        assert_eq!(fault(key, &nested(within, "1")), None, "{key}: {open}");
        if key != "a.xml" {
            assert!(fault(key, &nested(within, "@")).is_some(), "{key}: {open}");
        }
    }
}

#[test]
fn a_template_has_no_fault() {
    for key in KEYS {
        for text in ["[a\n{\"b: <c>& \\u {{ .Values.a }}", "[a\n{\"b: <c>& \\u ${A}"] {
            assert_eq!(fault(key, text), None, "{key}: {text}");
        }
    }
    // nor has what would be none
    assert_eq!(fault("a.json", "{\"a\": \"{{ b }}\"}"), None);
}

#[test]
fn a_fault_tells_nothing_of_values() {
    let secrets = ["hunter2", "s3cr3t", "zuqq"];
    for key in KEYS {
        for secret in secrets {
            for text in [
                format!("{{\"password\": {secret}}}"),
                format!("{{\"password\": \"{secret}}}"),
                format!("password: {secret}: {secret}"),
                format!("password: *{secret}"),
                format!("password: !{secret}!{secret} a"),
                format!("{secret}: 1\n{secret}: 2"),
                format!("{secret} = 1\n{secret} = 2"),
                format!("password = {secret}"),
                format!("password = \"{secret}"),
                format!("password = \"\\{secret}\""),
                format!("password=\\u{secret}"),
                format!("<{secret}></b>"),
                format!("<a>&{secret};</a>"),
                format!("<a {secret}={secret}/>"),
                format!("[{secret}"),
            ] {
                let told = told(key, &text).unwrap_or_default();
                assert!(!told.contains(secret), "{key}: {text}: {told}");
            }
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        "[ -z|}ä€]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[ -z]{0,8}", inner, 0..6)
                .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// As TOML, which has no `null` and sets keys apart by `=`.
fn toml_of(value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Array(list) => {
            let list: Vec<_> = list.iter().map(toml_of).collect();
            format!("[{}]", list.join(", "))
        }
        Value::Object(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{} = {}", Value::from(key.as_str()), toml_of(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        value => value.to_string(),
    }
}

/// As XML, with every string escaped.
fn xml_of(value: &Value) -> String {
    let escaped =
        |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    match value {
        Value::Array(list) => {
            list.iter().map(|value| format!("<e>{}</e>", xml_of(value))).collect()
        }
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| format!("<f name=\"{}\">{}</f>", escaped(key), xml_of(value)))
            .collect(),
        value => escaped(&value.to_string()),
    }
}

proptest! {
    #[test]
    fn what_is_written_by_programs_is_read(value in values()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(told("a.json", &text), None, "{}", text);
            prop_assert_eq!(told("a.yaml", &text), None, "{}", text);
        }
        let text = format!("a = {}\n", toml_of(&value));
        prop_assert_eq!(told("a.toml", &text), None, "{}", text);
        let text = format!("<?xml version=\"1.0\"?>\n<a>{}</a>\n", xml_of(&value));
        prop_assert_eq!(told("a.xml", &text), None, "{}", text);
    }

    #[test]
    fn no_text_makes_a_reader_panic_and_places_are_in_the_text(
        text in prop_oneof![
            any::<String>(),
            "[\\[\\]{}\"',:#&*!|>@%=<>/\\\\\\-\\n\\t ?a0u.;\u{0}ä]{0,40}",
        ]
    ) {
        for key in KEYS {
            let Some(fault) = fault(key, &text) else { continue };
            let line = text.split('\n').nth(fault.line - 1);
            let length = line.map(|line| line.chars().count());
            prop_assert!(length.is_some_and(|length| fault.column <= length + 1), "{:?}", fault);
            prop_assert!(fault.column >= 1 && !fault.expected.is_empty());
        }
    }
}

//! The reader beside serde_json.

use proptest::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
struct Shape<'a> {
    #[serde(borrow, default)]
    raw: Option<Raw<'a>>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    number: Option<i64>,
    #[serde(default)]
    list: Vec<Option<bool>>,
    #[serde(borrow, default)]
    inner: Option<Box<Shape<'a>>>,
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|word| word.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
        "\\PC{0,20}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        "[\\\\\"\n\t\u{1}\u{1f600}a-z]{0,90}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    let key = prop_oneof![Just("raw"), Just("text"), Just("number"), Just("list"), Just("inner"), Just("else"), Just("m\\u006fre")];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let fields = prop::collection::vec((key.clone(), inner.clone()), 0..5);
        prop_oneof![
            (prop::collection::vec(inner, 0..5), " ?")
                .prop_map(|(list, blank)| format!("[{blank}{}]", list.join(&format!("{blank},{blank}")))),
            (fields, "[ \n\t\r]?").prop_map(|(fields, blank)| {
                let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{blank}\"{key}\"{blank}:{blank}{value}")).collect();
                format!("{{{}{blank}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn reads_what_serde_json_reads(json in json()) {
        let slow = serde_json::from_str::<Value>(&json).unwrap();
        prop_assert_eq!(read::<Value>(&json).unwrap(), slow);
        prop_assert!(read::<IgnoredAny>(&json).is_ok());
        prop_assert_eq!(read::<Raw<'_>>(&json).unwrap().get(), json.trim());
    }

    #[test]
    fn decodes_what_serde_json_decodes(json in json().prop_filter("an object", |json| json.starts_with('{'))) {
        let slow = serde_json::from_str::<Shape<'_>>(&json);
        let has_struct_from_list = json.contains("\"inner\"");
        match (read::<Shape<'_>>(&json), slow) {
            (Ok(fast), Ok(slow)) => prop_assert_eq!(fast, slow),
            (Err(fast), Err(_)) => prop_assert_eq!(fast.kind(), Kind::Shape),
            // a list for a struct
            (Err(_), Ok(_)) => prop_assert!(has_struct_from_list, "{}", json),
            (Ok(fast), Err(slow)) => prop_assert!(false, "{:?} {} {}", fast, slow, json),
        }
    }

    /// What is read as values is refused where serde_json refuses it, however it was broken.
    #[test]
    fn refuses_what_serde_json_refuses(json in json(), at in any::<prop::sample::Index>(), with in "[ -~\n\u{1}é]?") {
        let mut characters: Vec<char> = json.chars().collect();
        let at = at.index(characters.len());
        match with.chars().next() {
            Some(with) => characters[at] = with,
            None => drop(characters.remove(at)),
        }
        let broken: String = characters.into_iter().collect();
        let (fast, slow) = (read::<Value>(&broken), serde_json::from_str::<Value>(&broken));
        prop_assert_eq!(fast.ok(), slow.ok(), "{}", broken);
    }
}

#[test]
fn faults_have_a_place_and_a_kind() {
    let fault = |json: &'static str| {
        let error = read::<Shape<'_>>(json).unwrap_err();
        (error.kind(), error.line(), error.column())
    };
    assert_eq!(fault(""), (Kind::Syntax, 1, 0));
    assert_eq!(fault("{"), (Kind::Syntax, 1, 1));
    assert_eq!(fault("{\n \"text\" 1"), (Kind::Syntax, 2, 8));
    assert_eq!(fault(r#"{"text": "a"} x"#), (Kind::Syntax, 1, 14));
    assert_eq!(fault(r#"{"text": 7}"#), (Kind::Shape, 1, 10));
    assert_eq!(fault(r#"{"number": 1, "number": 2}"#).0, Kind::Shape);
    assert_eq!(fault(r#"[null]"#).0, Kind::Shape, "a list is no struct");
    assert_eq!(fault(r#"{"text": "\ud800"}"#).0, Kind::Syntax);
    assert_eq!(fault("{\"text\": \"a\tb\"}").0, Kind::Syntax);
}

#[test]
fn what_nobody_asks_for_is_checked_for_its_end_alone() {
    for passed in ["[1e999]", "{\"a\" 1}", "[}", "\"\\x\"", "-"] {
        let json = format!(r#"{{"else": {passed}, "number": 1}}"#);
        assert_eq!(read::<Shape<'_>>(&json).unwrap().number, Some(1), "{json}");
    }
    for endless in ["[", "{\"a\": \"}", "\"\\", "", "\"a\\\"}"] {
        let json = format!(r#"{{"else": {endless}"#);
        assert_eq!(read::<Shape<'_>>(&json).unwrap_err().kind(), Kind::Syntax, "{json}");
    }
}

#[test]
fn nesting_is_bounded_where_it_is_read_and_free_where_it_is_not() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read::<Value>(&nested(100)).is_ok());
    assert_eq!(read::<Value>(&nested(101)).unwrap_err().kind(), Kind::Shape);
    assert!(read::<IgnoredAny>(&nested(1_000_000)).is_ok());
}

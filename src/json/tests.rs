//! The reader beside serde_json.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::text::{Entries, Text};
use super::*;

#[derive(Debug, Default)]
struct Shape<'a> {
    raw: Option<Raw<'a>>,
    text: Option<Text<'a>>,
    number: Option<i64>,
    list: Vec<Option<bool>>,
    inner: Option<Box<Shape<'a>>>,
    entries: Entries<'a, Text<'a>>,
    some: Option<Skipped>,
}

fields!(Shape {
    "raw" => raw,
    "text" => text,
    "number" => number,
    "list" => list,
    "inner" => inner,
    "entries" => entries,
    "some" => some,
});

/// As serde reads it.
#[derive(Debug, PartialEq, Deserialize)]
struct Slow {
    raw: Option<Box<Written>>,
    text: Option<String>,
    number: Option<i64>,
    list: Option<Vec<Option<bool>>>,
    inner: Option<Box<Slow>>,
    entries: Option<BTreeMap<String, Option<String>>>,
    some: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Written(Box<RawValue>);

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl PartialEq<Slow> for Shape<'_> {
    fn eq(&self, slow: &Slow) -> bool {
        let entries =
            self.entries.iter().map(|(name, text)| (name, &**text)).collect::<BTreeMap<_, _>>();
        let slow_entries = slow
            .entries
            .iter()
            .flatten()
            .map(|(name, text)| (&**name, text.as_deref().unwrap_or_default()));
        self.raw.map(Raw::get) == slow.raw.as_ref().map(|raw| raw.0.get())
            && self.text.as_deref() == slow.text.as_deref()
            && self.number == slow.number
            && self.list == *slow.list.as_deref().unwrap_or_default()
            && self.inner.is_some() == slow.inner.is_some()
            && self.inner.iter().zip(&slow.inner).all(|(inner, slow)| **inner == **slow)
            && entries == slow_entries.collect()
            && self.some.is_some() == slow.some.is_some()
    }
}

/// All there is.
#[derive(Debug, Default)]
struct Tree(Value);

impl<'a> Decode<'a> for Tree {
    const INSTEAD_OF_NULL: Option<&'static str> = None;

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        self.0 = match reader.peek() {
            Some(b'"') => Value::String(reader.text()?.into_owned()),
            Some(b'{') => {
                let mut entries = Entries::<Tree>::default();
                entries.read(reader)?;
                entries.iter().map(|(name, tree)| (name.to_owned(), tree.0.clone())).collect()
            }
            Some(b'[') => {
                let mut list = Vec::<Tree>::new();
                list.read(reader)?;
                list.into_iter().map(|tree| tree.0).collect()
            }
            _ => serde_json::from_str(reader.raw()?).map_err(|_| reader.fail(Fault::NoJson))?,
        };
        Ok(())
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|word| word.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
        "\\PC{0,20}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        "[\\\\\"\n\t\u{1}\u{1f600}a-z]{0,90}"
            .prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    let key = prop_oneof![
        Just("raw"),
        Just("text"),
        Just("number"),
        Just("list"),
        Just("inner"),
        Just("entries"),
        Just("some"),
        Just("else"),
        Just("m\\u006fre"),
        Just("nu\\u006dber")
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let fields = prop::collection::vec((key.clone(), inner.clone()), 0..5);
        prop_oneof![
            (prop::collection::vec(inner, 0..5), " ?").prop_map(|(list, blank)| format!(
                "[{blank}{}]",
                list.join(&format!("{blank},{blank}"))
            )),
            (fields, "[ \n\t\r]?").prop_map(|(fields, blank)| {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(key, value)| format!("{blank}\"{key}\"{blank}:{blank}{value}"))
                    .collect();
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
        prop_assert_eq!(read::<Tree>(&json).unwrap().0, slow);
        prop_assert!(read::<Skipped>(&json).is_ok());
        prop_assert_eq!(read::<Raw<'_>>(&json).unwrap().get(), json.trim());
    }

    #[test]
    fn decodes_what_serde_json_decodes(json in json().prop_filter("an object", |json| json.starts_with('{'))) {
        let slow = serde_json::from_str::<Slow>(&json);
        let has_struct_from_list = json.contains("\"inner\"");
        match (read::<Shape<'_>>(&json), slow) {
            (Ok(fast), Ok(slow)) => prop_assert!(fast == slow, "{:?} {:?}", fast, slow),
            (Err(fast), Err(_)) => prop_assert_eq!(fast.kind(), ErrorKind::Shape),
            // a list for a struct
            (Err(_), Ok(_)) => prop_assert!(has_struct_from_list, "{}", json),
            (Ok(fast), Err(slow)) => prop_assert!(false, "{:?} {} {}", fast, slow, json),
        }
    }

    /// What is read is refused where serde_json refuses it, however it was broken.
    #[test]
    fn refuses_what_serde_json_refuses(json in json(), at in any::<prop::sample::Index>(), with in "[ -~\n\u{1}é]?") {
        let mut characters: Vec<char> = json.chars().collect();
        let at = at.index(characters.len());
        match with.chars().next() {
            Some(with) => characters[at] = with,
            None => drop(characters.remove(at)),
        }
        let broken: String = characters.into_iter().collect();
        let (fast, slow) = (read::<Tree>(&broken), serde_json::from_str::<Value>(&broken));
        prop_assert_eq!(fast.ok().map(|tree| tree.0), slow.ok(), "{}", broken);
    }
}

fn fault(json: &'static str) -> Error {
    read::<Shape<'_>>(json).unwrap_err()
}

#[test]
fn faults_have_a_place_and_a_kind() {
    let place = |json: &'static str| (fault(json).kind(), fault(json).line(), fault(json).column());
    assert_eq!(place(""), (ErrorKind::Syntax, 1, 0));
    assert_eq!(place("{"), (ErrorKind::Syntax, 1, 1));
    assert_eq!(place("{\n \"text\" 1"), (ErrorKind::Syntax, 2, 8));
    assert_eq!(place(r#"{"text": "a"} x"#), (ErrorKind::Syntax, 1, 14));
    assert_eq!(place(r#"{"text": 7}"#), (ErrorKind::Shape, 1, 10));
    assert_eq!(place(r#"{"text": x}"#), (ErrorKind::Syntax, 1, 9));
    assert_eq!(place(r#"{"number": 1, "number": 2}"#), (ErrorKind::Shape, 1, 15));
    assert_eq!(place(r#"{"number": null, "number": 2}"#).0, ErrorKind::Shape);
    assert_eq!(place(r#"[null]"#).0, ErrorKind::Shape, "a list is no struct");
    assert_eq!(place("null").0, ErrorKind::Shape);
    assert_eq!(place("nothing").0, ErrorKind::Syntax);
    assert_eq!(place(r#"{"text": "\ud800"}"#).0, ErrorKind::Syntax);
    assert_eq!(place("{\"text\": \"a\tb\"}").0, ErrorKind::Syntax);
    for number in ["1.0", "1e3", "9223372036854775808", "true", "\"1\"", "[]"] {
        assert_eq!(
            read::<Shape<'_>>(&format!(r#"{{"number": {number}}}"#)).unwrap_err().kind(),
            ErrorKind::Shape,
            "{number}"
        );
    }
    for number in ["01", "+1", "1.", "--1", "nul", "1a", ",", "}"] {
        assert_eq!(
            read::<Shape<'_>>(&format!(r#"{{"number": {number}}}"#)).unwrap_err().kind(),
            ErrorKind::Syntax,
            "{number}"
        );
    }
}

#[test]
fn faults_know_the_way_to_them_and_what_stands_there() {
    let json = r#"{"inner": {"entr\u0069es": {"a\"b": "", "c": [1]}}}"#;
    let error = fault(json);
    assert_eq!(
        (error.path(json).join("|"), error.value(json)),
        ("inner|entries|c".to_owned(), "[1]")
    );
    assert!(matches!(error.fault(), Fault::Expected("a string")));
    let json = r#"{"list": [true, 1.5e3]}"#;
    let error = fault(json);
    assert_eq!((error.path(json).join("|"), error.value(json)), ("list|1".to_owned(), "1.5e3"));
    assert!(matches!(error.fault(), Fault::Expected("true or false")));
    assert!(!format!("{error} {error:?}").contains("1.5"), "what stands there is not told");
}

#[test]
fn what_nobody_asks_for_is_checked_for_its_end_alone() {
    for passed in ["[1e999]", "{\"a\" 1}", "[}", "\"\\x\"", "-"] {
        let json = format!(r#"{{"else": {passed}, "number": 1}}"#);
        assert_eq!(read::<Shape<'_>>(&json).unwrap().number, Some(1), "{json}");
    }
    for endless in ["[", "{\"a\": \"}", "\"\\", "", "\"a\\\"}"] {
        let json = format!(r#"{{"else": {endless}"#);
        assert_eq!(read::<Shape<'_>>(&json).unwrap_err().kind(), ErrorKind::Syntax, "{json}");
    }
}

#[test]
fn nesting_is_bounded_where_it_is_read_and_free_where_it_is_not() {
    let nested = |levels: usize| format!("{}7{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read::<Tree>(&nested(100)).is_ok());
    assert_eq!(read::<Tree>(&nested(101)).unwrap_err().kind(), ErrorKind::Shape);
    assert!(read::<Skipped>(&nested(1_000_000)).is_ok());
    let beside = format!("[{}]", vec!["[[1], []]"; 200].join(","));
    assert!(read::<Tree>(&beside).is_ok(), "depth is given back");
}

fn zeros(count: usize) -> String {
    format!("[{}]", vec!["0"; count].join(","))
}

#[test]
fn lists_are_bounded() {
    assert!(read::<Vec<i32>>("null").unwrap().is_empty());
    assert_eq!(read::<Vec<i32>>("[1,2]").unwrap(), [1, 2]);
    assert_eq!(read::<Vec<i32>>(&zeros(LIST_LIMIT)).unwrap().len(), LIST_LIMIT);
    assert!(read::<Vec<i32>>(&zeros(LIST_LIMIT + 1)).is_err());
    assert!(read::<Vec<i32>>("{}").is_err());
    assert!(read::<Vec<i32>>("[1,]").is_err());
    assert!(read::<Vec<i32>>("[null]").is_err());
}

#[test]
fn one_reading_is_bounded() {
    let lists = |count: usize| format!("[{}]", vec![zeros(LIST_LIMIT - 1); count].join(","));
    let most = ENTRY_LIMIT / LIST_LIMIT;
    assert_eq!(read::<Vec<Vec<i32>>>(&lists(most)).unwrap().len(), most);
    assert!(read::<Vec<Vec<i32>>>(&lists(most + 1)).is_err());
    let entries = |count: usize| format!("{{{}}}", vec![r#""a":null"#; count].join(","));
    assert!(read::<Entries<'_, Text<'_>>>(&entries(ENTRY_LIMIT)).is_ok());
    assert!(read::<Entries<'_, Text<'_>>>(&entries(ENTRY_LIMIT + 1)).is_err());
}

//! Texts as kubectl takes them apart: what it says was asked of kubectl 1.32 with
//! `kubectl label --local -o json`.

use super::*;

/// What is in each document: JSON, `-` for nothing, or what is wrong with it.
fn read(text: &str) -> Vec<String> {
    let told = |document: Document| match document.content {
        Content::Nothing => "-".to_owned(),
        Content::Unread(_) => "unread".to_owned(),
        Content::Value(node) => node.to_json().to_string(),
        Content::Broken { line, message } => format!("{line}: {message}"),
    };
    documents(text, |_| false).into_iter().map(told).collect()
}

#[test]
fn documents_are_told_apart() {
    for (text, expected) in [
        ("", &[][..]),
        ("# a\n", &[]),
        ("\n\n---\n\n---\na: 1\n---\n", &["-", r#"{"a":1}"#, "-"]),
        ("a: 1\n--- # b\nb: 2\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("a: 1\n...\n# b\n", &[r#"{"a":1}"#]),
        ("{\"a\": 1}{\"b\":\t2}\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("{\"a\": 1}\n---\nb: 2\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("{\"a\": 1, \"a\": \"\\ud83d\\ude00\"}", &[r#"{"a":"😀"}"#]),
        ("[{a: 1}]", &[r#"[{"a":1}]"#]),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn byte_order_marks_begin_documents() {
    for text in [
        "\u{feff}a: 1\nb: 2\n",
        "# c\n\u{feff}a: 1\nb: 2\n",
        "# c\r\n\r\n\u{feff}a: 1\r\nb: 2\r\n",
        "\u{feff}{\"a\": 1,\n\t\"b\": 2}",
    ] {
        assert_eq!(read(text), [r#"{"a":1,"b":2}"#], "{text}");
    }
    let text = "---\n# c\n\u{feff}a: 1\nb: 2\n---\n\u{feff}c: 3\n";
    assert_eq!(read(text), [r#"{"a":1,"b":2}"#, r#"{"c":3}"#]);
    let documents = documents(text, |_| false);
    let Content::Value(node) = &documents[0].content else { panic!("{documents:?}") };
    let (key, _) = node.entry("b").unwrap();
    assert_eq!((key.place.line, text.get(key.offset..key.offset + 4)), (4, Some("b: 2")));
    // two of them at once, which kubectl reads as well
    assert_eq!(read("\u{feff}{\"a\": 1}\n{\"b\": 2}"), [r#"{"a":1}"#, r#"{"b":2}"#]);
}

#[test]
fn what_kubectl_refuses_is_told() {
    let behind = |text: &str| format!("nothing but a comment may follow \"---\", not \"{text}\"");
    assert_eq!(read("--- {a: 1}\n"), [format!("1: {}", behind("{a: 1}"))]);
    assert_eq!(
        read("a: 1\n---x\nb: 2\n"),
        [r#"{"a":1}"#.to_owned(), format!("2: {}", behind("x"))]
    );
    for (text, line, message) in [
        ("%YAML 1.1\n---\na: 1\n", 2, "invalid YAML: "),
        ("a: 1\n---\nb:\n\tc: 2\n", 4, "invalid YAML: "),
        ("a: 'x\n... y'\n", 2, "invalid YAML: "),
        ("a: 1\n...\nb: 2\n", 3, "a second document after \"...\""),
        ("a: x\0\n", 1, "invalid YAML: "),
    ] {
        let read = read(text).concat();
        assert!(read.contains(&format!("{line}: {message}")), "{text}: {read}");
    }
}

#[test]
fn long_documents_of_kinds_that_nobody_wants_are_unread() {
    let text = format!("kind: Widget\n---\nkind: Widget\ndata: {}\n", "x".repeat(LONG));
    let contents: Vec<_> =
        documents(&text, |kind| kind == "Widget").into_iter().map(|one| one.content).collect();
    assert!(matches!(contents.as_slice(), [Content::Value(_), Content::Unread(_)]), "{contents:?}");
}

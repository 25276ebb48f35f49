//! Reading as kubectl reads: numbers, booleans, merge keys, places, bombs.

use super::*;

const MANIFESTS: Dialect =
    Dialect { nodes: 10_000, depth: 32, repeated: 1_000, anchors: 100, as_kubectl: true };

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
    assert_eq!(
        json("[yes, On, n, off, 'yes', \"on\", yesterday]"),
        r#"[true,true,false,false,"yes","on","yesterday"]"#
    );
    assert_eq!(json("{a: 0777, b: 0o17, c: 0x1F, d: 1_000, e: 1e3, f: 12:30, g: 2001-01-01}"), {
        r#"{"a":511,"b":15,"c":31,"d":1000,"e":1000,"f":"12:30","g":"2001-01-01"}"#
    });
    assert_eq!(json("{y: a, 8080: b}"), r#"{"8080":"b","true":"a"}"#);
    assert_eq!(json("{a: 1, a: 2}"), r#"{"a":2}"#);
    assert_eq!(json("a: !mine x"), r#"{"a":"x"}"#);
}

#[test]
fn merge_keys_count_where_they_stand() {
    assert_eq!(
        json("x: &x {a: 1, b: 2}\nz:\n  <<: *x\n  b: 3\n"),
        r#"{"x":{"a":1,"b":2},"z":{"a":1,"b":3}}"#
    );
    // what is written later counts, a merge too
    assert_eq!(json("x: &x {a: 1}\nz:\n  a: 3\n  <<: *x\n"), r#"{"x":{"a":1},"z":{"a":1}}"#);
    assert_eq!(
        json("- &x {a: 1, b: 1}\n- &y {b: 2, c: 2}\n- <<: [*x, *y]\n"),
        r#"[{"a":1,"b":1},{"b":2,"c":2},{"a":1,"b":1,"c":2}]"#
    );
    assert_eq!(json("{'<<': {a: 1}}"), r#"{"<<":{"a":1}}"#);
    assert_eq!(
        fault("a:\n  <<: 1\n"),
        FaultKind::Invalid("a merge key needs a mapping or a list of mappings".to_owned())
    );
}

#[test]
fn places_and_bytes_are_known() {
    let text = "é: 1\nx: &x\n  - a: 1\nz: *x\n";
    let document = read(text, &MANIFESTS).0.unwrap();
    let (key, value) = document.entry("x").unwrap();
    assert_eq!((key.place.line, key.place.column, key.offset), (2, 1, 6));
    let element = value.elements().first().unwrap();
    assert_eq!(
        (element.place.line, text.get(element.offset..element.offset + 4), element.borrowed),
        (3, Some("a: 1"), false)
    );
    let alias = document.field("z").unwrap();
    assert_eq!((alias.place.line, alias.borrowed), (4, true));
}

/// What `kubectl label --local -o json` says of the same texts.
#[test]
fn numbers_are_those_of_kubectl() {
    for (text, expected) in [
        ("08", "8"),
        ("0b11", "3"),
        ("+1", "1"),
        (".5", "0.5"),
        ("1.", "1"),
        ("-0777", "-511"),
        ("0_7", "7"),
        ("09.5", "9.5"),
        ("-0x10", "-16"),
        ("00", "0"),
        ("1.0e+3", "1000"),
        ("1.50", "1.5"),
        ("1e", r#""1e""#),
        ("0x", r#""0x""#),
        ("0b2", r#""0b2""#),
        ("0o8", r#""0o8""#),
        ("_1", r#""_1""#),
        ("tRue", r#""tRue""#),
        ("oFF", r#""oFF""#),
        ("Y", "true"),
        ("N", "false"),
        ("~", "null"),
        ("Null", "null"),
        ("!!str 1", r#""1""#),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
    for text in [".nan", "-.inf"] {
        assert!(matches!(fault(text), FaultKind::Invalid(_)), "{text}");
    }
}

#[test]
fn keys_that_kubectl_refuses_are_told() {
    assert_eq!(json("{1: a, 1.5: b, 1e3: c}"), r#"{"1":"a","1.5":"b","1000":"c"}"#);
    for (text, what) in
        [("~: b", "nothing"), ("{[a]: b}", "a list"), ("a: {{ .Values.x }}", "a mapping")]
    {
        let expected = FaultKind::Invalid(format!("{what} cannot be a key"));
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn quoted_text_goes_on_in_any_column() {
    for (text, expected) in [
        ("a:\n  b: 'x\ny'\n  c: z\n", r#"{"a":{"b":"x y","c":"z"}}"#),
        ("a:\n  - \"x\n\ty\n\n z\n\"\n  - 'it''s\nhere'\n", r#"{"a":["x y\nz ","it's here"]}"#),
        ("a:\n  b: \"x\\\ny \\\"z\nw\"\n", r#"{"a":{"b":"xy \"z w"}}"#),
        ("a:\r\n  b: '[\r\n{ \"n\": 1 }\r\n]'\r\n", r#"{"a":{"b":"[ { \"n\": 1 } ]"}}"#),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
    let text = "a:\n  é: 'x\ny'\n  c: \"u\nv\"\nd: e\n";
    let document = read(text, &MANIFESTS).0.unwrap();
    let (key, value) = document.entry("d").unwrap();
    assert_eq!((key.place.line, key.offset, value.offset), (6, 26, 29));
    assert_eq!(text.get(26..), Some("d: e\n"));
    for text in ["a:\n  b: 'x\n... y'\n", "a:\n  b: 'x\ny\n"] {
        assert!(matches!(fault(text), FaultKind::Invalid(_)), "{text}");
    }
    let policies = Dialect { as_kubectl: false, ..MANIFESTS };
    assert!(read("a:\n  b: 'x\ny'\n", &policies).1.is_some());
}

#[test]
fn bombs_are_refused() {
    let bomb = (b'b'..=b'h').fold("a: &a [x, x, x, x, x, x, x, x]\n".to_owned(), |text, letter| {
        let (name, before) = (char::from(letter), char::from(letter - 1));
        format!("{text}{name}: &{name} [{}]\n", vec![format!("*{before}"); 8].join(", "))
    });
    assert_eq!(fault(&bomb), FaultKind::TooMuch);
}

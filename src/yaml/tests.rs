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
        r#"{"a":511,"b":15,"c":31,"d":1000,"e":1000.0,"f":"12:30","g":"2001-01-01"}"#
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

#[test]
fn bombs_are_refused() {
    let bomb = (b'b'..=b'h').fold("a: &a [x, x, x, x, x, x, x, x]\n".to_owned(), |text, letter| {
        let (name, before) = (char::from(letter), char::from(letter - 1));
        format!("{text}{name}: &{name} [{}]\n", vec![format!("*{before}"); 8].join(", "))
    });
    assert_eq!(fault(&bomb), FaultKind::TooMuch);
}

use crate::config_file::Severity;

use super::*;

fn told(text: &str) -> Option<(Severity, usize)> {
    flaw(text).map(|flaw| (flaw.severity, flaw.offset))
}

#[test]
fn every_dialect_is_read() {
    for text in [
        "a: 1\n---\nb: 2\n...\n---\n- c\n",
        "%YAML 1.1\n---\na: yes\n",
        "\u{feff}a: 1\n",
        "a: &b {c: d}\ne:\n  <<: *b\n  <<: *b\n",
        "{\"a\": [1, null]}",
        "[a,\t\"b\"]",
        "a: \"b\nc\"\n",
        "a: .inf\n? [b]\n: c\nnull: d\n",
        "1: a\n\"1\": b\n",
        "a: !!binary aGk=\nb: !!set {c}\nd: ! e\n",
        "# nothing\n",
        "a: |\n  {{{ }} \\\n b: c\n".trim_end_matches(" b: c\n"),
        "a: 'it''s'\nb: *.c\n".trim_end_matches("b: *.c\n"),
    ] {
        assert_eq!(flaw(text), None, "{text}");
    }
}

#[test]
fn what_no_parser_reads_is_broken() {
    for (text, offset, expected) in [
        ("a: b: c", 4, "expected no second \":\" here: quotes or other indentation"),
        ("a:\n\tb: c\n", 4, "expected spaces, found a tab"),
        ("a: \"b\nc: d\n", 3, "expected a quote that closes this one"),
        ("a:\n  - 'b\n  - c\n", 7, "expected a quote that closes this one"),
        ("a: [b, c\n", 3, "expected a bracket that closes \"[\""),
        ("a: {b: c\nd: e\n", 10, "expected \",\" or \"}\""),
        ("a: @b\n", 3, "expected quotes around what begins with \"@\""),
        ("a: *b\n", 3, "expected an anchor of this name before its use"),
        ("a:\n  - b\n c: d\n", 10, "expected a key at this indentation"),
        (" a: b\nc: d\n", 6, "expected nothing more at this indentation"),
        ("a: b\nc\n", 5, "expected \":\" after the key"),
    ] {
        let flaw = flaw(text);
        assert_eq!(flaw, Some(Flaw::broken(offset, expected)), "{text}");
    }
}

#[test]
fn what_parsers_differ_about_is_lenient() {
    for (text, offset) in [
        ("a: 1\nb: 2\na: 3\n", 10),
        ("{a: 1, a: 2}", 7),
        ("a: !vault |\n  b\n", 3),
        ("a: !!python/name:b.c\n", 3),
        ("[a, b]#c", 6),
        ("a: b\n&c: d\n", 5),
    ] {
        assert_eq!(told(text), Some((Severity::Lenient, offset)), "{text}");
    }
    // a fault that ends everything counts more, wherever it is
    assert_eq!(told("a: 1\na: 2\nb: @c\n"), Some((Severity::Broken, 13)));
}

#[test]
fn what_would_take_too_long_is_not_looked_at() {
    let mut laughs = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..2_000 {
        let below = level - 1;
        laughs.push_str(&format!("a{level}: &a{level} [*a{below}, *a{below}]\n"));
    }
    assert_eq!(flaw(&laughs), None);
    let long = format!("{}@", "- a\n".repeat(100_000));
    assert_eq!(flaw(&long), None);
    let outdented = format!("{}@", "a: \"b\nc\"\n".repeat(5_000));
    assert_eq!(flaw(&outdented), None);
}

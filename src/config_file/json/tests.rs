use proptest::prelude::*;

use super::*;

fn told(text: &str) -> Option<(Severity, usize, String)> {
    flaw(text).map(|flaw| (flaw.severity, flaw.offset, flaw.expected.into_owned()))
}

#[test]
fn what_some_programs_read_is_lenient() {
    for (text, offset, expected) in [
        ("// a\n{}", 0, "expected no comment"),
        ("{} # a", 3, "expected no comment"),
        ("[1, /* a */ 2]", 4, "expected no comment"),
        ("[1, 2,]", 5, "expected no comma before the end"),
        ("{\"a\": 1, // b\n}", 7, "expected no comma before the end"),
        ("{'a': 1}", 1, "expected a double quote"),
        ("{a: 1}", 1, "expected a quote before the key"),
        ("[NaN, 1]", 1, "expected a number of JSON"),
        ("[0x1F]", 1, "expected a number of JSON"),
        ("[\"a\tb\"]", 3, "expected \"\\t\" instead of a tab"),
        ("\u{feff}{}", 0, "expected no byte order mark"),
        ("{\"a\": 1}\n{\"a\": 2}\n", 9, "expected nothing after the value"),
        ("a: 1\nb: 2\n", 0, "expected \"{\" or \"[\", but this is YAML"),
        ("# c\n\"a\": {\"b\": 1}\n", 0, "expected \"{\" or \"[\", but this is YAML"),
    ] {
        assert_eq!(told(text), Some((Severity::Lenient, offset, expected.to_owned())), "{text}");
    }
}

#[test]
fn what_no_program_reads_is_broken() {
    for (text, offset, expected) in [
        ("{\"a\": 1", 7, "expected \",\" or \"}\": \"{\" of line 1 is not closed"),
        ("{\n\"a\": [1,\n", 10, "expected a value: \"[\" of line 2 is not closed"),
        ("{\"a\" 1}", 5, "expected \":\" after the key"),
        ("{\"a\": }", 6, "expected a value, found \"}\""),
        ("[1,,2]", 3, "expected a value, found \",\""),
        ("[1 2]", 3, "expected \",\" or \"]\""),
        ("{\"a\": 1]", 7, "expected \",\" or \"}\", found \"]\""),
        ("{}}", 2, "expected nothing after the value, found \"}\""),
        ("{} x", 3, "expected nothing after the value"),
        ("{1: 2}", 1, "expected a key in quotes"),
        ("[True]", 1, "expected a value"),
        ("[01]", 1, "expected a value"),
        ("{\"a\": \"b}", 9, "expected a quote before the end"),
        ("{\"a\": \"b\n\"}", 8, "expected a quote before the end of the line"),
        ("{\"a\": \"\\d\"}", 7, "expected an escape of JSON after the backslash"),
        ("/* a", 0, "expected \"*/\" after the comment"),
        ("// a", 4, "expected a value"),
        ("text", 0, "expected a value"),
        ("[1]\0", 3, "expected nothing after the value"),
        // behind what some programs read
        ("{\"a\": 1, // b\n \"c\" 2}", 19, "expected \":\" after the key"),
        // YAML of a line, but no mapping
        ("a: b: c", 0, "expected a value"),
    ] {
        assert_eq!(told(text), Some((Severity::Broken, offset, expected.to_owned())), "{text}");
    }
}

#[test]
fn what_would_take_too_long_is_not_looked_at() {
    for text in [format!("[1{},]", ", 1".repeat(300_000)), "[] ".repeat(300_000)] {
        assert_eq!(flaw(&text), None);
    }
}

proptest! {
    #[test]
    fn both_readers_agree_what_json_is(text in "[\\[\\]{}\",:0-9eEtruflsn\\\\u.+\\- \\n]{1,12}") {
        let strict = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        let lenient = Reader::read(&text);
        prop_assert_eq!(strict, lenient == Ok(None), "{:?}", lenient);
    }

    #[test]
    fn both_readers_agree_where_a_letter_is_changed(
        at in 0_usize..60,
        letter in prop::sample::select(vec!['{', '}', '[', ']', '"', ',', ':', '\\', '1', '-', 'e', '\n', 'x']),
    ) {
        let mut text = r#"{"a": [1, -2.5e3, true, null], "b\u00e4": {"c": "d\n"}, "e": []}"#.to_owned();
        let at = text.floor_char_boundary(at);
        text.replace_range(at..=at, letter.encode_utf8(&mut [0; 4]));
        let strict = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        prop_assert_eq!(strict, Reader::read(&text) == Ok(None), "{}", text);
    }
}

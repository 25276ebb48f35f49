use super::*;

const BOUNDS: Bounds = Bounds { depth: 4, events: 40, rescanned: 200 };

#[test]
fn the_first_doubt_and_what_ends_the_reading_are_told() {
    let repeated = |offset| Some(Flaw { offset, kind: FlawKind::RepeatedKey });
    let fatal = |offset, kind| Some(Flaw { offset, kind });
    for (text, expected) in [
        ("a: 1\nb: [c]\n", (None, None)),
        ("a: 1\na: 2\na: 3\n", (repeated(5), None)),
        ("? {a: b}\n: c\n? {a: b}\n: d\n", (None, None)),
        ("- a: 1\n- a: 2\n", (None, None)),
        ("a: &x 1\nb: *x\n*x : 2\n*x : 3\n", (None, None)),
        ("a: !b c\n", (Some(Flaw { offset: 3, kind: FlawKind::UnknownTag }), None)),
        ("a: 1\na: *b", (repeated(5), fatal(8, FlawKind::Invalid(ErrorKind::UnknownAnchor)))),
        (
            "a: \"\nb\"\nc: 'd",
            (None, fatal(11, FlawKind::Invalid(ErrorKind::UnclosedQuotedScalar))),
        ),
        ("a: \"\n---\nb\"", (None, fatal(3, FlawKind::Invalid(ErrorKind::UnclosedQuotedScalar)))),
        ("[[[[[1]]]]]", (None, fatal(4, FlawKind::TooMuch))),
    ] {
        assert_eq!(flaws(text, BOUNDS), expected, "{text}");
    }
    for text in ["- a\n".repeat(50), "a: \"\nb\"\n".repeat(20)] {
        let (_, fatal) = flaws(&text, BOUNDS);
        assert_eq!(fatal.map(|flaw| flaw.kind), Some(FlawKind::TooMuch), "{text}");
    }
}

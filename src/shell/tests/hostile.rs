//! Nothing a script contains can do harm, and plain words are those of the library.

use proptest::prelude::*;

use super::*;

#[test]
fn hostile_scripts_end() {
    // Just short enough to be read.
    let many = |piece: &str, close: &str| 30_000 / (piece.len() + close.len());
    let nested = [
        "(",
        "{ ",
        "$(",
        "`",
        "\"$(",
        "if ",
        "while ",
        "a && (",
        "((",
        "$((",
        "${x:-",
        "f() ",
        "x=(",
        "[[ ",
        "case x in a) ",
        "! ",
        "sh -c '",
        "<<a;",
        "!(",
    ];
    for piece in nested {
        for close in ["", ")", "}", "))", "\n"] {
            let many = many(piece, close);
            parse(&(piece.repeat(many) + &close.repeat(many)));
        }
    }
    let doubling = "x=$x$x;".repeat(64);
    assert!(parse(&format!("x=aa;{doubling} p $x")).is_none());
    let calls =
        (1..40).map(|at| format!("f{at}() {{ f{0}; f{0}; }}; ", at - 1)).collect::<String>();
    assert!(parse(&format!("f0() {{ a; }}; {calls} f39")).is_none());
    for piece in [
        "a;",
        "a&&",
        "a|",
        "x=1;",
        "f(){ a; };",
        "cd /aaaaaaaaaa;",
        "$(a)",
        "entr ",
        "exec ",
        "a <<b\nb\n",
    ] {
        parse(&(piece.repeat(many(piece, "")) + "a"));
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        parse(&text);
    }

    #[test]
    fn any_pile_of_syntax_is_read_or_refused(
        pieces in prop::collection::vec(prop::sample::select(&[
            "a", " ", "\n", ";", "&", "|", "(", ")", "{", "}", "<", ">", "'", "\"", "\\", "$", "`", "#", "!", "=", "x=",
            "$x", "$(", "((", "))", "[[ ", " ]]", "if ", "then ", "fi", "while ", "do ", "done", "for x in ", "case ",
            " in ", "esac", ";;", "<<E\n", "E\n", "f() ", "set -e", "cd ", "é", "*", "~", "${", ":-",
        ][..]), 0..60)
    ) {
        parse(&pieces.concat());
    }

    /// Where there is nothing but words the library and the scanner agree.
    #[test]
    fn plain_words_are_those_of_shlex(text in "a [ab'\"\\\\ \t#.-]{0,24}") {
        if let Some(expected) = shlex::split(&text) {
            let script = parse(&text).expect("what shlex understands is understood");
            let found: Vec<&str> = script.commands.iter().flat_map(|one| &one.words).filter_map(Word::known).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

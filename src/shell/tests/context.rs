//! Where commands stand, and what their status decides.

use super::*;

/// The context of the command with this program.
fn context(text: &str, program: &str) -> Context {
    let script = parse(text).expect("the script is understood");
    let found = script.commands.iter().find(|one| one.program() == Some(program));
    found.expect("the command is there").context.clone()
}

#[test]
fn what_a_status_decides() {
    let cases = [
        ("while p; do q; done", Status::Required),
        ("until p; do q; done", Status::Inverted),
        ("while ! p; do q; done", Status::Inverted),
        ("p && q", Status::Required),
        ("p || q", Status::Inverted),
        ("p || exit 1; q", Status::Required),
        ("p || { echo no; exit 1; }; q", Status::Required),
        ("p || true; q", Status::Ignored),
        ("p && exit; q", Status::Inverted),
        ("if p; then break; fi; q", Status::Inverted),
        ("p; q", Status::Ignored),
        ("{ p; }; q", Status::Ignored),
        ("p && q || exit 1", Status::Required),
        ("p && sleep 1; q", Status::Ignored),
        ("if p; then q; fi", Status::Required),
        ("if p; then q; else r; fi", Status::Unknown),
        ("p && q; r", Status::Unknown),
        ("p; [ $? -eq 0 ] && q", Status::Unknown),
        ("p & q", Status::Unknown),
        ("exec p; q", Status::Unknown),
        ("p", Status::Unknown),
        ("x=$(p); q", Status::Ignored),
        ("echo $(p); q", Status::Unknown),
        ("set -e; p; q", Status::Required),
        ("set -e; p || true; q", Status::Ignored),
        ("if a; then set -e; fi; p; q", Status::Unknown),
        ("trap q TERM; while p; do q; done", Status::Required),
    ];
    for (text, expected) in cases {
        assert_eq!(context(text, "p").status, expected, "{text}");
    }
}

#[test]
fn where_a_command_stands() {
    let at = context("a & while b; do p; done", "p");
    assert_eq!((at.inside, at.background, at.conditional), (Some((0, Part::Body)), false, true));
    let at = context("while true; do while p; do q; done; done &", "p");
    assert_eq!((at.inside, at.background), (Some((1, Part::Condition)), true));
    assert_eq!(context("p | while read x; do q; done", "p").reader, Some(Reader::Loop));
    assert_eq!(context("p | /bin/cat", "p").reader, Some(Reader::Program("cat".to_owned())));
    assert_eq!(context("while read x; do q; done < <(p)", "p").reader, Some(Reader::Loop));
    assert!(context("x=$(p)", "p").captured);

    let script =
        parse("while :; do a; done; while true; do b && break; done; for x in 1; do c; done")
            .expect("it is understood");
    let loops: Vec<_> = script.loops.iter().map(|one| (one.endless, one.counted)).collect();
    assert_eq!(loops, [(true, false), (false, false), (false, true)]);

    let script = parse("kill $!; kill $$; x=$(pidof a); kill \"$x\"").expect("it is understood");
    let last = |at: usize| script.commands.get(at).and_then(|one| one.words.last());
    assert!(matches!(last(0), Some(Word::Unknown { source: Source::Child, .. })));
    assert!(matches!(last(1), Some(Word::Unknown { source: Source::Shell, .. })));
    let output = last(3).map(|word| script.output(word)).unwrap_or_default();
    assert_eq!(output.first().and_then(Command::program), Some("pidof"));
}

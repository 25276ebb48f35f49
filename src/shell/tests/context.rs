//! Where commands stand, and what their status decides.

use super::*;

/// The context of the command with this program.
fn context(text: &str, program: &str) -> CommandContext {
    let script = parse(text).expect("the script is understood");
    let found = script.commands.iter().find(|one| one.program() == Some(program));
    found.expect("the command is there").context.clone()
}

#[test]
fn what_a_status_decides() {
    let cases = [
        ("while p; do q; done", StatusUse::Required),
        ("until p; do q; done", StatusUse::Inverted),
        ("while ! p; do q; done", StatusUse::Inverted),
        ("p && q", StatusUse::Required),
        ("p || q", StatusUse::Inverted),
        ("p || exit 1; q", StatusUse::Required),
        ("p || { echo no; exit 1; }; q", StatusUse::Required),
        ("p || true; q", StatusUse::Ignored),
        ("p && exit; q", StatusUse::Inverted),
        ("if p; then break; fi; q", StatusUse::Inverted),
        ("p; q", StatusUse::Ignored),
        ("{ p; }; q", StatusUse::Ignored),
        ("p && q || exit 1", StatusUse::Required),
        ("p && sleep 1; q", StatusUse::Ignored),
        ("if p; then q; fi", StatusUse::Required),
        ("if p; then q; else r; fi", StatusUse::Unknown),
        ("p && q; r", StatusUse::Unknown),
        ("p; [ $? -eq 0 ] && q", StatusUse::Unknown),
        ("p & q", StatusUse::Unknown),
        ("exec p; q", StatusUse::Unknown),
        ("p", StatusUse::Unknown),
        ("x=$(p); q", StatusUse::Ignored),
        ("echo $(p); q", StatusUse::Unknown),
        ("set -e; p; q", StatusUse::Required),
        ("set -e; p || true; q", StatusUse::Ignored),
        ("if a; then set -e; fi; p; q", StatusUse::Unknown),
        ("trap q TERM; while p; do q; done", StatusUse::Required),
    ];
    for (text, expected) in cases {
        assert_eq!(context(text, "p").status, expected, "{text}");
    }
}

#[test]
fn where_a_command_stands() {
    let at = context("a & while b; do p; done", "p");
    assert_eq!(
        (at.inside, at.background, at.conditional),
        (Some((0, LoopPart::Body)), false, true)
    );
    let at = context("while true; do while p; do q; done; done &", "p");
    assert_eq!((at.inside, at.background), (Some((1, LoopPart::Condition)), true));
    assert_eq!(context("p | while read x; do q; done", "p").reader, Some(PipeReader::Loop));
    assert_eq!(context("p | /bin/cat", "p").reader, Some(PipeReader::Program("cat".to_owned())));
    assert_eq!(context("while read x; do q; done < <(p)", "p").reader, Some(PipeReader::Loop));
    assert!(context("x=$(p)", "p").captured);

    let script =
        parse("while :; do a; done; while true; do b && break; done; for x in 1; do c; done")
            .expect("it is understood");
    let loops: Vec<_> = script.loops.iter().map(|one| (one.endless, one.counted)).collect();
    assert_eq!(loops, [(true, false), (false, false), (false, true)]);

    let script = parse("kill $!; kill $$; x=$(pidof a); kill \"$x\"").expect("it is understood");
    let last = |at: usize| script.commands.get(at).and_then(|one| one.words.last());
    assert!(matches!(last(0), Some(Word::Unknown { origin: WordOrigin::Child, .. })));
    assert!(matches!(last(1), Some(Word::Unknown { origin: WordOrigin::Shell, .. })));
    let output = last(3).map(|word| script.output(word)).unwrap_or_default();
    assert_eq!(output.first().and_then(Command::program), Some("pidof"));
}

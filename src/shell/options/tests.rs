//! Every program's own reading of its options, and a table without mistakes.

use std::collections::BTreeSet;

use super::programs::{LINES, Row, Spelling};
use super::*;

/// The words of a command line; `?` is an unknown one, `-a?` one of which only the beginning is
/// known.
fn words(line: &str) -> Vec<Word> {
    line.split_whitespace()
        .map(|word| match word.strip_suffix('?') {
            Some(prefix) => Word::Unknown { prefix: prefix.to_owned(), origin: <_>::default() },
            None => Word::Known(word.to_owned()),
        })
        .collect()
}

fn shown(word: &Word) -> String {
    let mark = if word.known().is_some() { "" } else { "?" };
    format!("{}{mark}", word.prefix())
}

/// The options by name, `.` for one that is not listed, then the operands behind a bar.
fn read(program: &str, line: &str) -> String {
    let words = words(line);
    let options = Arguments::of(program, &words);
    let given = options.given.iter().map(|given| {
        let sign = if given.on { "" } else { "+" };
        let value = given.value.as_deref().map(|value| format!("={}", shown(value)));
        format!("{sign}{}{}", given.name.unwrap_or("."), value.unwrap_or_default())
    });
    let operands = options.operands.iter().map(|word| shown(word));
    given.chain(["|".to_owned()]).chain(operands).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_program_reads_its_own_options() {
    for (program, line, expected) in [
        ("inotifywait", "-mqre modify /a", "monitor quiet recursive event=modify | /a"),
        (
            "inotifywait",
            "-emodify --event create --event=attrib",
            "event=modify event=create event=attrib |",
        ),
        ("inotifywait", "/a -m --frobnicate -- -b", "monitor . | /a -b"),
        ("inotifywait", "-e", "event |"),
        ("inotifywait", "-e? --event=? -e ? /a", "event=? event=? event=? | /a"),
        ("tail", "-fn0 --follow=name -F /a", "follow lines=0 follow=name F | /a"),
        ("xargs", "-r -n 1 -I{} p -n 2", ". max-args=1 I={} | p -n 2"),
        ("timeout", "-s KILL --kill-after=5 9 p -s q", "signal=KILL kill-after=5 | 9 p -s q"),
        ("env", "A=b -u X C=d p E=f", "unset=X | p E=f"),
        ("env", "-i -- A=b p", ". | A=b p"),
        ("sh", "-euo pipefail -c p q", "e . o=pipefail c | p q"),
        ("sh", "-oe errexit +e --rcfile /a --login f -x", "o=errexit e +e rcfile=/a . | f -x"),
        ("set", "-e -- a", "e | a"),
        (
            "java",
            "-Xmx1g -cp /a --class-path=/b @f $(A) ? -jar a.jar -Xmx2g",
            ". class-path=/a class-path=/b . . . jar | a.jar -Xmx2g",
        ),
        ("java", "-cp /a Main -Xmx2g", "class-path=/a | Main -Xmx2g"),
        ("node", "-r /a --max-old-space-size=1 @x -b", "require=/a . | @x -b"),
        ("node", "--title=a -- -b", "title=a | -b"),
        (
            "configmap-reload",
            "x --volume-dir=/a -volume-dir /b --other c",
            "volume-dir=/a volume-dir=/b . | x c",
        ),
        ("kill", "-s TERM -5 1", "signal=TERM | -5 1"),
        ("haproxy", "-f /a -sf ?", "f=/a sf | ?"),
        ("curl", "-fsSLo /a -Hfoo https://b", ". . . . output=/a header=foo | https://b"),
        ("tar", "-xzf - -C/a", "extract . file=- directory=/a |"),
        ("git_clone", "--depth 1 -b main a b", "depth=1 branch=main | a b"),
        ("p", "-ab --c=d --e f -", ". . . . | f -"),
    ] {
        assert_eq!(read(program, line).trim_end(), expected, "{program} {line}");
    }
}

#[test]
fn an_unknown_word_may_be_an_option() {
    for (line, certain) in [
        ("/a?", true),
        ("--event=?", true),
        ("-e ?", true),
        ("-e?", true),
        ("?", false),
        ("-?", false),
        ("-m?", false),
        ("--mon?", false),
        ("-- ?", true),
    ] {
        let words = words(line);
        assert_eq!(Arguments::of("inotifywait", &words).certain, certain, "{line}");
    }
    let words = words("-p ? /a");
    assert!(Arguments::of("mkdir", &words).known_operands().is_empty());
}

#[test]
fn the_table_is_well_formed() {
    let mut programs = BTreeSet::new();
    for line in LINES {
        for program in line.programs.split(' ') {
            assert!(!program.is_empty() && programs.insert(program), "{program}");
            assert!(Row::listed_for(program).is_some(), "{program}");
        }
        let row = Row::read(line);
        let mut forms = BTreeSet::new();
        for form in &row.forms {
            let name = form.text;
            assert!(!name.is_empty() && !name.contains('='), "{}: {form:?}", line.programs);
            let short = form.dashes == 2 || form.dashes == 1 && name.chars().count() == 1;
            assert!(short || row.spelling == Spelling::Words, "{}: {form:?}", line.programs);
            assert!(forms.insert((name, form.dashes)), "{}: {form:?} twice", line.programs);
        }
    }
    assert!(Row::listed_for("unheard-of").is_none());
}

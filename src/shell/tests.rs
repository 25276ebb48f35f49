//! What is read out of scripts, and that nothing a script contains can do harm.

mod context;
mod files;
mod hostile;

use super::*;

fn parse(text: &str) -> Option<Script> {
    with(text, &[])
}

fn with(text: &str, environment: &[(&str, &str)]) -> Option<Script> {
    inline(&Invocation {
        command: &["/bin/sh", "-c", text, "zero", "one", "two words"],
        environment,
        hook: true,
        ..Invocation::default()
    })
}

/// Each command on a line: its words in angle brackets, `?` and the certain beginning where
/// unknown.
fn shown(script: Option<Script>) -> Vec<String> {
    let script = script.expect("the script is understood");
    let word = |word: &Word| match word {
        Word::Known(text) => format!("<{text}>"),
        Word::Unknown { prefix, .. } => format!("<{prefix}?>"),
    };
    let line = |command: &Command| command.words.iter().map(word).collect();
    script.commands.iter().map(line).collect()
}

fn words(text: &str) -> Vec<String> {
    shown(parse(text))
}

#[test]
fn quotes_and_operators() {
    let cases: [(&str, &[&str]); 14] = [
        ("a 'b c' \"d e\" f\\ g", &["<a><b c><d e><f g>"]),
        ("a;b&&c||d|e&f\ng", &["<a>", "<b>", "<c>", "<d>", "<e>", "<f>", "<g>"]),
        ("a ';' '&&' \\; \"|\"", &["<a><;><&&><;><|>"]),
        ("a # b\nc#d", &["<a>", "<c#d>"]),
        ("a \\\n  b\\\nc", &["<a><bc>"]),
        ("a \"\\$x \\n \\\\ \\\"\"", &["<a><$x \\n \\ \">"]),
        ("a '' \"\" b''", &["<a><><><b>"]),
        ("(a); { b; }; ! c", &["<a>", "<b>", "<c>"]),
        ("if a; then b; elif c; then d; else e; fi", &["<a>", "<b>", "<c>", "<d>", "<e>"]),
        ("while a; do b; done; until c; do d; done", &["<a>", "<b>", "<c>", "<d>"]),
        ("case x in a|b) c;; (*) d; esac", &["<c>", "<d>"]),
        ("for x in 1 2; do a; done; for y; do b; done", &["<a>", "<b>"]),
        (
            "[[ a =~ ^(b|c)$ && -f d ]] && e; ((i++)); f",
            &["<[[><a><=~><^><b><c><$><-f><d><]]>", "<e>", "<f>"],
        ),
        ("cat <<A <<-'B'; x\n$(y) `\nA\n\tz\n\tB\nw", &["<cat>", "<x>", "<w>"]),
    ];
    for (text, expected) in cases {
        assert_eq!(words(text), expected, "{text}");
    }
}

#[test]
fn variables_resolve_only_where_certain() {
    let cases: [(&str, &[&str]); 24] = [
        ("x=/a; p $x \"$x/b\" ${x}c '$x'", &["<p></a></a/b></ac><$x>"]),
        ("x=1; x=2; p $x", &["<p><2>"]),
        ("p $x", &["<p><?>"]),
        ("x=/a; p $x$y/b", &["<p></a?>"]),
        ("x=$(date); p $x", &["<date>", "<p><?>"]),
        ("if a; then x=1; fi; p $x", &["<a>", "<p><?>"]),
        ("a && x=1; p $x", &["<a>", "<p><?>"]),
        ("a && x=1 && p $x", &["<a>", "<p><1>"]),
        ("x=1; while a; do p $x; x=2; done", &["<a>", "<p><?>"]),
        ("x=1; while a; do p $x; done", &["<a>", "<p><1>"]),
        ("x=1; (x=2; p $x); p $x", &["<p><2>", "<p><1>"]),
        ("x=1; a | read x; p $x", &["<a>", "<read><x>", "<p><?>"]),
        ("x=1; eval \"$y\"; p $x", &["<eval><?>", "<p><?>"]),
        ("x=1; . /y; p $x", &["<.></y>", "<p><?>"]),
        ("export x=1; p $x", &["<export><x=1>", "<p><1>"]),
        ("x=1; unset x; p $x", &["<unset><x>", "<p><?>"]),
        ("for x in a b; do p $x; done; p $x", &["<p><?>", "<p><?>"]),
        ("x='a b'; p $x \"$x\"", &["<p><a><b><a b>"]),
        ("x=; p $x \"$x\"", &["<p><>"]),
        ("x='a*'; p $x \"$x\"", &["<p><a?><a*>"]),
        ("p /a/* {a,b} {} ~/x [ a? 'a*'", &["<p></a/?><?><{}><?><[><a?><a*>"]),
        ("x=1; p ${x:-2} ${x%1} ${#x} $((x+1)) ${y:-2}", &["<p><1><?><?><?><?>"]),
        ("p $1 \"$2\" $2 \"$@\" $3", &["<p><one><two words><two><words><one><two words><?>"]),
        ("set -- a; p $1", &["<set><--><a>", "<p><?>"]),
    ];
    for (text, expected) in cases {
        assert_eq!(words(text), expected, "{text}");
    }
}

#[test]
fn functions_are_expanded_where_called() {
    assert_eq!(words("f() { p \"$1\"; }; f a; f b; g() { q; }"), ["<p><a>", "<p><b>"]);
    assert_eq!(words("function f { x=$1; }; x=0; f 1; p $x"), ["<p><?>"]);
    assert_eq!(words("f() { a; }; f() { b; }; f"), ["<f>"]);
    assert!(parse("f() { f; f; }; f").is_none(), "it would never end");
}

#[test]
fn wrappers_and_inner_shells() {
    let cases: [(&str, &[&str]); 12] = [
        ("exec nohup nice -n 5 p a", &["<p><a>"]),
        ("env -u X A=b timeout -s KILL 5 p", &["<p>"]),
        ("sudo -u www p; busybox p; command p; time p", &["<p>", "<p>", "<p>", "<p>"]),
        ("command -v p", &["<command><-v><p>"]),
        ("timeout $T p", &["<timeout><?><p>"]),
        ("sh -c 'p $0 $1' a b", &["<p><a><b>"]),
        ("x=1; sh -c \"p $x\"; sh -c 'p $x'", &["<p><1>", "<p><?>"]),
        ("bash -euo pipefail -c 'a; b'", &["<a>", "<b>"]),
        ("sh -c \"$x\"; sh file", &["<sh><-c><?>", "<sh><file>"]),
        ("A=/b sh -c 'p $A'", &["<p></b>"]),
        ("p $(a b) `c` <(d)", &["<a><b>", "<c>", "<d>", "<p><?><?><?>"]),
        ("> /x 2>&1 p < y &> z", &["<p>"]),
    ];
    for (text, expected) in cases {
        assert_eq!(words(text), expected, "{text}");
    }
    for text in [
        "setpriv --reuid=1 --clear-groups p a",
        "runuser -u www -- p a",
        "doas -u www p a",
        "s6-setuidgid www p a",
        "chpst -u www -e /env p a",
        "taskset 0x3 p a",
        "numactl --interleave=all p a",
        "flock -n /lock p a",
        "ddtrace-run p a",
    ] {
        assert_eq!(words(text), ["<p><a>"], "{text}");
    }
    let script = parse("timeout 5 p 2>>/x; q").expect("the script is understood");
    let [p, q] = script.commands.as_slice() else { panic!("two commands") };
    assert!(p.timed && !q.timed);
    let target = Word::Known("/x".to_owned());
    assert_eq!(p.redirections, [Redirection { operator: "2>>".to_owned(), target }]);
}

#[test]
fn what_is_exported() {
    for (text, value) in [
        ("export A=1; p", Some("1")),
        ("A=1; export A; p", Some("1")),
        ("export A=1; A=2; p", Some("2")),
        ("export A=1; B=$A; export B; A=2 p", Some("2")),
        ("declare -x A=1; p", Some("1")),
        ("set -a; A=1; p", Some("1")),
        ("set -ea; A=1; set +a; p", Some("1")),
        ("A=0 p", Some("0")),
        ("env A=1 p", Some("1")),
        ("sudo -u www A=1 p", Some("1")),
        ("export A=1; sh -c p", Some("1")),
        ("export A=1; sh -c 'A=2; p'", Some("2")),
        ("A=1 sh -c 'export B=$A; p'", Some("1")),
        ("A=1; p", None),
        ("A=1; sh -c p", None),
        ("declare A=1; p", None),
        ("(export A=1); p", None),
        ("export A=1; unset A; p", None),
        ("export A=1; [ -f /x ] && export A=2; p", None),
        ("export A=1; . /env; p", None),
        ("export A=$(q); p", None),
    ] {
        let script = parse(text).unwrap();
        let last = script.commands.last().unwrap();
        assert_eq!(last.variable("A").and_then(Word::known), value, "{text}");
    }
}

#[test]
fn what_a_container_starts() {
    let start = |command: &[&str], args: &[&str], hook: bool| {
        let environment =
            [("FILE", "/a/$(NAME)"), ("NAME", "b"), ("PATH2", "/c/$(NAME)"), ("X", "$(LATER)")];
        inline(&Invocation {
            command,
            args,
            environment: &environment,
            directory: Some("/w/"),
            hook,
            files: None,
        })
        .map(|one| shown(Some(one)))
    };
    let line = |text: &str| Some(vec![text.to_owned()]);
    assert_eq!(
        start(&["sh", "-c"], &["p $(NAME) $NAME $$(NAME)"], false),
        Some(vec!["<NAME>".into(), "<p><b><b><?>".into()])
    );
    assert_eq!(
        start(&["p", "$(PATH2)", "$(FILE)", "$$(NAME)", "$(NONE)"], &[], false),
        line("<p></c/b><$(FILE)><$(NAME)><$(NONE)>")
    );
    assert_eq!(start(&["p", "$(NAME)"], &[], true), line("<p><$(NAME)>"));
    assert_eq!(start(&[], &["/bin/bash", "-ec", "--", "p $PWD"], false), line("<p></w>"));
    assert_eq!(
        start(&["tini", "-s", "--"], &["/bin/ash", "-o", "errexit", "-c", "p"], false),
        line("<p>")
    );
    assert_eq!(start(&["busybox", "sh", "-c", "p \"$0\"", "a"], &[], false), line("<p><a>"));
    assert_eq!(start(&["/bin/sh", "/x.sh"], &["-c"], false), line("</bin/sh></x.sh><-c>"));
    for nothing in [
        &["sh", "-c", "if"][..],
        &["sh", "-c", "a; done"],
        &["sh", "-c", "a 'b"],
        &["sh", "-c", "$(a"],
    ] {
        assert_eq!(start(nothing, &[], false), None, "{nothing:?}");
    }
    assert_eq!(start(&[], &[], false), None);
}

//! Scripts in files whose text is known.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug)]
struct Known(BTreeMap<&'static str, String>);

impl Files for Known {
    fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }
}

fn start(command: &[&str], files: &[(&'static str, &str)]) -> Option<Script> {
    let files = Known(files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect());
    let environment = [("DIR", "/etc/app")];
    inline(&Invocation {
        command,
        environment: &environment,
        directory: Some("/s"),
        files: Some(&files),
        ..Invocation::default()
    })
}

#[test]
fn files_are_read_where_they_are_run() {
    let files = [
        ("/s/a.sh", "p \"$0\" $1 $DIR"),
        ("/s/b", "#!/usr/bin/env bash\np b"),
        ("/s/c.py", "#!/usr/bin/python3\nprint(1)"),
        ("/s/broken", "if"),
    ];
    let cases: [(&[&str], &[&str]); 13] = [
        (&["sh", "/s/a.sh", "x"], &["<p></s/a.sh><x></etc/app>"]),
        (&["bash", "-eu", "a.sh", "x"], &["<p><a.sh><x></etc/app>"]),
        (&["/s/a.sh", "x"], &["<p></s/a.sh><x></etc/app>"]),
        (&["./b"], &["<p><b>"]),
        (&["bash", "-c", "/s/b"], &["<p><b>"]),
        (&["sh", "-c", "cd /s && exec ./b"], &["<cd></s>", "<p><b>"]),
        (&["sh", "-c", ". /s/b; q"], &["<p><b>", "<q>"]),
        (&["sh", "-c", "sh a.sh \"$DIR\""], &["<p><a.sh></etc/app></etc/app>"]),
        (&["tini", "--", "/s/b"], &["<p><b>"]),
        (&["b"], &["<b>"]),
        (&["/s/c.py"], &["</s/c.py>"]),
        (&["sh", "/s/none"], &["<sh></s/none>"]),
        (&["sh", "-s", "/s/b"], &["<sh><-s></s/b>"]),
    ];
    for (command, expected) in cases {
        assert_eq!(shown(start(command, &files)), expected, "{command:?}");
    }
    assert!(start(&["sh", "/s/broken"], &files).is_none());
}

#[test]
fn a_command_knows_its_file() {
    let script = start(&["sh", "-c", "a; /s/x; b"], &[("/s/x", "c; sh -c d")]).unwrap();
    let files: Vec<_> = script
        .commands
        .iter()
        .map(|command| (command.program().unwrap(), command.file.as_deref()))
        .collect();
    assert_eq!(files, [("a", None), ("c", Some("/s/x")), ("d", Some("/s/x")), ("b", None)]);
}

#[test]
fn what_is_run_by_timeout_is_timed() {
    let script =
        start(&["sh", "-c", "timeout 5 /s/x; timeout 5 sh -c b; c"], &[("/s/x", "a")]).unwrap();
    assert_eq!(
        script.commands.iter().map(|command| command.timed).collect::<Vec<_>>(),
        [true, true, false]
    );
}

#[test]
fn first_lines() {
    let errexit = |text: &str| {
        start(&["/s/x"], &[("/s/x", text)]).unwrap().commands.first().unwrap().context.status
    };
    assert_eq!(errexit("#!/bin/sh -e\na; b"), StatusUse::Required);
    assert_eq!(errexit("#!/bin/sh\na; b"), StatusUse::Ignored);
}

#[test]
fn files_that_run_one_another_end() {
    assert!(start(&["/s/x"], &[("/s/x", "/s/x; /s/x")]).is_none());
    assert!(start(&["/s/x"], &[("/s/x", ". /s/y\n. /s/y"), ("/s/y", ". /s/x\n. /s/x")]).is_none());
    let long = format!("{}/s/x; /s/x", "a\n".repeat(10_000));
    assert!(start(&["/s/x"], &[("/s/x", &long)]).is_none());
    let longest = start(&["/s/x"], &[("/s/x", &"a\n".repeat(16_000))]).unwrap();
    assert_eq!(longest.commands.len(), 16_000);
}

proptest! {
    /// Where a text stands makes no difference to what it does.
    #[test]
    fn a_file_is_read_as_the_text_itself(
        pieces in prop::collection::vec(prop::sample::select(&[
            "a", " ", "\n", ";", "&", "|", "(", ")", "{", "}", "'", "\"", "$1", "$DIR", "`", "x=", "$x", "$(", "if ", "then ", "fi\n",
            "while ", "do ", "done\n", "f() ", "set -e\n", "cd b\n", "/s/x ", ". /s/x\n",
        ][..]), 0..40)
    ) {
        let text = pieces.concat();
        let files = [("/s/x", "p q")];
        let given = start(&["sh", "-c", &text, "/s/y", "one"], &files);
        let read = start(&["sh", "/s/y", "one"], &[("/s/x", "p q"), ("/s/y", &text)]);
        let Some(given) = given else { return Ok(()) };
        let mut read = read.unwrap();
        for command in &mut read.commands {
            command.file = command.file.take().filter(|file| &**file != "/s/y");
        }
        prop_assert_eq!(given, read);
    }
}

//! The measured table, line by line, and what must stay silent.

use super::Delivery::{Always, ByAccident, ByLuck, FirstOnly, Never, Unknown};
use super::Kind::{Directory, File};
use super::*;
use crate::kube::shell::{Invocation, inline};

const FILE: &str = "/etc/app/app.yaml";
const DIR: &str = "/etc/app";

fn script(text: &str) -> Script {
    let text = text.replace("FILE", FILE).replace("DIR", DIR);
    inline(&Invocation { command: &["/bin/sh", "-c"], args: &[&text], ..Invocation::default() })
        .unwrap_or_else(|| panic!("not understood: {text}"))
}

/// The only watch of a script that is no poll, with the kind of its first target.
fn judged(text: &str) -> Delivery {
    let script = script(text);
    let watches = watches(&script);
    let watch = watches.iter().find(|watch| !watch.tool.polls()).or(watches.first());
    let watch = watch.unwrap_or_else(|| panic!("no watch: {text}"));
    let kind = match watch.paths().next() {
        Some(DIR) => Directory,
        _ => File,
    };
    verdict(watch, kind)
}

#[test]
fn the_measured_table() {
    let table = [
        ("inotifywait -m -e modify FILE", Never),
        ("inotifywait -m -e close_write FILE", Never),
        ("inotifywait -m -e modify,create,delete FILE", Never),
        ("while inotifywait -e modify FILE; do ..; done", Never),
        ("while inotifywait -e close_write,moved_to,create FILE; do ..; done", Never),
        ("while true; do inotifywait -e modify FILE && ..; done", Never),
        ("while true; do inotifywait -e modify FILE; ..; done", ByAccident),
        ("while inotifywait -e delete_self FILE; do ..; done", Always),
        ("while inotifywait -e attrib FILE; do ..; done", Always),
        ("inotifywait -m FILE", FirstOnly),
        ("inotifywait -m -e modify DIR", Never),
        ("inotifywait -m -e close_write DIR", Never),
        ("inotifywait -m -e create DIR", Always),
        ("inotifywait -m -e moved_to DIR", Always),
        ("inotifywait -m -e delete DIR", Always),
        ("inotifywait -m -r -e modify DIR", ByLuck),
        ("tail -f FILE", Never),
        ("tail -F FILE", Always),
        ("ls FILE | entr -r nginx -s reload", Always),
        ("nodemon --watch FILE server.js", Always),
        ("chokidar FILE -c 'nginx -s reload'", Always),
        ("while sleep 5; do md5sum FILE; done", Always),
        ("while sleep 5; do stat -L -c %Y FILE; done", Always),
        ("while sleep 5; do readlink /etc/app/..data; done", Always),
        ("watchmedo shell-command --patterns=app.yaml DIR", Never),
        ("watchmedo shell-command --patterns=FILE DIR", Never),
        ("while sleep 5; do stat -c %Y FILE; done", Never),
        ("watchfiles 'nginx -s reload' FILE", FirstOnly),
    ];
    for (text, expected) in table {
        assert_eq!(judged(text), expected, "{text}");
    }
}

#[test]
fn measured_besides_the_table() {
    let table = [
        ("until inotifywait -e modify FILE; do ..; done", ByAccident),
        ("while ! inotifywait -e modify FILE; do ..; done", ByAccident),
        ("while true; do inotifywait -e modify FILE || ..; done", ByAccident),
        ("while true; do x=$(inotifywait -e modify FILE); ..; done", ByAccident),
        ("while x=$(inotifywait -e modify FILE); do ..; done", Never),
        ("while true; do inotifywait -e modify FILE | while read l; do ..; done; done", Never),
        ("while inotifywait FILE; do ..; done", Always),
        ("inotifywait -m -e attrib FILE | while read l; do ..; done", FirstOnly),
        ("inotifywait -m -e delete_self FILE | while read l; do ..; done", FirstOnly),
        ("inotifywait -m -e move_self FILE | while read l; do ..; done", Never),
        ("inotifywait -m -P FILE", Never),
        ("inotifywait -m -e attrib DIR", Always),
        ("inotifywait -m -e move DIR", Always),
        ("inotifywait -m -e moved_from DIR", Always),
        ("inotifywait -m DIR", Always),
        ("inotifywait -m -e delete_self DIR", Never),
        ("while inotifywait -e modify DIR; do ..; done", Never),
        ("while true; do inotifywait -e modify DIR; ..; done", Never),
        ("while inotifywait -e create DIR; do ..; done", Always),
        ("while inotifywait -e moved_to DIR; do ..; done", Always),
        ("while inotifywait -r -e modify DIR; do ..; done", ByLuck),
        ("while true; do inotifywait -r -e modify DIR; ..; done", ByAccident),
        ("while inotifywait -e modify FILE /tmp; do ..; done", Never),
        ("while true; do inotifywait -e modify FILE /etc/hostname; ..; done", ByAccident),
        ("watchmedo shell-command -c 'nginx -s reload' DIR", Always),
        ("watchmedo shell-command -p '*.yaml;app.yaml' -c 'nginx -s reload' DIR", Never),
        ("watchfiles 'nginx -s reload' DIR", Always),
        ("while sleep 1; do stat -c %y DIR; done", Always),
        ("while sleep 1; do stat -c %Y DIR/..data; done", Always),
        ("while sleep 1; do stat -c %y DIR/..data/app.yaml; done", Always),
        ("tail -n0 -f --retry FILE", Never),
        ("busybox tail -n 0 -f FILE", Never),
        ("busybox tail -n 0 -F FILE", Always),
    ];
    for (text, expected) in table {
        assert_eq!(judged(text), expected, "{text}");
    }
}

#[test]
fn options_in_every_spelling() {
    let never = [
        "inotifywait -qme modify FILE",
        "inotifywait --monitor --event=modify FILE",
        "inotifywait --monitor --event modify FILE",
        "inotifywait -m FILE -e modify -e close_write",
        "inotifywait -m -emodify -- FILE",
        "inotifywait -mq --format '%w%f' --timefmt '%s' -e MODIFY FILE",
        "while inotifywait -qq -e modify FILE; do nginx -s reload; done",
        "tail -n 100 -f FILE",
        "tail -fn0 FILE",
        "tail -100f FILE",
        "tail --follow FILE",
        "tail --follow=descriptor FILE",
        "tail +1f FILE",
        "exec tail -f FILE",
        "while sleep 1; do stat --format=%Y FILE; done",
        "while sleep 1; do a=$(stat -c '%n %y' FILE); done",
        "while [ \"$(stat -c %Y FILE)\" = \"$old\" ]; do sleep 1; done",
        "watchmedo auto-restart -d DIR -p '*.yaml' -- python app.py -p 8080",
        "python3 -m watchdog.watchmedo shell-command -p '*.yaml' DIR",
    ];
    for text in never {
        assert_eq!(judged(text), Never, "{text}");
    }
    let always = [
        "inotifywait -m -e modify,moved_to DIR",
        "inotifywait -m -e modify -e create DIR/",
        "tail --follow=name FILE",
        "tail -n +1 --follow=name --retry FILE",
        "while sleep 1; do stat -Lc %Y FILE; done",
        "while sleep 1; do stat --dereference -c %Y FILE; done",
        "npx nodemon -w FILE app.js",
    ];
    for text in always {
        assert_eq!(judged(text), Always, "{text}");
    }
    assert_eq!(judged("python -m watchfiles 'python app.py' FILE"), FirstOnly);
    assert_eq!(judged("watchfiles --filter all 'python app.py' FILE"), FirstOnly);
}

#[test]
fn silence_where_it_cannot_be_told() {
    let texts = [
        "inotifywait $OPTIONS -e modify FILE",
        "inotifywait -m -e $EVENTS FILE",
        "inotifywait -m -e modified FILE",
        "inotifywait -m --frobnicate -e modify FILE",
        "inotifywait -m DIR/..data",
        "inotifywait -m -e open FILE",
        "inotifywait -m --exclude app FILE",
        "while true; do inotifywait -t 60 -e modify FILE; ..; done",
        "while true; do timeout 60 inotifywait -e modify FILE; ..; done",
        "while true; do timeout 60 inotifywait -e modify DIR; ..; done",
        "inotifywait -e delete_self FILE && kill 1",
        "while true; do inotifywait -e modify FILE; test $? -eq 1 && ..; done",
        "while inotifywait -e modify FILE; do ..; done; nginx -s reload",
        "while true; do timeout 60 tail -f FILE; ..; done",
        "stat -c %Y FILE",
        "while sleep 1; do stat -c %a FILE; done",
        "while sleep 1; do stat -c %X%Y FILE; done",
        "while sleep 1; do stat -c $FORMAT FILE; done",
        "watchmedo shell-command -p '*' -c true DIR",
        "watchmedo shell-command -p '..data' -c true DIR",
        "watchmedo auto-restart -d DIR python app.py -p 8080",
        "watchfiles --filter python 'python app.py' FILE",
        "fswatch FILE",
    ];
    for text in texts {
        assert_eq!(judged(text), Unknown, "{text}");
    }
}

#[test]
fn targets() {
    fn of(text: &str) -> Vec<Target> {
        watches(&script(text)).remove(0).targets
    }
    let path = |path: &str| Target::Path(path.to_owned());
    let at = [
        ("f=FILE; inotifywait -m $f", vec![path(FILE)]),
        ("d=DIR; inotifywait -m \"$d/app.yaml\" /x", vec![path(FILE), path("/x")]),
        ("cd DIR && inotifywait -m app.yaml ./b", vec![path(FILE), path("/etc/app/b")]),
        ("cd DIR; cd sub; tail -f x", vec![path("/etc/app/sub/x")]),
        ("inotifywait -m app.yaml", vec![Target::Unknown]),
        ("cd $X; inotifywait -m app.yaml", vec![Target::Unknown]),
        ("inotifywait -m DIR/../x", vec![Target::Unknown]),
        ("inotifywait -m DIR/*.yaml", vec![Target::Unknown]),
        ("for f in DIR/a DIR/b; do inotifywait -m $f; done", vec![Target::Unknown]),
        ("inotifywait -m --fromfile list", vec![Target::Unknown]),
        ("inotifywait -m DIR @DIR/x", vec![path(DIR)]),
        ("while sleep 1; do stat -c %Y $(readlink -f FILE); done", vec![path(FILE)]),
        ("echo FILE | entr -n true", vec![path(FILE)]),
        ("sha256sum < FILE", vec![path(FILE)]),
        ("find DIR -type f -exec md5sum {} +", vec![path(DIR)]),
        ("find DIR -type f | xargs -r sha1sum | sha1sum", vec![path(DIR)]),
    ];
    for (text, expected) in at {
        assert_eq!(of(text), expected, "{text}");
    }
    // The target of the `stat` itself, the second watch, stays unknown.
    let watches = watches(&script("while sleep 1; do stat -c %Y $(readlink -f FILE); done"));
    assert_eq!(watches.get(1).map(|watch| watch.targets.clone()), Some(vec![Target::Unknown]));
}

#[test]
fn set_e_makes_an_ignored_status_count() {
    for text in [
        "set -e; while true; do inotifywait -e modify FILE; nginx -s reload; done",
        "set -euo pipefail; while :; do inotifywait -e modify FILE; nginx -s reload; done",
        "sh -ec 'while true; do inotifywait -e modify FILE; nginx -s reload; done'",
    ] {
        assert_eq!(judged(text), Never, "{text}");
    }
    let text = "set -e; while true; do inotifywait -e modify FILE || true; nginx -s reload; done";
    assert_eq!(judged(text), ByAccident);
    let text = "set -e; set +e; while true; do inotifywait -e modify FILE; nginx -s reload; done";
    assert_eq!(judged(text), ByAccident);
}

#[test]
fn what_only_reports_is_no_reaction() {
    for text in [
        "while true; do inotifywait -e modify FILE && echo changed; nginx -s reload; done",
        "while true; do nginx -s reload; inotifywait -e modify FILE && echo changed; done",
        "while true; do inotifywait -e modify FILE; echo changed; done",
    ] {
        assert_eq!(judged(text), ByAccident, "{text}");
    }
    let text = "while true; do nginx -s reload; inotifywait -e modify FILE && kill 7; done";
    assert_eq!(judged(text), Unknown);
    let text = "while true; do inotifywait -e modify FILE || exit 1; nginx -s reload; done";
    assert_eq!(judged(text), Never);
    let text = "while true; do if ! inotifywait -e modify FILE; then break; fi; nginx -s reload; done";
    assert_eq!(judged(text), Never);
    let text = "while true; do if inotifywait -e modify FILE; then nginx -s reload; else sleep 1; fi; done";
    assert_eq!(judged(text), Never);
}

#[test]
fn a_function_is_judged_where_it_is_called() {
    let text = "changed() { inotifywait -e modify \"$1\"; }; while changed FILE; do nginx -s reload; done";
    assert_eq!(judged(text), Never);
    let text = "changed() { inotifywait -e modify FILE; }; while true; do changed; nginx -s reload; done";
    assert_eq!(judged(text), ByAccident);
    assert!(watches(&script("never_called() { inotifywait -m -e modify FILE; }; sleep 1")).is_empty());
}

#[test]
fn not_a_watch() {
    for text in [
        "tail -n 5 FILE",
        "echo inotifywait -m FILE",
        "apt-get install -y inotify-tools",
        "# inotifywait -m FILE\nsleep 1",
        "cat <<EOF\ninotifywait -m FILE\nEOF",
        "trap 'tail -f FILE' TERM",
    ] {
        assert!(watches(&script(text)).iter().all(|watch| watch.tool.polls()), "{text}");
    }
}

#[test]
fn of_several_targets_the_best_counts() {
    assert!(Never < FirstOnly && FirstOnly < ByLuck && ByLuck < ByAccident && ByAccident < Always && Always < Unknown);
}

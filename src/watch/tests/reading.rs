//! Options, targets and reactions are read right, and what is unknown stays silent.

use super::*;

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
    fn of(text: &str) -> Vec<WatchTarget> {
        watches(&script(text)).remove(0).targets
    }
    let path = |path: &str| WatchTarget::Path(path.to_owned());
    let at = [
        ("f=FILE; inotifywait -m $f", vec![path(FILE)]),
        ("d=DIR; inotifywait -m \"$d/app.yaml\" /x", vec![path(FILE), path("/x")]),
        ("cd DIR && inotifywait -m app.yaml ./b", vec![path(FILE), path("/etc/app/b")]),
        ("cd DIR; cd sub; tail -f x", vec![path("/etc/app/sub/x")]),
        ("inotifywait -m app.yaml", vec![WatchTarget::Unknown]),
        ("cd $X; inotifywait -m app.yaml", vec![WatchTarget::Unknown]),
        ("inotifywait -m DIR/../x", vec![WatchTarget::Unknown]),
        ("inotifywait -m DIR/*.yaml", vec![WatchTarget::Unknown]),
        ("for f in DIR/a DIR/b; do inotifywait -m $f; done", vec![WatchTarget::Unknown]),
        ("inotifywait -m --fromfile list", vec![WatchTarget::Unknown]),
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
    let script = script("while sleep 1; do stat -c %Y $(readlink -f FILE); done");
    let watches = watches(&script);
    assert_eq!(watches.get(1).map(|watch| watch.targets.clone()), Some(vec![WatchTarget::Unknown]));
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
    assert_eq!(judged(text), OnFailure);
    let text = "set -e; set +e; while true; do inotifywait -e modify FILE; nginx -s reload; done";
    assert_eq!(judged(text), OnFailure);
}

#[test]
fn what_only_reports_is_no_reaction() {
    for text in [
        "while true; do inotifywait -e modify FILE && echo changed; nginx -s reload; done",
        "while true; do nginx -s reload; inotifywait -e modify FILE && echo changed; done",
        "while true; do inotifywait -e modify FILE; echo changed; done",
    ] {
        assert_eq!(judged(text), OnFailure, "{text}");
    }
    let text = "while true; do nginx -s reload; inotifywait -e modify FILE && kill 7; done";
    assert_eq!(judged(text), Unknown);
    let text = "while true; do inotifywait -e modify FILE || exit 1; nginx -s reload; done";
    assert_eq!(judged(text), Never);
    let text =
        "while true; do if ! inotifywait -e modify FILE; then break; fi; nginx -s reload; done";
    assert_eq!(judged(text), Never);
    let text = "while true; do if inotifywait -e modify FILE; then nginx -s reload; else sleep 1; fi; done";
    assert_eq!(judged(text), Never);
}

#[test]
fn a_function_is_judged_where_it_is_called() {
    let text =
        "changed() { inotifywait -e modify \"$1\"; }; while changed FILE; do nginx -s reload; done";
    assert_eq!(judged(text), Never);
    let text =
        "changed() { inotifywait -e modify FILE; }; while true; do changed; nginx -s reload; done";
    assert_eq!(judged(text), OnFailure);
    assert!(
        watches(&script("never_called() { inotifywait -m -e modify FILE; }; sleep 1")).is_empty()
    );
}

#[test]
fn watchfiles_may_be_told_to_poll() {
    let by = |text: &str, environment: &[(&str, &str)]| {
        let script = inline(&Invocation {
            command: &["sh", "-c", text],
            environment,
            ..Invocation::default()
        });
        let watches = watches(&script.expect("the script is understood"));
        watches.first().map(|watch| verdict(watch, File))
    };
    let polling = [("WATCHFILES_FORCE_POLLING", "true")];
    assert_eq!(by("watchfiles run /etc/app/app.yaml", &[]), Some(FirstOnly));
    assert_eq!(by("watchfiles run /etc/app/app.yaml", &polling), Some(Unknown));
    assert_eq!(
        by("WATCHFILES_FORCE_POLLING=1 watchfiles run /etc/app/app.yaml", &[]),
        Some(Unknown)
    );
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
    assert!(
        Never < FirstOnly
            && FirstOnly < Racy
            && Racy < OnFailure
            && OnFailure < Always
            && Always < Unknown
    );
}

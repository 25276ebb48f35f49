//! The measured table, line by line, and what must stay silent.

mod reading;
mod signals;

use crate::shell::{Invocation, inline};

use super::Delivery::{Always, FirstOnly, Never, OnFailure, Racy, Unknown};
use super::TargetKind::{Directory, File};
use super::*;

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
        ("while true; do inotifywait -e modify FILE; ..; done", OnFailure),
        ("while inotifywait -e delete_self FILE; do ..; done", Always),
        ("while inotifywait -e attrib FILE; do ..; done", Always),
        ("inotifywait -m FILE", FirstOnly),
        ("inotifywait -m -e modify DIR", Never),
        ("inotifywait -m -e close_write DIR", Never),
        ("inotifywait -m -e create DIR", Always),
        ("inotifywait -m -e moved_to DIR", Always),
        ("inotifywait -m -e delete DIR", Always),
        ("inotifywait -m -r -e modify DIR", Racy),
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
        ("until inotifywait -e modify FILE; do ..; done", OnFailure),
        ("while ! inotifywait -e modify FILE; do ..; done", OnFailure),
        ("while true; do inotifywait -e modify FILE || ..; done", OnFailure),
        ("while true; do x=$(inotifywait -e modify FILE); ..; done", OnFailure),
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
        ("while inotifywait -r -e modify DIR; do ..; done", Racy),
        ("while true; do inotifywait -r -e modify DIR; ..; done", OnFailure),
        ("while inotifywait -e modify FILE /tmp; do ..; done", Never),
        ("while true; do inotifywait -e modify FILE /etc/hostname; ..; done", OnFailure),
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

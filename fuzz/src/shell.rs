//! Shell text: read twice alike, with every position in range, and whatever is made of it.

use restraint::shell::rerun::changed_paths;
use restraint::shell::{Files, Invocation, Script, inline};
use restraint::watch::{TargetKind, may_start, reload_paths, signals, verdict, watches};

/// The text is every file.
#[derive(Debug)]
struct Everywhere<'t>(&'t str);

impl Files for Everywhere<'_> {
    fn text(&self, _path: &str) -> Option<&str> {
        Some(self.0)
    }
}

pub(crate) fn run(text: &str) {
    let words: Vec<&str> = text.split(' ').collect();
    let (script, file): (&[&str], &[&str]) = (&["sh", "-c", text], &["sh", "/a/run.sh"]);
    let environment = [("A", "/etc/app"), ("B", text), ("C", "$(A)/$(B)")];
    let files = Everywhere(text);
    for invocation in [
        Invocation { command: script, ..Invocation::default() },
        Invocation {
            command: script,
            environment: &environment,
            directory: Some("/srv"),
            hook: true,
            ..Invocation::default()
        },
        Invocation { command: &words, environment: &environment, ..Invocation::default() },
        Invocation {
            command: file,
            environment: &environment,
            files: Some(&files),
            ..Invocation::default()
        },
    ] {
        let read = inline(&invocation);
        assert_eq!(read, inline(&invocation));
        if let Some(script) = read {
            look(&script);
        }
    }
}

fn look(script: &Script) {
    for command in &script.commands {
        assert!(
            script.loops_around(command).take(65).count() < 65,
            "loops within loops: {command:?}"
        );
        for word in &command.words {
            script.output(word);
        }
    }
    for watch in watches(script) {
        assert!(watch.command < script.commands.len());
        for path in watch.paths() {
            assert!(path.starts_with('/'), "{path}");
        }
        for kind in [TargetKind::File, TargetKind::Directory] {
            verdict(&watch, kind);
        }
    }
    signals(script);
    may_start(script, "nginx");
    for image in [None, Some("configmap-reload")] {
        for path in reload_paths(script, image) {
            assert!(!path.flag.is_empty());
        }
    }
    for changed in changed_paths(script) {
        assert!(changed.path.starts_with('/'), "{changed:?}");
    }
}

//! The question on a terminal, which util-linux's `script` stands in for.

use std::thread::spawn;

use libtest_mimic::Trial;

use crate::kubectl::{Outcome, Person};
use crate::recorded::{Recorded, asked};
use crate::space::Space;

use super::super::trial;
use super::{assert_limit, limits, started};

pub(super) fn trials() -> Vec<Trial> {
    vec![trial("restraint resize: on a terminal the plan is shown, and only yes is yes", question)]
}

/// Resizes "db" on a terminal where somebody answers this.
fn answered(space: &Space<'_>, answer: &str) -> impl FnOnce() -> Outcome + Send + 'static {
    let program = env!("CARGO_BIN_EXE_restraint");
    let command =
        format!("{program} resize pod/db --memory 96Mi --settle 0s --namespace {}", space.name());
    let line = format!("printf '{answer}\\n' | script -qec '{command}' /dev/null");
    let kubectl = space.by(Person::Developer);
    move || kubectl.paste(&line)
}

fn question() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("64Mi"));
    for answer in ["n", ""] {
        let outcome = answered(&space, answer)();
        let said = format!("{outcome:?}");
        assert_eq!(outcome.code(), Some(2), "{said}");
        for part in ["app memory limit 64Mi -> 96Mi", "do this? [y/N]", "why: not agreed to"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_limit(&space, "db", "64Mi");
    }
    let run = spawn(answered(&space, "y"));
    asked(&space, "db", 2);
    history.play(&space, "db");
    let outcome = run.join().unwrap();
    assert_eq!(outcome.code(), Some(0), "{outcome:#?}");
    assert!(format!("{outcome:?}").contains("done: 1 of 1 pods"));
    assert_limit(&space, "db", "96Mi");
}

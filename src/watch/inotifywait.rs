//! `inotifywait`: its options, and the events it waits for.

use crate::shell::options::Arguments;
use crate::shell::{Command, Word};

use super::{Tool, Watch, WatchTarget, target, through_link};

/// The options of `inotifywait` that decide what it sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inotifywait {
    /// What it waits for; every event where empty.
    pub events: Vec<InotifyEvent>,
    /// `-m`: it goes on after the first event.
    pub monitor: bool,
    /// `-r`: directories below are watched, too.
    pub recursive: bool,
    /// `-P`: symbolic links are watched themselves.
    pub no_dereference: bool,
    /// `--exclude` and the like: some names do not count.
    pub filtered: bool,
}

/// An event of inotify, as `-e` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of inotifywait(1)")]
pub enum InotifyEvent {
    Access,
    Modify,
    Attrib,
    CloseWrite,
    CloseNowrite,
    Close,
    Open,
    MovedTo,
    MovedFrom,
    Move,
    MoveSelf,
    Create,
    Delete,
    DeleteSelf,
    Unmount,
}

const EVENTS: [(&str, InotifyEvent); 15] = [
    ("access", InotifyEvent::Access),
    ("modify", InotifyEvent::Modify),
    ("attrib", InotifyEvent::Attrib),
    ("close_write", InotifyEvent::CloseWrite),
    ("close_nowrite", InotifyEvent::CloseNowrite),
    ("close", InotifyEvent::Close),
    ("open", InotifyEvent::Open),
    ("moved_to", InotifyEvent::MovedTo),
    ("moved_from", InotifyEvent::MovedFrom),
    ("move", InotifyEvent::Move),
    ("move_self", InotifyEvent::MoveSelf),
    ("create", InotifyEvent::Create),
    ("delete", InotifyEvent::Delete),
    ("delete_self", InotifyEvent::DeleteSelf),
    ("unmount", InotifyEvent::Unmount),
];

/// Reads the arguments.
pub(super) fn read(mut watch: Watch, command: &Command, arguments: &[Word]) -> Watch {
    let options = Arguments::of("inotifywait", arguments);
    let events = events(&options);
    let monitor = options.has_any(&["monitor", "daemon"]);
    for operand in &options.operands {
        // `@file` is left out of the watch.
        if !operand.prefix().starts_with('@') {
            watch.targets.push(target(command, operand));
        }
    }
    if options.has("fromfile") {
        watch.targets.push(WatchTarget::Unknown);
    }
    watch.timed |= options.values("timeout").any(|seconds| seconds != Some("0"));
    // The directory behind the link dies like a file, but sees other events first.
    watch.certain = options.certain
        && options.all_listed()
        && !options.has_any(&["help", "fromfile"])
        && events.is_some()
        && !ends_in_link(&watch.targets);
    watch.tool = Tool::Inotifywait(Inotifywait {
        events: events.unwrap_or_default(),
        monitor,
        recursive: options.has("recursive"),
        no_dereference: options.has("no-dereference"),
        filtered: options.has_any(&["exclude", "excludei", "include", "includei"])
            || options.operands.iter().any(|operand| operand.prefix().starts_with('@')),
    });
    watch
}

/// The events asked for. `None` where they are not all known.
fn events(options: &Arguments<'_>) -> Option<Vec<InotifyEvent>> {
    let mut found = Vec::new();
    for value in options.values("event") {
        for name in value?.split(',') {
            let (_, event) = EVENTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
            found.push(*event);
        }
    }
    Some(found)
}

fn ends_in_link(targets: &[WatchTarget]) -> bool {
    through_link(targets)
        && targets
            .iter()
            .any(|target| matches!(target, WatchTarget::Path(path) if path.ends_with("/..data")))
}

//! The measured table: what reaches a watcher when the kubelet replaces a mounted file.
//!
//! At an update a file sees `attrib`, then `delete_self`, and its watch is gone; the directory sees
//! `create`, `attrib`, `moved_from`, `moved_to` and `delete`, and its watch stays. Nothing is ever
//! modified or closed after writing, except in a new directory that a recursive watch may reach in
//! time or not.

use super::{InotifyEvent, Inotifywait, Reaction, Tool, Watch};

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A file below a mount.
    File,
    /// The mounted directory itself.
    Directory,
}

/// Which updates a script reacts to. In the order of usefulness, so that of several targets in one
/// mount the greatest counts; what is unknown counts most, because it means silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// None.
    Never,
    /// The first only.
    FirstOnly,
    /// Some, depending on who is faster.
    Racy,
    /// All, because the watcher fails at each and the script does not look.
    OnFailure,
    /// All.
    Always,
    /// It was not measured, or is unknown.
    Unknown,
}

/// Which updates of a target the script reacts to.
///
/// A watcher that runs once and is not in a loop is asked for one update only: it is
/// [`Delivery::Never`] where it does not see even that, [`Delivery::OnFailure`] where it fails at
/// it, and [`Delivery::Unknown`] otherwise.
pub fn verdict(watch: &Watch, kind: TargetKind) -> Delivery {
    if !watch.certain {
        return Delivery::Unknown;
    }
    match (&watch.tool, kind) {
        (Tool::Inotifywait(options), kind) => inotifywait(watch, options, kind),

        (Tool::Tail { by_name: true }, _) => Delivery::Always,
        (Tool::Tail { by_name: false }, TargetKind::File) if !watch.timed => Delivery::Never,
        (Tool::Tail { by_name: false }, _) => Delivery::Unknown,

        (Tool::Watchmedo { excludes_kubelet_names: false, .. }, TargetKind::Directory) => {
            Delivery::Always
        }
        (Tool::Watchmedo { recursive: false, .. }, TargetKind::Directory) => Delivery::Never,
        // Whether a pattern is held against the whole path differs between releases.
        (Tool::Watchmedo { recursive: true, .. }, TargetKind::Directory) => Delivery::Racy,
        (Tool::Watchmedo { .. }, TargetKind::File) => Delivery::Unknown,

        (Tool::Watchfiles, TargetKind::File) if !watch.timed => Delivery::FirstOnly,
        (Tool::Watchfiles, TargetKind::File) => Delivery::Unknown,
        (Tool::Watchfiles, TargetKind::Directory) => Delivery::Always,

        (Tool::Stat { dereference: false }, TargetKind::File) if watch.repeated => Delivery::Never,
        (Tool::Stat { dereference: false }, TargetKind::File) => Delivery::Unknown,
        (Tool::Stat { .. }, _) => Delivery::Always,

        (Tool::Checksum | Tool::Compare | Tool::Cat | Tool::Readlink, _) => Delivery::Always,
        (Tool::Entr | Tool::Nodemon | Tool::Chokidar, _) => Delivery::Always,
        (Tool::Unmeasured, _) => Delivery::Unknown,
    }
}

/// Whether an update is reported, by the events that are waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reported {
    /// One of them happens.
    Yes,
    /// None of them happens, but the watch ends.
    WatchEnds,
    /// None of them happens, and the watch goes on.
    No,
    /// One of them happens where the watcher is fast enough.
    Racy,
    /// Readers cause some of them.
    WithReads,
}

fn reported(options: &Inotifywait, kind: TargetKind) -> Reported {
    use InotifyEvent::{
        Access, Attrib, Close, CloseNowrite, CloseWrite, Create, Delete, DeleteSelf, Modify, Move,
        MovedFrom, MovedTo, Open,
    };
    let among = |events: &[InotifyEvent]| options.events.iter().any(|event| events.contains(event));
    let every = options.events.is_empty();
    match kind {
        TargetKind::File if options.no_dereference => Reported::No,
        TargetKind::File if every || among(&[Attrib, DeleteSelf]) => Reported::Yes,
        TargetKind::Directory
            if every || among(&[Create, Delete, MovedTo, MovedFrom, Move, Attrib]) =>
        {
            Reported::Yes
        }
        _ if among(&[Access, Open, Close, CloseNowrite]) => Reported::WithReads,
        TargetKind::File => Reported::WatchEnds,
        TargetKind::Directory if !options.recursive => Reported::No,
        TargetKind::Directory
            if options.events.iter().all(|event| [Modify, CloseWrite].contains(event)) =>
        {
            Reported::Racy
        }
        TargetKind::Directory => Reported::WithReads,
    }
}

fn inotifywait(watch: &Watch, options: &Inotifywait, kind: TargetKind) -> Delivery {
    let reported = reported(options, kind);
    // What ends without an event is a failure, and so is the end of the time.
    let heeds = matches!(watch.reaction, Reaction::Success | Reaction::Output);
    let delivery = match (reported, options.monitor) {
        (Reported::WithReads, _) => Delivery::Unknown,

        (Reported::No | Reported::WatchEnds, true) if !watch.timed || heeds => Delivery::Never,
        (Reported::No, false) if !watch.timed || heeds => Delivery::Never,
        (Reported::WatchEnds, false) if heeds => Delivery::Never,
        (Reported::WatchEnds, false) if watch.reaction != Reaction::Unknown && !watch.timed => {
            Delivery::OnFailure
        }
        (Reported::No | Reported::WatchEnds, _) => Delivery::Unknown,

        (_, true) if watch.timed => Delivery::Unknown,
        (Reported::Yes, true) => match kind {
            TargetKind::File if watch.repeated => Delivery::Unknown,
            TargetKind::File => Delivery::FirstOnly,
            TargetKind::Directory => Delivery::Always,
        },
        (Reported::Racy, true) => Delivery::Racy,

        // In a recursive watch the old directory ends as a file does.
        (Reported::Racy, false) => match watch.reaction {
            Reaction::Success | Reaction::Output => Delivery::Racy,
            Reaction::End if !watch.timed => Delivery::OnFailure,
            _ => Delivery::Unknown,
        },
        (Reported::Yes, false) => match watch.reaction {
            Reaction::Success | Reaction::Output | Reaction::End if watch.repeated => {
                Delivery::Always
            }
            _ => Delivery::Unknown,
        },
    };
    match delivery {
        // What is left out may be what would have been seen.
        Delivery::Never => Delivery::Never,
        _ if options.filtered => Delivery::Unknown,
        other => other,
    }
}

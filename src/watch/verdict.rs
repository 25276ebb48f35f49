//! The measured table: what reaches a watcher when the kubelet replaces a mounted file.
//!
//! At an update a file sees `attrib`, then `delete_self`, and its watch is gone; the directory sees
//! `create`, `attrib`, `moved_from`, `moved_to` and `delete`, and its watch stays. Nothing is ever
//! modified or closed after writing, except in a new directory that a recursive watch may reach in
//! time or not.

use super::{Event, Inotifywait, Reaction, Tool, Watch};

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file below a mount.
    File,
    /// The mounted directory itself.
    Directory,
}

/// Which updates a script reacts to. In the order of usefulness, so that of several targets in one
/// mount the greatest counts; what cannot be told counts most, because it means silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// None.
    Never,
    /// The first only.
    FirstOnly,
    /// Some, depending on who is faster.
    ByLuck,
    /// All, because the watcher fails at each and the script does not look.
    ByAccident,
    /// All.
    Always,
    /// It was not measured, or cannot be told.
    Unknown,
}

/// Which updates of a target the script reacts to.
///
/// A watcher that runs once and is not in a loop is asked for one update only: it is
/// [`Delivery::Never`] where it does not see even that, [`Delivery::ByAccident`] where it fails at
/// it, and [`Delivery::Unknown`] otherwise.
pub fn verdict(watch: &Watch, kind: Kind) -> Delivery {
    if !watch.certain {
        return Delivery::Unknown;
    }
    match (&watch.tool, kind) {
        (Tool::Inotifywait(options), kind) => inotifywait(watch, options, kind),

        (Tool::Tail { by_name: true }, _) => Delivery::Always,
        (Tool::Tail { by_name: false }, Kind::File) if !watch.timed => Delivery::Never,
        (Tool::Tail { by_name: false }, _) => Delivery::Unknown,

        (Tool::Watchmedo { blind: false, .. }, Kind::Directory) => Delivery::Always,
        (Tool::Watchmedo { recursive: false, .. }, Kind::Directory) => Delivery::Never,
        // Whether a pattern is held against the whole path differs between releases.
        (Tool::Watchmedo { recursive: true, .. }, Kind::Directory) => Delivery::ByLuck,
        (Tool::Watchmedo { .. }, Kind::File) => Delivery::Unknown,

        (Tool::Watchfiles, Kind::File) if !watch.timed => Delivery::FirstOnly,
        (Tool::Watchfiles, Kind::File) => Delivery::Unknown,
        (Tool::Watchfiles, Kind::Directory) => Delivery::Always,

        (Tool::Stat { dereference: false }, Kind::File) if watch.repeated => Delivery::Never,
        (Tool::Stat { dereference: false }, Kind::File) => Delivery::Unknown,
        (Tool::Stat { .. }, _) => Delivery::Always,

        (Tool::Checksum | Tool::Compare | Tool::Cat | Tool::Readlink, _) => Delivery::Always,
        (Tool::Entr | Tool::Nodemon | Tool::Chokidar, _) => Delivery::Always,
        (Tool::Unmeasured, _) => Delivery::Unknown,
    }
}

/// What an update is to the events that are waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// One of them happens.
    Seen,
    /// None of them happens, but the watch ends.
    Ends,
    /// None of them happens, and the watch goes on.
    Nothing,
    /// One of them happens where the watcher is fast enough.
    Race,
    /// Readers cause some of them.
    Noise,
}

fn sight(options: &Inotifywait, kind: Kind) -> Sight {
    use Event::{
        Access, Attrib, Close, CloseNowrite, CloseWrite, Create, Delete, DeleteSelf, Modify, Move,
        MovedFrom, MovedTo, Open,
    };
    let among = |events: &[Event]| options.events.iter().any(|event| events.contains(event));
    let every = options.events.is_empty();
    match kind {
        Kind::File if options.links => Sight::Nothing,
        Kind::File if every || among(&[Attrib, DeleteSelf]) => Sight::Seen,
        Kind::Directory if every || among(&[Create, Delete, MovedTo, MovedFrom, Move, Attrib]) => {
            Sight::Seen
        }
        _ if among(&[Access, Open, Close, CloseNowrite]) => Sight::Noise,
        Kind::File => Sight::Ends,
        Kind::Directory if !options.recursive => Sight::Nothing,
        Kind::Directory
            if options.events.iter().all(|event| [Modify, CloseWrite].contains(event)) =>
        {
            Sight::Race
        }
        Kind::Directory => Sight::Noise,
    }
}

fn inotifywait(watch: &Watch, options: &Inotifywait, kind: Kind) -> Delivery {
    let sight = sight(options, kind);
    // What ends without an event is a failure, and so is the end of the time.
    let heeds = matches!(watch.reaction, Reaction::Success | Reaction::Output);
    let delivery = match (sight, options.monitor) {
        (Sight::Noise, _) => Delivery::Unknown,

        (Sight::Nothing | Sight::Ends, true) if !watch.timed || heeds => Delivery::Never,
        (Sight::Nothing, false) if !watch.timed || heeds => Delivery::Never,
        (Sight::Ends, false) if heeds => Delivery::Never,
        (Sight::Ends, false) if watch.reaction != Reaction::Unknown && !watch.timed => {
            Delivery::ByAccident
        }
        (Sight::Nothing | Sight::Ends, _) => Delivery::Unknown,

        (_, true) if watch.timed => Delivery::Unknown,
        (Sight::Seen, true) => match kind {
            Kind::File if watch.repeated => Delivery::Unknown,
            Kind::File => Delivery::FirstOnly,
            Kind::Directory => Delivery::Always,
        },
        (Sight::Race, true) => Delivery::ByLuck,

        // In a recursive watch the old directory ends as a file does.
        (Sight::Race, false) => match watch.reaction {
            Reaction::Success | Reaction::Output => Delivery::ByLuck,
            Reaction::End if !watch.timed => Delivery::ByAccident,
            _ => Delivery::Unknown,
        },
        (Sight::Seen, false) => match watch.reaction {
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

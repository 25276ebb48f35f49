//! What a script watches, and whether it would learn that the kubelet replaced a mounted file.
//!
//! The kubelet writes a ConfigMap or Secret volume into a new directory and swaps one symbolic
//! link; the file a process has open or watches is deleted, not written to. `verdict` holds what
//! each construct then sees.

mod delegate;
mod follow;
mod inotifywait;
mod poll;
mod port;
mod process;
mod recipient;
mod reloader;
mod sender;
mod signal;
mod verdict;

#[cfg(test)]
mod tests;

pub use self::inotifywait::{InotifyEvent, Inotifywait};
pub(crate) use self::port::asked_port;
pub use self::recipient::Recipient;
pub(crate) use self::reloader::FLAGS;
pub use self::reloader::{ReloadPath, reload_paths};
pub use self::signal::{Signal, may_start, signals};
pub use self::verdict::{Delivery, TargetKind, verdict};

use super::shell::options::Arguments;
use super::shell::{Command, PipeReader, Script, StatusUse, Word, absolute};

/// A command that watches files, or looks at them where a loop or a probe makes that a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The program and the options that matter.
    pub tool: Tool,
    /// What it watches. Empty where that comes from elsewhere.
    pub targets: Vec<WatchTarget>,
    /// Whether all its options are understood; the verdict is [`Delivery::Unknown`] otherwise.
    pub certain: bool,
    /// Whether a loop runs it again and again.
    pub repeated: bool,
    /// What makes the script react.
    pub reaction: Reaction,
    /// Whether `timeout` or an option of its own ends it after some time.
    pub timed: bool,
    /// Its position in [`Script::commands`].
    pub command: usize,
}

/// A program that watches, with the options that decide what it sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `inotifywait` of inotify-tools.
    Inotifywait(Inotifywait),
    /// `tail -f`; `by_name` for `-F` and `--follow=name`.
    Tail {
        /// Whether it opens the file again where the name leads elsewhere.
        by_name: bool,
    },
    /// `watchmedo` of Python's watchdog.
    Watchmedo {
        /// Whether only names are wanted that no entry the kubelet touches has.
        excludes_kubelet_names: bool,
        /// Whether directories below are watched, too.
        recursive: bool,
    },
    /// The command of Python's watchfiles.
    Watchfiles,
    /// `stat` with a format that can show a change.
    Stat {
        /// Whether it looks at the file behind the symbolic link.
        dereference: bool,
    },
    /// `md5sum` and its like.
    Checksum,
    /// `cmp`, `diff`.
    Compare,
    /// `cat`.
    Cat,
    /// `readlink`, `realpath`.
    Readlink,
    /// `entr`, which opens its files again.
    Entr,
    /// `nodemon`.
    Nodemon,
    /// `chokidar`.
    Chokidar,
    /// `fswatch`, `inotifyd`, `watchexec`: what they see was not measured.
    Unmeasured,
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchTarget {
    /// An absolute path without `.` and doubled slashes.
    Path(String),
    /// It is unknown.
    Unknown,
}

/// What makes a script react to a watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The watcher ends with success: `while w; do ..`, `w && ..`.
    Success,
    /// The watcher ends with failure: `until w; do ..`, `w || ..`.
    Failure,
    /// The watcher ends: `w; ..`.
    End,
    /// The watcher prints a line: `w | while read ..`.
    Output,
    /// It is unknown.
    Unknown,
}

impl Tool {
    /// Whether the program only looks once, so that a loop or a probe around it is what watches.
    pub(crate) fn polls(&self) -> bool {
        matches!(
            self,
            Self::Stat { .. } | Self::Checksum | Self::Compare | Self::Cat | Self::Readlink
        )
    }
}

/// The most targets of one watch that are looked into. More are nobody's script.
const TARGETS: usize = 64;

impl Watch {
    /// Whether all its targets are known, and not too many to look into.
    pub(crate) fn is_known(&self) -> bool {
        self.targets.len() <= TARGETS && !self.targets.contains(&WatchTarget::Unknown)
    }

    /// The targets that are known.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().filter_map(|target| match target {
            WatchTarget::Path(path) => Some(path.as_str()),
            WatchTarget::Unknown => None,
        })
    }
}

/// The watches in a script, in the order of the text.
pub fn watches(script: &Script) -> Vec<Watch> {
    let mut found = Vec::new();
    for (position, command) in script.commands.iter().enumerate() {
        let Some((program, arguments)) = invoked(command) else {
            continue;
        };
        let watch = Watch {
            tool: Tool::Unmeasured,
            targets: Vec::new(),
            certain: true,
            repeated: script.loops_around(command).any(|around| !around.counted && !around.reads),
            reaction: reaction(command),
            timed: command.timed,
            command: position,
        };
        let source = feeding(script, position).last();
        found.extend(match program {
            "inotifywait" => Some(inotifywait::read(watch, command, arguments)),
            "tail" | "watchmedo" | "watchfiles" | "entr" | "nodemon" | "chokidar"
            | "chokidar-cli" | "fswatch" | "inotifyd" | "watchexec" => {
                follow::read(watch, program, command, arguments, source, script)
            }
            _ => poll::read(watch, program, command, arguments, source),
        });
    }
    found
}

/// The program a command really runs, by name, with its arguments: `python -m watchfiles` is
/// `watchfiles`.
fn invoked(command: &Command) -> Option<(&str, &[Word])> {
    let program = command.program()?;
    let mut arguments = command.arguments();
    if program.starts_with("python") {
        let at = arguments.iter().position(|word| word.known() == Some("-m"))?;
        let (module, rest) = arguments.get(at.saturating_add(1)..)?.split_first()?;
        let module = module.known()?;
        return Some((module.strip_prefix("watchdog.").unwrap_or(module), rest));
    }
    if matches!(program, "npx" | "pnpx" | "bunx") {
        let at = arguments.iter().position(|word| !word.prefix().starts_with('-'))?;
        arguments = arguments.get(at..)?;
        let (program, rest) = arguments.split_first()?;
        return Some((program.known()?, rest));
    }
    Some((program, arguments))
}

/// The options of the program that a command really runs.
pub(crate) fn options_of(command: &Command) -> Option<Arguments<'_>> {
    let (program, arguments) = invoked(command)?;
    Some(Arguments::of(program, arguments))
}

/// The commands of a pipeline before the one at a position, which they feed: the nearest few.
fn feeding(script: &Script, position: usize) -> &[Command] {
    const FEW: usize = 8;
    let mut first = position;
    while position.saturating_sub(first) < FEW
        && let Some(before) = first.checked_sub(1)
        && let (Some(command), Some(feeder)) =
            (script.commands.get(first), script.commands.get(before))
        && let Some(PipeReader::Program(name)) = &feeder.context.reader
        && command.program() == Some(name.as_str())
    {
        first = before;
    }
    script.commands.get(first..position).unwrap_or_default()
}

fn reaction(command: &Command) -> Reaction {
    match (&command.context.reader, command.context.status) {
        (Some(PipeReader::Loop), _) => Reaction::Output,
        (Some(PipeReader::Program(name)), _) if name == "xargs" => Reaction::Output,
        (Some(_), _) => Reaction::Unknown,
        (None, StatusUse::Required) => Reaction::Success,
        (None, StatusUse::Inverted) => Reaction::Failure,
        (None, StatusUse::Ignored) => Reaction::End,
        (None, StatusUse::Unknown) => Reaction::Unknown,
    }
}

/// A word as a path that is watched.
fn target(command: &Command, word: &Word) -> WatchTarget {
    word.known()
        .and_then(|path| absolute(command.directory.as_deref(), path))
        .map_or(WatchTarget::Unknown, WatchTarget::Path)
}

/// Whether any known target is or leads through the link that the kubelet swaps.
fn through_link(targets: &[WatchTarget]) -> bool {
    targets.iter().any(|target| matches!(target, WatchTarget::Path(path) if path.split('/').any(|part| part == "..data")))
}

//! Programs that follow files by themselves: `tail`, `watchmedo`, `watchfiles`, `entr`, `nodemon`
//! and others.

use crate::shell::options::Arguments;
use crate::shell::{Command, POLLING_VARIABLES, Script, Word};

use super::{Tool, Watch, WatchTarget, target, through_link};

/// Reads the arguments of one of these programs. `None` where it does not watch with them.
pub(super) fn read(
    watch: Watch,
    program: &str,
    command: &Command,
    arguments: &[Word],
    source: Option<&Command>,
    script: &Script,
) -> Option<Watch> {
    match program {
        "tail" => tail(watch, command, arguments),
        "watchmedo" => watchmedo(watch, command, arguments),
        "watchfiles" => watchfiles(watch, command, arguments, script),
        "entr" => Some(entr(watch, source)),
        "inotifyd" => Some(inotifyd(watch, command, arguments)),
        _ => Some(other(watch, program, command, arguments)),
    }
}

fn tail(mut watch: Watch, command: &Command, arguments: &[Word]) -> Option<Watch> {
    let options = Arguments::of("tail", arguments);
    let by_name = options.has("F") || options.values("follow").any(|value| value == Some("name"));
    let mut follows = by_name || options.has("follow");
    // `--follow` alone has no value; one that is unknown may be `name`.
    watch.certain = options.certain
        && !options.given.iter().any(|given| {
            given.name == Some("follow")
                && given.value.as_deref().is_some_and(|word| word.known().is_none())
        });
    for operand in options.operands {
        // `tail +1f file` is the old way to write `tail -n +1 -f file`.
        match operand.known().filter(|text| text.starts_with('+')) {
            Some(old) => follows |= old.ends_with('f'),
            None => watch.targets.push(target(command, operand)),
        }
    }
    watch.tool = Tool::Tail { by_name };
    follows.then_some(watch)
}

fn watchmedo(mut watch: Watch, command: &Command, arguments: &[Word]) -> Option<Watch> {
    let (verb, arguments) = arguments.split_first()?;
    let restarts = match verb.known()? {
        "shell-command" | "log" => false,
        "auto-restart" => true,
        _ => return None,
    };
    let row = if restarts { "watchmedo_auto-restart" } else { "watchmedo" };
    let options = Arguments::of(row, arguments);
    // Without `--` the options of the program that is restarted may be taken for watchmedo's.
    let mixed = restarts
        && options.operands.iter().any(|word| word.prefix().starts_with('-'))
        && !arguments.iter().any(|word| word.known() == Some("--"));
    if restarts {
        // Operands are the program that is restarted.
        let directories = options.values("directory").chain(options.values("directories"));
        watch.targets = directories.map(|path| path_of(command, path)).collect();
    } else {
        let operands = options.operands.iter();
        watch.targets = operands.map(|operand| target(command, operand)).collect();
    }
    if watch.targets.is_empty() {
        watch.targets.push(path_of(command, Some(".")));
    }
    let mut patterns = options.values("pattern").chain(options.values("patterns")).peekable();
    let wanted = patterns.peek().is_some();
    let excludes_kubelet_names = wanted
        && patterns
            .all(|list| list.is_some_and(|list| list.split(';').all(excludes_kubelet_names)));
    watch.certain = options.certain
        && !mixed
        && (excludes_kubelet_names
            || !wanted && !options.has_any(&["ignore-pattern", "ignore-patterns"]))
        && !options.has("debug-force-polling");
    watch.tool = Tool::Watchmedo { excludes_kubelet_names, recursive: options.has("recursive") };
    Some(watch)
}

/// Whether a pattern fits none of the names that the kubelet touches: all of them begin with two
/// dots.
fn excludes_kubelet_names(pattern: &str) -> bool {
    let name = pattern.rsplit('/').next().unwrap_or(pattern);
    match name.strip_prefix("*.") {
        Some(ending) => {
            !ending.is_empty()
                && ending.bytes().all(|byte| byte.is_ascii_alphabetic())
                && ending != "data"
        }
        None => !name.is_empty() && !name.starts_with("..") && !name.contains(['*', '?', '[']),
    }
}

fn watchfiles(
    mut watch: Watch,
    command: &Command,
    arguments: &[Word],
    script: &Script,
) -> Option<Watch> {
    let options = Arguments::of("watchfiles", arguments);
    let (_, paths) = options.operands.split_first()?;
    watch.targets = paths.iter().map(|path| target(command, path)).collect();
    if watch.targets.is_empty() {
        watch.targets.push(path_of(command, Some(".")));
    }
    let [polling] = POLLING_VARIABLES;
    watch.certain = options.certain
        && !options.has_any(&["ignore-paths", "force-polling"])
        && options.values("filter").all(|filter| matches!(filter, Some("all" | "default")))
        && !command.assignments.iter().any(|(name, _)| name == polling)
        && !script.environment.contains(&polling);
    watch.tool = Tool::Watchfiles;
    Some(watch)
}

/// `ls FILE | entr command`: what to watch comes from the command before it.
fn entr(mut watch: Watch, source: Option<&Command>) -> Watch {
    watch.tool = Tool::Entr;
    watch.targets = source.map_or_else(|| vec![WatchTarget::Unknown], listing);
    watch
}

/// The files that a command prints the names of.
pub(super) fn listing(source: &Command) -> Vec<WatchTarget> {
    match source.program() {
        Some("ls" | "echo" | "printf" | "find") => source
            .arguments()
            .iter()
            .take_while(|word| source.program() != Some("find") || !word.prefix().starts_with('-'))
            .filter(|word| word.prefix().starts_with('/'))
            .map(|word| target(source, word))
            .collect(),
        _ => vec![WatchTarget::Unknown],
    }
}

/// `nodemon --watch FILE`, `watchexec -w FILE`, `chokidar FILE -c command`, `fswatch FILE`.
fn other(mut watch: Watch, program: &str, command: &Command, arguments: &[Word]) -> Watch {
    let options = Arguments::of(program, arguments);
    watch.targets = match program {
        "nodemon" | "watchexec" => {
            options.values("watch").map(|path| path_of(command, path)).collect()
        }
        _ => options.operands.iter().map(|operand| target(command, operand)).collect(),
    };
    watch.certain = options.certain;
    watch.tool = match program {
        "nodemon" => Tool::Nodemon,
        "chokidar" | "chokidar-cli" => Tool::Chokidar,
        _ => Tool::Unmeasured,
    };
    watch
}

/// `inotifyd program FILE:mask`.
fn inotifyd(mut watch: Watch, command: &Command, arguments: &[Word]) -> Watch {
    let files = arguments.iter().skip(1).map(|word| {
        let path = word.known();
        path_of(command, path.map(|path| path.rsplit_once(':').map_or(path, |(path, _)| path)))
    });
    watch.targets = files.collect();
    watch.certain = !through_link(&watch.targets);
    watch
}

fn path_of(command: &Command, path: Option<&str>) -> WatchTarget {
    path.map_or(WatchTarget::Unknown, |path| target(command, &Word::Known(path.to_owned())))
}

//! Programs that look at a file once: `stat`, checksums, `cmp`, `cat`, `readlink`.

use crate::shell::options::Arguments;
use crate::shell::{Command, Word, base_name};

use super::delegate::executed;
use super::follow::listing;
use super::{Tool, Watch, target, through_link};

const CHECKSUMS: [&str; 11] = [
    "md5sum",
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
    "b2sum",
    "b3sum",
    "cksum",
    "sum",
    "xxhsum",
];

/// What a format of `stat` shows that a change of a file changes, and what none does. Times of
/// access are neither: looking changes them.
const CHANGING: [char; 8] = ['Y', 'y', 'Z', 'z', 'i', 's', 'W', 'w'];
const CONSTANT: [char; 12] = ['n', 'N', 'a', 'A', 'u', 'U', 'g', 'G', 'F', 'f', 'b', 'h'];

/// Reads the arguments of a program that looks at files. `None` for any other.
pub(super) fn read(
    mut watch: Watch,
    program: &str,
    command: &Command,
    arguments: &[Word],
    source: Option<&Command>,
) -> Option<Watch> {
    let mut program = program;
    let mut operands = Vec::new();
    match program {
        "stat" => return stat(watch, command, arguments),
        "find" => {
            program = base_name(executed(arguments)?.first()?.known()?);
            watch.targets = listing(command);
        }
        "xargs" => {
            let named = arguments.iter().filter_map(Word::known).map(base_name);
            program = named.into_iter().find(|name| CHECKSUMS.contains(name))?;
            watch.targets = listing(source?);
        }
        "openssl" => {
            let (verb, rest) = arguments.split_first()?;
            verb.known()
                .filter(|verb| matches!(*verb, "dgst" | "md5" | "sha1" | "sha256" | "sha512"))?;
            operands = Arguments::of(program, rest).operands;
            program = "md5sum";
        }
        _ => {
            tool(program)?;
            let options = Arguments::of(program, arguments);
            // what is given is a list of checksums then, and what is looked at stands in it
            if CHECKSUMS.contains(&program) && options.has("check") {
                return None;
            }
            operands = options.operands;
        }
    }
    watch.tool = tool(program)?;
    let inputs = command
        .redirections
        .iter()
        .filter(|redirection| matches!(redirection.operator.as_str(), "<" | "0<"))
        .map(|redirection| &redirection.target);
    watch.targets.extend(operands.into_iter().chain(inputs).map(|word| target(command, word)));
    if watch.targets.is_empty()
        && let Some(source) = source.filter(|source| source.program() == Some("cat"))
    {
        watch.targets.extend(source.arguments().iter().map(|word| target(source, word)));
    }
    (!watch.targets.is_empty()).then_some(watch)
}

fn tool(program: &str) -> Option<Tool> {
    match program {
        "cmp" | "diff" => Some(Tool::Compare),
        "cat" => Some(Tool::Cat),
        "readlink" | "realpath" => Some(Tool::Readlink),
        _ => CHECKSUMS.contains(&program).then_some(Tool::Checksum),
    }
}

fn stat(mut watch: Watch, command: &Command, arguments: &[Word]) -> Option<Watch> {
    let options = Arguments::of("stat", arguments);
    watch.targets = options.operands.iter().map(|word| target(command, word)).collect();
    let mut formats = options.values("format").chain(options.values("printf"));
    watch.certain = options.certain
        && options.all_listed()
        && formats.next().flatten().is_some_and(shows_change)
        && formats.next().is_none();
    // The link itself is replaced at every update, and behind it stands a new file.
    watch.tool =
        Tool::Stat { dereference: options.has("dereference") || through_link(&watch.targets) };
    Some(watch)
}

/// Whether a format shows a change of a file, and nothing else that may change.
fn shows_change(format: &str) -> bool {
    let shown = || format.split('%').skip(1).filter_map(|rest| rest.chars().next());
    shown().any(|letter| CHANGING.contains(&letter))
        && shown().all(|letter| CHANGING.contains(&letter) || CONSTANT.contains(&letter))
}

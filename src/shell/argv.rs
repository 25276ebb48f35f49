//! Arguments before any shell sees them: Kubernetes' own expansion, what a shell is told to run,
//! and wrappers.

use std::collections::BTreeMap;

use super::names::is_name;
use super::options::{Given, in_front};
use super::{Invocation, Word};

/// Programs that take a script after `-c` and speak near enough to POSIX.
pub(crate) const SHELLS: [&str; 7] = ["sh", "bash", "ash", "dash", "ksh", "mksh", "zsh"];

/// The last part of a path.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// How much text expansion may add before nothing more is expanded; values may repeat one another
/// without end.
pub(crate) const LONGEST: usize = 256 * 1024;

/// The literal environment by name.
pub(crate) type Environment = BTreeMap<String, String>;

/// The environment and the arguments after Kubernetes' expansion of `$(NAME)`. Values may refer to
/// earlier names; a value with a reference left over is unknown, because the name may come from
/// elsewhere. The environment is empty where nothing asks for it. `None` where expansion adds more
/// than `room`.
pub(super) fn expanded(
    invocation: &Invocation<'_>,
    mut room: usize,
) -> Option<(Environment, Vec<String>)> {
    let words = invocation.command.iter().chain(invocation.args);
    let mut environment = Environment::new();
    if !invocation.may_refer() {
        return Some((environment, words.map(|word| (*word).to_owned()).collect()));
    }
    for (name, value) in invocation.environment {
        match expand(value, &environment, &mut room) {
            Some((value, true)) => {
                environment.insert((*name).to_owned(), value);
            }
            _ => {
                environment.remove(*name);
            }
        }
    }
    let words: Option<_> = words
        .map(|word| match invocation.hook {
            true => Some((*word).to_owned()),
            false => expand(word, &environment, &mut room).map(|(word, _)| word),
        })
        .collect();
    Some((environment, words?))
}

/// Expands `$(NAME)`; `$$` is an escaped dollar sign, and a name that is not there stays as
/// written. Also whether every name was there. As in Kubernetes'
/// `third_party/forked/golang/expansion`. `None` where it takes too much room.
pub(crate) fn expand(
    text: &str,
    environment: &Environment,
    room: &mut usize,
) -> Option<(String, bool)> {
    let mut result = String::new();
    let mut complete = true;
    let mut rest = text;
    // Where no parenthesis closes any more, looking for one again would not be linear.
    let mut closed = true;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            result.push('$');
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix('(').filter(|_| closed).and_then(|after| after.split_once(')'))
        {
            match environment.get(name) {
                Some(value) => {
                    *room = room.checked_sub(value.len())?;
                    result.push_str(value);
                }
                None => {
                    complete = false;
                    result.push_str("$(");
                    result.push_str(name);
                    result.push(')');
                }
            }
            rest = after;
        } else {
            closed = closed && !rest.starts_with('(');
            result.push('$');
        }
    }
    result.push_str(rest);
    Some((result, complete))
}

/// Where a shell finds the script it is told to run.
#[derive(Clone, Copy, Debug)]
pub(super) enum ScriptText<'a> {
    /// It is given after `-c`.
    Given(&'a str),
    /// In a file of this name.
    File(&'a str),
}

/// The script that a shell is told to run.
#[derive(Debug)]
pub(super) struct ShellCall<'a> {
    pub(super) text: ScriptText<'a>,
    /// `$0`, `$1` and so on.
    pub(super) parameters: &'a [Word],
    /// `-e`: the shell ends where a command fails.
    pub(super) errexit: bool,
}

/// Reads the arguments of a shell. `None` for any other program, and where nothing tells the
/// script.
pub(super) fn script(words: &[Word]) -> Option<ShellCall<'_>> {
    let (program, arguments) = words.split_first()?;
    if !SHELLS.contains(&base_name(program.known()?)) {
        return None;
    }
    let (mut inline, mut piped, mut errexit) = (false, false, Errexit::Unsaid);
    let end = in_front("sh", arguments, |given| {
        inline |= given.name == Some("c");
        piped |= given.name == Some("s");
        errexit = errexit.after(&given);
    });
    if !end.certain || errexit == Errexit::Unknown {
        return None;
    }
    let (parameters, errexit) = (end.rest, errexit == Errexit::On);
    let (first, after) = parameters.split_first()?;
    let text = first.known()?;
    Some(match inline {
        true => ShellCall { text: ScriptText::Given(text), parameters: after, errexit },
        // with `-s` it comes through a pipe
        false if piped => return None,
        // the file's name is `$0`
        false => ShellCall { text: ScriptText::File(text), parameters, errexit },
    })
}

/// What options of a shell or of `set` say of `-e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errexit {
    /// Nothing.
    Unsaid,
    On,
    Off,
    /// It is unknown.
    Unknown,
}

impl Errexit {
    /// What they say with one more option: `-e`, or the same by its name.
    pub(super) fn after(self, given: &Given<'_>) -> Self {
        let switch = if given.on { Self::On } else { Self::Off };
        match (given.name, given.value.as_deref()) {
            (Some("e"), _) => switch,
            (Some("o" | "O"), Some(Word::Known(name))) if name == "errexit" => switch,
            (Some("o" | "O"), Some(Word::Unknown { .. })) => Self::Unknown,
            _ => self,
        }
    }
}

/// Reads a command that is a file: run for itself, or by `.` in the shell that is there.
pub(super) fn script_file(words: &[Word]) -> Option<(&str, &[Word])> {
    let (program, arguments) = words.split_first()?;
    match program.known()? {
        "." | "source" => Some((arguments.first()?.known()?, arguments)),
        path if path.contains('/') => Some((path, words)),
        _ => None,
    }
}

/// Reads the first line of a file that is run. `None` where it is no script for a shell, else
/// whether it has `-e`.
pub(super) fn errexit_of(text: &str) -> Option<bool> {
    let Some(interpreter) = text.strip_prefix("#!") else { return Some(false) };
    let mut words = interpreter.lines().next().unwrap_or_default().split_whitespace();
    let name = words
        .by_ref()
        .map(base_name)
        .find(|word| !matches!(*word, "env" | "busybox") && !word.starts_with('-'))?;
    SHELLS.contains(&name).then(|| words.any(|word| word.starts_with('-') && word.contains('e')))
}

/// A program that starts the command behind its options.
struct Wrapper {
    name: &'static str,
    /// How many words come between the options and the command.
    operands: usize,
    /// Options with which it does something else.
    unless: &'static [&'static str],
}

const fn wrapper(name: &'static str, operands: usize, unless: &'static [&'static str]) -> Wrapper {
    Wrapper { name, operands, unless }
}

const WRAPPERS: [Wrapper; 31] = [
    wrapper("exec", 0, &[]),
    wrapper("command", 0, &["v", "V"]),
    wrapper("builtin", 0, &[]),
    wrapper("nohup", 0, &[]),
    wrapper("setsid", 0, &[]),
    wrapper("time", 0, &[]),
    wrapper("nice", 0, &[]),
    wrapper("ionice", 0, &[]),
    wrapper("stdbuf", 0, &[]),
    wrapper("timeout", 1, &["t"]),
    wrapper("tini", 0, &[]),
    wrapper("dumb-init", 0, &[]),
    wrapper("catatonit", 0, &[]),
    wrapper("gosu", 1, &[]),
    wrapper("su-exec", 1, &[]),
    wrapper("busybox", 0, &[]),
    wrapper("chrt", 1, &[]),
    wrapper("env", 0, &["split-string"]),
    wrapper("sudo", 0, &["login", "list", "edit"]),
    wrapper("doas", 0, &["s"]),
    wrapper("setpriv", 0, &[]),
    wrapper("runuser", 0, &["command", "login"]),
    wrapper("s6-setuidgid", 1, &[]),
    wrapper("setuidgid", 1, &[]),
    wrapper("chpst", 0, &[]),
    wrapper("taskset", 1, &["pid"]),
    wrapper("numactl", 0, &[]),
    wrapper("unbuffer", 0, &[]),
    wrapper("flock", 1, &["command"]),
    wrapper("ddtrace-run", 0, &[]),
    wrapper("opentelemetry-instrument", 0, &[]),
];

/// A command without its wrappers, and what they change.
pub(super) struct Unwrapped<'a> {
    pub(super) words: &'a [Word],
    /// `timeout` ends it.
    pub(super) timed: bool,
    /// `exec` puts it in the place of the shell.
    pub(super) replaces: bool,
    /// Assignments among the arguments of wrappers, such as `env A=1`.
    pub(super) assignments: Vec<(String, Word)>,
    /// Its environment is not that of the script, whatever is assigned.
    pub(super) altered: bool,
}

/// Takes wrappers off the front. Where a wrapper's arguments are not understood it stays.
pub(super) fn unwrap(words: &[Word]) -> Unwrapped<'_> {
    let mut result =
        Unwrapped { words, timed: false, replaces: false, assignments: Vec::new(), altered: false };
    while let Some((inner, name)) = inner(result.words) {
        if matches!(name, "env" | "sudo" | "doas") {
            let given = result.words.len().saturating_sub(inner.len());
            for word in result.words.iter().take(given).skip(1) {
                match assignment(word) {
                    Some(assigned) => result.assignments.push(assigned),
                    // `-i` and `-u` take variables away, and so do programs for other users
                    None => result.altered = true,
                }
            }
            result.altered |= name != "env";
        }
        result.words = inner;
        result.timed |= name == "timeout";
        result.replaces |= name == "exec";
    }
    result
}

/// The variable that a word such as `A=1` assigns to, and its value.
fn assignment(word: &Word) -> Option<(String, Word)> {
    let (name, value) = word.prefix().split_once('=')?;
    let value = match word {
        Word::Known(_) => Word::Known(value.to_owned()),
        Word::Unknown { .. } => Word::unknown(),
    };
    is_name(name).then(|| (name.to_owned(), value))
}

fn inner(words: &[Word]) -> Option<(&[Word], &'static str)> {
    let (program, arguments) = words.split_first()?;
    let program = base_name(program.known()?);
    let wrapper = WRAPPERS.iter().find(|wrapper| wrapper.name == program)?;
    let mut refused = false;
    let end = in_front(wrapper.name, arguments, |given| {
        refused |= given.name.is_some_and(|name| wrapper.unless.contains(&name));
    });
    let known = end.by_dashes || end.rest.first()?.known().is_some();
    let (operands, rest) = end.rest.split_at_checked(wrapper.operands)?;
    let certain = end.certain && operands.iter().all(|word| word.known().is_some());
    (known && certain && !refused && !rest.is_empty()).then_some((rest, wrapper.name))
}

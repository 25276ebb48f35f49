//! Shell scripts that a manifest carries inline, read just well enough to find the commands in them
//! and what each one's exit status decides.
//!
//! Pure and total: no input makes it fail or panic, nesting is bounded and the work is linear in
//! the text. What is not understood is [`Word::Unknown`] or no script at all, never a guess; a
//! caller answers both with silence.
//!
//! The scanner is our own, because a shell-words library such as `shlex` keeps neither operators
//! nor quotes: `'$A'` and `$A`, `';'` and `;`, a line end and a blank all come out alike, and a
//! rule here turns on just that. For words without operators and expansions the two must agree, and
//! a property test holds them to it.

mod argv;
mod assigned;
mod command;
mod compound;
mod effects;
mod grammar;
mod names;
pub(crate) mod options;
pub mod rerun;
mod resolve;
mod scan;
mod simple;
mod state;
mod tree;
mod walk;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

pub(crate) use self::argv::{Environment, LONGEST, SHELLS, base_name, expand};
pub(crate) use self::names::is_name;
pub(crate) use self::state::absolute;
use self::walk::Walker;

/// What a manifest says about how a program is started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Invocation<'a> {
    /// `command`; the image's entrypoint where empty.
    pub command: &'a [&'a str],
    /// `args`.
    pub args: &'a [&'a str],
    /// The container's literal environment in the order of `env`. An entry that is not a literal
    /// (`valueFrom`) must be left out with those of its name before it: its value is unknown.
    pub environment: &'a [(&'a str, &'a str)],
    /// `workingDir`, where given.
    pub directory: Option<&'a str>,
    /// Whether this is a lifecycle hook. Kubernetes expands `$(NAME)` in `command`, `args` and exec
    /// probes, but not in hooks.
    pub hook: bool,
    /// The files whose text is known: a script among them is read where it is started.
    pub files: Option<&'a dyn Files>,
}

impl Invocation<'_> {
    /// Whether anything in it may ask for a variable. Else nothing in it is expanded.
    pub(crate) fn may_refer(&self) -> bool {
        self.files.is_some() || self.command.iter().chain(self.args).any(|word| word.contains('$'))
    }
}

/// Files of a container whose text is known.
pub trait Files: fmt::Debug {
    /// The text of the file at an absolute path; `None` where it is not known.
    fn text(&self, path: &str) -> Option<&str>;
}

/// The variables that tell a watcher how to work.
pub(crate) const POLLING_VARIABLES: [&str; 1] = ["WATCHFILES_FORCE_POLLING"];

/// A script as its simple commands, in the order of the text, functions expanded where they are
/// called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The simple commands, those inside `$(...)` before the command they serve.
    pub commands: Vec<Command>,
    /// The loops that commands refer to by position; an outer loop comes before its inner ones.
    pub loops: Vec<Loop>,
    /// Which of the polling variables the container's literal environment has.
    pub environment: Vec<&'static str>,
}

/// A simple command: one program with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments, without wrappers such as `exec`, `nohup`, `env` and `timeout
    /// 5`.
    pub words: Vec<Word>,
    /// Assignments in front of it, its own or those of `env`, in its environment only.
    pub assignments: Vec<(String, Word)>,
    /// What the script exported before it: in its environment, too.
    pub exports: Rc<BTreeMap<String, Word>>,
    /// Its own redirections, here-documents left out.
    pub redirections: Vec<Redirection>,
    /// The working directory where known: an absolute path.
    pub directory: Option<String>,
    /// Whether `timeout` ends it.
    pub timed: bool,
    /// The file it stands in, where that is not the text of the manifest.
    pub file: Option<Rc<str>>,
    /// Where it stands.
    pub context: CommandContext,
}

/// A word after expansion and quote removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The text is certain.
    Known(String),
    /// It is not, and where it was not quoted it may even be several words or none.
    Unknown {
        /// The text it certainly begins with; mostly empty.
        prefix: String,
        /// What it is made of, where it is made of one thing only.
        origin: WordOrigin,
    },
}

/// Where an unknown word comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WordOrigin {
    /// Several things, or nothing that is followed.
    #[default]
    Other,
    /// The output of `count` commands of the script from `first` on.
    Output {
        /// Position in [`Script::commands`].
        first: usize,
        /// How many.
        count: usize,
    },
    /// `$!`: the process last started in the background.
    Child,
    /// `$$`: the shell itself.
    Shell,
}

/// A redirection of a simple command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    /// As written, with its descriptor: `<`, `2>>`, `&>`.
    pub operator: String,
    /// The file, or the descriptor after `>&`.
    pub target: Word,
}

/// Where a command stands in its script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandContext {
    /// The innermost loop, and in which part of it.
    pub inside: Option<(usize, LoopPart)>,
    /// What its exit status decides.
    pub status: StatusUse,
    /// Whether it runs beside what follows (`&`), itself or the construct around it.
    pub background: bool,
    /// Whether it may not run at all: after `&&` or `||`, in a branch.
    pub conditional: bool,
    /// Whether its output is taken by `$(...)`.
    pub captured: bool,
    /// Who reads its output at the other end of a pipe.
    pub reader: Option<PipeReader>,
}

/// The part of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopPart {
    /// Between `while` and `do`.
    Condition,
    /// Between `do` and `done`.
    Body,
}

/// What the exit status of a command decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusUse {
    /// What follows happens only where it succeeds: `&&`, `if`, `while`, `|| exit`, `set -e`.
    Required,
    /// What follows happens only where it fails: `||`, `until`, `!`.
    Inverted,
    /// What follows happens in any case.
    Ignored,
    /// None of these for certain.
    #[default]
    Unknown,
}

/// The reading end of a pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PipeReader {
    /// A program, by the last part of its path.
    Program(String),
    /// A loop, most often `while read`.
    Loop,
    /// Anything else.
    Other,
}

/// A loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// The loop around it, and in which part of it.
    pub inside: Option<(usize, LoopPart)>,
    /// Whether its condition never fails (`while true`) and nothing in it leaves it.
    pub endless: bool,
    /// Whether it goes through a list of words and ends with it.
    pub counted: bool,
    /// Whether it waits for lines: `while read`.
    pub reads: bool,
    /// Whether its condition only waits: `while sleep 5`.
    pub sleeps: bool,
    /// Whether something in it may leave it.
    pub leaves: bool,
    /// Whether it runs beside what follows.
    pub background: bool,
}

/// The script that a manifest starts: the text given to `sh -c`, or the one command where there is
/// no shell. `None` where there is no command, or the text is not understood.
pub fn inline(invocation: &Invocation<'_>) -> Option<Script> {
    inline_within(invocation, usize::MAX)
}

/// The same. `None`, too, where `most` steps are not enough: about one for each byte and a few for
/// each command.
pub(crate) fn inline_within(invocation: &Invocation<'_>, most: usize) -> Option<Script> {
    let (environment, words) = argv::expanded(invocation, LONGEST.min(most))?;
    let mut walker =
        Walker::new(environment, invocation, words.iter().map(String::len).sum(), most);
    walker.start(words)?;
    let mut script = walker.finish()?;
    let has = |telling: &&str| invocation.environment.iter().any(|(name, _)| name == telling);
    script.environment = POLLING_VARIABLES.into_iter().filter(has).collect();
    Some(script)
}

impl Script {
    /// The loop a command stands in, and every loop around that one.
    pub fn loops_around<'a>(&'a self, command: &Command) -> impl Iterator<Item = &'a Loop> {
        let mut inside = command.context.inside;
        std::iter::from_fn(move || {
            let found = self.loops.get(inside?.0)?;
            inside = found.inside;
            Some(found)
        })
    }

    /// The file that the command at a position stands in, where that is not the text of the
    /// manifest.
    pub(crate) fn file(&self, position: usize) -> Option<Rc<str>> {
        self.commands.get(position)?.file.clone()
    }

    /// The commands whose output a word is.
    pub fn output(&self, word: &Word) -> &[Command] {
        match word {
            Word::Unknown { origin: WordOrigin::Output { first, count }, .. } => {
                self.commands.get(*first..first.saturating_add(*count)).unwrap_or_default()
            }
            _ => &[],
        }
    }
}

impl Command {
    /// The program's name without its directories. `None` where it is not known.
    pub fn program(&self) -> Option<&str> {
        self.words.first().and_then(Word::known).map(base_name)
    }

    /// The value that the script gives a variable for it; `None` where it gives none.
    pub(crate) fn variable(&self, name: &str) -> Option<&Word> {
        let own = self.assignments.iter().rev().find(|(own, _)| own == name);
        own.map(|(_, value)| value).or_else(|| self.exports.get(name))
    }

    /// Whether it only reports, tests, waits or steers.
    pub(crate) fn is_idle(&self) -> bool {
        self.program().is_some_and(effects::is_idle)
    }

    /// The words after the program.
    pub(crate) fn arguments(&self) -> &[Word] {
        self.words.get(1..).unwrap_or_default()
    }
}

impl Word {
    /// The text, where it is certain.
    pub(crate) fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            Self::Unknown { .. } => None,
        }
    }

    /// The text it certainly begins with: all of it where known.
    pub(crate) fn prefix(&self) -> &str {
        match self {
            Self::Known(text) => text,
            Self::Unknown { prefix, .. } => prefix,
        }
    }

    /// A word of which nothing is known.
    pub(crate) fn unknown() -> Self {
        Self::Unknown { prefix: String::new(), origin: WordOrigin::Other }
    }
}

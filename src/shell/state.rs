//! What is known at one point of a script: variables, the working directory, the one option that
//! matters.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::argv::{Environment, Errexit, Unwrapped};
use super::assigned::Assigned;
use super::names::{DIRECTORY, ERREXIT, PARAMETERS, is_name};
use super::options::in_front;
use super::{Word, WordOrigin};

/// Variables that a shell sets itself, whatever it inherits.
const OWN: [&str; 6] = [DIRECTORY, "OLDPWD", "IFS", "PPID", "OPTIND", "_"];

/// What is known. A name with no value is looked up in the environment; one that is missing there
/// is unknown.
#[derive(Clone, Debug)]
pub(super) struct ShellState {
    values: Rc<BTreeMap<String, Word>>,
    /// Those of them that the commands that it starts have.
    exports: Rc<BTreeMap<String, Word>>,
    /// `set -a`: whatever is assigned to is exported.
    exports_all: bool,
    environment: Rc<Environment>,
    /// `$0`, `$1` and so on.
    pub(super) parameters: Option<Vec<Word>>,
    /// Whether a failing command ends the shell; `None` where uncertain.
    pub(super) errexit: Option<bool>,
    /// Whether `IFS` may not be what it is at the start.
    pub(super) separated: bool,
}

impl ShellState {
    pub(super) fn new(environment: Environment, directory: Option<&str>) -> Self {
        let mut state = Self {
            values: Rc::default(),
            exports: Rc::default(),
            exports_all: false,
            environment: Rc::new(environment),
            parameters: None,
            errexit: Some(false),
            separated: false,
        };
        if let Some(directory) = directory.and_then(|path| absolute(None, path)) {
            state.assign(DIRECTORY, Word::Known(directory));
        }
        state
    }

    /// The state in which the shell that `started` is begins.
    pub(super) fn inherited(&self, started: &Unwrapped<'_>) -> Self {
        let mut state = Self::new(Environment::new(), self.directory());
        if !started.altered {
            state.environment = Rc::clone(&self.environment);
            for (name, value) in &*self.exports {
                state.export(name, value.clone());
            }
        }
        for (name, value) in &started.assignments {
            state.export(name, value.clone());
        }
        state
    }

    /// What the script exported, with the values of now.
    pub(super) fn exports(&self) -> Rc<BTreeMap<String, Word>> {
        Rc::clone(&self.exports)
    }

    /// How much work it was to tell this state apart from an earlier one.
    pub(super) fn distance(&self, earlier: &Self) -> usize {
        match Rc::ptr_eq(&self.values, &earlier.values) {
            true => 1,
            false => self.size(),
        }
    }

    /// How much work it is to copy.
    pub(super) fn size(&self) -> usize {
        self.values.len().saturating_add(self.exports.len()).saturating_add(1)
    }

    pub(super) fn directory(&self) -> Option<&str> {
        self.values.get(DIRECTORY).and_then(Word::known)
    }

    /// The value of a variable or parameter.
    pub(super) fn value(&self, name: &str) -> Word {
        let special = |origin| Word::Unknown { prefix: String::new(), origin };
        let found = match name {
            "!" => return special(WordOrigin::Child),
            "$" => return special(WordOrigin::Shell),
            _ => match name.parse::<usize>() {
                Ok(position) => self.parameters.as_ref().and_then(|words| words.get(position)),
                Err(_) => self.values.get(name),
            },
        };
        let inherited = || self.environment.get(name).filter(|_| !OWN.contains(&name));
        found
            .cloned()
            .or_else(|| inherited().cloned().map(Word::Known))
            .unwrap_or_else(Word::unknown)
    }

    pub(super) fn assign(&mut self, name: &str, value: Word) {
        if name == "IFS" {
            self.separated = true;
        }
        let inherited = || self.environment.contains_key(name) || self.exports.contains_key(name);
        if name != DIRECTORY && (self.exports_all || inherited()) {
            Rc::make_mut(&mut self.exports).insert(name.to_owned(), value.clone());
        }
        Rc::make_mut(&mut self.values).insert(name.to_owned(), value);
    }

    fn export(&mut self, name: &str, value: Word) {
        Rc::make_mut(&mut self.exports).insert(name.to_owned(), value.clone());
        self.assign(name, value);
    }

    pub(super) fn forget(&mut self, name: &str) {
        match name {
            ERREXIT => self.errexit = None,
            PARAMETERS => self.parameters = None,
            _ if self.environment.contains_key(name) || self.exports.contains_key(name) => {
                self.assign(name, Word::unknown());
            }
            _ if self.values.contains_key(name) => {
                Rc::make_mut(&mut self.values).remove(name);
            }
            _ => {}
        }
        self.separated |= name == "IFS";
    }

    pub(super) fn forget_all(&mut self) {
        self.values = Rc::default();
        let exports = Rc::make_mut(&mut self.exports);
        exports.values_mut().for_each(|value| *value = Word::unknown());
        self.environment = Rc::default();
        self.parameters = None;
        self.errexit = None;
        self.separated = true;
    }

    pub(super) fn forget_assigned(&mut self, assigned: &Assigned<'_>) {
        if assigned.everything {
            self.forget_all();
        }
        for name in &assigned.names {
            self.forget(name);
        }
    }

    /// What a builtin does to the state.
    pub(super) fn run(&mut self, words: &[Word]) {
        let Some((program, arguments)) = words.split_first() else {
            return;
        };
        match program.known() {
            Some(name @ ("export" | "readonly" | "declare" | "typeset" | "local")) => {
                let option =
                    |word: &Word| word.prefix().starts_with('-') && word.prefix().contains('x');
                let exported = name == "export"
                    || matches!(name, "declare" | "typeset") && arguments.iter().any(option);
                for argument in arguments {
                    self.declare(argument, name == "local");
                    let name = argument.prefix().split_once('=');
                    let name = name.map_or(argument.prefix(), |(name, _)| name);
                    if exported && is_name(name) {
                        self.export(name, self.value(name));
                    }
                }
            }
            Some("read" | "unset" | "getopts" | "mapfile" | "readarray" | "let") => {
                self.forget_named(arguments);
            }
            Some("printf")
                if arguments.first().is_some_and(|word| word.prefix().starts_with("-v")) =>
            {
                self.forget_named(arguments);
            }
            Some("cd") => match arguments.iter().find(|word| word.known() != Some("--")) {
                Some(Word::Known(path)) => match absolute(self.directory(), path) {
                    Some(path) => self.assign(DIRECTORY, Word::Known(path)),
                    None => self.forget(DIRECTORY),
                },
                _ => self.forget(DIRECTORY),
            },
            Some("pushd" | "popd") => self.forget(DIRECTORY),
            Some("set") => self.set(arguments),
            Some("shift") => self.parameters = None,
            Some("eval" | "source" | ".") => self.forget_all(),
            _ => {}
        }
    }

    fn declare(&mut self, argument: &Word, local: bool) {
        match (argument.prefix().split_once('='), argument) {
            (Some((name, value)), Word::Known(_)) => {
                self.assign(name, Word::Known(value.to_owned()));
            }
            (Some((name, _)), Word::Unknown { .. }) => self.forget(name),
            (None, Word::Known(name)) if local => self.forget(name),
            (None, Word::Known(_)) => {}
            (None, Word::Unknown { .. }) => self.forget_all(),
        }
    }

    fn forget_named(&mut self, arguments: &[Word]) {
        for argument in arguments {
            match argument {
                Word::Known(text) => {
                    self.forget(text.split_once('=').map_or(text, |(name, _)| name));
                }
                Word::Unknown { .. } => self.forget_all(),
            }
        }
    }

    fn set(&mut self, arguments: &[Word]) {
        for word in arguments.iter().map(Word::prefix).take_while(|word| !word.is_empty()) {
            match word.strip_prefix('-') {
                Some(letters) if !letters.starts_with('-') && letters.contains('a') => {
                    self.exports_all = true;
                }
                None if word == "allexport" => self.exports_all = true,
                None if word == "+a" => self.exports_all = false,
                _ => {}
            }
        }
        let mut errexit = Errexit::Unsaid;
        let end = in_front("set", arguments, |given| errexit = errexit.after(&given));
        match errexit {
            _ if !end.certain => self.errexit = None,
            Errexit::Unsaid => {}
            Errexit::On => self.errexit = Some(true),
            Errexit::Off => self.errexit = Some(false),
            Errexit::Unknown => self.errexit = None,
        }
        if !end.certain || end.by_dashes || !end.rest.is_empty() {
            self.parameters = None;
        }
    }
}

/// A path made absolute and free of `.`, doubled and trailing slashes. `None` where it is relative
/// to an unknown directory, empty, or has `..` in it, which may lead anywhere through a symbolic
/// link.
pub(crate) fn absolute(directory: Option<&str>, path: &str) -> Option<String> {
    let directory = match path.bytes().next()? {
        b'/' => "",
        _ => directory?,
    };
    let mut result = String::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => return None,
            _ => {
                result.push('/');
                result.push_str(part);
            }
        }
    }
    if result.is_empty() {
        result.push('/');
    }
    Some(result)
}

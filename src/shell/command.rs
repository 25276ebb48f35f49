//! Simple commands: resolved, freed of wrappers, and noted; functions and inner scripts are walked
//! in their place.

use std::rc::Rc;

use super::argv::{self, ScriptText, ShellCall, Unwrapped};
use super::assigned::{Function, Functions};
use super::scan::Parser;
use super::state::absolute;
use super::tree::{Redirect, Simple, WordPart};
use super::walk::{Frame, Walker};
use super::{Command, Redirection, StatusUse, Word};

/// The longest script that is read; the longest in 1,768 real manifests has 3.5 KB.
const LONGEST: usize = 32 * 1024;

/// The work of a command beside its words: it is kept, and every rule looks at it.
const WORK_PER_COMMAND: usize = 16;

impl<'t> Walker<'t> {
    /// Notes what a container or a probe starts. `None` where its script is not understood.
    pub(super) fn start(&mut self, words: Vec<String>) -> Option<()> {
        let words: Vec<Word> = words.into_iter().map(Word::Known).collect();
        let frame = Frame::default();
        let unwrapped = argv::unwrap(&words);
        unwrapped.words.first()?;
        match self.inner_script(unwrapped.words) {
            Some(script) => {
                if script.file.is_some() {
                    self.allow(script.text.len());
                }
                self.inner(&unwrapped, &frame)?;
            }
            None => self.note(&unwrapped, Vec::new(), &frame),
        }
        Some(())
    }

    pub(super) fn simple(&mut self, simple: &'t Simple, redirects: &'t [Redirect], frame: &Frame) {
        let inside = frame.captured();
        let mut words = Vec::new();
        for word in &simple.words {
            self.words(word, &inside, &mut words);
        }
        let alone = simple.words.is_empty();
        let mut assignments = Vec::new();
        for (position, assignment) in simple.assignments.iter().enumerate() {
            // `x=$(command)` alone has the status of the last command.
            let last = position.saturating_add(1) == simple.assignments.len();
            let whole = matches!(assignment.value.parts.as_slice(), [WordPart::Output { .. }]);
            let mut here = inside.clone();
            if alone && last && whole {
                here.context.status = frame.context.status;
            }
            let mut value = self.word(&assignment.value, &here);
            // Only some shells know `+=`; to the others it is no assignment.
            if assignment.append {
                value = Word::unknown();
            }
            if alone {
                self.state.assign(&assignment.name, value);
            } else {
                assignments.push((assignment.name.clone(), value));
            }
        }
        let mut redirections = Vec::new();
        for redirect in redirects {
            let target = self.word(&redirect.target, &inside);
            if !redirect.operator.ends_with("<<") && !redirect.operator.ends_with("<<-") {
                redirections.push(Redirection { operator: redirect.operator.clone(), target });
            }
        }
        self.run(&words, assignments, redirections, frame);
    }

    fn run(
        &mut self,
        words: &[Word],
        mut assignments: Vec<(String, Word)>,
        redirections: Vec<Redirection>,
        frame: &Frame,
    ) {
        self.spend(words.len().saturating_add(1));
        let mut unwrapped = argv::unwrap(words);
        assignments.append(&mut unwrapped.assignments);
        unwrapped.assignments = assignments;
        let Some(program) = unwrapped.words.first() else {
            return;
        };
        if unwrapped.words.len() == words.len()
            && let Some(function) = program.known().and_then(|name| self.functions.get(name))
        {
            match function.clone() {
                Some(function) => return self.call(&function, words, frame),
                None => self.state.forget_all(),
            }
        }
        if self.inner(&unwrapped, frame).is_some() {
            return;
        }
        self.state.run(unwrapped.words);
        self.note(&unwrapped, redirections, frame);
    }

    /// Walks the body of a function with its arguments.
    fn call(&mut self, function: &Function<'t>, words: &[Word], frame: &Frame) {
        let mut parameters = vec![self.state.value("0")];
        self.spend(parameters.iter().map(|word| word.prefix().len()).sum());
        parameters.extend(words.iter().skip(1).cloned());
        let outside = self.state.parameters.replace(parameters);
        self.deeper(|walker| walker.node(function.body, frame));
        self.state.parameters = outside;
        self.forget(&function.assigned);
    }

    fn note(&mut self, unwrapped: &Unwrapped<'_>, redirections: Vec<Redirection>, frame: &Frame) {
        let mut context = frame.context.clone();
        if unwrapped.replaces {
            context.status = StatusUse::Unknown;
        }
        let directory = self.state.directory().map(str::to_owned);
        self.spend(
            directory
                .as_deref()
                .map_or(WORK_PER_COMMAND, |path| path.len().saturating_add(WORK_PER_COMMAND)),
        );
        let exports = self.state.exports();
        let last = self.script.commands.last();
        if !last.is_some_and(|last| Rc::ptr_eq(&last.exports, &exports)) {
            let size =
                |(name, value): (&String, &Word)| name.len().saturating_add(value.prefix().len());
            self.spend(exports.iter().map(size).sum());
        }
        self.script.commands.push(Command {
            words: unwrapped.words.to_vec(),
            assignments: unwrapped.assignments.clone(),
            exports,
            redirections,
            directory,
            timed: unwrapped.timed || frame.timed,
            file: self.file.clone(),
            context,
        });
    }

    /// Walks the script that a command runs: given to a shell, or in a file that is known. `None`
    /// where it is no such command, or the script is not understood.
    fn inner(&mut self, unwrapped: &Unwrapped<'_>, frame: &Frame) -> Option<()> {
        let InnerScript { text, parameters, errexit, file, sourced } =
            self.inner_script(unwrapped.words)?;
        if text.len() >= LONGEST {
            return None;
        }
        self.spend(text.len());
        let tree = Parser::new(text, 0).script()?;
        let mut state = if sourced { self.state.clone() } else { self.state.inherited(unwrapped) };
        if !sourced || parameters.len() > 1 {
            state.parameters = Some(parameters.to_vec());
        }
        state.errexit = errexit.map_or(state.errexit, Some);
        self.spend(state.size());
        let mut walker = Walker {
            script: std::mem::take(&mut self.script),
            state,
            functions: Functions::new(),
            depth: self.depth,
            files: self.files,
            file: file.or_else(|| self.file.clone()),
            work: self.work,
            most: self.most,
        };
        let mut frame = if sourced { frame.clone() } else { frame.fresh() };
        frame.timed |= unwrapped.timed;
        walker.deeper(|walker| walker.list(&tree, &frame));
        self.script = walker.script;
        self.work = walker.work;
        if sourced {
            self.state.forget_all();
        }
        Some(())
    }

    /// The script that a command is told to run.
    fn inner_script<'w>(&self, words: &'w [Word]) -> Option<InnerScript<'w>>
    where
        't: 'w,
    {
        if let Some(ShellCall { text, parameters, errexit }) = argv::script(words) {
            let (text, file) = match text {
                ScriptText::Given(text) => (text, None),
                ScriptText::File(path) => self.known_file(path)?,
            };
            return Some(InnerScript {
                text,
                parameters,
                errexit: Some(errexit),
                file,
                sourced: false,
            });
        }
        let (path, parameters) = argv::script_file(words)?;
        let (text, file) = self.known_file(path)?;
        let sourced = matches!(words.first()?.known()?, "." | "source");
        let errexit = if sourced { None } else { Some(argv::errexit_of(text)?) };
        Some(InnerScript { text, parameters, errexit, file, sourced })
    }

    /// The text of the file at `path`, and its whole path.
    fn known_file(&self, path: &str) -> Option<(&'t str, Option<Rc<str>>)> {
        let files = self.files?;
        let path = absolute(self.state.directory(), path)?;
        files.text(&path).map(|text| (text, Some(path.into())))
    }
}

/// A script to walk.
struct InnerScript<'w> {
    text: &'w str,
    /// `$0`, `$1` and so on.
    parameters: &'w [Word],
    /// What decides about it beside the shell that is there.
    errexit: Option<bool>,
    file: Option<Rc<str>>,
    /// Whether the shell that is there runs it: `. FILE`.
    sourced: bool,
}

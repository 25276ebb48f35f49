//! Simple commands: resolved, freed of wrappers, and noted; functions and inner scripts are walked in their place.

use super::argv::{self, Unwrapped};
use super::effects::{Function, Functions};
use super::scan::Parser;
use super::tree::{Part, Redirect, Simple};
use super::walk::{Place, Walker};
use super::{Command, Redirection, Status, Word};

/// The longest script that is read; the longest in 1,768 real manifests has 3.5 KB.
const LONGEST: usize = 32 * 1024;

impl<'t> Walker<'t> {
    /// Notes what a container or a probe starts. `None` where its script is not understood.
    pub(super) fn start(&mut self, words: Vec<String>) -> Option<()> {
        let words: Vec<Word> = words.into_iter().map(Word::Known).collect();
        let place = Place::default();
        let unwrapped = argv::unwrap(&words);
        unwrapped.words.first()?;
        if argv::script(unwrapped.words).is_some() {
            return self.inner(&unwrapped, &place);
        }
        self.note(&unwrapped, Vec::new(), Vec::new(), &place);
        Some(())
    }

    pub(super) fn simple(&mut self, simple: &'t Simple, redirects: &'t [Redirect], place: &Place) {
        let inside = place.captured();
        let mut words = Vec::new();
        for word in &simple.words {
            self.words(word, &inside, &mut words);
        }
        let alone = simple.words.is_empty();
        let mut assignments = Vec::new();
        for (position, assignment) in simple.assignments.iter().enumerate() {
            // `x=$(command)` alone has the status of the last command.
            let last = position.saturating_add(1) == simple.assignments.len();
            let whole = matches!(assignment.value.parts.as_slice(), [Part::Output { .. }]);
            let mut here = inside.clone();
            if alone && last && whole {
                here.context.status = place.context.status;
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
        self.run(&words, assignments, redirections, place);
    }

    fn run(&mut self, words: &[Word], assignments: Vec<(String, Word)>, redirections: Vec<Redirection>, place: &Place) {
        self.spend(words.len().saturating_add(1));
        let mut unwrapped = argv::unwrap(words);
        unwrapped.altered |= !assignments.is_empty();
        let Some(program) = unwrapped.words.first() else {
            return;
        };
        if unwrapped.words.len() == words.len()
            && let Some(function) = program.known().and_then(|name| self.functions.get(name))
        {
            match function.clone() {
                Some(function) => return self.call(&function, words, place),
                None => self.state.forget_all(),
            }
        }
        if self.inner(&unwrapped, place).is_some() {
            return;
        }
        self.state.run(unwrapped.words);
        self.note(&unwrapped, assignments, redirections, place);
    }

    /// Walks the body of a function with its arguments.
    fn call(&mut self, function: &Function<'t>, words: &[Word], place: &Place) {
        let mut parameters = vec![self.state.value("0")];
        self.spend(parameters.iter().map(|word| word.prefix().len()).sum());
        parameters.extend(words.iter().skip(1).cloned());
        let outside = self.state.parameters.replace(parameters);
        self.deeper(|walker| walker.node(function.body, place));
        self.state.parameters = outside;
        self.forget(&function.assigned);
    }

    fn note(&mut self, unwrapped: &Unwrapped<'_>, assignments: Vec<(String, Word)>, redirections: Vec<Redirection>, place: &Place) {
        let mut context = place.context.clone();
        if unwrapped.replaces {
            context.status = Status::Unknown;
        }
        let directory = self.state.directory().map(str::to_owned);
        self.spend(directory.as_deref().map_or(0, str::len));
        self.script.commands.push(Command {
            words: unwrapped.words.to_vec(),
            assignments,
            redirections,
            directory,
            timed: unwrapped.timed,
            context,
        });
    }

    /// Walks the script given to a shell. `None` where it is no such command, or the script is not understood.
    fn inner(&mut self, unwrapped: &Unwrapped<'_>, place: &Place) -> Option<()> {
        let inline = argv::script(unwrapped.words)?;
        if inline.text.len() >= LONGEST {
            return None;
        }
        self.spend(inline.text.len());
        let tree = Parser::new(inline.text, 0).script()?;
        let mut state = self.state.inherited(unwrapped.altered);
        state.parameters = Some(inline.parameters.to_vec());
        state.errexit = Some(inline.errexit);
        self.spend(state.size());
        let mut walker =
            Walker { script: std::mem::take(&mut self.script), state, functions: Functions::new(), depth: self.depth, work: self.work };
        walker.deeper(|walker| walker.list(&tree, &place.fresh()));
        self.script = walker.script;
        self.work = walker.work;
        Some(())
    }
}

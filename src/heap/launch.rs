//! What a container starts, as far as its manifest tells.

use std::rc::Rc;

use super::known_file::KnownFile;
use crate::kube::container::Container;
use crate::shell::{Command, Invocation, LONGEST, SHELLS, Script, Word, base_name, inline};

/// Who reads scripts, and how much work there may be.
pub(crate) trait ScriptReader {
    /// The script, if it is understood.
    fn script(&self, invocation: &Invocation<'_>) -> Option<Rc<Script>>;

    /// How much text expansion may add.
    fn expansion_budget(&self) -> usize;

    /// The files of the container that may hold a setting and are known.
    fn files(&self) -> &[KnownFile<'_>] {
        &[]
    }
}

/// A reader of one container alone.
pub(super) struct UnsharedReader;

impl ScriptReader for UnsharedReader {
    fn script(&self, invocation: &Invocation<'_>) -> Option<Rc<Script>> {
        inline(invocation).map(Rc::new)
    }

    fn expansion_budget(&self) -> usize {
        LONGEST
    }
}

/// What a container starts.
#[derive(Debug)]
pub(super) struct Launch<'s> {
    /// `command` and `args` as they are.
    texts: Vec<&'s str>,
    /// The programs with their arguments; `None` where the text is not understood.
    script: Option<Rc<Script>>,
    /// Whether a shell has a part in it.
    shell: bool,
}

/// What a container sets a variable to before it starts its programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assigned<'s> {
    /// It does not.
    Not,
    /// This.
    To(&'s str),
    /// It may, to what is unknown.
    Unknown,
}

impl<'s> Launch<'s> {
    pub(super) fn of(container: &'s Container<'_>, reader: &dyn ScriptReader) -> Self {
        let texts: Vec<&str> =
            container.command.iter().chain(&container.args).map(|text| &**text).collect();
        let (command, args) = texts.split_at_checked(container.command.len()).unwrap_or_default();
        let directory = (!container.working_dir.is_empty()).then_some(&*container.working_dir);
        let script = match texts.is_empty() {
            true => Some(Rc::default()),
            false => {
                let invocation = Invocation { command, args, directory, ..Invocation::default() };
                let environment = container.environment_of(&invocation);
                reader.script(&Invocation { environment: &environment, ..invocation })
            }
        };
        let shell = texts.iter().any(|text| SHELLS.contains(&base_name(text)));
        Self { texts, script, shell }
    }

    /// Whether everything that it starts is known.
    pub(super) fn is_clear(&self) -> bool {
        self.script.is_some()
    }

    /// The arguments of each program of one of these names that it starts by itself.
    pub(super) fn arguments(&self, programs: &'static [&str]) -> impl Iterator<Item = &[Word]> {
        self.commands()
            .filter(|command| command.program().is_some_and(|program| programs.contains(&program)))
            .map(Command::arguments)
    }

    /// The words that reach a program of which nothing is known, most often the image's entrypoint,
    /// with no shell in between.
    pub(super) fn loose_words(&self) -> &[Word] {
        match self.script.as_deref().map(|script| script.commands.as_slice()) {
            Some([command]) if !self.shell => &command.words,
            _ => &[],
        }
    }

    /// Whether any of its text holds `word`.
    pub(super) fn mentions(&self, word: &str) -> bool {
        self.texts.iter().any(|text| text.contains(word))
    }

    /// What it sets the variable `name` to, for all programs that it starts.
    pub(super) fn assigned(&self, name: &str) -> Assigned<'_> {
        if !self.assigns(name) {
            return Assigned::Not;
        }
        let started: Vec<&Command> = self.commands().filter(|command| !command.is_idle()).collect();
        // what runs last is what the container is for
        let last = started.last().and_then(|command| command.variable(name));
        let Some(text) = last.and_then(Word::known) else { return Assigned::Unknown };
        let same = |value: &Word| value.known() == Some(text);
        match started.iter().filter_map(|command| command.variable(name)).all(same) {
            true if !self.loads_variables() => Assigned::To(text),
            _ => Assigned::Unknown,
        }
    }

    /// The variables that it sets for what runs last, as far as they are known.
    pub(super) fn exported(&self) -> impl Iterator<Item = (&str, &str)> {
        let last = self.commands().filter(|command| !command.is_idle()).last();
        let exports = last.into_iter().flat_map(|command| command.exports.iter());
        let own = last.into_iter().flat_map(|command| &command.assignments);
        let all = exports.chain(own.map(|(name, value)| (name, value)));
        all.filter_map(|(name, value)| Some((name.as_str(), value.known()?)))
    }

    /// Whether it may set the variable `name`: wherever the name stands without being asked for its
    /// value.
    fn assigns(&self, name: &str) -> bool {
        let asked =
            |before: &str| ["$", "${", "$("].iter().any(|opening| before.ends_with(opening));
        self.texts.iter().any(|text| {
            text.contains(name)
                && text.match_indices(name).any(|(at, _)| !text.get(..at).is_some_and(asked))
        })
    }

    /// Whether it may set variables that it does not name.
    pub(super) fn loads_variables(&self) -> bool {
        let loading = |command: &Command| {
            command.program().is_some_and(|program| matches!(program, "." | "source" | "eval"))
        };
        self.commands().any(loading)
    }

    fn commands(&self) -> impl Iterator<Item = &Command> {
        self.script.iter().flat_map(|script| &script.commands)
    }
}

//! The variables, and what is recorded like them, that a piece of a script may change: told before
//! it is walked, because a loop comes back to its start with them and a branch may not be taken.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::names::{DIRECTORY, ERREXIT, PARAMETERS};
use super::tree::{List, Node, NodeKind, Pipeline, RawWord, Simple, WordPart};

/// A function of the script.
#[derive(Clone, Debug)]
pub(super) struct Function<'t> {
    pub(super) body: &'t Node,
    /// Whether calling it does something, as `effects` has it.
    pub(super) significant: bool,
    /// Whether calling it may end the script.
    pub(super) leaves: bool,
    /// What calling it may assign to.
    pub(super) assigned: Rc<Assigned<'t>>,
}

/// The functions defined so far; `None` where a name was defined twice.
pub(super) type Functions<'t> = BTreeMap<&'t str, Option<Function<'t>>>;

/// The names a piece of script may assign to, some of them more than once.
#[derive(Debug, Default)]
pub(super) struct Assigned<'t> {
    pub(super) names: Vec<&'t str>,
    /// Whether there may be any others.
    pub(super) everything: bool,
    /// How many commands were looked at.
    pub(super) cost: usize,
}

impl<'t> Assigned<'t> {
    fn by_list(mut self, list: &'t List, functions: &Functions<'t>) -> Self {
        for item in &list.0 {
            self = self.by_pipeline(&item.first, functions);
            for (_, pipeline) in &item.rest {
                self = self.by_pipeline(pipeline, functions);
            }
        }
        self
    }

    pub(super) fn by_pipeline(mut self, pipeline: &'t Pipeline, functions: &Functions<'t>) -> Self {
        for stage in &pipeline.stages {
            self = self.by_node(stage, functions);
        }
        self
    }

    pub(super) fn by_node(mut self, node: &'t Node, functions: &Functions<'t>) -> Self {
        self.cost = self.cost.saturating_add(1);
        match &node.kind {
            NodeKind::Simple(simple) => {
                self.by_simple(simple, functions);
                self
            }
            NodeKind::Function { body, .. } => self.by_node(body, functions),
            kind => {
                if let NodeKind::For { name, .. } = kind {
                    self.names.push(name);
                }
                kind.lists().fold(self, |all, list| all.by_list(list, functions))
            }
        }
    }

    fn by_simple(&mut self, simple: &'t Simple, functions: &Functions<'t>) {
        let mut words = simple
            .words
            .iter()
            .skip_while(|word| matches!(word.bare(), Some("command" | "builtin")));
        let Some(program) = words.next() else {
            self.names.extend(simple.assignments.iter().map(|one| one.name.as_str()));
            return;
        };
        match program.literal().unwrap_or_default() {
            "export" | "readonly" | "declare" | "typeset" | "local" | "read" | "unset"
            | "getopts" | "mapfile" | "readarray" | "let" | "printf" => {
                words.for_each(|word| self.by_argument(word))
            }
            "cd" | "pushd" | "popd" => {
                self.names.push(DIRECTORY);
            }
            "set" => self.names.extend([ERREXIT, PARAMETERS]),
            "shift" => {
                self.names.push(PARAMETERS);
            }
            "eval" | "source" | "." => self.everything = true,
            name => match functions.get(name) {
                Some(Some(function)) => {
                    self.everything |= function.assigned.everything;
                    self.names.extend(&function.assigned.names);
                    self.cost = self.cost.saturating_add(function.assigned.names.len());
                }
                Some(None) => self.everything = true,
                None => {}
            },
        }
    }

    fn by_argument(&mut self, word: &'t RawWord) {
        match word.parts.first() {
            Some(WordPart::Text { text, .. }) => {
                let name = text.split_once('=').map_or(text.as_str(), |(name, _)| name);
                self.names.push(name.strip_suffix('+').unwrap_or(name));
            }
            _ => self.everything = true,
        }
    }
}

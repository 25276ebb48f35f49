//! The scripts of a pod, each read once for all rules, and the work that reading them may take.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ptr;
use std::rc::Rc;

use crate::heap::{KnownFile, ScriptReader};
use crate::kube::container::Container;
use crate::kube::object::Spec;
use crate::shell::{Invocation, LONGEST, Script, inline_within};

/// The work that the scripts of one pod may take: half of it is shared out alike, the other half by
/// length. What a script would take beyond its share leaves it unread, whichever rule asks first,
/// so that an object and the same object stored are read alike. Half a dozen scripts of 32 KB each
/// take less.
const WORK: usize = 2 * 1024 * 1024;

/// Which of the texts of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    /// What it runs.
    Main,
    /// What it runs, without the files it runs in turn.
    Launch,
    /// A probe or a hook, by its JSON pointer.
    Action(&'static str),
}

/// What was read; `None` for what is not understood.
type Known = BTreeMap<(usize, Field), Option<Rc<Script>>>;

/// The scripts of a pod that were read already. Nothing is kept where none was asked for.
#[derive(Debug)]
pub(crate) struct Scripts<'s> {
    spec: &'s Spec<'s>,
    /// By the place in memory of the container, which is one of `spec`, and the field.
    known: RefCell<Known>,
    /// How many containers and texts there are, and the length of the texts; worked out where one
    /// is asked for.
    extent: Cell<Option<(usize, usize)>>,
}

impl<'s> Scripts<'s> {
    /// None yet of the containers of `spec`.
    pub(super) fn of(spec: &'s Spec<'s>) -> Self {
        Self { spec, known: RefCell::default(), extent: Cell::default() }
    }

    /// The script in this field of `container`, read now or as it was before: `invoked` is given
    /// what reads it. `None` where it is not understood.
    pub(crate) fn read(
        &self,
        container: &Container<'_>,
        field: Field,
        invoked: impl FnOnce(&dyn Fn(&Invocation<'_>) -> Option<Script>) -> Option<Script>,
    ) -> Option<Rc<Script>> {
        let key = (ptr::from_ref(container).addr(), field);
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let script = invoked(&|invocation| {
            let words = invocation.command.iter().chain(invocation.args);
            inline_within(invocation, self.share(words.map(|word| word.len()).sum()))
        });
        let script = script.map(Rc::new);
        self.known.borrow_mut().insert(key, script.clone());
        script
    }

    /// The work allowed for a text of this length.
    fn share(&self, length: usize) -> usize {
        let (count, total) = self.extent.get().unwrap_or_else(|| extent(self.spec));
        self.extent.set(Some((count, total)));
        let half = WORK / 2;
        let by_length = half.saturating_mul(length).checked_div(total).unwrap_or_default();
        half.checked_div(count).unwrap_or(half).saturating_add(by_length)
    }
}

fn extent(spec: &Spec<'_>) -> (usize, usize) {
    // a container without a text may have variables that are expanded
    let containers = spec.all_containers().count();
    let texts = spec.all_containers().flat_map(|placed| placed.container.texts());
    texts.fold((containers, 0), |(count, total): (usize, usize), (command, args)| {
        let length: usize = command.iter().chain(args).map(|word| word.len()).sum();
        (count.saturating_add(1), total.saturating_add(length))
    })
}

/// Reads what a container starts, for its heaps.
#[derive(Debug)]
pub(super) struct Launcher<'p, 's> {
    pub(super) scripts: &'p Scripts<'s>,
    pub(super) container: &'p Container<'p>,
    pub(super) field: Field,
    pub(super) files: Vec<KnownFile<'s>>,
}

impl ScriptReader for Launcher<'_, '_> {
    fn script(&self, invocation: &Invocation<'_>) -> Option<Rc<Script>> {
        self.scripts.read(self.container, self.field, |inline| inline(invocation))
    }

    fn expansion_budget(&self) -> usize {
        LONGEST.min(self.scripts.share(0))
    }

    fn files(&self) -> &[KnownFile<'_>] {
        &self.files
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn all_shares_together_are_the_work() {
        let lengths = [40_000, 20_000, 100];
        let container = |length: &usize| {
            format!(r#"{{"name": "a", "command": ["sh", "-c", "{}"]}}"#, "x".repeat(*length))
        };
        let containers = lengths.iter().map(container).collect::<Vec<_>>().join(", ");
        let text = format!(r#"{{"containers": [{containers}]}}"#);
        let spec: Spec<'_> = json::read(&text).unwrap();
        let scripts = Scripts::of(&spec);
        let shares = lengths.map(|length| scripts.share(length + "sh-c".len()));
        assert!(shares.is_sorted_by(|long, short| long > short), "{shares:?}");
        // each container has a share of its own, for what its variables expand to
        let all = shares.iter().sum::<usize>() + lengths.len() * scripts.share(0);
        assert!(all <= WORK && all > WORK - 10, "{all}");
    }

    #[test]
    fn half_a_dozen_long_scripts_are_read() {
        let text = "while sleep 60; do date; done\n".repeat(32 * 1024 / 30);
        let container = serde_json::json!({"name": "a", "command": ["sh", "-c", text]});
        let spec = serde_json::json!({"containers": vec![container; 6]}).to_string();
        let spec: Spec<'_> = json::read(&spec).unwrap();
        let (scripts, command) = (Scripts::of(&spec), ["sh", "-c", text.as_str()]);
        let invocation = Invocation {
            command: &command,
            args: &[],
            environment: &[],
            directory: None,
            hook: false,
            files: None,
        };
        for placed in spec.all_containers() {
            assert!(
                scripts.read(placed.container, Field::Main, |inline| inline(&invocation)).is_some()
            );
        }
    }

    #[test]
    fn a_pod_without_a_text_has_a_share() {
        assert_eq!(Scripts::of(&Spec::default()).share(0), WORK / 2);
    }
}

//! What a file of cases says of the policies that it is about.

use std::collections::BTreeMap;

use crate::judge::mode::Mode;
use crate::policies::error::Flaws;
use crate::policies::fields::Fields;
use crate::yaml::suggest::unknown;
use crate::yaml::{Node, Position, Value};

/// What a file says of its policies.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// The folder, or the word for those that are built in, and where it is written.
    pub(super) policies: Option<(String, Position)>,
    /// The modes that are other than in the policies' files, by name of the policy.
    pub(super) modes: BTreeMap<String, (Mode, Position)>,
}

impl Wanted {
    /// What `fields` say.
    pub(super) fn read(fields: &Fields<'_>, flaws: &mut Flaws) -> Self {
        let policies =
            fields.word("policies", flaws).map(|word| (word.text.to_owned(), word.place));
        let mut modes = BTreeMap::new();
        match fields.node("modes") {
            None => {}
            Some(Node { value: Value::Map(entries), .. }) => {
                for (key, value) in entries {
                    let Some(name) = key.as_text() else { continue };
                    let mode = read_mode(value, flaws);
                    modes.extend(mode.map(|mode| (name.to_owned(), (mode, key.place))));
                }
            }
            Some(node) => flaws.add(
                node.place,
                format!(
                    "\"modes\" must be a mapping of policies to modes, not {}",
                    node.description()
                ),
            ),
        }
        Self { policies, modes }
    }
}

/// `off` is a boolean to kubectl, as which cases are read.
fn read_mode(node: &Node, flaws: &mut Flaws) -> Option<Mode> {
    if matches!(node.value, Value::Bool(false)) {
        return Some(Mode::Off);
    }
    let text = node.as_text().unwrap_or_default();
    let mode = Mode::ALL.into_iter().find(|mode| mode.as_str() == text);
    if mode.is_none() {
        let subject = format!("mode {}", node.description());
        flaws.add(node.place, unknown(&subject, text, &Mode::ALL.map(Mode::as_str)));
    }
    mode
}

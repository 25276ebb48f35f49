//! Reading the fields of a mapping, so that nothing is overlooked.

use crate::judge::rule::Rule;
use crate::rules::{self, RULES};
use crate::yaml::suggest::{quoted, unknown};

use super::error::Flaws;
use super::tree::{Node, Position, Value};

/// The fields of a mapping that are known and set.
#[derive(Debug, Default)]
pub(crate) struct Fields<'n> {
    path: String,
    entries: Vec<(&'n str, &'n Node)>,
}

/// A string and where it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'n> {
    pub(crate) text: &'n str,
    pub(crate) place: Position,
}

impl<'n> Fields<'n> {
    /// The fields of `node`, which stands at `path` (empty for the document). Nothing reads as a
    /// mapping without fields. What is not `known` is a flaw.
    pub(crate) fn of(
        node: Option<&'n Node>,
        path: &str,
        known: &[&str],
        flaws: &mut Flaws,
    ) -> Self {
        let mut fields = Self { path: path.to_owned(), entries: Vec::new() };
        let Some(node) = node else { return fields };
        match &node.value {
            Value::Null => {}
            Value::Map(entries) => {
                for (key, value) in entries {
                    let Some(name) = key.as_text() else { continue };
                    if !known.contains(&name) {
                        unknown_field(key, name, path, known, flaws);
                    } else if !matches!(value.value, Value::Null) {
                        fields.entries.push((name, value));
                    }
                }
            }
            _ if path.is_empty() => flaws
                .add(node.place, format!("a policy must be a mapping, not {}", node.description())),
            _ => flaws
                .add(node.place, format!("{path:?} must be a mapping, not {}", node.description())),
        }
        fields
    }

    /// Every field in the order they are written.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'n str, &'n Node)> {
        self.entries.iter().copied()
    }

    /// The value of the field `name`.
    pub(crate) fn node(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The fields of the mapping in the field `name`.
    pub(crate) fn fields(&self, name: &str, known: &[&str], flaws: &mut Flaws) -> Self {
        Fields::of(self.node(name), &self.path_of(name), known, flaws)
    }

    /// The string in the field `name`.
    pub(crate) fn word(&self, name: &str, flaws: &mut Flaws) -> Option<Word<'n>> {
        word(self.node(name)?, &self.path_of(name), flaws)
    }

    /// The strings in the list in the field `name`.
    pub(crate) fn words(&self, name: &str, flaws: &mut Flaws) -> Vec<Word<'n>> {
        let path = self.path_of(name);
        self.list(name, "a list of strings", flaws)
            .iter()
            .filter_map(|node| word(node, &format!("{path}[]"), flaws))
            .collect()
    }

    /// The list in the field `name`, which is to be `what`.
    pub(crate) fn list(&self, name: &str, what: &str, flaws: &mut Flaws) -> &'n [Node] {
        match self.node(name) {
            Some(Node { value: Value::List(list), .. }) => list,
            Some(node) => {
                flaws.add(
                    node.place,
                    format!("{:?} must be {what}, not {}", self.path_of(name), node.description()),
                );
                &[]
            }
            None => &[],
        }
    }

    /// The path of the field `name`.
    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// Notes that `key`, called `name`, is none of the `known` fields at `path`.
pub(crate) fn unknown_field(key: &Node, name: &str, path: &str, known: &[&str], flaws: &mut Flaws) {
    let place = if path.is_empty() { String::new() } else { format!(" in {path:?}") };
    flaws.add(key.place, unknown(&format!("field {}{place}", quoted(name)), name, known));
}

/// The rule that `word` names.
pub(crate) fn rule_called(word: &Word<'_>, flaws: &mut Flaws) -> Option<&'static Rule> {
    let rule = rules::find(word.text);
    if rule.is_none() {
        let known: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        let subject = format!("rule {}", quoted(word.text));
        flaws.add(word.place, unknown(&subject, word.text, &known));
    }
    rule
}

/// The string that `node` at `path` must be.
pub(crate) fn word<'n>(node: &'n Node, path: &str, flaws: &mut Flaws) -> Option<Word<'n>> {
    let hint = match &node.value {
        Value::Text(text) => return Some(Word { text, place: node.place }),
        Value::Bool(_) | Value::Number(_) => ": put it in quotes",
        _ => "",
    };
    flaws.add(node.place, format!("{path:?} must be a string, not {}{hint}", node.description()));
    None
}

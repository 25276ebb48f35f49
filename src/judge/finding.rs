//! One thing that is wrong, and what would put it right.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

use serde::Serialize;

use super::approval::{ApprovalNote, Stamp};
use super::mode::Mode;
use super::view::Part;

/// The longest warning, in characters, the name of the rule included: the API server cuts all
/// warnings of a reply when they exceed its header budget together. A message without the name of
/// its rule is shorter by that.
pub const WARNING_LIMIT: usize = 120;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Where: a JSON pointer into the object.
    pub pointer: String,
    /// The container, where it is about one.
    pub container: Option<String>,
    /// What tells it from another finding with the same message; empty where the message says it
    /// all.
    pub about: String,
    /// What: names the container and the values, never a list position.
    pub message: String,
    /// How to put it right.
    pub remedy: Cow<'static, str>,
    /// The strongest mode this finding deserves, whatever the policy's.
    pub ceiling: Mode,
    /// The edit that puts it right where a pod is created.
    pub edit: Option<Edit>,
}

impl Finding {
    /// A finding of `rule` at `pointer`. `message` is composed with names as long as fit a warning,
    /// rid of control characters.
    pub fn new(
        rule: &str,
        pointer: String,
        message: impl Fn(Names) -> String,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        let room = WARNING_LIMIT.saturating_sub(rule.chars().count().saturating_add(": ".len()));
        let message = fit(composed(&message, room), room);
        Self {
            pointer,
            container: None,
            about: String::new(),
            message,
            remedy: remedy.into(),
            ceiling: Mode::Fix,
            edit: None,
        }
    }

    /// The same finding, about this part of the pod.
    pub fn about_part(self, part: Part<'_>) -> Self {
        match part.container() {
            Some(name) => self.in_container(name),
            None => self,
        }
    }

    /// The same finding, about the container `name`.
    pub fn in_container(mut self, name: &str) -> Self {
        self.container = Some(name.to_owned());
        self
    }

    /// The same finding, told from others with its message by `about`.
    pub fn about(mut self, about: String) -> Self {
        self.about = about;
        self
    }

    /// The same finding, acted on no stronger than `ceiling`.
    pub fn at_most(mut self, ceiling: Mode) -> Self {
        self.ceiling = self.ceiling.min(ceiling);
        self
    }

    /// The same finding, put right by `edit`.
    pub fn with_edit(mut self, edit: Edit) -> Self {
        self.edit = Some(edit);
        self
    }

    /// What makes it this finding and no other, wherever the thing it is about stands in its list.
    pub fn identity(&self) -> (Option<&str>, &str, &str) {
        (self.container.as_deref(), &self.message, &self.about)
    }
}

/// How names are written in a message: in quotes, with the middle left out of those that are too
/// long for it.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    longest: usize,
}

impl Names {
    /// The widths to try, in characters.
    const WIDTHS: [usize; 11] = [63, 48, 40, 32, 28, 24, 20, 16, 12, 10, 8];

    /// `name` in quotes.
    pub fn quoted(self, name: &str) -> impl Display {
        fmt::from_fn(move |text| {
            let length = name.chars().count();
            if length <= self.longest {
                return write!(text, "\"{name}\"");
            }
            let head = self.longest / 2;
            let tail = self.longest.saturating_sub(head).saturating_sub(1);
            text.write_char('"')?;
            let shortened = name
                .chars()
                .take(head)
                .chain(['…'])
                .chain(name.chars().skip(length.saturating_sub(tail)));
            shortened.chain(['"']).try_for_each(|character| text.write_char(character))
        })
    }
}

/// `message` with names as long as leave it within `room` characters; with the shortest where none
/// do.
fn composed(message: &dyn Fn(Names) -> String, room: usize) -> String {
    let of_width = |longest: &usize| message(Names { longest: *longest });
    let too_long = |text: &str| text.len() > room && text.chars().count() > room;
    let [widest, narrower @ ..] = &Names::WIDTHS;
    let text = of_width(widest);
    if !too_long(&text) {
        return text;
    }
    // a message gets no longer with shorter names
    let widths = narrower.partition_point(|width| too_long(&of_width(width)));
    narrower.get(widths).or(narrower.last()).map_or(text, of_width)
}

/// `text` without control characters and no longer than `room` characters.
pub fn fit(text: impl Into<String>, room: usize) -> String {
    let text = text.into();
    if fits(&text, room) {
        return text;
    }
    let clean = |character: char| if character.is_control() { ' ' } else { character };
    match text.char_indices().nth(room) {
        None => text.chars().map(clean).collect(),
        Some(_) => text.chars().take(room.saturating_sub(1)).map(clean).chain(['…']).collect(),
    }
}

/// Whether `text` is without control characters and no longer than `room` characters.
fn fits(text: &str, room: usize) -> bool {
    // mostly it is short, and bytes tell
    let plain = text.len() <= room
        && text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    plain || !(text.contains(char::is_control) || text.chars().count() > room)
}

/// Placed patch operations that put one finding right (RFC 6902).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit(pub Vec<PatchOperation>);

/// One JSON Patch operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum PatchOperation {
    /// Adds a field, or an entry of a list.
    Add {
        /// A JSON pointer.
        path: String,
        /// What is added.
        value: PatchValue,
    },
    /// Removes a field.
    Remove {
        /// A JSON pointer.
        path: String,
    },
}

/// What a patch operation adds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PatchValue {
    /// An entry of `resizePolicy`.
    ResizePolicy(ResizePolicyEntry),
    /// A whole `resizePolicy`.
    ResizePolicies(Vec<ResizePolicyEntry>),
    /// A quantity, or the value of an annotation.
    Text(String),
}

/// An entry of `resizePolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResizePolicyEntry {
    /// `cpu` or `memory`.
    pub resource_name: &'static str,
    /// `NotRequired` or `RestartContainer`.
    pub restart_policy: &'static str,
}

/// `key` as one token of a JSON pointer (RFC 6901).
pub fn pointer_token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What a rule found, in the order it was found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What is wrong.
    pub list: Vec<Finding>,
    /// What happened to approvals.
    pub approvals: Vec<ApprovalNote>,
    /// The stamp that a grant deserves.
    pub stamp: Option<Box<Stamp>>,
}

impl Findings {
    /// Takes note of one thing that is wrong.
    pub fn report(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// Takes note of what happened to an approval.
    pub fn approval(&mut self, note: ApprovalNote) {
        self.approvals.push(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_clean() {
        assert_eq!(fit("one\ntwo", 120), "one two");
        assert_eq!(fit("é".repeat(120), 120), "é".repeat(120));
        assert_eq!(fit("é".repeat(121), 120), format!("{}…", "é".repeat(119)));
    }

    #[test]
    fn names_give_way_before_the_sentence_does() {
        let name = format!("{}{}", "a".repeat(32), "z".repeat(31));
        let finding = |sentence: &str| {
            Finding::new(
                "some-rule",
                String::new(),
                |names| format!("container {}: {sentence}", names.quoted(&name)),
                "",
            )
        };
        assert_eq!(finding("is wrong").message, format!("container \"{name}\": is wrong"));
        let long = "is wrong, ".repeat(7);
        assert_eq!(
            finding(&long).message,
            format!("container \"{}…{}\": {long}", "a".repeat(12), "z".repeat(11))
        );
    }

    #[test]
    fn names_are_as_long_as_the_room_allows() {
        let name = "é".repeat(70);
        for length in 0..150 {
            let message = |names: Names| format!("{}{}", "a".repeat(length), names.quoted(&name));
            let fitting = Names::WIDTHS.into_iter().find(|longest| length + longest + 2 <= 120);
            let expected = message(Names { longest: fitting.unwrap_or(8) });
            assert_eq!(composed(&message, 120), expected, "{length}");
        }
    }

    #[test]
    fn pointer_tokens_are_escaped() {
        assert_eq!(pointer_token("restraint.dev/a~b"), "restraint.dev~1a~0b");
    }
}

//! One thing that is wrong, and what would fix it.

use std::borrow::Cow;
use std::num::NonZeroU32;

use crate::approval::ApprovalNote;
use crate::kube::part::Part;

use super::message::{self, Names, WARNING_LIMIT, composed};
use super::mode::Mode;
use super::patch::Edit;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Where: a JSON pointer into the object.
    pub pointer: String,
    /// The line of the text at `pointer`, from 1, where it is about one.
    pub line: Option<NonZeroU32>,
    /// The container, where it is about one.
    pub container: Option<String>,
    /// What tells it from another finding with the same message; empty where the message says it
    /// all.
    pub about: String,
    /// What: names the container and the values, never a list position. Its names are not in quotes
    /// before it is `settled`.
    pub message: String,
    /// The width of a warning without the name of its rule, in characters.
    width: u8,
    /// How to fix it.
    pub remedy: Cow<'static, str>,
    /// The strongest mode in which this finding deserves to be said, whatever the policy's.
    pub ceiling: Mode,
    /// The edit that puts it right where a pod is created.
    pub edit: Option<Edit>,
    /// The grant that lifts it, where one does.
    pub lifted_by: Option<Lift>,
}

/// A grant that lifts a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lift {
    /// One of every decrease of the resize.
    Grant,
    /// The same with `force`, because a heap does not fit.
    ForcedGrant,
}

impl Finding {
    /// A finding of `rule` at `pointer`. `message` is composed with names that are whole for now.
    pub fn new(
        rule: &str,
        pointer: String,
        message: impl FnOnce(Names) -> String,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            pointer,
            line: None,
            container: None,
            about: String::new(),
            message: composed(message),
            width: width(rule),
            remedy: remedy.into(),
            ceiling: Mode::Fix,
            edit: None,
            lifted_by: None,
        }
    }

    /// The same finding, about this part of the pod.
    pub(crate) fn about_part(self, part: Part<'_>) -> Self {
        match part.container() {
            Some(name) => self.in_container(name),
            None => self,
        }
    }

    /// The same finding, about the container `name`.
    pub(crate) fn in_container(mut self, name: &str) -> Self {
        self.container = Some(name.to_owned());
        self
    }

    /// The same finding, about this line of the text that it points to.
    pub(crate) fn in_line(mut self, line: usize) -> Self {
        self.line = u32::try_from(line).ok().and_then(NonZeroU32::new);
        self
    }

    /// The same finding, told from others with its message by `about`.
    pub fn about(mut self, about: String) -> Self {
        self.about = about;
        self
    }

    /// The same finding, acted on no stronger than `ceiling`.
    pub(crate) fn at_most(mut self, ceiling: Mode) -> Self {
        self.ceiling = self.ceiling.min(ceiling);
        self
    }

    /// The mode in which it is acted on where a policy asks for `wanted`. What can be fixed is fixed,
    /// however little is to be said of it.
    pub(super) fn mode(&self, wanted: Mode) -> Mode {
        let is_fix = wanted == Mode::Fix && self.edit.is_some();
        if is_fix { wanted } else { wanted.min(self.ceiling) }
    }

    /// The same finding, fixed by `edit`.
    pub(crate) fn with_edit(mut self, edit: Edit) -> Self {
        self.edit = Some(edit);
        self
    }

    /// Adds `remark` to what is said, whatever of it gives way.
    pub(super) fn remark(&mut self, remark: &str) {
        message::add_remark(&mut self.message, remark);
    }

    /// The same finding with its message as it is read: with `whole` names, or with names as long as
    /// fit a warning.
    pub(super) fn settled(mut self, whole: bool) -> Self {
        let composed = std::mem::take(&mut self.message);
        self.message = if whole {
            message::whole(composed)
        } else {
            message::narrow(composed, self.width.into())
        };
        self
    }

    /// The same finding, lifted by this grant.
    pub(crate) fn lifted_by(mut self, lift: Lift) -> Self {
        self.lifted_by = Some(lift);
        self
    }

    /// What makes it this finding and no other, wherever the thing it is about stands in its list.
    pub(crate) fn identity(&self) -> (Option<&str>, &str, &str) {
        (self.container.as_deref(), &self.message, &self.about)
    }
}

/// How much of a warning is left beside the name of `rule`, in characters.
fn width(rule: &str) -> u8 {
    let left = WARNING_LIMIT.saturating_sub(rule.chars().count().saturating_add(": ".len()));
    u8::try_from(left).unwrap_or(u8::MAX)
}

/// What a rule found, in the order it was found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What is wrong.
    pub list: Vec<Finding>,
    /// What happened to approvals.
    pub approvals: Vec<ApprovalNote>,
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
    fn names_give_way_before_the_sentence_does() {
        let name = format!("{}{}", "a".repeat(32), "z".repeat(31));
        let finding = |sentence: &str| {
            Finding::new(
                "some-rule",
                String::new(),
                |names| format!("container {}: {sentence}", names.quoted(&name)),
                "",
            )
            .settled(false)
        };
        assert_eq!(finding("is wrong").message, format!("container \"{name}\": is wrong"));
        let long = "is wrong, ".repeat(7);
        assert_eq!(
            finding(&long).message,
            format!("container \"{}…{}\": {long}", "a".repeat(12), "z".repeat(11))
        );
    }
}

//! One thing that is wrong, and what would put it right.

use std::fmt;

use serde::Serialize;

use super::mode::Mode;

/// The longest message or warning, in characters: the API server cuts all warnings of a reply when they exceed its
/// header budget together.
pub const MESSAGE_LIMIT: usize = 120;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Where: a JSON pointer into the object.
    pub pointer: String,
    /// The container, where it is about one.
    pub container: Option<String>,
    /// What tells it from another finding with the same message; empty where the message says it all.
    pub about: String,
    /// What: names the container and the values, never a list position.
    pub message: String,
    /// How to put it right.
    pub remedy: String,
    /// The strongest mode this finding deserves, whatever the policy's.
    pub ceiling: Mode,
    /// The edit that puts it right where a pod is created.
    pub edit: Option<Edit>,
}

impl Finding {
    /// A finding at `pointer`. The message is cut to [`MESSAGE_LIMIT`] and rid of control characters.
    pub fn new(pointer: String, message: &str, remedy: impl Into<String>) -> Self {
        Self {
            pointer,
            container: None,
            about: String::new(),
            message: fit(message),
            remedy: remedy.into(),
            ceiling: Mode::Fix,
            edit: None,
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

    /// Whether both say the same of the same thing, wherever it stands in its list.
    pub fn same_as(&self, other: &Self) -> bool {
        self.message == other.message && self.container == other.container && self.about == other.about
    }
}

/// `text` without control characters and no longer than [`MESSAGE_LIMIT`] characters.
pub fn fit(text: &str) -> String {
    let clean = |character: char| if character.is_control() { ' ' } else { character };
    match text.char_indices().nth(MESSAGE_LIMIT) {
        None => text.chars().map(clean).collect(),
        Some(_) => text.chars().take(MESSAGE_LIMIT - 1).map(clean).chain(['…']).collect(),
    }
}

/// `name` in quotes, with the middle left out where it is long: keeps messages within [`MESSAGE_LIMIT`].
pub fn quoted(name: &str) -> String {
    const LONGEST: usize = 40;
    let length = name.chars().count();
    if length <= LONGEST {
        return format!("\"{name}\"");
    }
    let head = name.chars().take(LONGEST / 2);
    let tail = name.chars().skip(length - (LONGEST / 2 - 1));
    let shortened: String = head.chain(['…']).chain(tail).collect();
    format!("\"{shortened}\"")
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
    /// The approvals without which there would be more.
    pub uses: Vec<ApprovalUse>,
}

/// An approval that let a decrease through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalUse {
    /// The annotation that grants it.
    pub annotation: String,
    /// Who granted it, where that is known.
    pub approver: Option<String>,
    /// The part of the pod and the values: `container "app" 512Mi to 256Mi`.
    pub change: String,
}

impl fmt::Display for ApprovalUse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let approver = self.approver.as_deref().unwrap_or("not recorded");
        write!(formatter, "{}, by annotation {}, approver {approver}", self.change, self.annotation)
    }
}

impl Findings {
    /// Takes note of one thing that is wrong.
    pub fn report(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// Takes note of an approval in use.
    pub fn approved(&mut self, approval: ApprovalUse) {
        self.uses.push(approval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_fit_a_warning() {
        assert_eq!(fit("one\ntwo"), "one two");
        assert_eq!(fit(&"é".repeat(120)).chars().count(), 120);
        let long = fit(&"é".repeat(121));
        assert_eq!(long.chars().count(), 120);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(quoted("app"), "\"app\"");
        let name = format!("{}{}", "a".repeat(40), "z".repeat(40));
        assert_eq!(quoted(&name), format!("\"{}…{}\"", "a".repeat(20), "z".repeat(19)));
    }

    #[test]
    fn pointer_tokens_are_escaped() {
        assert_eq!(pointer_token("restraint.dev/a~b"), "restraint.dev~1a~0b");
    }
}

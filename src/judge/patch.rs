//! Placed patch operations (RFC 6902).

use serde::Serialize;

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
pub(crate) fn pointer_token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointer_tokens_are_escaped() {
        assert_eq!(pointer_token("restraint.dev/a~b"), "restraint.dev~1a~0b");
    }
}

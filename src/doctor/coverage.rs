//! How far Restraint covers a namespace, as reports have it.

use serde::Serialize;

/// What is said of one namespace. The names of its fields and their words stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The namespace.
    pub namespace: String,
    /// How far it is covered.
    pub state: State,
    /// The webhooks of the installation that cover it.
    pub hooks: Vec<String>,
    /// Those that do not.
    pub gaps: Vec<Uncovered>,
}

/// How far a namespace is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Decreases and approvals are judged there.
    Guarded,
    /// Some of that is.
    Partly,
    /// Nothing of that is.
    Unguarded,
    /// Nothing of that is, as it should be: it is `kube-system`, or one in which Restraint runs.
    ByDesign,
    /// Another installation covers it.
    Elsewhere,
}

/// A webhook that does not cover a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uncovered {
    /// The webhook.
    pub hook: String,
    /// Why it does not.
    pub why: String,
}

//! A policy: one rule, its settings, its scope and its mode.

use super::mode::Mode;
use super::rule::{Rule, Stages};
use super::scope::Scope;

/// One rule in force: a YAML file of the policies folder, read.
#[derive(Debug)]
pub struct Policy {
    /// Its name: the file's stem.
    pub name: String,
    /// Which rule.
    pub rule: &'static Rule,
    /// How strongly it acts.
    pub mode: Mode,
    /// What it applies to.
    pub scope: Scope,
    /// The rule with this policy's settings, by stage.
    pub stages: Stages,
}

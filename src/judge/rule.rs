//! What a rule is: code that looks at a view and reports findings.

use std::fmt::Debug;

use serde::de::DeserializeOwned;

use super::finding::Findings;
use super::mode::Mode;
use super::view::{ApprovalChange, AutoscalerView, PodView, ResizeView};

/// A rule with its settings. Total: it cannot fail, and what it cannot resolve it is silent about.
pub trait Check: Debug + Send + Sync {
    /// Looks at a pod's spec wherever its kind keeps it.
    fn pod(&self, _pod: &PodView<'_>, _findings: &mut Findings) {}

    /// Looks at a change of a pod's resources in place.
    fn resize(&self, _resize: &ResizeView<'_>, _findings: &mut Findings) {}

    /// Looks at a Vertical Pod Autoscaler.
    fn autoscaler(&self, _autoscaler: &AutoscalerView<'_>, _findings: &mut Findings) {}

    /// Looks at annotations of a pod by which approvals are granted or recorded, as they would be
    /// stored.
    fn approval(&self, _change: &ApprovalChange<'_>, _findings: &mut Findings) {}

    /// Looks at a grant before it is stored, on the mutating path: finds something wrong with it,
    /// or makes its stamp.
    fn grant(&self, _change: &ApprovalChange<'_>, _findings: &mut Findings) {}

    /// Looks at a resize by automation on the mutating path: what it finds is put back instead of
    /// denied.
    fn restore(&self, _resize: &ResizeView<'_>, _findings: &mut Findings) {}

    /// What must be looked up for it; where that cannot be had, it is silent or says so.
    fn asks_for(&self) -> Option<LookUp> {
        None
    }

    /// The annotation that grants, where this rule lets one approve.
    fn approval_annotation(&self) -> Option<&str> {
        None
    }
}

/// A fact that a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LookUp {
    /// Whether the requester may approve.
    Authority,
    /// The live memory of the pod.
    Usage,
    /// What the pod's node has left.
    NodeCapacity,
}

/// A rule as it stands in the list of rules.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its only identifier: in policies, messages, metrics, documentation and the ignore
    /// annotation.
    pub name: &'static str,
    /// Where the owner of a workload may silence it with `restraint.dev/ignore`.
    pub ignorable: Ignorable,
    /// For a rule that can be in mode `fix`: the strongest mode of its findings on templates, which
    /// are never changed in the cluster.
    pub fix: Option<OnTemplates>,
    /// The source file: its header is the rule's page.
    source: &'static str,
    build: fn(serde_json::Value) -> Result<Box<dyn Check>, serde_json::Error>,
    settings: &'static [&'static str],
}

/// Where the owner of a workload may silence a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignorable {
    /// Everywhere.
    Always,
    /// On pods and templates, but on no resize.
    ExceptOnResize,
    /// Nowhere.
    Never,
}

/// The strongest mode of findings on a template while the policy is in mode `fix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnTemplates(pub Mode);

impl Rule {
    /// A rule whose findings are only reported. `source` is the text of its file, `settings` are
    /// the names of the fields of `C`.
    pub const fn new<C: Check + DeserializeOwned + 'static>(
        name: &'static str,
        source: &'static str,
        settings: &'static [&'static str],
    ) -> Self {
        Self { name, ignorable: Ignorable::Always, fix: None, source, build: build::<C>, settings }
    }

    /// The same rule, which the owner of a workload may not silence.
    pub const fn not_ignorable(mut self) -> Self {
        self.ignorable = Ignorable::Never;
        self
    }

    /// The same rule, which the owner of a workload may silence on pods and templates, but on no
    /// resize.
    pub const fn not_ignorable_on_resize(mut self) -> Self {
        self.ignorable = Ignorable::ExceptOnResize;
        self
    }

    /// The same rule, which can put its findings right at the creation of a pod.
    pub const fn with_fix(mut self, on_templates: Mode) -> Self {
        self.fix = Some(OnTemplates(on_templates));
        self
    }

    /// The names of its settings.
    pub fn settings(&self) -> &'static [&'static str] {
        self.settings
    }

    /// The rule with these settings: a JSON object.
    ///
    /// # Errors
    ///
    /// Where a setting is unknown or has the wrong shape.
    pub fn with_settings(
        &self,
        settings: serde_json::Value,
    ) -> Result<Box<dyn Check>, serde_json::Error> {
        (self.build)(settings)
    }

    /// Its documentation: the header of its file, without the comment marks.
    pub fn documentation(&self) -> String {
        let header = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        header.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }
}

fn build<C: Check + DeserializeOwned + 'static>(
    settings: serde_json::Value,
) -> Result<Box<dyn Check>, serde_json::Error> {
    serde_json::from_value::<C>(settings).map(|check| Box::new(check) as Box<dyn Check>)
}

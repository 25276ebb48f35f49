//! What a rule is: code that looks at a view and reports findings.

use std::fmt::Debug;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::approval::Stamp;

use super::finding::Findings;
use super::mode::Mode;
use super::requesters::Requesters;
use super::settings::{self, Setting, SettingsError};
use super::view::{ApprovalChange, AutoscalerView, ConfigurationView, PodView, ResizeView};

/// A rule with its settings. Total: it cannot fail, and what it cannot resolve it is silent about.
pub trait Check: Debug + Send + Sync {
    /// Looks at a pod's spec wherever its kind keeps it.
    fn pod(&self, _pod: &PodView<'_>, _findings: &mut Findings) {}

    /// Looks at a change of a pod's resources in place.
    fn resize(&self, _resize: &ResizeView<'_>, _findings: &mut Findings) {}

    /// Looks at a Vertical Pod Autoscaler.
    fn autoscaler(&self, _autoscaler: &AutoscalerView<'_>, _findings: &mut Findings) {}

    /// Looks at a ConfigMap or Secret that is written, changed or deleted.
    fn configuration(&self, _change: &ConfigurationView<'_>, _findings: &mut Findings) {}

    /// What must be looked up for this resize; where that cannot be had, it is silent or says so.
    fn asks_for(&self, _resize: &ResizeView<'_>) -> Option<LookUp> {
        None
    }
}

/// What a policy says of approvals.
pub trait ApprovalPolicy: Debug + Send + Sync {
    /// The annotation that grants.
    fn annotation(&self) -> &str;

    /// Whether the API server is asked if the requester may approve.
    fn asks_for_authority(&self) -> bool;

    /// The stamp that the grant of `change` deserves. Where it deserves none, reports why.
    fn grant(&self, change: &ApprovalChange<'_>, findings: &mut Findings) -> Option<Box<Stamp>>;

    /// Looks at a change of approval annotations as it would be stored. Only where grants are
    /// `stamped` is one that is left a fault.
    fn review(&self, change: &ApprovalChange<'_>, stamped: bool, findings: &mut Findings);
}

/// What a policy restores of a resize by automation instead of denying it.
pub trait RestorePolicy: Debug + Send + Sync {
    /// Whom it takes for automation.
    fn automation(&self) -> &Requesters;

    /// Whether decreases of automation are restored, and not denied as anybody's.
    fn restores(&self) -> bool;

    /// Reports every decrease that is restored, with the edit that does it.
    fn restore(&self, resize: &ResizeView<'_>, findings: &mut Findings);

    /// What must be looked up before it can be told what is restored.
    fn asks_for(&self, resize: &ResizeView<'_>) -> Option<LookUp>;
}

/// A fact that a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LookUp {
    /// The live memory of the pod.
    Usage,
    /// What the pod's node has left.
    NodeCapacity,
}

/// What a rule with its settings does, by stage. Few rules do more than look.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// Looks and reports.
    pub check: Option<Arc<dyn Check>>,
    /// Decides about approvals.
    pub approval: Option<Arc<dyn ApprovalPolicy>>,
    /// Restores what automation lowered.
    pub restore: Option<Arc<dyn RestorePolicy>>,
}

impl Stages {
    /// A rule that only looks.
    pub fn of(check: impl Check + 'static) -> Self {
        Self { check: Some(Arc::new(check)), ..Self::default() }
    }
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
    /// Whether it is silent about pods of Windows.
    pub linux_only: bool,
    /// The policy file that is built in for it.
    pub default_policy: &'static str,
    /// The title of its family.
    pub family: &'static str,
    /// The source file: its header is the rule's page.
    source: &'static str,
    settings: &'static [Setting],
    configure: Configure,
}

/// From settings, a JSON object, to what the rule does.
type Configure = fn(serde_json::Value) -> Result<Stages, SettingsError>;

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
    /// A rule without settings. `default_policy` is the text of its policy file.
    pub const fn new<C: Check + Default + 'static>(
        name: &'static str,
        default_policy: &'static str,
    ) -> Self {
        Self::staged(name, default_policy, &[], without_settings::<C>)
    }

    /// A rule with settings: the names of the fields of `C`.
    pub(crate) const fn with_settings<C: Check + DeserializeOwned + 'static>(
        name: &'static str,
        default_policy: &'static str,
        settings: &'static [Setting],
    ) -> Self {
        let configure = |settings| settings::read::<C>(settings).map(Stages::of);
        Self::staged(name, default_policy, settings, configure)
    }

    /// A rule that does more than look.
    pub(crate) const fn staged(
        name: &'static str,
        default_policy: &'static str,
        settings: &'static [Setting],
        configure: Configure,
    ) -> Self {
        Self {
            name,
            ignorable: Ignorable::Always,
            fix: None,
            linux_only: false,
            default_policy,
            family: "",
            source: "",
            settings,
            configure,
        }
    }

    /// The same rule, which the owner of a workload may not silence.
    pub(crate) const fn not_ignorable(mut self) -> Self {
        self.ignorable = Ignorable::Never;
        self
    }

    /// The same rule, which the owner of a workload may silence on pods and templates, but on no
    /// resize.
    pub(crate) const fn not_ignorable_on_resize(mut self) -> Self {
        self.ignorable = Ignorable::ExceptOnResize;
        self
    }

    /// The same rule, which can fix its findings at the creation of a pod.
    pub(crate) const fn with_fix(mut self, on_templates: Mode) -> Self {
        self.fix = Some(OnTemplates(on_templates));
        self
    }

    /// The same rule, silent about pods of Windows: they cannot be resized, and have other shells.
    pub(crate) const fn linux_only(mut self) -> Self {
        self.linux_only = true;
        self
    }

    /// The same rule in its family, with the text of its source file.
    pub const fn listed(mut self, family: &'static str, source: &'static str) -> Self {
        self.family = family;
        self.source = source;
        self
    }

    /// What may be set.
    pub(crate) fn settings(&self) -> &'static [Setting] {
        self.settings
    }

    /// The rule with these settings: a JSON object.
    ///
    /// # Errors
    ///
    /// Where a setting is unknown or has the wrong shape.
    pub(crate) fn configure(&self, settings: serde_json::Value) -> Result<Stages, SettingsError> {
        (self.configure)(settings)
    }

    /// Its documentation: the header of its file, without the comment marks.
    pub fn documentation(&self) -> String {
        let header = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        header.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    /// What it finds, in a line: the first paragraph of its documentation.
    pub fn summary(&self) -> String {
        let page = self.documentation();
        page.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

fn without_settings<C: Check + Default + 'static>(
    settings: serde_json::Value,
) -> Result<Stages, SettingsError> {
    match settings.as_object() {
        Some(fields) if fields.is_empty() => Ok(Stages::of(C::default())),
        _ => Err(SettingsError::together("there are no settings")),
    }
}

//! What Restraint has to be asked: by which webhook, and about what.

use super::door::Door;
use super::hook::{self, Hook, HookKind};
use super::observation::Severity;

/// A webhook that Restraint works by, or several that share a task.
#[derive(Debug)]
pub(super) struct Need {
    pub(super) kind: HookKind,
    /// The webhook, and others that act in its place somewhere.
    pub(super) names: &'static [&'static str],
    /// What it is asked about.
    pub(super) doors: &'static [Door],
    /// How much it matters.
    pub(super) severity: Severity,
    /// What happens without it.
    pub(super) without: &'static str,
    /// Whether it depends on the policies if there is one at all.
    pub(super) is_optional: bool,
}

/// Every webhook that the chart renders.
pub(super) static NEEDS: [Need; 8] = [
    Need {
        kind: HookKind::Validating,
        names: &["resize.restraint.dev", "resize-elsewhere.restraint.dev"],
        doors: &RESIZES,
        severity: Severity::Problem,
        without: "decreases are not checked",
        is_optional: false,
    },
    Need {
        kind: HookKind::Validating,
        names: &["approval.restraint.dev"],
        // annotations come through each of them
        doors: &[
            Door::core("CREATE", "pods"),
            Door::core("UPDATE", "pods"),
            Door::core("UPDATE", "pods/status"),
            Door::core("CREATE", "pods/binding"),
            Door::core("CREATE", "bindings"),
        ],
        severity: Severity::Problem,
        without: "anyone who may annotate pods can forge approvals",
        is_optional: false,
    },
    Need {
        kind: HookKind::Mutating,
        names: &["approval.restraint.dev"],
        doors: &[Door::core("CREATE", "pods"), Door::core("UPDATE", "pods")],
        severity: Severity::Problem,
        without: "grants are not stamped",
        is_optional: false,
    },
    Need {
        kind: HookKind::Mutating,
        names: &[hook::PODS],
        doors: &[Door::core("CREATE", "pods")],
        severity: Severity::Warning,
        without: hook::WITHOUT_PODS,
        is_optional: false,
    },
    Need {
        kind: HookKind::Validating,
        names: &["resize-advice.restraint.dev"],
        doors: &RESIZES,
        severity: Severity::Warning,
        without: "nobody is warned about growth and requests",
        is_optional: false,
    },
    Need {
        kind: HookKind::Validating,
        names: &["advice.restraint.dev"],
        doors: &WORKLOADS,
        severity: Severity::Warning,
        without: "nobody gets warnings",
        is_optional: false,
    },
    Need {
        kind: HookKind::Mutating,
        names: &[hook::RESTORE],
        doors: &RESIZES,
        severity: Severity::Warning,
        without: "autoscalers evict what they cannot resize",
        is_optional: true,
    },
    Need {
        kind: HookKind::Validating,
        names: &[hook::CONFIGURATION],
        doors: &[
            Door::core("CREATE", "configmaps"),
            Door::core("UPDATE", "configmaps"),
            Door::core("DELETE", "configmaps"),
        ],
        severity: Severity::Warning,
        without: "nobody is warned about changes of ConfigMaps",
        is_optional: true,
    },
];

const RESIZES: [Door; 1] = [Door::core("UPDATE", "pods/resize")];

/// What rules look at beyond resizes.
const WORKLOADS: [Door; 18] = [
    Door::core("CREATE", "pods"),
    Door::core("UPDATE", "pods"),
    Door::core("CREATE", "replicationcontrollers"),
    Door::core("UPDATE", "replicationcontrollers"),
    Door::of("CREATE", "deployments", "apps"),
    Door::of("UPDATE", "deployments", "apps"),
    Door::of("CREATE", "statefulsets", "apps"),
    Door::of("UPDATE", "statefulsets", "apps"),
    Door::of("CREATE", "daemonsets", "apps"),
    Door::of("UPDATE", "daemonsets", "apps"),
    Door::of("CREATE", "replicasets", "apps"),
    Door::of("UPDATE", "replicasets", "apps"),
    Door::of("CREATE", "jobs", "batch"),
    Door::of("UPDATE", "jobs", "batch"),
    Door::of("CREATE", "cronjobs", "batch"),
    Door::of("UPDATE", "cronjobs", "batch"),
    Door::of("CREATE", "verticalpodautoscalers", "autoscaling.k8s.io"),
    Door::of("UPDATE", "verticalpodautoscalers", "autoscaling.k8s.io"),
];

impl Need {
    /// The need that a webhook meets, if it is one of the chart's.
    pub(super) fn of(hook: &Hook<'_>) -> Option<&'static Self> {
        NEEDS.iter().find(|need| need.is_met_by(hook))
    }

    pub(super) fn is_met_by(&self, hook: &Hook<'_>) -> bool {
        self.kind == hook.kind && self.names.contains(&hook.name)
    }

    /// Whether a namespace without it is unguarded.
    pub(super) fn is_guard(&self) -> bool {
        self.severity == Severity::Problem
    }

    /// The webhook that every installation has for it.
    pub(super) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
}

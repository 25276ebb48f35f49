//! What an object is to the linter: something to judge, evidence, or neither.

use crate::judge::subject::Resource;
use crate::kube::configuration::ConfigKind;

use super::kinds::{CustomKind, Kinds};

/// What an object is to the linter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class<'k> {
    /// It is judged.
    Judged(Resource),
    /// It is judged as if its `apiVersion` were the one that is served today: nothing that rules
    /// look at has changed.
    Outdated(Resource),
    /// Each of its templates is judged as that of the kind by which its own goes.
    Custom(&'k CustomKind),
    /// It tells the labels of a namespace.
    Namespace,
    /// It is configuration that pods may use.
    Configuration(ConfigKind),
    /// It would be judged, but for this reason.
    Skipped(&'static str),
    /// It says how others are built.
    Kustomization,
    /// Nothing is known about its kind.
    Other,
}

/// The group of what kustomize itself reads.
const KUSTOMIZE: &str = "kustomize.config.k8s.io";

/// What this group, version and kind is to the linter.
pub(super) fn classify<'k>(kinds: &'k Kinds, api_version: &str, kind: &str) -> Class<'k> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if group == KUSTOMIZE {
        return Class::Kustomization;
    }
    if let Some(custom) = kinds.find(group, kind) {
        return Class::Custom(custom);
    }
    match (group, version, kind) {
        ("", "v1", "Namespace") => return Class::Namespace,
        ("", "v1", "ConfigMap") => return Class::Configuration(ConfigKind::ConfigMap),
        ("", "v1", "Secret") => return Class::Configuration(ConfigKind::Secret),
        _ => {}
    }
    let today = group_of_today(group);
    match (Resource::of_kind(today, kind), version) {
        (
            Resource::Other
            | Resource::PodResize
            | Resource::PodStatus
            | Resource::PodBinding
            | Resource::Binding,
            _,
        ) => Class::Other,
        (resource, "v1") if today == group => Class::Judged(resource),
        // still served, and converted for webhooks
        (Resource::VerticalPodAutoscaler, "v1beta2") => {
            Class::Judged(Resource::VerticalPodAutoscaler)
        }
        (Resource::VerticalPodAutoscaler, _) => {
            Class::Skipped("only autoscaling.k8s.io/v1 and v1beta2 are known")
        }
        (resource, "v1beta1" | "v1beta2" | "v2alpha1") => Class::Outdated(resource),
        _ => Class::Skipped("unknown apiVersion"),
    }
}

/// The group of what was in `group`: Deployments, DaemonSets and ReplicaSets moved to `apps`.
pub(super) fn group_of_today(group: &str) -> &str {
    if group == "extensions" { "apps" } else { group }
}

/// Whether objects of `kind` tell the linter nothing, whatever their `apiVersion`.
pub(super) fn is_unknown(kinds: &Kinds, kind: &str) -> bool {
    let groups = ["", "apps", "batch", "extensions", "autoscaling.k8s.io"];
    // a list, or one of OpenShift's templates, holds others
    !kind.ends_with("List")
        && kind != "Template"
        && !kinds.has(kind)
        && groups.iter().all(|group| {
            let version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
            classify(kinds, &version, kind) == Class::Other
                && classify(kinds, &format!("{group}/v1beta1"), kind) == Class::Other
        })
}

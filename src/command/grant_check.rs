//! Whether a grant fits a pod, as far as the pod says.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;
use kube::ResourceExt;

use crate::approval::{Floor, Floors, Grant};
use crate::kube::quantity::Quantity;
use crate::kube::resources::EffectiveLimit;

/// What to say where `grant` names a container that `pod` does not have.
pub(super) fn unknown_part(grant: &Grant, pod: &Pod) -> Option<String> {
    let names: Vec<&str> = containers(pod).map(|container| &*container.name).collect();
    let mut named = floors(grant).iter().filter_map(|floor| floor.container.as_deref());
    let unknown = named.find(|name| !names.contains(name))?;
    Some(format!(
        "pod/{} has no container {unknown:?}: its containers are {}",
        pod.name_any(),
        names.join(", ")
    ))
}

/// What to say of each floor that allows no decrease of what `pod` has now.
pub(super) fn ineffective_floors(grant: &Grant, pod: &Pod) -> Vec<String> {
    floors(grant).iter().filter_map(|floor| ineffective_floor(floor, pod)).collect()
}

fn ineffective_floor(floor: &Floor, pod: &Pod) -> Option<String> {
    let limits = Limits::of(floor.container.as_deref(), pod)?;
    let present = limits.effective();
    let is_ineffective = !present.falls_to(EffectiveLimit::Limited(&floor.least));
    let part = floor.container.as_ref().map_or_else(
        || "the pod itself has a".to_owned(),
        |name| format!("container {name:?} has a"),
    );
    let least = floor.least.text();
    is_ineffective.then(|| {
        format!(
            "pod/{}: {part} memory limit of {present}: a floor of {least} allows no decrease",
            pod.name_any()
        )
    })
}

/// The memory limits that a part of a pod has: its own, and that of the pod.
pub(super) struct Limits<'p> {
    own: Option<Quantity<'p>>,
    shared: Option<Quantity<'p>>,
}

impl<'p> Limits<'p> {
    /// Those of `container`, or of the pod itself; `None` where there is no such container.
    pub(super) fn of(container: Option<&str>, pod: &'p Pod) -> Option<Self> {
        let shared = memory(pod.spec.as_ref()?.resources.as_ref());
        let own = match container {
            Some(name) => {
                memory(containers(pod).find(|container| container.name == name)?.resources.as_ref())
            }
            None => None,
        };
        Some(Self { own, shared })
    }

    /// The one in force.
    pub(super) fn effective(&self) -> EffectiveLimit<'_> {
        EffectiveLimit::of(self.own.as_ref(), self.shared.as_ref())
    }
}

fn floors(grant: &Grant) -> &[Floor] {
    match &grant.floors {
        Floors::Any => &[],
        Floors::Only(floors) => floors,
    }
}

fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    let spec = pod.spec.iter();
    spec.flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()))
}

fn memory(resources: Option<&ResourceRequirements>) -> Option<Quantity<'_>> {
    let limits: &BTreeMap<String, Written> = resources?.limits.as_ref()?;
    Quantity::parse(limits.get("memory")?.0.as_str()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "db-0"}, "spec": {
            "resources": {"limits": {"memory": "2Gi"}},
            "containers": [
                {"name": "app", "resources": {"limits": {"memory": "512Mi"}}},
                {"name": "shared"},
            ],
            "initContainers": [{"name": "side", "restartPolicy": "Always", "resources": {"limits": {"memory": "128Mi"}}}],
        }}))
        .unwrap()
    }

    #[test]
    fn every_container_of_a_grant_must_be_there() {
        let unknown = |grant: &str| unknown_part(&Grant::parse(grant).unwrap(), &pod());
        for grant in ["true", "app=1Mi", "side=1Mi,app=1Mi,@pod=1Gi,shared=1Mi"] {
            assert_eq!(unknown(grant), None, "{grant}");
        }
        let expected = "pod/db-0 has no container \"ap\": its containers are app, shared, side";
        assert_eq!(unknown("app=1Mi,ap=1Mi").as_deref(), Some(expected));
    }

    #[test]
    fn floors_that_allow_nothing_are_named() {
        let ineffective = |grant: &str| ineffective_floors(&Grant::parse(grant).unwrap(), &pod());
        assert!(ineffective("true").is_empty());
        assert!(ineffective("app=511Mi,side=1Mi,@pod=1Gi,shared=1Gi").is_empty());
        assert_eq!(
            ineffective("app=0.5Gi"),
            [
                "pod/db-0: container \"app\" has a memory limit of 512Mi: a floor of 0.5Gi allows no decrease"
            ]
        );
        assert_eq!(
            ineffective("@pod=3Gi"),
            [
                "pod/db-0: the pod itself has a memory limit of 2Gi: a floor of 3Gi allows no decrease"
            ]
        );
        assert_eq!(ineffective("app=1Gi,side=1Gi,shared=2Gi").len(), 3);
    }
}

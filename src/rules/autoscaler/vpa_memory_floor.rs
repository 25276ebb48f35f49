//! An autoscaler that may take memory in place without a floor.
//!
//! **Why it matters.** A Vertical Pod Autoscaler in an in-place mode resizes running containers by
//! what they used of late. After a quiet week it lowers the memory limit of a process that needs it
//! on Monday, and no restart announces it.
//!
//! **What it looks at.** `VerticalPodAutoscaler` objects of `autoscaling.k8s.io/v1` with
//! `updateMode` `InPlaceOrRecreate` or `InPlace`: container policies, `*` included, that control
//! memory and have no `minAllowed.memory` or one of `0`, and objects without any container policy.
//! With `controlledValues: RequestsOnly` limits stay and only the request falls: that is recorded
//! and nobody is told.
//!
//! **What it allows.** Other modes; policies in mode `Off`; `controlledResources` without `memory`.
//! Containers that only policies for others leave without a floor: which there are cannot be seen
//! from here.
//!
//! **How to fix it.** Set `minAllowed.memory` to what the program needs to start and to work,
//! for `*` at least.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::mode::Mode;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::AutoscalerView;
use crate::kube::autoscaler::ContainerPolicy;

pub(crate) const RULE: Rule = Rule::new::<VpaMemoryFloor>(
    "vpa-memory-floor",
    include_str!("../../../policies/vpa-memory-floor.yaml"),
);

#[derive(Debug, Default)]
struct VpaMemoryFloor;

impl Check for VpaMemoryFloor {
    fn autoscaler(&self, autoscaler: &AutoscalerView<'_>, findings: &mut Findings) {
        if !autoscaler.spec.update_policy.is_in_place() {
            return;
        }
        let mode = &*autoscaler.spec.update_policy.update_mode;
        let remedy = "set minAllowed.memory to what the program needs to start and to work";
        let policies = &autoscaler.spec.resource_policy.container_policies;
        if policies.is_empty() {
            let message =
                |_| format!("every container: {mode} takes memory with no minAllowed.memory");
            findings.report(Finding::new(
                RULE.name,
                "/spec/resourcePolicy".to_owned(),
                message,
                remedy,
            ));
        }
        for (index, policy) in
            policies.iter().enumerate().filter(|(_, policy)| has_no_floor(policy))
        {
            let name = &*policy.container_name;
            let requests_only = &*policy.controlled_values == "RequestsOnly";
            let message = |names: Names| {
                let whose = if name == "*" {
                    "other containers".to_owned()
                } else {
                    format!("container {}", names.quoted(name))
                };
                let what = if requests_only { "lowers memory requests" } else { "takes memory" };
                format!("{whose}: {mode} {what} with no minAllowed.memory")
            };
            let pointer = format!("/spec/resourcePolicy/containerPolicies/{index}/minAllowed");
            let finding = Finding::new(RULE.name, pointer, message, remedy)
                .at_most(if requests_only { Mode::Audit } else { Mode::Fix });
            findings.report(if name == "*" { finding } else { finding.in_container(name) });
        }
    }
}

/// Whether memory is controlled and may fall to nothing.
fn has_no_floor(policy: &ContainerPolicy<'_>) -> bool {
    let controlled = policy
        .controlled_resources
        .as_ref()
        .is_none_or(|resources| resources.iter().any(|name| &**name == "memory"));
    let floor = policy.min_allowed.memory.as_ref().is_some_and(|memory| !memory.is_zero());
    controlled && !floor && &*policy.mode != "Off"
}

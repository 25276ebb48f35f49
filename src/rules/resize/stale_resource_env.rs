//! A variable that holds a memory limit or request as it was when the container started.
//!
//! **Why it matters.** `resourceFieldRef` is resolved when the container is created. A resize in
//! place changes the limit and not the variable, so a program that sizes its heap or its caches by
//! it keeps to the old amount; worse, one that reads it again, in a health check or a child
//! process, believes it.
//!
//! **What it looks at.** `env` from `resourceFieldRef` on `limits.memory` and `requests.memory` of
//! regular containers and sidecars whose memory policy is `NotRequired` or absent. It is the policy
//! of the container that has the variable that counts, also where `containerName` names another: a
//! resize of the other one restarts the other one. Where `memory-resize-policy`, in mode `fix` and
//! without a scope, will add `RestartContainer` to the pods, it is only recorded.
//!
//! **What it allows.** Containers that restart for a memory resize; plain init containers; static
//! pods. Amounts that a resize does not change: `limits.memory` of a container without a limit is
//! the node's, `requests.memory` without a request is 0.
//!
//! **How to fix it.** Set `memory: RestartContainer` in `resizePolicy`. For the memory of
//! another container, and in pods with `restartPolicy: Never`, where that is invalid, read a
//! `downwardAPI` volume, which the kubelet refreshes.

use std::collections::BTreeMap;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::mode::Mode;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::{EnvVar, ResourceField, Role};
use crate::kube::object::Placed;
use crate::kube::quantity::Quantity;
use crate::kube::resources::EffectiveLimit;

use super::memory_resize_policy;

pub(crate) const RULE: Rule = Rule::new::<StaleResourceEnv>(
    "stale-resource-env",
    include_str!("../../../policies/stale-resource-env.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct StaleResourceEnv;

impl Check for StaleResourceEnv {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if pod.is_mirror() {
            return;
        }
        for placed in pod.app_containers() {
            if placed
                .container
                .policy_for("memory")
                .is_some_and(|policy| &*policy.restart_policy == "RestartContainer")
            {
                continue;
            }
            let variables = || placed.container.env.iter().enumerate();
            let mut last = None::<BTreeMap<&str, usize>>;
            for (index, variable) in variables() {
                let Some(field) = memory_field(variable) else { continue };
                // of repeated names the last one counts
                let last = last.get_or_insert_with(|| {
                    variables().map(|(index, variable)| (&*variable.name, index)).collect()
                });
                if last.get(&*variable.name) == Some(&index)
                    && changes_with_a_resize(pod, &placed, field)
                {
                    findings.report(finding(pod, &placed, variable, field));
                }
            }
        }
    }
}

/// The memory that the variable is about, if it is about any.
fn memory_field<'s>(variable: &'s EnvVar<'_>) -> Option<&'s ResourceField<'s>> {
    let field = variable.value_from.as_ref()?.resource_field_ref.as_ref()?;
    (!variable.is_literal() && matches!(&*field.resource, "limits.memory" | "requests.memory"))
        .then_some(field)
}

/// Whether a resize changes what `field` stands for.
fn changes_with_a_resize(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    field: &ResourceField<'_>,
) -> bool {
    let named = |other: &Placed<'_, '_>| other.container.name == field.container_name;
    let target =
        if is_own(placed, field) { Some(*placed) } else { pod.all_containers().find(named) };
    let Some(target) = target.filter(|target| target.role != Role::Init) else { return false };
    let resources = &target.container.resources;
    match &*field.resource {
        "limits.memory" => matches!(pod.memory_limit(target.container), EffectiveLimit::Limited(_)),
        // the API server takes the own limit for a request that is not there
        _ => resources
            .requests
            .memory
            .as_ref()
            .or(resources.limits.memory.as_ref())
            .is_some_and(|amount| !Quantity::is_zero(amount)),
    }
}

fn is_own(placed: &Placed<'_, '_>, field: &ResourceField<'_>) -> bool {
    field.container_name.is_empty() || field.container_name == placed.container.name
}

fn finding(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    variable: &EnvVar<'_>,
    field: &ResourceField<'_>,
) -> Finding {
    let (name, own) = (&placed.container.name, is_own(placed, field));
    let message = |names: Names| {
        let (name, variable, resource) =
            (names.quoted(name), names.quoted(&variable.name), &field.resource);
        let other = if own {
            String::new()
        } else {
            format!(" of {}", names.quoted(&field.container_name))
        };
        format!("container {name}: env {variable} from {resource}{other} stays after a resize")
    };
    let never = &*pod.spec.restart_policy == "Never";
    let remedy = match own {
        true if never => {
            "read it from a downwardAPI volume, which follows: in a pod that never restarts no resize may restart it"
        }
        true => "set memory: RestartContainer in resizePolicy: then it starts with the new value",
        false => {
            "read it from a downwardAPI volume: a resize of the other container does not restart this one"
        }
    };
    let finding = Finding::new(RULE.name, pod.container_pointer(placed, "env"), message, remedy)
        .in_container(name);
    let will_be_fixed = || {
        memory_resize_policy::is_undecided(pod, placed.container)
            && pod.will_be_fixed(memory_resize_policy::RULE.name)
    };
    let restarts_soon = !never && will_be_fixed();
    if restarts_soon { finding.at_most(Mode::Audit) } else { finding }
}

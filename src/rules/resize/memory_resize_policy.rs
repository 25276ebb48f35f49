//! A container with memory and no `memory` entry in `resizePolicy`.
//!
//! **Why it matters.** Absent means `NotRequired`: a resize changes the limit under a process that
//! sized its heap, its caches and its workers at start. Most programs read their limit once.
//! `resizePolicy` cannot be changed on a running pod, so the time to decide is its creation.
//!
//! **What it looks at.** Regular containers and sidecars with a memory request or limit, their own
//! or the pod's. Not plain init containers: Kubernetes 1.36 refuses `RestartContainer` on them.
//!
//! **What it allows.** Any explicit `memory` entry, `NotRequired` too. Pods of Windows (`os.name:
//! windows`, or the node selector `kubernetes.io/os: windows`) cannot be resized and get none.
//!
//! **How to fix it.** Write `resizePolicy` in the template. In mode `fix` pods are fixed
//! as they are created: `memory: RestartContainer` is added and, where absent, `cpu: NotRequired`;
//! what is there stays. In a pod with `restartPolicy: Never`, where `RestartContainer` is invalid,
//! the entry is `memory: NotRequired`; it changes nothing there, so who has none is never denied or
//! warned for it. Templates are never changed in the cluster: in mode `fix`
//! their finding is only recorded, because their pods will be fixed. A pod that comes to the
//! validating hook without the fix is never denied for it: the mutating hook was away, another
//! webhook undid the fix, or another replica holds other policies. It is warned about (recorded
//! only, for a pod of a controller) and counted in `restraint_fix_missed_total`. Mode `enforce`
//! denies.
//!
//! Once a pod has a `resizePolicy`, a resize by `kubectl patch --type=merge` must repeat it,
//! because such a patch replaces the list of containers; every other kind of patch may leave it
//! out.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::mode::Mode;
use crate::judge::patch::{Edit, PatchOperation, PatchValue, ResizePolicyEntry};
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::object::Placed;

pub(crate) const RULE: Rule = Rule::new::<MemoryResizePolicy>(
    "memory-resize-policy",
    include_str!("../../../policies/memory-resize-policy.yaml"),
)
.with_fix(Mode::Audit)
.linux_only();

#[derive(Debug, Default)]
struct MemoryResizePolicy;

impl Check for MemoryResizePolicy {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if pod.is_mirror() {
            return; // only a file on its node can change it
        }
        for placed in pod.app_containers().filter(|placed| is_undecided(pod, placed.container)) {
            findings.report(missing_entry(pod, &placed));
        }
    }
}

/// Whether `container` has memory, its own or the pod's, and no entry for it.
pub(in crate::rules) fn is_undecided(pod: &PodView<'_>, container: &Container<'_>) -> bool {
    let sets_memory = container.resources.sets_memory() || pod.spec.resources.sets_memory();
    sets_memory && container.policy_for("memory").is_none()
}

fn missing_entry(pod: &PodView<'_>, placed: &Placed<'_, '_>) -> Finding {
    let name = &placed.container.name;
    let memory = memory_entry(pod);
    // in a pod that never restarts the entry only says what is so
    let ceiling = if memory.restart_policy == "NotRequired" { Mode::Audit } else { Mode::Fix };
    let message = |names: Names| {
        format!(
            "container {}: no resizePolicy for memory, so a resize does not restart it",
            names.quoted(name)
        )
    };
    let remedy = match memory.restart_policy {
        "NotRequired" => "add {resourceName: memory, restartPolicy: NotRequired} to resizePolicy",
        _ => "add {resourceName: memory, restartPolicy: RestartContainer} to resizePolicy",
    };
    let pointer = pod.container_pointer(placed, "resizePolicy");
    let finding = Finding::new(RULE.name, pointer.clone(), message, remedy).in_container(name);
    let finding = finding.at_most(ceiling);
    // what is stored already cannot be fixed: the field of a pod never changes
    if pod.is_new_pod() || pod.is_template() {
        finding.with_edit(addition(placed.container, pointer, memory))
    } else {
        finding
    }
}

/// `RestartContainer` is invalid in a pod that never restarts, whatever the container's own restart
/// policy.
fn memory_entry(pod: &PodView<'_>) -> ResizePolicyEntry {
    let restart_policy =
        if &*pod.spec.restart_policy == "Never" { "NotRequired" } else { "RestartContainer" };
    ResizePolicyEntry { resource_name: "memory", restart_policy }
}

/// Adds what is missing and keeps what is there.
fn addition(container: &Container<'_>, pointer: String, memory: ResizePolicyEntry) -> Edit {
    let cpu = ResizePolicyEntry { resource_name: "cpu", restart_policy: "NotRequired" };
    let missing: Vec<_> =
        if container.policy_for("cpu").is_none() { vec![cpu, memory] } else { vec![memory] };
    if container.resize_policy.is_none() {
        return Edit(vec![PatchOperation::Add {
            path: pointer,
            value: PatchValue::ResizePolicies(missing),
        }]);
    }
    let append = |entry| PatchOperation::Add {
        path: format!("{pointer}/-"),
        value: PatchValue::ResizePolicy(entry),
    };
    Edit(missing.into_iter().map(append).collect())
}

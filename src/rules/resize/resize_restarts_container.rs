//! A resize that restarts a container.
//!
//! **Why it matters.** Whoever raises memory in place mostly wants to spare a restart. With
//! `memory: RestartContainer` in `resizePolicy`, which `memory-resize-policy` writes into new pods,
//! every change of the memory limit or request restarts the container, growth too, and so does a
//! change of the request alone.
//!
//! **What it looks at.** Regular containers and sidecars of a pod on a node: does their memory
//! limit or request change while their memory policy is `RestartContainer`, or their cpu while
//! their cpu policy is? A container without a limit of its own follows the pod's.
//!
//! The restart is graceful and in place: preStop runs, the grace period holds, and UID, IP, node
//! and volumes stay. Environment, subPath mounts and image are resolved anew.
//!
//! **What it allows.** The same amounts in other words, and taking back growth that was never
//! carried out. For automation, which reads no warning, the finding is only recorded.
//!
//! **How to fix it.** Roll out `NotRequired` for a process that follows its limit, or choose a time
//! for the restart.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::mode::Mode;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::ResizeView;

pub(crate) const RULE: Rule = Rule::new::<ResizeRestartsContainer>(
    "resize-restarts-container",
    include_str!("../../../policies/resize-restarts-container.yaml"),
);

#[derive(Debug, Default)]
struct ResizeRestartsContainer;

impl Check for ResizeRestartsContainer {
    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        if !resize.is_scheduled() {
            return;
        }
        let ceiling = if resize.is_automation() { Mode::Audit } else { Mode::Fix };
        for change in resize.memory_changes() {
            let Some(placed) = change.placed().filter(|placed| placed.role.is_app()) else {
                continue;
            };
            let memory = change.policy == "RestartContainer" && change.is_change();
            let cpu = resize.cpu_restarts(placed);
            let what = match (memory, cpu) {
                (true, true) => "memory and cpu restart",
                (true, false) => "memory restarts",
                (false, true) => "cpu restarts",
                (false, false) => continue,
            };
            let name = &placed.container.name;
            let message = |names: Names| {
                format!("container {}: new {what} it, gracefully and in place", names.quoted(name))
            };
            let remedy = "roll out resizePolicy NotRequired where the process follows its limit, or choose a time for the restart";
            let pointer = format!("/spec/{}/{}/resources", placed.list(), placed.index);
            let finding = Finding::new(RULE.name, pointer, message, remedy);
            findings.report(finding.in_container(name).at_most(ceiling));
        }
    }
}

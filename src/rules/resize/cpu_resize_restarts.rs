//! A container that restarts for a cpu resize.
//!
//! **Why it matters.** A cpu resize only changes weights and quotas in the cgroup: no process has
//! to restart for it. With `cpu: RestartContainer` each one costs a restart, and a change of cpu
//! and memory together always does.
//!
//! **What it looks at.** `resizePolicy` of regular containers and sidecars.
//!
//! **What it allows.** `cpu: NotRequired`, or no entry, which means the same.
//!
//! **How to fix it.** Leave the entry out, unless the program sizes its threads once, by the
//! cpu it finds at start.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;

pub(crate) const RULE: Rule = Rule::new::<CpuResizeRestarts>(
    "cpu-resize-restarts",
    include_str!("../../../policies/cpu-resize-restarts.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct CpuResizeRestarts;

impl Check for CpuResizeRestarts {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.app_containers() {
            let name = &placed.container.name;
            let restarts = placed
                .container
                .policy_for("cpu")
                .is_some_and(|policy| &*policy.restart_policy == "RestartContainer");
            if restarts {
                let message = |names: Names| {
                    format!("container {}: every cpu resize restarts it", names.quoted(name))
                };
                let remedy = "set cpu: NotRequired in resizePolicy, unless the program sizes its threads once, at start";
                findings.report(
                    Finding::new(
                        RULE.name,
                        pod.container_pointer(&placed, "resizePolicy"),
                        message,
                        remedy,
                    )
                    .in_container(name),
                );
            }
        }
    }
}

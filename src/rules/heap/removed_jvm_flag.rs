//! Options of Java about memory that newer virtual machines have given up.
//!
//! **Why it matters.** The next Java in the image may not start. JDK 11 removed
//! `UseCGroupMemoryLimitForHeap` and refuses it as unrecognized; JDK 10 deprecated
//! `MaxRAMFraction`, `MinRAMFraction` and `InitialRAMFraction`, which still work there with a
//! warning, and JDK 25 refuses them too. A Java 8 that takes them is none the worse, until it is
//! replaced.
//!
//! **What it looks at.** These options, on or off, in `command`, `args`, inline shell text and the
//! literal variables that the virtual machine or its start script reads, of every container. What
//! the image brings cannot be seen, nor which Java it has.
//!
//! **What it allows.** `-XX:MaxRAMPercentage` and its like. With `-XX:+IgnoreUnrecognizedVMOptions`
//! the virtual machine starts, and the finding says so: the heap is then not the one that was asked
//! for.
//!
//! **How to fix it.** Leave `UseCGroupMemoryLimitForHeap` and the
//! `UnlockExperimentalVMOptions` for it out: since JDK 10 and 8u191 the virtual machine goes by the
//! container's limit on its own. Write a fraction as a percentage: `-XX:MaxRAMFraction=2` is
//! `-XX:MaxRAMPercentage=50`.

use crate::heap::CGROUP_FLAG;
use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;

pub(crate) const RULE: Rule = Rule::new::<RemovedJvmFlag>(
    "removed-jvm-flag",
    include_str!("../../../policies/removed-jvm-flag.yaml"),
);

#[derive(Debug, Default)]
struct RemovedJvmFlag;

impl Check for RemovedJvmFlag {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.all_containers() {
            let removed = pod.removed_flags(placed.container);
            for (option, field) in &removed.list {
                let name = &placed.container.name;
                let message = |names: Names| {
                    let (name, written) = (names.quoted(name), &option.option);
                    match (option.name == CGROUP_FLAG, removed.ignored) {
                        (true, false) => format!(
                            "container {name}: JDK 11 and later do not start with {written}"
                        ),
                        (true, true) => {
                            format!("container {name}: JDK 11 and later ignore {written}")
                        }
                        (false, false) => format!(
                            "container {name}: JDK 10 warns of {written}, JDK 25 does not start with it"
                        ),
                        (false, true) => format!(
                            "container {name}: JDK 10 warns of {written}, JDK 25 ignores it"
                        ),
                    }
                };
                let remedy = match option.name {
                    CGROUP_FLAG => {
                        "leave it out: since JDK 10 and 8u191 the virtual machine goes by the limit on its own"
                    }
                    _ => {
                        "write the fraction as a percentage: -XX:MaxRAMFraction=2 is -XX:MaxRAMPercentage=50"
                    }
                };
                findings.report(
                    Finding::new(RULE.name, pod.container_pointer(&placed, field), message, remedy)
                        .in_container(name),
                );
            }
        }
    }
}

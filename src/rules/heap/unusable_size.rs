//! A size that a program does not start with.
//!
//! **Why it matters.** Each program writes sizes in its own way, and Kubernetes in another. What Go
//! cannot read in `GOMEMLIMIT` ends the program before its first line; Java, Node.js and Redis refuse
//! what they do not understand. `memory: 512m` is no fault for the API server: it is half a byte, in
//! which nothing runs.
//!
//! **What it looks at.** Every container. `GOMEMLIMIT` that Go refuses (`1024Mi`, `1G`); sizes and
//! percentages of Java (`-Xmx512Mi`, `-Xmx1.5g`, `-XX:MaxRAMPercentage=75%`, `-Xms` above `-Xmx`),
//! `--max-old-space-size` of Node.js with a unit, `--maxmemory 1Gi` of Redis, read as
//! `heap-above-limit` reads them; memory limits of less than 1Mi, and memory requests in thousandths
//! of a byte, of containers and of the pod.
//!
//! **What it allows.** `0`, which is no limit; large amounts in thousandths, as the API server writes
//! fractions of bytes; values with a reference in them, in whose place another may stand.
//!
//! **How to fix it.** Write the size as the program reads it: `1GiB` for Go, `1g` for Java, mebibytes
//! without a unit for Node.js, `1gb` for Redis, `1Gi` in `resources`.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::object::Placed;
use crate::kube::quantity::Quantity;
use crate::kube::resources::Resources;
use crate::rules::heap::heap_above_limit::SMALLEST_LIMIT;

pub(crate) const RULE: Rule = Rule::new::<UnusableSize>(
    "unusable-size",
    include_str!("../../../policies/unusable-size.yaml"),
);

#[derive(Debug, Default)]
struct UnusableSize;

impl Check for UnusableSize {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if let Some((field, amount, what)) = unusable(&pod.spec.resources) {
            let pointer = pod.spec_pointer(field);
            let message = |_: Names| format!("the pod's {what}");
            findings.report(Finding::new(RULE.name, pointer, message, meant(amount)));
        }
        for placed in pod.all_containers() {
            let name = &placed.container.name;
            if let Some((field, amount, what)) = unusable(&placed.container.resources) {
                let pointer = pod.container_pointer(&placed, field);
                let message = |names: Names| format!("container {}: {what}", names.quoted(name));
                let finding = Finding::new(RULE.name, pointer, message, meant(amount));
                findings.report(finding.in_container(name));
            }
            refused(pod, &placed, findings);
        }
    }
}

/// Reports the values for which the programs of a container do not start.
fn refused(pod: &PodView<'_>, placed: &Placed<'_, '_>, findings: &mut Findings) {
    let name = &placed.container.name;
    let Some(known) = pod.memory_settings(placed.container) else { return };
    for setting in &known.refused {
        let message = |names: Names| {
            let (name, program) = (names.quoted(name), setting.program);
            format!("container {name}: {program} does not start with {}", setting.described())
        };
        let remedy = match setting.program {
            _ if setting.setting.contains(" above ") => {
                "start with no more than the heap may become"
            }
            "Go" => "write it with a unit of Go's, such as \"512MiB\"",
            "Java" if setting.setting.contains("Percentage") => {
                "write a number from 0 to 100, such as \"75.0\""
            }
            "Java" => "write a whole number and one letter, such as \"512m\"",
            "Node.js" => "write mebibytes without a unit, such as \"512\"",
            _ => "write it with a unit of Redis', such as \"512mb\"",
        };
        let pointer = pod.container_pointer(placed, &setting.field);
        findings.report(Finding::new(RULE.name, pointer, message, remedy).in_container(name));
    }
}

/// The field with an amount of memory that is of no use, the amount, and what is wrong with it.
fn unusable<'s>(resources: &'s Resources<'_>) -> Option<(&'static str, &'s Quantity<'s>, String)> {
    let limit = resources.limits.memory.as_ref().filter(|limit| {
        let bytes = limit.value().and_then(|bytes| u128::try_from(bytes).ok());
        bytes.is_some_and(|bytes| (1..SMALLEST_LIMIT).contains(&bytes))
    });
    let is_little = |request: &&Quantity<'_>| {
        let bytes = request.value().and_then(|bytes| u128::try_from(bytes).ok());
        let bytes = bytes.is_some_and(|bytes| (1..SMALLEST_LIMIT).contains(&bytes));
        bytes && is_in_thousandths(request)
    };
    let (field, name, amount) = match limit {
        Some(limit) => ("resources/limits/memory", "limit", limit),
        None => {
            let request = resources.requests.memory.as_ref().filter(is_little)?;
            ("resources/requests/memory", "request", request)
        }
    };
    let text = amount.text();
    let what = match (is_in_thousandths(amount), limit) {
        (true, Some(_)) => {
            format!("memory limit {text} is in thousandths of a byte: nothing runs in it")
        }
        (true, None) => format!("memory {name} {text} is in thousandths of a byte"),
        (false, _) => {
            format!("memory {name} {text} is {} bytes: nothing runs in it", amount.value()?)
        }
    };
    Some((field, amount, what))
}

fn is_in_thousandths(amount: &Quantity<'_>) -> bool {
    amount.text().ends_with('m')
}

/// What to write instead: most often the unit was forgotten or meant otherwise.
fn meant(amount: &Quantity<'_>) -> String {
    let digits = amount.text().trim_end_matches(|unit: char| !unit.is_ascii_digit());
    format!("write it with its unit, such as \"{digits}Mi\"")
}

//! What is well now, and will not stay so.

use serde::Serialize;

use super::case::Case;
use super::end::full_heaps;
use super::record::Told;
use crate::heap::Size;
use crate::kube::container::Role;

/// What is well now, and will not stay so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Warning {
    /// The container.
    pub container: String,
    /// What it is about.
    pub cause: Danger,
    /// What it is.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// What may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Danger {
    /// A heap that is fixed at start leaves no room below the memory limit.
    HeapAboveLimit,
}

/// What threatens containers that run.
pub(super) fn all(case: &Case<'_>) -> Vec<Warning> {
    let told = case.record.containers().filter(|told| {
        told.role != Role::Init && told.status.state.running.is_some() && case.ending.is_none()
    });
    told.flat_map(|told| heaps(case, told)).collect()
}

fn heaps(case: &Case<'_>, told: Told<'_>) -> Vec<Warning> {
    let actual = told.status.resources.as_ref().and_then(|one| one.limits.get("memory").cloned());
    let Some(limit) = actual.or_else(|| case.memory_limit(told)) else { return Vec::new() };
    let warning = |heap: crate::heap::Heap| {
        let relation = match heap.size {
            Size::Bytes(_) => "is at or above",
            Size::Share(_) => "leaves nothing of",
        };
        Warning {
            container: told.status.name.clone(),
            cause: Danger::HeapAboveLimit,
            why: format!(
                "its {} {relation} the memory limit of {limit}: it runs as long as the heap does not fill, and then the kernel \
                 kills it; no resize and no restart changes the flag",
                heap.described()
            ),
            remedy:
                "lower the flag by a rollout, or raise the limit: more than the heap has to fit"
                    .to_owned(),
        }
    };
    full_heaps(case, told, &limit).into_iter().map(warning).collect()
}

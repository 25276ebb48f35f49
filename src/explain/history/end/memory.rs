//! What a kill for memory has to do with resizes and with heaps.

use super::diagnosis::Diagnosis;
use crate::explain::history::case::{Case, LimitChange};
use crate::explain::history::cause::Cause;
use crate::explain::history::certainty::Certainty;
use crate::explain::history::kubectl::with;
use crate::explain::history::record::{Terminated, Told};
use crate::heap::{Heap, heaps};
use crate::kube::quantity::Quantity;

/// The kernel killed it: at which limit, since when, and what the spec has to do with it.
pub(super) fn diagnose(case: &Case<'_>, told: Told<'_>, end: &Terminated) -> Diagnosis {
    let is_before = |one: &LimitChange<'_>| end.finished_at.is_none_or(|time| one.at <= time);
    let changes: Vec<_> = case.limit_changes(told).collect();
    let last = changes.iter().rfind(|one| is_before(one));
    let next = changes.iter().find(|one| !is_before(one));
    let limit = match (last, next) {
        (Some(last), _) => last.change.to.clone(),
        (None, Some(next)) => next.change.from.clone(),
        (None, None) => case.memory_limit(told),
    };
    let whom = match end.exit_code {
        137 => "it".to_owned(),
        code => format!("a process of it (the container itself ended with exit code {code})"),
    };
    let at = match &limit {
        Some(limit) => format!(", at the limit of {limit}"),
        None => ": its node, or a group that it is in, had no more".to_owned(),
    };
    let mut why = format!("the kernel killed {whom} for memory{at}");
    let decrease = last.filter(|one| one.is_decrease());
    if let Some(LimitChange { change, at }) = decrease {
        let from = change.from.as_deref().unwrap_or_default();
        let ago = end.finished_at.map(|end| end.duration_since(*at).as_secs());
        let ago = ago.map(|seconds| format!(", {seconds} s before")).unwrap_or_default();
        why = format!(
            "{why}, to which a resize lowered it from {from} at {at}{ago}: what it takes does not fit any more"
        );
    }
    let full = limit.as_deref().map(|limit| full(case, told, limit)).unwrap_or_default();
    for heap in &full {
        why = format!("{why}; its {} leaves no room below that limit", heap.described());
    }
    let remedy = remedy(case, decrease, !full.is_empty());
    Diagnosis::new(Cause::OutOfMemory, Certainty::Certain, why).with(remedy)
}

/// The heaps of a container that leave too little below `limit`.
pub(in crate::explain::history) fn full(case: &Case<'_>, told: Told<'_>, limit: &str) -> Vec<Heap> {
    let bytes = Quantity::parse(limit).ok().and_then(|limit| limit.value());
    let bytes = bytes.and_then(|bytes| u128::try_from(bytes).ok());
    let (Some(bytes), Some(container)) = (bytes, case.container(&told.status.name)) else {
        return Vec::new();
    };
    let mut found = heaps(container);
    found.retain(|heap| heap.fills(bytes));
    found
}

fn remedy(case: &Case<'_>, decrease: Option<&LimitChange<'_>>, is_heap: bool) -> String {
    let back = decrease.and_then(|one| {
        let command = case.set_limit(one.change, one.change.from.as_deref()?);
        command.map(|command| with("put the old limit back", Some(command)))
    });
    match (back, is_heap) {
        (Some(back), _) => format!("{back}; or lower what the process takes, its heap first"),
        (None, true) => {
            "lower the heap's flag, or raise the limit: more than the heap has to fit".to_owned()
        }
        (None, false) => {
            "raise the limit, or lower what the process takes, its heap first".to_owned()
        }
    }
}

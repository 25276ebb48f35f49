//! A resize that leaves little memory beside files that lie in memory, or less for these files.
//!
//! **Why it matters.** The files of an `emptyDir` with `medium: Memory` are charged to the memory of
//! the container that writes them and of its pod. They outlive a restart of the container, so
//! `resizePolicy: RestartContainer` frees nothing: the kubelet refuses the new limit while they are
//! there, or the process that starts under it has only what they leave, and is killed at once, again
//! and again.
//!
//! **What it looks at.** Parts of the pod whose effective limit falls, and the volumes in memory that
//! they may write: of a container those that it mounts, of the pod those that any container mounts.
//! Their `sizeLimit`s together are at or above the new limit, or leave less than half of it. A volume
//! without a `sizeLimit` may fill any limit. It also looks at a `sizeLimit` that falls or appears,
//! which a resize may change where `InPlacePodVerticalScalingMemoryBackedVolumes` is on (alpha in
//! Kubernetes 1.37): the kubelet refuses while the files are larger, and the rest of the resize waits
//! with it; afterwards a program that writes finds its volume full.
//!
//! **What it allows.** Limits that leave half for the process, limits that rise, volumes that are
//! mounted read-only or nowhere, and volumes on disk. An approval or an allowance lets the decrease
//! through, and this rule says its word all the same.
//!
//! **How to fix it.** Empty the volume first, or roll out a smaller `sizeLimit` with the new limit.

use std::borrow::Cow;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::{MemoryChange, MemoryVolume, ResizeView};
use crate::kube::quantity::Quantity;
use crate::kube::requests::memory_text;

pub(crate) const RULE: Rule = Rule::new::<MemoryBackedVolume>(
    "memory-backed-volume",
    include_str!("../../../policies/memory-backed-volume.yaml"),
);

#[derive(Debug, Default)]
struct MemoryBackedVolume;

impl Check for MemoryBackedVolume {
    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        let volumes = resize.memory_volumes();
        if volumes.is_empty() {
            return;
        }
        for change in resize.memory_changes().filter(MemoryChange::limit_falls) {
            if let Some(finding) = beside(&change, &resize.written(&change, &volumes)) {
                findings.report(finding);
            }
        }
        for volume in volumes.values().filter(|volume| volume.shrinks()) {
            findings.report(shrink(volume));
        }
    }
}

/// What is wrong where `volumes` are written under the new limit of `change`.
fn beside(change: &MemoryChange<'_>, volumes: &[&MemoryVolume<'_>]) -> Option<Finding> {
    let limit = change.limit.1;
    let bytes = i128::try_from(limit.bytes()?).ok()?;
    let unlimited: Vec<_> =
        volumes.iter().copied().filter(|volume| volume.now.bytes().is_none()).collect();
    let total =
        volumes.iter().filter_map(|volume| volume.now.bytes()).fold(0, i128::saturating_add);
    let (volumes, what): (&[_], _) = if !unlimited.is_empty() {
        (&unlimited, format!("without sizeLimit may fill new limit {limit}"))
    } else if total >= bytes {
        (volumes, format!("may hold {}, new limit is {limit}", size(volumes, total)))
    } else if total > bytes / 2 {
        let rest = memory_text(bytes.saturating_sub(total));
        let size = size(volumes, total);
        (volumes, format!("may hold {size} and leave {rest} of new limit {limit}"))
    } else {
        return None;
    };
    let (first, rest) = volumes.split_first()?;
    let message = |names: Names| {
        let (part, volume) = (names.part(change.part), names.quoted(first.name));
        match rest.len() {
            0 => format!("{part}: volume {volume} in memory {what}"),
            more => format!("{part}: volume {volume} and {more} more in memory {what}"),
        }
    };
    let remedy = "its files outlive a restart of the container: empty it first, or roll out a smaller sizeLimit with the new limit";
    Some(Finding::new(RULE.name, change.pointer("limits"), message, remedy).about_part(change.part))
}

/// What `volumes`, which may hold `total` bytes, may hold: as written, where it is one.
fn size<'v>(volumes: &[&'v MemoryVolume<'_>], total: i128) -> Cow<'v, str> {
    let alone = match volumes {
        [volume] => volume.now.size(),
        _ => None,
    };
    alone.map_or_else(|| memory_text(total).into(), |size| size.text().into())
}

fn shrink(volume: &MemoryVolume<'_>) -> Finding {
    let text = |size: Option<_>| size.map_or("none", Quantity::text);
    let (old, new) = (text(volume.before.size()), text(volume.now.size()));
    let message = |names: Names| {
        format!("volume {} in memory: sizeLimit {old} -> {new}", names.quoted(volume.name))
    };
    let remedy = "empty it first: the kubelet refuses the whole resize while its files are larger";
    Finding::new(RULE.name, volume.pointer(), message, remedy)
}

//! A ConfigMap, Secret or projected volume mounted by `subPath`.
//!
//! **Why it matters.** A `subPath` mount binds the file that is there when the container starts.
//! The kubelet's later updates replace a symlink beside it, so the container never sees them, and
//! nothing says so.
//!
//! **What it looks at.** `subPath` and `subPathExpr` mounts of regular containers and sidecars,
//! where nothing rolls the workload when the source changes.
//!
//! **What it allows.** Whole mounts; sources with a trigger: a checksum annotation on the template,
//! an effective Reloader annotation, a name with a generated hash.
//!
//! **How to fix it.** Mount the whole volume into a directory of its own, or roll the
//! workload when the source changes.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::object::Placed;
use crate::kube::volume::{VolumeMount, VolumeSource};
use crate::rules::trigger::Triggers;

pub(crate) const RULE: Rule = Rule::new::<SubpathConfigMount>(
    "subpath-config-mount",
    include_str!("../../../policies/subpath-config-mount.yaml"),
);

#[derive(Debug, Default)]
struct SubpathConfigMount;

impl Check for SubpathConfigMount {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.app_containers() {
            for (index, mount) in placed.container.volume_mounts.iter().enumerate() {
                if let Some(source) = frozen_source(pod, mount) {
                    findings.report(finding(pod, &placed, index, mount, source));
                }
            }
        }
    }
}

/// The source of this mount, if it is a part of a configuration volume that nothing refreshes.
fn frozen_source<'s>(pod: &PodView<'s>, mount: &VolumeMount<'_>) -> Option<VolumeSource<'s>> {
    mount.part()?;
    let volume = pod.volume(mount)?;
    match volume.source()? {
        VolumeSource::DownwardApi => None,
        // whatever rolls the workload, no token waits for it
        VolumeSource::Token => Some(VolumeSource::Token),
        source => (!Triggers::of(pod).fire_for(source)).then_some(source),
    }
}

fn finding(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    index: usize,
    mount: &VolumeMount<'_>,
    source: VolumeSource<'_>,
) -> Finding {
    let name = &placed.container.name;
    let message = |names: Names| {
        let (name, path) = (names.quoted(name), names.quoted(&mount.mount_path));
        match (source, source.named()) {
            (_, Some((kind, source))) => format!(
                "container {name}: {kind} {} at {path} by subPath never updates",
                names.quoted(source)
            ),
            (VolumeSource::Token, _) => format!(
                "container {name}: service-account token at {path} by subPath expires and is never renewed"
            ),
            _ => format!(
                "container {name}: projected volume {} at {path} by subPath never updates",
                names.quoted(&mount.name)
            ),
        }
    };
    let remedy = "mount the whole volume in a directory of its own, or roll the workload when the source changes";
    Finding::new(
        RULE.name,
        pod.container_pointer(placed, &format!("volumeMounts/{index}")),
        message,
        remedy,
    )
    .in_container(name)
}

//! A ConfigMap, Secret, projected or Secrets Store volume mounted by `subPath`.
//!
//! **Why it matters.** A `subPath` mount binds the file that is there when the container starts.
//! The kubelet's later updates replace a symlink beside it, so the container never sees them, and
//! nothing says so.
//!
//! **What it looks at.** `subPath` and `subPathExpr` mounts of regular containers and sidecars,
//! where nothing rolls the workload when the source changes. Volumes of the drivers
//! `secrets-store.csi.k8s.io` and `csi.cert-manager.io` count: they replace files as the kubelet
//! does.
//!
//! **What it allows.** Whole mounts; sources with a trigger: a checksum annotation on the template,
//! an effective Reloader annotation, a name with a generated hash; jobs and pods that may finish,
//! which read once.
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
        if !pod.is_long_running() {
            return;
        }
        let mut triggers = None;
        for placed in pod.app_containers() {
            for (index, mount) in placed.container.volume_mounts.iter().enumerate() {
                let Some(source) = source(pod, mount) else { continue };
                let triggers = triggers.get_or_insert_with(|| Triggers::of(pod));
                if is_frozen(triggers, source) {
                    findings.report(finding(triggers, pod, &placed, index, mount, source));
                }
            }
        }
    }
}

/// The source of this mount, if it is a part of a configuration volume.
fn source<'s>(pod: &PodView<'s>, mount: &VolumeMount<'_>) -> Option<VolumeSource<'s>> {
    mount.part()?;
    pod.volume(mount)?.source()
}

/// Whether nothing refreshes what comes from `source`.
fn is_frozen(triggers: &Triggers<'_, '_>, source: VolumeSource<'_>) -> bool {
    match source {
        VolumeSource::DownwardApi => false,
        // whatever rolls the workload, no token waits for it
        VolumeSource::Token => true,
        source => !triggers.fire_for(source),
    }
}

/// What to do.
const USUAL: &str = "mount the whole volume in a directory of its own, or roll the workload when the source changes";

fn finding(
    triggers: &Triggers<'_, '_>,
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
            (VolumeSource::SecretProviderClass(class), _) => format!(
                "container {name}: SecretProviderClass {} at {path} by subPath never updates",
                names.quoted(class)
            ),
            (VolumeSource::Driver(driver), _) => format!(
                "container {name}: volume {} of {driver} at {path} by subPath never updates",
                names.quoted(&mount.name)
            ),
            _ => format!(
                "container {name}: projected volume {} at {path} by subPath never updates",
                names.quoted(&mount.name)
            ),
        }
    };
    let remedy: std::borrow::Cow<'static, str> = match source {
        VolumeSource::Token => USUAL.into(),
        _ => triggers.remedy(USUAL),
    };
    Finding::new(
        RULE.name,
        pod.container_pointer(placed, &format!("volumeMounts/{index}")),
        message,
        remedy,
    )
    .in_container(name)
}

//! A reloader that watches a path where nothing changes.
//!
//! **Why it matters.** A reloader in a container of its own sees the volumes it mounts itself, and
//! no others. One whose flag names a path that it does not mount runs, is healthy, and never
//! reloads anything.
//!
//! **What it looks at.** The flags by which known reloaders (configmap-reload, the config-reloaders
//! of prometheus-operator and others, nats-server-config-reloader, the Thanos sidecar) are told
//! what to watch, in regular containers and sidecars. Scripts in ConfigMaps are read where those
//! are known.
//!
//! **What it allows.** Paths in a mount, or above one; an `emptyDir` that another container mounts,
//! too, and any other volume somebody else can write; places where mounts are added later
//! (`/var/run/secrets`, `/vault`); reloaders started by a script that does something else, too. A
//! path by `subPath` is the rule `watched-subpath`'s.
//!
//! **How to fix it.** Mount the volume in the reloader's container at that path, as in the
//! container it reloads.

use std::collections::BTreeMap;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::object::Placed;
use crate::rules::inline::{PathTarget, below, main_script, path_target, reload_flags, remedy};
use crate::watch::{FLAGS, ReloadPath};

pub(crate) const RULE: Rule = Rule::new::<UnmountedReloadPath>(
    "unmounted-reload-path",
    include_str!("../../../policies/unmounted-reload-path.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct UnmountedReloadPath;

/// Where mounts are added after the template: the service account's token, those of identity and
/// secret injectors.
const INJECTED: [&str; 3] = ["/var/run/secrets", "/run/secrets", "/vault"];

impl Check for UnmountedReloadPath {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        let mut shared = None;
        for placed in pod.app_containers() {
            let Some(inline) = main_script(pod, placed.container, &FLAGS) else { continue };
            // another command may write what is watched
            if inline.script.commands.len() != 1 {
                continue;
            }
            for flag in reload_flags(placed.container, &inline) {
                if INJECTED.iter().any(|folder| below(folder, &flag.path).is_some()) {
                    continue;
                }
                let place = match path_target(pod, placed.container, &flag.path) {
                    PathTarget::NoMount if !is_above_a_mount(placed.container, &flag.path) => {
                        "is not mounted there"
                    }
                    PathTarget::OtherVolume(Some(volume)) if volume.is_empty_dir() => {
                        let shared = shared.get_or_insert_with(|| mounters(pod));
                        if shared.get(&*volume.name).is_some_and(|count| *count > 1) {
                            continue;
                        }
                        "is an emptyDir nobody fills"
                    }
                    _ => continue,
                };
                findings.report(finding(pod, &placed, inline.field, &flag, place));
            }
        }
    }
}

/// Whether something is mounted below `path`.
fn is_above_a_mount(container: &Container<'_>, path: &str) -> bool {
    container
        .volume_mounts
        .iter()
        .any(|mount| below(path.trim_end_matches('/'), &mount.mount_path).is_some())
}

/// How many containers mount each volume.
fn mounters<'s>(pod: &PodView<'s>) -> BTreeMap<&'s str, usize> {
    let mut last = BTreeMap::new();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for (position, placed) in pod.all_containers().enumerate() {
        for mount in &placed.container.volume_mounts {
            if last.insert(&*mount.name, position) != Some(position) {
                let count = count.entry(&*mount.name).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    count
}

fn finding(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    field: &str,
    flag: &ReloadPath,
    place: &str,
) -> Finding {
    let name = &placed.container.name;
    let message = |names: Names| {
        let (name, path) = (names.quoted(name), names.quoted(&flag.path));
        format!("container {name}: {path} of --{} {place}", flag.flag)
    };
    let remedy = remedy(
        pod,
        placed.container,
        flag.file.as_deref(),
        "mount the volume it shall watch in this container, at that path",
    );
    Finding::new(RULE.name, pod.container_pointer(placed, field), message, remedy)
        .in_container(name)
}

//! An init container that runs again over what it left.
//!
//! **Why it matters.** `RestartAllContainers` runs the init containers again in the same pod. Their
//! own file systems are new, but every volume is as the last run and the program left it,
//! `emptyDir` too, which init containers always found empty before. A `mkdir` or `git clone` that
//! exists already fails, and the pod does not come back.
//!
//! **What it looks at.** Init containers, but no sidecars, in pods where a rule of some container
//! restarts all of them: `command` and `args`, shell text included. Of each volume they may write
//! to the worst that is certain: a command that fails the second time and lets the container fail
//! (`mkdir` without `-p`, `ln` without `-f`, `git clone`, `initdb`, `mv` out of the volume);
//! something that is added once more (`>>`, `tee -a`); anything written there (`>`, `cp`, `mv`,
//! `touch`, `tar -x`, `wget -O`, `curl -o` and their like), over what the program made of it
//! meanwhile.
//!
//! **What it allows.** Read-only mounts, volumes of configuration, paths of the container's own
//! file system (so `useradd` may run again). `mkdir -p`, `ln -sf`, `cp -n` and what depends on a
//! test. Everything after the script removed something: it prepares for its next run. What cannot
//! be told: images without a command, unknown targets.
//!
//! **How to fix it.** Let the script begin by removing what it left, or ask whether it is
//! there (`mkdir -p`, `[ -d DIR ] || git clone`).

use std::collections::BTreeMap;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::{Container, Role};
use crate::kube::object::Placed;
use crate::rules::inline::{InlineScript, main_script, nearest_mount};
use crate::shell::rerun::{ChangedPath, RerunEffect, changed_paths};

pub(crate) const RULE: Rule = Rule::new::<RestartAllInitState>(
    "restart-all-init-state",
    include_str!("../../../policies/restart-all-init-state.yaml"),
);

#[derive(Debug, Default)]
struct RestartAllInitState;

/// What every script mentions.
const ANYTHING: [&str; 1] = [""];

impl Check for RestartAllInitState {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if !pod.all_containers().any(|placed| placed.container.restart_all_rules().next().is_some())
        {
            return;
        }
        for placed in pod.all_containers().filter(|placed| placed.role == Role::Init) {
            let Some(InlineScript { field, script }) =
                main_script(pod, placed.container, &ANYTHING)
            else {
                continue;
            };
            let mut worst: BTreeMap<&str, ChangedPath> = BTreeMap::new();
            for changed in changed_paths(&script) {
                let Some(volume) = written_volume(pod, placed.container, &changed.path) else {
                    continue;
                };
                let known = worst.entry(volume).or_insert_with(|| changed.clone());
                if known.effect < changed.effect {
                    *known = changed;
                }
            }
            for (volume, changed) in worst {
                findings.report(finding(pod, &placed, field, volume, &changed));
            }
        }
    }
}

/// The volume that `path` is in, if the container can write to it.
fn written_volume<'s>(
    pod: &PodView<'_>,
    container: &'s Container<'_>,
    path: &str,
) -> Option<&'s str> {
    let (mount, _) = nearest_mount(container, path).filter(|(mount, _)| !mount.read_only)?;
    // a volume that is not there is a StatefulSet's claim
    let configuration = pod
        .spec
        .volumes
        .iter()
        .any(|volume| volume.name == mount.name && volume.source().is_some());
    (!configuration).then_some(&*mount.name)
}

fn finding(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    field: &str,
    volume: &str,
    changed: &ChangedPath,
) -> Finding {
    let name = &placed.container.name;
    let message = |names: Names| {
        let (name, path) = (names.quoted(name), names.quoted(&changed.path));
        match (changed.effect, changed.program.as_deref()) {
            (RerunEffect::Fails, Some(program)) => {
                format!("container {name}: {program} of {path} fails when it runs again")
            }
            (RerunEffect::Fails, None) => {
                format!("container {name}: {path} is in the way when it runs again")
            }
            (RerunEffect::Appends, _) => {
                format!("container {name}: it adds to {path} each time it runs")
            }
            (RerunEffect::Overwrites, _) => {
                format!("container {name}: it writes to {path}, which outlives a restart of all")
            }
        }
    };
    let remedy = "let it begin by removing what it left, or ask first whether it is there";
    Finding::new(RULE.name, pod.container_pointer(placed, field), message, remedy)
        .in_container(name)
        .about(volume.to_owned())
}

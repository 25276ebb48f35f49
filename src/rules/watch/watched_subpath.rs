//! A watch on configuration that is mounted by `subPath`.
//!
//! **Why it matters.** A `subPath` mount binds the file that is there when the container starts,
//! and never changes. A watcher on it waits for ever, and a checksum of it is always the same.
//!
//! **What it looks at.** Watchers (`inotifywait`, `tail -f`, `entr` and others), checksums in a
//! loop, and the flags of known reloaders (`--volume-dir`, `--watched-dir`, `--config-file`) in
//! `command`, `args`, probes and lifecycle hooks of regular containers and sidecars, with a target
//! in a ConfigMap, Secret, projected or downward API volume that is mounted by `subPath`. Scripts
//! in ConfigMaps are read where those are known.
//!
//! **What it allows.** Watches that have another target in a whole mount; sources with a trigger,
//! which roll the workload anyway: a checksum annotation on the template, an effective Reloader
//! annotation, a name with a generated hash.
//!
//! **How to fix it.** Mount the whole volume in a directory of its own, and watch that
//! directory.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::object::Placed;
use crate::rules::inline::{
    InlineScript, PathTarget, all_scripts, known_watches, path_target, reload_flags, remedy,
    tool_name,
};
use crate::rules::trigger::Triggers;
use crate::watch::{FLAGS, Tool, Watch};

pub(crate) const RULE: Rule = Rule::new::<WatchedSubpath>(
    "watched-subpath",
    include_str!("../../../policies/watched-subpath.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct WatchedSubpath;

/// Any program or flag this rule looks at is spelled with one of these.
const WORDS: [&str; 13] = [
    "inotify",
    "tail",
    "watch",
    "entr",
    "nodemon",
    "chokidar",
    "sum",
    "openssl",
    "stat",
    "configmap-reload",
    FLAGS[0],
    FLAGS[1],
    FLAGS[2],
];

impl Check for WatchedSubpath {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        let mut triggers = None;
        for placed in pod.app_containers() {
            if !placed.container.volume_mounts.iter().any(|mount| mount.part().is_some()) {
                continue;
            }
            let mut seen = BTreeSet::new();
            for inline in all_scripts(pod, placed.container, &WORDS) {
                for (tool, path, file) in frozen(pod, placed.container, &inline) {
                    let PathTarget::SubPath(source) = path_target(pod, placed.container, &path)
                    else {
                        continue;
                    };
                    let fires = triggers.get_or_insert_with(|| Triggers::of(pod)).fire_for(source);
                    if !fires && seen.insert((inline.field, path.clone())) {
                        findings.report(finding(
                            pod,
                            &placed,
                            inline.field,
                            &tool,
                            &path,
                            file.as_deref(),
                        ));
                    }
                }
            }
        }
    }
}

/// What the script watches: with what, where, and the file that says so. Only paths by `subPath`,
/// where nothing else of the same watch can see an update.
fn frozen(
    pod: &PodView<'_>,
    container: &Container<'_>,
    inline: &InlineScript,
) -> Vec<(String, String, Option<Rc<str>>)> {
    let is_part = |path: &str| matches!(path_target(pod, container, path), PathTarget::SubPath(_));
    let mut found = Vec::new();
    for watch in known_watches(&inline.script).into_iter().filter(waits) {
        let lives = |path: &str| {
            matches!(
                path_target(pod, container, path),
                PathTarget::Configuration(..) | PathTarget::KubeletLink(_)
            )
        };
        if watch.paths().any(lives) {
            continue;
        }
        if let Some(path) = watch.paths().find(|path| is_part(path)) {
            found.push((
                tool_name(&watch.tool).to_owned(),
                path.to_owned(),
                inline.script.file(watch.command),
            ));
        }
    }
    let flags = reload_flags(container, inline).into_iter().filter(|flag| is_part(&flag.path));
    found.extend(flags.map(|flag| (format!("--{}", flag.flag), flag.path, flag.file)));
    found
}

/// Whether the script waits for a change with it. A `cat` in a loop may just as well print what it
/// reads, and of two files that are compared the other one may be what changes.
fn waits(watch: &Watch) -> bool {
    match watch.tool {
        Tool::Cat | Tool::Compare | Tool::Readlink => false,
        Tool::Stat { .. } | Tool::Checksum => watch.repeated,
        _ => true,
    }
}

fn finding(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    field: &str,
    tool: &str,
    path: &str,
    file: Option<&str>,
) -> Finding {
    let name = &placed.container.name;
    let message = |names: Names| {
        let (name, path) = (names.quoted(name), names.quoted(path));
        format!("container {name}: {tool} on {path}, mounted by subPath, never sees an update")
    };
    let remedy = remedy(
        pod,
        placed.container,
        file,
        "mount the whole volume in a directory of its own, and watch that directory",
    );
    Finding::new(RULE.name, pod.container_pointer(placed, field), message, remedy)
        .in_container(name)
}

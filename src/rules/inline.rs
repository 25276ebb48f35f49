//! The shell text a container carries inline, and what of it concerns mounted configuration.

use crate::judge::finding::{Finding, Names};
use crate::judge::mode::Mode;
use crate::judge::view::PodView;
use crate::kube::container::{Action, Container};
use crate::kube::object::Placed;
use crate::kube::shell::{Invocation, Script, inline};
use crate::kube::text::Text;
use crate::kube::volume::VolumeMount;
use crate::kube::watcher::{Delivery, Kind, Target, Tool, Watch, verdict, watches};

/// A script, and the field of the container it stands in.
pub(super) struct Inline {
    pub(super) field: &'static str,
    pub(super) script: Script,
}

/// What the container itself runs, where it mentions any of `words`. A cheap look keeps most containers unparsed.
pub(super) fn main_script(container: &Container<'_>, words: &[&str]) -> Option<Inline> {
    let mentioned = |text: &Text<'_>| words.iter().any(|word| text.contains(word));
    if !container.command.iter().chain(&container.args).any(mentioned) {
        return None;
    }
    let field = if container.args.is_empty() { "command" } else { "args" };
    Some(Inline { field, script: parsed(container, &container.command, &container.args, false)? })
}

/// What the container itself runs, whatever it mentions.
pub(super) fn own_script(container: &Container<'_>) -> Option<Script> {
    parsed(container, &container.command, &container.args, false)
}

/// What its probes run, where they mention any of `words`.
pub(super) fn probe_scripts<'s>(container: &'s Container<'_>, words: &'s [&str]) -> impl Iterator<Item = Inline> + 's {
    let probes = [
        ("livenessProbe/exec/command", &container.liveness_probe),
        ("readinessProbe/exec/command", &container.readiness_probe),
        ("startupProbe/exec/command", &container.startup_probe),
    ];
    actions(container, probes, words, false)
}

/// What its lifecycle hooks run, where they mention any of `words`.
pub(super) fn hook_scripts<'s>(container: &'s Container<'_>, words: &'s [&str]) -> impl Iterator<Item = Inline> + 's {
    let hooks = [
        ("lifecycle/postStart/exec/command", &container.lifecycle.post_start),
        ("lifecycle/preStop/exec/command", &container.lifecycle.pre_stop),
    ];
    actions(container, hooks, words, true)
}

/// A watch on mounted configuration that misses updates.
pub(super) struct Deaf {
    /// The JSON pointer's last part.
    pub(super) field: &'static str,
    pub(super) tool: &'static str,
    /// The path that is watched.
    pub(super) path: String,
    /// What it is.
    pub(super) kind: Kind,
    pub(super) delivery: Delivery,
}

/// Every watch of the container that is of interest and misses updates of mounted configuration.
pub(super) fn deaf_watches(pod: &PodView<'_>, container: &Container<'_>, words: &[&str], of_interest: fn(&Tool) -> bool) -> Vec<Deaf> {
    let scripts = main_script(container, words).into_iter();
    let scripts = scripts.chain(probe_scripts(container, words)).chain(hook_scripts(container, words));
    let judged = scripts.flat_map(|Inline { field, script }| {
        let watches = watches(&script).into_iter().filter(move |watch| of_interest(&watch.tool));
        watches.filter_map(|watch| deaf_watch(pod, container, &watch)).map(move |deaf| Deaf { field, ..deaf }).collect::<Vec<_>>()
    });
    judged.collect()
}

/// The finding about `deaf`.
pub(super) fn finding(rule: &str, pod: &PodView<'_>, placed: &Placed<'_, '_>, deaf: &Deaf, remedy: &'static str) -> Finding {
    let name = &placed.container.name;
    let kind = if deaf.kind == Kind::File { "file" } else { "directory" };
    let outcome = match deaf.delivery {
        Delivery::FirstOnly => "sees the first update only",
        Delivery::ByLuck => "sees an update by luck only",
        Delivery::ByAccident => "works only because its failure is ignored",
        _ => "never sees an update",
    };
    let message = |names: Names| {
        let (name, path) = (names.quoted(name), names.quoted(&deaf.path));
        format!("container {name}: {} on {kind} {path} {outcome}", deaf.tool)
    };
    let ceiling = if deaf.delivery == Delivery::ByAccident { Mode::Audit } else { Mode::Fix };
    Finding::new(rule, pod.container_pointer(placed, deaf.field), message, remedy).in_container(name).at_most(ceiling)
}

fn actions<'s, const COUNT: usize>(
    container: &'s Container<'_>,
    actions: [(&'static str, &'s Option<Action<'s>>); COUNT],
    words: &'s [&str],
    hook: bool,
) -> impl Iterator<Item = Inline> + 's {
    actions.into_iter().filter_map(move |(field, action)| {
        let command = &action.as_ref()?.exec.command;
        let mentioned = |text: &Text<'_>| words.iter().any(|word| text.contains(word));
        command.iter().any(mentioned).then_some(())?;
        Some(Inline { field, script: parsed(container, command, &[], hook)? })
    })
}

fn parsed<'t>(container: &Container<'_>, command: &'t [Text<'_>], args: &'t [Text<'_>], hook: bool) -> Option<Script> {
    let words = |texts: &'t [Text<'_>]| texts.iter().map(|text| &**text).collect::<Vec<&'t str>>();
    let (command, args) = (words(command), words(args));
    let environment = container.literal_environment();
    let directory = (!container.working_dir.is_empty()).then_some(&*container.working_dir);
    inline(&Invocation { command: &command, args: &args, environment: &environment, directory, hook })
}

/// The watch, if the best of what it sees in one mount is not enough. What cannot be told is silence.
fn deaf_watch(pod: &PodView<'_>, container: &Container<'_>, watch: &Watch) -> Option<Deaf> {
    if watch.targets.contains(&Target::Unknown) {
        return None;
    }
    let mut best: Option<Deaf> = None;
    for path in watch.paths() {
        let Some(kind) = config_kind(pod, container, path) else { continue };
        let delivery = verdict(watch, kind);
        if best.as_ref().is_none_or(|best| delivery > best.delivery) {
            best = Some(Deaf { field: "", tool: tool_name(&watch.tool), path: path.to_owned(), kind, delivery });
        }
    }
    best.filter(|best| best.delivery < Delivery::Always)
}

/// What `path` is in a whole mount of configuration; `None` elsewhere.
fn config_kind(pod: &PodView<'_>, container: &Container<'_>, path: &str) -> Option<Kind> {
    let inside = |mount: &&VolumeMount<'_>| below(mount.mount_path.trim_end_matches('/'), path).is_some();
    let mount = container.volume_mounts.iter().filter(inside).max_by_key(|mount| mount.mount_path.len())?;
    let volume = pod.spec.volumes.iter().find(|volume| volume.name == mount.name)?;
    if mount.part().is_some() || volume.source().is_none() {
        return None;
    }
    match below(mount.mount_path.trim_end_matches('/'), path)? {
        "" => Some(Kind::Directory),
        rest if rest.starts_with("..") => None, // the kubelet's own links: not measured
        _ => Some(Kind::File),
    }
}

/// The part of `path` below `folder`: empty where they are the same.
pub(super) fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.trim_end_matches('/').strip_prefix(folder)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

fn tool_name(tool: &Tool) -> &'static str {
    match tool {
        Tool::Inotifywait(_) => "inotifywait",
        Tool::Tail { .. } => "tail -f",
        Tool::Watchmedo { .. } => "watchmedo",
        Tool::Watchfiles => "watchfiles",
        Tool::Stat { .. } => "stat without -L",
        _ => "a watcher",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_a_folder() {
        assert_eq!(below("/etc/app", "/etc/app"), Some(""));
        assert_eq!(below("/etc/app", "/etc/app/"), Some(""));
        assert_eq!(below("/etc/app", "/etc/app/a.yaml"), Some("a.yaml"));
        assert_eq!(below("/etc/app", "/etc/application"), None);
        assert_eq!(below("", "/a"), Some("a"));
    }
}

//! The shell text a container carries inline or in a ConfigMap that is known, and what of it
//! concerns mounted configuration.
//!
//! Each script of a pod is read once, whichever rules ask for it, and only where one does. Whoever
//! may create pods may send megabytes of them, or a few lines of functions that call each other: so
//! the scripts of a pod share an allowance, and one that would take more than its part of it is not
//! read. Rules are silent about it. No pod that runs comes near: the longest script in 1,768 real
//! manifests takes a hundredth.
mod files;
mod path_target;

use std::borrow::Cow;
use std::rc::Rc;

use crate::json::text::Text;
use crate::judge::finding::Finding;
use crate::judge::message::Names;
use crate::judge::mode::Mode;
use crate::judge::view::{Field, PodView};
use crate::kube::container::{Action, Container};
use crate::kube::image::Image;
use crate::kube::object::Placed;
use crate::shell::{self, Invocation, Script};
use crate::watch::{Delivery, ReloadPath, TargetKind, Tool, Watch, reload_paths, verdict, watches};

use self::files::ConfigMapFiles;
pub(in crate::rules) use self::path_target::{PathTarget, below, nearest_mount, path_target};

/// A script, and the field of the container it stands in.
pub(in crate::rules) struct InlineScript {
    pub(in crate::rules) field: &'static str,
    pub(in crate::rules) script: Rc<Script>,
}

/// What the container itself runs, where it mentions any of `words`. A cheap look keeps most
/// containers unparsed.
pub(in crate::rules) fn main_script(
    pod: &PodView<'_>,
    container: &Container<'_>,
    words: &[&str],
) -> Option<InlineScript> {
    let texts = || container.command.iter().chain(&container.args);
    ConfigMapFiles { pod, container }.mention(texts, words).then_some(())?;
    let field = if container.args.is_empty() { "command" } else { "args" };
    Some(InlineScript { field, script: own_script(pod, container)? })
}

/// What the container itself runs, whatever it mentions.
pub(in crate::rules) fn own_script(
    pod: &PodView<'_>,
    container: &Container<'_>,
) -> Option<Rc<Script>> {
    parsed(pod, container, Field::Main, &container.command, &container.args)
}

/// What its probes run, where they mention any of `words`.
pub(in crate::rules) fn probe_scripts<'p>(
    pod: &'p PodView<'_>,
    container: &'p Container<'_>,
    words: &'p [&str],
) -> impl Iterator<Item = InlineScript> + 'p {
    let probes = [
        (LIVENESS, &container.liveness_probe),
        ("readinessProbe/exec/command", &container.readiness_probe),
        ("startupProbe/exec/command", &container.startup_probe),
    ];
    probes
        .into_iter()
        .filter_map(|(field, action)| action_script(pod, container, field, action.as_ref()?, words))
}

/// What its lifecycle hooks run, where they mention any of `words`.
pub(in crate::rules) fn hook_scripts<'p>(
    pod: &'p PodView<'_>,
    container: &'p Container<'_>,
    words: &'p [&str],
) -> impl Iterator<Item = InlineScript> + 'p {
    let hooks = [
        (POST_START, &container.lifecycle.post_start),
        ("lifecycle/preStop/exec/command", &container.lifecycle.pre_stop),
    ];
    hooks
        .into_iter()
        .filter_map(|(field, action)| action_script(pod, container, field, action.as_ref()?, words))
}

/// What its liveness probe runs, where it mentions any of `words`.
pub(in crate::rules) fn liveness_script(
    pod: &PodView<'_>,
    container: &Container<'_>,
    words: &[&str],
) -> Option<InlineScript> {
    action_script(pod, container, LIVENESS, container.liveness_probe.as_ref()?, words)
}

/// Whether anything the container runs mentions any of `words`.
pub(in crate::rules) fn mentions(
    pod: &PodView<'_>,
    container: &Container<'_>,
    words: &[&str],
) -> bool {
    let texts = || container.texts().flat_map(|(command, args)| command.iter().chain(args));
    ConfigMapFiles { pod, container }.mention(texts, words)
}

/// What it runs when it has started, where that mentions any of `words`.
pub(in crate::rules) fn post_start_script(
    pod: &PodView<'_>,
    container: &Container<'_>,
    words: &[&str],
) -> Option<InlineScript> {
    action_script(pod, container, POST_START, container.lifecycle.post_start.as_ref()?, words)
}

const LIVENESS: &str = "livenessProbe/exec/command";
const POST_START: &str = "lifecycle/postStart/exec/command";

/// A watch on mounted configuration that misses updates.
pub(in crate::rules) struct MissedWatch {
    /// The JSON pointer's last part.
    pub(in crate::rules) field: &'static str,
    pub(in crate::rules) tool: &'static str,
    /// The path that is watched.
    pub(in crate::rules) path: String,
    /// What it is.
    pub(in crate::rules) kind: TargetKind,
    pub(in crate::rules) delivery: Delivery,
    /// The file the watch stands in, where that is not the text of the manifest.
    pub(in crate::rules) file: Option<Rc<str>>,
}

/// Every watch of the container that is of interest and misses updates of mounted configuration.
pub(in crate::rules) fn missed_watches(
    pod: &PodView<'_>,
    container: &Container<'_>,
    words: &[&str],
    of_interest: fn(&Tool) -> bool,
) -> Vec<MissedWatch> {
    let judged = all_scripts(pod, container, words).flat_map(|InlineScript { field, script }| {
        let watches = watches(&script).into_iter().filter(move |watch| of_interest(&watch.tool));
        watches
            .filter_map(|watch| missed_watch(pod, container, &script, &watch))
            .map(move |missed| MissedWatch { field, ..missed })
            .collect::<Vec<_>>()
    });
    judged.collect()
}

/// What the container itself, its probes and its hooks run, where they mention any of `words`.
pub(in crate::rules) fn all_scripts<'p>(
    pod: &'p PodView<'_>,
    container: &'p Container<'_>,
    words: &'p [&str],
) -> impl Iterator<Item = InlineScript> + 'p {
    let main = main_script(pod, container, words).into_iter();
    main.chain(probe_scripts(pod, container, words)).chain(hook_scripts(pod, container, words))
}

/// The finding about `missed`.
pub(in crate::rules) fn finding(
    rule: &str,
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    missed: &MissedWatch,
    advice: &'static str,
) -> Finding {
    let name = &placed.container.name;
    let kind = if missed.kind == TargetKind::File { "file" } else { "directory" };
    let outcome = match missed.delivery {
        Delivery::FirstOnly => "sees the first update only",
        Delivery::Racy => "sees an update by luck only",
        Delivery::OnFailure => "works only because its failure is ignored",
        _ => "never sees an update",
    };
    let message = |names: Names| {
        let (name, path) = (names.quoted(name), names.quoted(&missed.path));
        format!("container {name}: {} on {kind} {path} {outcome}", missed.tool)
    };
    let ceiling = if missed.delivery == Delivery::OnFailure { Mode::Audit } else { Mode::Fix };
    let remedy = remedy(pod, placed.container, missed.file.as_deref(), advice);
    Finding::new(rule, pod.container_pointer(placed, missed.field), message, remedy)
        .in_container(name)
        .at_most(ceiling)
}

/// The remedy for something in `file`: it says of which ConfigMap's key that is the text.
pub(in crate::rules) fn remedy(
    pod: &PodView<'_>,
    container: &Container<'_>,
    file: Option<&str>,
    text: &'static str,
) -> Cow<'static, str> {
    let origin = file.and_then(|path| ConfigMapFiles { pod, container }.origin(path));
    origin.map_or(text.into(), |(name, key, _)| {
        format!("in \"{key}\" of ConfigMap \"{name}\": {text}").into()
    })
}

/// The most watches of one script that are looked into. More are nobody's script.
const WATCHES: usize = 256;

/// The watches of a script whose targets are known.
pub(in crate::rules) fn known_watches(script: &Script) -> Vec<Watch> {
    let mut watches = watches(script);
    watches.retain(Watch::is_known);
    watches.truncate(WATCHES);
    watches
}

/// The most paths for reloaders that one script is asked for. More are nobody's script.
const PATHS: usize = 64;

/// What the container's script tells known reloaders to watch.
pub(in crate::rules) fn reload_flags(
    container: &Container<'_>,
    inline: &InlineScript,
) -> Vec<ReloadPath> {
    let by_image = container.command.is_empty() && inline.field == "args";
    let mut paths =
        reload_paths(&inline.script, by_image.then(|| Image::parse(&container.image).name()));
    paths.truncate(PATHS);
    paths
}

fn action_script(
    pod: &PodView<'_>,
    container: &Container<'_>,
    field: &'static str,
    action: &Action<'_>,
    words: &[&str],
) -> Option<InlineScript> {
    let command = &action.exec.command;
    ConfigMapFiles { pod, container }.mention(|| command.iter(), words).then_some(())?;
    Some(InlineScript {
        field,
        script: parsed(pod, container, Field::Action(field), command, &[])?,
    })
}

fn parsed(
    pod: &PodView<'_>,
    container: &Container<'_>,
    field: Field,
    command: &[Text<'_>],
    args: &[Text<'_>],
) -> Option<Rc<Script>> {
    pod.scripts().read(container, field, |inline| {
        let (command, args) = (words(command), words(args));
        let files = ConfigMapFiles { pod, container };
        let files = pod.knows_configuration().then_some(&files as &dyn shell::Files);
        let directory = (!container.working_dir.is_empty()).then_some(&*container.working_dir);
        let hook = matches!(field, Field::Action(field) if field.starts_with("lifecycle/"));
        let invocation =
            Invocation { command: &command, args: &args, environment: &[], directory, hook, files };
        let environment = container.environment_of(&invocation);
        inline(&Invocation { environment: &environment, ..invocation })
    })
}

fn words<'t>(texts: &'t [Text<'_>]) -> Vec<&'t str> {
    texts.iter().map(|text| &**text).collect()
}

/// The watch, if the best of what it sees in one mount is not enough. What is unknown is
/// silence.
fn missed_watch(
    pod: &PodView<'_>,
    container: &Container<'_>,
    script: &Script,
    watch: &Watch,
) -> Option<MissedWatch> {
    if !watch.is_known() {
        return None;
    }
    let mut best: Option<MissedWatch> = None;
    for path in watch.paths() {
        let PathTarget::Configuration(_, kind) = path_target(pod, container, path) else {
            continue;
        };
        let delivery = verdict(watch, kind);
        if best.as_ref().is_none_or(|best| delivery > best.delivery) {
            let file = script.file(watch.command);
            best = Some(MissedWatch {
                field: "",
                tool: tool_name(&watch.tool),
                path: path.to_owned(),
                kind,
                delivery,
                file,
            });
        }
    }
    best.filter(|best| best.delivery < Delivery::Always)
}

/// What the tool is called in messages.
pub(in crate::rules) fn tool_name(tool: &Tool) -> &'static str {
    match tool {
        Tool::Inotifywait(_) => "inotifywait",
        Tool::Tail { by_name: false } => "tail -f",
        Tool::Tail { by_name: true } => "tail -F",
        Tool::Watchmedo { .. } => "watchmedo",
        Tool::Watchfiles => "watchfiles",
        Tool::Stat { dereference: false } => "stat without -L",
        Tool::Stat { dereference: true } => "stat",
        Tool::Checksum => "a checksum",
        Tool::Compare => "a comparison",
        Tool::Cat => "cat",
        Tool::Readlink => "readlink",
        Tool::Entr => "entr",
        Tool::Nodemon => "nodemon",
        Tool::Chokidar => "chokidar",
        Tool::Unmeasured => "a watcher",
    }
}

//! A `postStart` hook that never ends.
//!
//! **Why it matters.** The kubelet waits for `postStart` before it calls the container running. A
//! hook that loops or watches for ever keeps it from that: no probe starts, the pod never gets
//! ready, and its logs look fine.
//!
//! **What it looks at.** `lifecycle.postStart.exec` of regular containers and sidecars: endless
//! loops (`while true`, `while sleep 5`), watchers that go on for ever (`inotifywait -m`, `tail
//! -f`, `entr`), `sleep infinity`; and loops that wait for a port of a container that starts only
//! after the hook, by its `ports` or the usual one of its image. Scripts in ConfigMaps are read where
//! those are known.
//!
//! **What it allows.** What runs in the background (`&`, `setsid`) or under `timeout`; loops that
//! end some time, such as `until curl ..; do sleep 1; done`; what only may run, after `&&` or in a
//! branch; output read by what may stop reading.
//!
//! **How to fix it.** Start it in the background with `&`, or give it a sidecar of its own. Name the
//! container that is waited for first, or make it an init container with `restartPolicy: Always`.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::image::Image;
use crate::kube::object::Placed;
use crate::rules::inline::{PathTarget, path_target, post_start_script, remedy, tool_name};
use crate::shell::{Command, Loop, LoopPart, PipeReader, Script, Word};
use crate::watch::{Tool, Watch, asked_port, options_of, watches};

pub(crate) const RULE: Rule = Rule::new::<BlockingPostStart>(
    "blocking-post-start",
    include_str!("../../../policies/blocking-post-start.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct BlockingPostStart;

/// Whatever never ends is spelled with one of these.
const WORDS: [&str; 10] =
    ["while", "until", "for", "inotify", "tail", "watch", "entr", "nodemon", "chokidar", "inf"];

impl Check for BlockingPostStart {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.app_containers() {
            let Some(inline) = post_start_script(pod, placed.container, &WORDS) else { continue };
            // it may or may not leave what it starts in the background
            if post_start_script(pod, placed.container, &["setsid"]).is_some() {
                continue;
            }
            if let Some((what, command)) = blocking(pod, placed.container, &inline.script) {
                findings.report(finding(pod, &placed, inline.field, what, command.file.as_deref()));
            } else if let Some((port, server)) = awaited(pod, &placed, &inline.script) {
                findings.report(waiting(pod, &placed, inline.field, port, server));
            }
        }
    }
}

/// The port that a loop waits for, and the container that listens there: one that starts only when
/// the hook has ended.
fn awaited<'s>(
    pod: &PodView<'s>,
    placed: &Placed<'_, '_>,
    script: &Script,
) -> Option<(i64, &'s str)> {
    let waits = |command: &&Command| {
        let waiting = matches!(command.context.inside, Some((_, LoopPart::Condition)));
        let ends = |around: &Loop| around.counted || around.reads || around.leaves;
        waiting && is_awaited(command) && !script.loops_around(command).any(ends)
    };
    let serves = |container: &Container<'_>, port| {
        container.ports().contains(&port) || usual_port(&container.image) == Some(port)
    };
    script.commands.iter().filter(waits).filter_map(asked_port).find_map(|port| {
        let mut earlier = true;
        let mut later = None;
        for other in pod.app_containers() {
            let itself = other.list() == placed.list() && other.index == placed.index;
            let there = serves(other.container, port);
            if earlier && there {
                return None;
            }
            later = later.or(Some(&*other.container.name).filter(|_| there));
            earlier &= !itself;
        }
        Some((port, later?))
    })
}

/// Whether the hook does not end before this command does.
fn is_awaited(command: &Command) -> bool {
    !(command.context.background || command.context.conditional || command.timed)
}

/// The port where images of this name listen unless they are told otherwise.
fn usual_port(image: &str) -> Option<i64> {
    const PORTS: [(&str, i64); 14] = [
        ("nginx", 80),
        ("httpd", 80),
        ("redis", 6379),
        ("valkey", 6379),
        ("postgres", 5432),
        ("mysql", 3306),
        ("mariadb", 3306),
        ("mongo", 27017),
        ("rabbitmq", 5672),
        ("memcached", 11211),
        ("elasticsearch", 9200),
        ("zookeeper", 2181),
        ("vault", 8200),
        ("consul", 8500),
    ];
    let name = Image::parse(image).name();
    PORTS.iter().find(|(known, _)| *known == name).map(|(_, port)| *port)
}

/// What never ends, and the first command in it.
fn blocking<'i>(
    pod: &PodView<'_>,
    container: &Container<'_>,
    script: &'i Script,
) -> Option<(&'static str, &'i Command)> {
    let blocked = |command: &&Command| is_awaited(command);
    let loops =
        script.commands.iter().filter(blocked).filter(|command| command.context.reader.is_none());
    let endless = |command: &&Command| {
        script
            .loops_around(command)
            .any(|around| around.endless || (around.sleeps && !around.leaves))
    };
    let mut looped = loops.clone().filter(endless).map(|command| ("an endless loop", command));
    let mut asleep =
        loops.filter(|command| sleeps_for_ever(command)).map(|command| ("sleep infinity", command));
    let ends = script.loops.iter().any(|one| one.reads && one.leaves);
    let watching = watches(script).into_iter().find_map(|watch| {
        let command = script.commands.get(watch.command).filter(blocked)?;
        let heard = match &command.context.reader {
            None => true,
            Some(PipeReader::Loop) => !ends,
            Some(_) => false,
        };
        (heard && !watch.timed && goes_on(pod, container, &watch, command))
            .then_some((tool_name(&watch.tool), command))
    });
    looped.next().or(watching).or_else(|| asleep.next())
}

fn sleeps_for_ever(command: &Command) -> bool {
    command.program() == Some("sleep")
        && matches!(command.arguments().first().and_then(Word::known), Some("inf" | "infinity"))
}

/// Whether a watcher never ends, or only with the next update.
fn goes_on(pod: &PodView<'_>, container: &Container<'_>, watch: &Watch, command: &Command) -> bool {
    let has = |option| options_of(command).is_some_and(|options| options.has(option));
    let configured = |path: &str| {
        matches!(
            path_target(pod, container, path),
            PathTarget::Configuration(..) | PathTarget::KubeletLink(_) | PathTarget::SubPath(_)
        )
    };
    watch.certain
        && match &watch.tool {
            Tool::Inotifywait(_) if has("daemon") => false,
            // a single event may be that of the process the hook waits for, but not where only the
            // kubelet writes
            Tool::Inotifywait(options) => {
                options.monitor || (watch.is_known() && watch.paths().any(configured))
            }
            Tool::Tail { .. } => !has("pid"),
            Tool::Entr => !has("z"),
            Tool::Unmeasured => command.program() != Some("fswatch") || !has("one-event"),
            Tool::Watchmedo { .. } | Tool::Watchfiles | Tool::Nodemon | Tool::Chokidar => true,
            Tool::Stat { .. } | Tool::Checksum | Tool::Compare | Tool::Cat | Tool::Readlink => {
                false
            }
        }
}

fn waiting(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    field: &str,
    port: i64,
    server: &str,
) -> Finding {
    let name = &placed.container.name;
    let message = |names: Names| {
        let (name, server) = (names.quoted(name), names.quoted(server));
        format!(
            "container {name}: postStart waits for port {port} of {server}, which starts after it"
        )
    };
    let remedy = "name that container first, or wait in the background with `&`";
    Finding::new(RULE.name, pod.container_pointer(placed, field), message, remedy)
        .in_container(name)
}

fn finding(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    field: &str,
    what: &str,
    file: Option<&str>,
) -> Finding {
    let name = &placed.container.name;
    let message = |names: Names| {
        format!(
            "container {}: {what} in postStart keeps it from ever being Running",
            names.quoted(name)
        )
    };
    let remedy = remedy(
        pod,
        placed.container,
        file,
        "start it in the background with `&`, or give it a sidecar of its own",
    );
    Finding::new(RULE.name, pod.container_pointer(placed, field), message, remedy)
        .in_container(name)
}

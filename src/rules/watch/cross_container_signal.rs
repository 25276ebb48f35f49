//! A signal for a process in another container.
//!
//! **Why it matters.** Containers of a pod do not see each other's processes. A sidecar that runs
//! `nginx -s reload` or `pkill` for a process of its neighbour finds nothing to signal, often
//! without an error that anybody reads.
//!
//! **What it looks at.** `kill`, `pkill`, `killall` and servers that signal themselves (`nginx -s
//! reload`) in shell text of `command`, `args` and probes of regular containers and sidecars, in a
//! pod with more than one of them, where another one runs the program that is meant: also where
//! `entr`, `reflex`, `watchexec` and their like run the command. Commands that Vault's agent is told
//! to run by `vault.hashicorp.com/agent-inject-command-..`, for it has a container of its own.
//!
//! **What it allows.** `shareProcessNamespace`, `hostPID`,
//! `vault.hashicorp.com/agent-share-process-namespace: "true"`, a process that the same container
//! starts, the container's own `preStop` and `postStart`, and whatever cannot be told.
//!
//! **How to fix it.** Set `shareProcessNamespace: true` in the pod's spec, or let the container
//! reload itself. In metadata nobody reads it, and the remedy says so.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::image::Image;
use crate::kube::object::Placed;
use crate::rules::inline::{InlineScript, main_script, own_script, probe_scripts};
use crate::shell::{Invocation, Script, inline};
use crate::watch::{Recipient, may_start, signals};

pub(crate) const RULE: Rule = Rule::new::<CrossContainerSignal>(
    "cross-container-signal",
    include_str!("../../../policies/cross-container-signal.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct CrossContainerSignal;

/// Any command that signals is spelled with one of these: `kill`, `pkill`, `killall`, or a server
/// with `-s`, `-k`.
const WORDS: [&str; 8] =
    ["kill", "nginx", "openresty", "angie", "httpd", "apache", "squid", "haproxy"];

impl Check for CrossContainerSignal {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        let containers = pod.app_containers().take(CONTAINERS + 1).count();
        if pod.spec.share_process_namespace || pod.spec.host_pid || containers > CONTAINERS {
            return;
        }
        let mut neighbours = Neighbours { pod, scripts: None };
        if by_vault(pod, findings, &mut neighbours) == Shared::Yes || containers < 2 {
            return;
        }
        for placed in pod.app_containers() {
            let main = main_script(pod, placed.container, &WORDS);
            for inline in main.into_iter().chain(probe_scripts(pod, placed.container, &WORDS)) {
                for target in stray_targets(&mut neighbours, &placed, &inline) {
                    findings.report(finding(pod, &placed, &inline, &target));
                }
            }
        }
    }
}

/// Whether the containers of a pod see each other's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shared {
    Yes,
    No,
}

/// How the annotations begin that tell Vault's injector of its agent.
const VAULT: &str = "vault.hashicorp.com/agent-";

/// Whether the annotation `key` is a command of Vault's agent.
pub(in crate::rules) fn is_command(key: &str) -> bool {
    key.strip_prefix(VAULT).is_some_and(|name| name.starts_with("inject-command"))
}

/// Whether `key` is another annotation of Vault's agent whose text is read.
pub(in crate::rules) fn is_switch(key: &str) -> bool {
    matches!(key.strip_prefix(VAULT), Some("inject" | "share-process-namespace"))
}

/// Reports the signals that Vault's agent is told to send.
fn by_vault(
    pod: &PodView<'_>,
    findings: &mut Findings,
    neighbours: &mut Neighbours<'_, '_>,
) -> Shared {
    let annotations = &pod.metadata.annotations;
    let told = || annotations.iter().filter_map(|(key, _)| Some((key, key.strip_prefix(VAULT)?)));
    let text = |name: &str| annotations.text(&format!("{VAULT}{name}"));
    if told().next().is_none() || text("inject").is_none_or(|value| value != "true") {
        return Shared::No;
    }
    if text("share-process-namespace").is_some_and(|value| value == "true") {
        return Shared::Yes;
    }
    let commands = told().filter(|(key, _)| is_command(key));
    for (key, name) in commands.take(COMMANDS) {
        let Some(command) = text(name) else { continue };
        let invocation = Invocation { command: &["sh", "-c", &command], ..Invocation::default() };
        let Some(script) = inline(&invocation) else { continue };
        let targets: BTreeSet<String> = named(&script).collect();
        for target in targets {
            if !may_start(&script, &target) && neighbours.run("", &target) {
                let message = |names: Names| {
                    let target = names.quoted(&target);
                    format!(
                        "the signal of Vault's agent cannot reach {target} in another container"
                    )
                };
                let pointer = pod.annotation_pointer(key);
                findings.report(Finding::new(RULE.name, pointer, message, remedy(pod)));
            }
        }
    }
    Shared::No
}

/// The most commands of Vault's agent that are looked into. More are nobody's pod.
const COMMANDS: usize = 16;

/// The first few processes that a script signals by name.
fn named(script: &Script) -> impl Iterator<Item = String> {
    let named = signals(script).into_iter().filter_map(|signal| match signal.recipient {
        Recipient::Named(target) => Some(target),
        _ => None,
    });
    named.take(TARGETS)
}

/// What to do: where somebody tried, to put that where it is read.
fn remedy(pod: &PodView<'_>) -> &'static str {
    let beside = pod.workload.template.as_ref();
    let beside = beside.is_some_and(|template| template.share_process_namespace.is_some());
    if pod.metadata.share_process_namespace.is_some() {
        "move shareProcessNamespace from the pod's metadata to its spec: nobody reads it there"
    } else if pod.is_template() && (beside || pod.workload.share_process_namespace) {
        "move shareProcessNamespace to the spec of the template: nobody reads it elsewhere"
    } else {
        "set shareProcessNamespace: true on the pod, or let the container reload itself"
    }
}

/// The most containers of a pod whose scripts are held against each other. More are nobody's pod.
const CONTAINERS: usize = 32;

/// The most targets of one script that are looked into. More are nobody's script.
const TARGETS: usize = 16;

/// The processes of other containers that the script signals.
fn stray_targets(
    neighbours: &mut Neighbours<'_, '_>,
    placed: &Placed<'_, '_>,
    text: &InlineScript,
) -> BTreeSet<String> {
    let mut targets: BTreeSet<String> = named(&text.script).collect();
    targets.retain(|target| {
        // without a command of its own the image decides what runs, so nothing can be told
        let elsewhere =
            neighbours.script(&placed.container.name).is_some_and(|own| !may_start(own, target));
        elsewhere
            && !may_start(&text.script, target)
            && neighbours.run(&placed.container.name, target)
    });
    targets
}

/// A container, and what it runs.
type Started<'s> = (&'s Container<'s>, Option<Rc<Script>>);

/// The containers of a pod with what they run, read once and only where a signal asks for it.
struct Neighbours<'p, 's> {
    pod: &'p PodView<'s>,
    scripts: Option<Vec<Started<'s>>>,
}

impl<'s> Neighbours<'_, 's> {
    fn scripts(&mut self) -> &[Started<'s>] {
        let pod = self.pod;
        let containers = pod.app_containers().map(|placed| placed.container);
        self.scripts.get_or_insert_with(|| {
            containers.map(|container| (container, own_script(pod, container))).collect()
        })
    }

    /// What the container called `name` runs.
    fn script(&mut self, name: &str) -> Option<&Script> {
        self.scripts().iter().find(|(container, _)| &*container.name == name)?.1.as_deref()
    }

    /// Whether a container other than `asking` runs `program`: by its image's or its own name, or
    /// by its command.
    fn run(&mut self, asking: &str, program: &str) -> bool {
        self.scripts().iter().filter(|(container, _)| &*container.name != asking).any(
            |(container, script)| {
                let image = Image::parse(&container.image).name();
                image.contains(program)
                    || container.name.contains(program)
                    || script.as_ref().is_some_and(|script| may_start(script, program))
            },
        )
    }
}

fn finding(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    inline: &InlineScript,
    target: &str,
) -> Finding {
    let name = &placed.container.name;
    let message = |names: Names| {
        format!(
            "container {}: its signal cannot reach {} in another container",
            names.quoted(name),
            names.quoted(target)
        )
    };
    Finding::new(RULE.name, pod.container_pointer(placed, inline.field), message, remedy(pod))
        .in_container(name)
}

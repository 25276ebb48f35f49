//! A signal for a process in another container.
//!
//! **Why it matters.** Containers of a pod do not see each other's processes. A sidecar that runs
//! `nginx -s reload` or `pkill` for a process of its neighbour finds nothing to signal, often
//! without an error that anybody reads.
//!
//! **What it looks at.** `kill`, `pkill`, `killall` and servers that signal themselves (`nginx -s
//! reload`) in shell text of `command`, `args` and probes of regular containers and sidecars, in a
//! pod with more than one of them, where another one runs the program that is meant.
//!
//! **What it allows.** `shareProcessNamespace`, `hostPID`, a process that the same container
//! starts, the container's own `preStop` and `postStart`, and whatever cannot be told.
//!
//! **How to fix it.** Set `shareProcessNamespace: true`, or let the container reload itself.

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
use crate::shell::Script;
use crate::watch::{Recipient, may_start, signals};

pub(crate) const RULE: Rule = Rule::new::<CrossContainerSignal>(
    "cross-container-signal",
    include_str!("../../../policies/cross-container-signal.yaml"),
);

#[derive(Debug, Default)]
struct CrossContainerSignal;

/// Any command that signals is spelled with one of these: `kill`, `pkill`, `killall`, or a server
/// with `-s`, `-k`.
const WORDS: [&str; 8] =
    ["kill", "nginx", "openresty", "angie", "httpd", "apache", "squid", "haproxy"];

impl Check for CrossContainerSignal {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        let containers = pod.app_containers().take(CONTAINERS + 1).count();
        if pod.spec.share_process_namespace
            || pod.spec.host_pid
            || !(2..=CONTAINERS).contains(&containers)
        {
            return;
        }
        let mut neighbours = Neighbours { pod, scripts: None };
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

/// The most containers of a pod whose scripts are held against each other. More are nobody's pod.
const CONTAINERS: usize = 32;

/// The most targets of one script that are looked into. More are nobody's script.
const TARGETS: usize = 16;

/// The processes of other containers that the script signals.
fn stray_targets(
    neighbours: &mut Neighbours<'_, '_>,
    placed: &Placed<'_, '_>,
    inline: &InlineScript,
) -> BTreeSet<String> {
    let named = signals(&inline.script).into_iter().filter_map(|signal| match signal.recipient {
        Recipient::Named(target) => Some(target),
        _ => None,
    });
    let mut targets: BTreeSet<String> = named.take(TARGETS).collect();
    targets.retain(|target| {
        // without a command of its own the image decides what runs, so nothing can be told
        let elsewhere =
            neighbours.script(&placed.container.name).is_some_and(|own| !may_start(own, target));
        elsewhere
            && !may_start(&inline.script, target)
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
    let remedy = "set shareProcessNamespace: true on the pod, or let the container reload itself";
    Finding::new(RULE.name, pod.container_pointer(placed, inline.field), message, remedy)
        .in_container(name)
}

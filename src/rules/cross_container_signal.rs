//! A signal for a process in another container.
//!
//! **Why it matters.** Containers of a pod do not see each other's processes. A sidecar that runs `nginx -s reload` or
//! `pkill` for a process of its neighbour finds nothing to signal, often without an error that anybody reads.
//!
//! **What it looks at.** `kill`, `pkill`, `killall` and servers that signal themselves (`nginx -s reload`) in shell text
//! of `command`, `args` and probes of regular containers and sidecars, in a pod with more than one of them, where
//! another one runs the program that is meant.
//!
//! **What it allows.** `shareProcessNamespace`, `hostPID`, a process that the same container starts, the container's own
//! `preStop` and `postStart`, and whatever cannot be told.
//!
//! **How to put it right.** Set `shareProcessNamespace: true`, or let the container reload itself.

use serde::Deserialize;

use crate::judge::finding::{Finding, Findings, quoted};
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::object::Placed;
use crate::kube::watcher::{Recipient, may_start, signals};

use super::inline::{Inline, main_script, own_script, probe_scripts};

/// The rule.
pub const RULE: Rule = Rule::new::<CrossContainerSignal>("cross-container-signal", include_str!("cross_container_signal.rs"), &[]);

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CrossContainerSignal {}

/// Any command that signals is spelled with one of these: `kill`, `pkill`, `killall`, or a server with `-s`, `-k`.
const WORDS: [&str; 8] = ["kill", "nginx", "openresty", "angie", "httpd", "apache", "squid", "haproxy"];

impl Check for CrossContainerSignal {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if pod.spec.share_process_namespace || pod.spec.host_pid || pod.app_containers().nth(1).is_none() {
            return;
        }
        for placed in pod.app_containers() {
            let main = main_script(placed.container, &WORDS);
            for inline in main.into_iter().chain(probe_scripts(placed.container, &WORDS)) {
                for target in stray_targets(pod, &placed, &inline) {
                    findings.report(finding(pod, &placed, &inline, &target));
                }
            }
        }
    }
}

/// The processes of other containers that the script signals.
fn stray_targets(pod: &PodView<'_>, placed: &Placed<'_, '_>, inline: &Inline) -> Vec<String> {
    let own = own_script(placed.container);
    let mut strays = Vec::new();
    for signal in signals(&inline.script) {
        let Recipient::Named(target) = signal.recipient else { continue };
        // without a command of its own the image decides what runs, so nothing can be told
        let elsewhere = own.as_ref().is_some_and(|own| !may_start(own, &target)) && !may_start(&inline.script, &target);
        if elsewhere && runs_beside(pod, placed.container, &target) && !strays.contains(&target) {
            strays.push(target);
        }
    }
    strays
}

/// Whether another container of the pod runs `program`: by its image's or its own name, or by its command.
fn runs_beside(pod: &PodView<'_>, container: &Container<'_>, program: &str) -> bool {
    pod.app_containers().map(|placed| placed.container).filter(|other| other.name != container.name).any(|other| {
        let image = other.image.rsplit('/').next().unwrap_or_default();
        let image = image.split([':', '@']).next().unwrap_or_default();
        image.contains(program) || other.name.contains(program) || own_script(other).is_some_and(|script| may_start(&script, program))
    })
}

fn finding(pod: &PodView<'_>, placed: &Placed<'_, '_>, inline: &Inline, target: &str) -> Finding {
    let name = &placed.container.name;
    let message = format!("container {}: its signal cannot reach {} in another container", quoted(name), quoted(target));
    let remedy = "set shareProcessNamespace: true on the pod, or let the container reload itself";
    Finding::new(pod.container_pointer(placed, inline.field), &message, remedy).in_container(name)
}

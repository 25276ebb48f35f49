//! A restart of all containers that passes over an orderly stop.
//!
//! **Why it matters.** `RestartAllContainers` runs no preStop hook and ignores
//! `terminationGracePeriodSeconds`: SIGTERM, two seconds, SIGKILL. Whoever wrote a hook or asked
//! for more time (draining, flushing, leaving a cluster) gets neither.
//!
//! **What it looks at.** Pods where a rule of some container restarts all of them on some exit
//! code: preStop hooks of any container, one finding each, and a grace period other than the
//! default of 30 s.
//!
//! **What it allows.** The default grace period: nobody asked for it. A grace period of 2 s or
//! less, which is kept. Rules that never match.
//!
//! **How to fix it.** Stop in order before the exit code is given, or let the container
//! restart alone (`Restart`).

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;

pub(crate) const RULE: Rule = Rule::new::<RestartAllSkipsPreStop>(
    "restart-all-skips-pre-stop",
    include_str!("../../../policies/restart-all-skips-pre-stop.yaml"),
);

#[derive(Debug, Default)]
struct RestartAllSkipsPreStop;

/// The grace period that the API server fills in, in seconds.
const DEFAULT_GRACE: i64 = 30;

/// The time the kubelet leaves, in seconds.
const GRACE_LEFT: i64 = 2;

impl Check for RestartAllSkipsPreStop {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        let triggers = |container: &Container<'_>| container.restart_all_rules().next().is_some();
        let Some(trigger) = pod.all_containers().find(|placed| triggers(placed.container)) else {
            return;
        };
        let by = &trigger.container.name;
        let remedy =
            "stop in order before the exit code is given, or let the container restart alone";
        for placed in
            pod.all_containers().filter(|placed| placed.container.lifecycle.pre_stop.is_some())
        {
            let name = &placed.container.name;
            let message = |names: Names| {
                let (name, by) = (names.quoted(name), names.quoted(by));
                format!("container {name}: no preStop hook runs where {by} restarts all")
            };
            findings.report(
                Finding::new(
                    RULE.name,
                    pod.container_pointer(&placed, "lifecycle/preStop"),
                    message,
                    remedy,
                )
                .in_container(name),
            );
        }
        let grace = pod.spec.termination_grace_period_seconds;
        if let Some(grace) = grace.filter(|grace| *grace != DEFAULT_GRACE && *grace > GRACE_LEFT) {
            let message = |names: Names| {
                format!(
                    "{GRACE_LEFT}s of the {grace}s grace period are left where {} restarts all",
                    names.quoted(by)
                )
            };
            findings.report(Finding::new(
                RULE.name,
                pod.spec_pointer("terminationGracePeriodSeconds"),
                message,
                remedy,
            ));
        }
    }
}

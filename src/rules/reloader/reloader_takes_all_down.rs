//! Reloader restarts a workload that has no pod to spare.
//!
//! **Why it matters.** With `auto` stakater's Reloader restarts a workload whenever its
//! configuration changes, at that minute. Where the old pod has to go before the new one comes, a
//! change of a ConfigMap is an outage, and the author of the ConfigMap does not know.
//!
//! **What it looks at.** Workloads where `auto` is on and the pod refers to what it restarts for:
//! Deployments with strategy `Recreate`; Deployments with one replica that may become unavailable
//! (`maxUnavailable` of 1 or more or of 100%, or `maxSurge` of 0); StatefulSets with one replica,
//! unless they are updated by hand (`OnDelete`).
//!
//! **What it allows.** A Deployment with one replica and the default strategy: its new pod is ready
//! before the old one goes. Absent `replicas` in a file: an autoscaler may own them. In a cluster
//! they are never absent, because the API server writes 1. DaemonSets and Jobs. Lists of names:
//! somebody chose them.
//!
//! **How to fix it.** Run two replicas, let the new pod come first (`maxSurge: 1`,
//! `maxUnavailable: 0`), or leave the restart to a person.

use crate::judge::finding::{Finding, Findings};
use crate::judge::rule::{Check, Rule};
use crate::judge::subject::Resource;
use crate::judge::view::PodView;
use crate::kube::object::Spec;
use crate::rules::reloader_annotations::ReloaderAnnotations;

pub(crate) const RULE: Rule = Rule::new::<ReloaderTakesAllDown>(
    "reloader-takes-all-down",
    include_str!("../../../policies/reloader-takes-all-down.yaml"),
);

#[derive(Debug, Default)]
struct ReloaderTakesAllDown;

impl Check for ReloaderTakesAllDown {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        let Some(reloader) = ReloaderAnnotations::of(pod) else { return };
        let Some((why, field)) =
            gap(pod.resource, pod.workload).filter(|_| reloader.will_restart(pod))
        else {
            return;
        };
        let message = |_| format!("Reloader restarts all pods at once: {why}");
        let remedy =
            "run two replicas or let the new pod come first, or leave the restart to a person";
        findings.report(Finding::new(RULE.name, format!("/spec/{field}"), message, remedy));
    }
}

/// Why there is a time without a pod while the workload restarts, and the field that says so.
fn gap(resource: Resource, workload: &Spec<'_>) -> Option<(&'static str, &'static str)> {
    let single = workload.replicas == Some(1);
    match resource {
        Resource::Deployment
            if &*workload.strategy.kind == "Recreate" && workload.replicas != Some(0) =>
        {
            Some(("the strategy is Recreate", "strategy/type"))
        }
        Resource::Deployment if single && workload.strategy.rolling_update.leaves_none_of_one() => {
            Some(("the one replica may become unavailable", "strategy/rollingUpdate"))
        }
        Resource::StatefulSet if single && &*workload.update_strategy.kind != "OnDelete" => {
            Some(("there is one replica", "replicas"))
        }
        _ => None,
    }
}

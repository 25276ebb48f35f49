//! A change of a ConfigMap that running containers do not see.
//!
//! **Why it matters.** Variables and files mounted by `subPath` are taken when a container starts.
//! The change is stored, and the processes go on with what was; it arrives with the next restart,
//! unannounced, and perhaps in some replicas only.
//!
//! **What it looks at.** Keys that change or go, against the workloads and pods of the namespace
//! that run and took them as `env`, `envFrom` or by `subPath`, in regular containers and sidecars.
//! Each workload is named with the command that puts the change in force: in place where a resize
//! of memory restarts the container, else by a rollout.
//!
//! **What it allows.** Whatever rolls the workload: Reloader, Wave, a checksum in the template, a
//! name with a generated hash. Files of whole mounts, which the kubelet brings within a minute or
//! two. What has no process: no replicas, Jobs and CronJobs. A key that is lost and needed is
//! `missing-config-key` alone, and a key that is new is held by nobody.
//!
//! **How to fix it.** Run the command, or let Reloader do it from now on.

use crate::judge::finding::Findings;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::ConfigurationView;
use crate::rules::config_change::{ConfigEffect, Words, report, unseen};

pub(crate) const RULE: Rule = Rule::new::<UnseenConfigChange>(
    "unseen-config-change",
    include_str!("../../../policies/unseen-config-change.yaml"),
);

/// How it is told.
pub(crate) const WORDS: Words = Words {
    verb: "keeps the old",
    many: "they keep what they have of",
    remedy: |effect: &ConfigEffect<'_>, namespace| effect.restart(namespace),
};

#[derive(Debug, Default)]
struct UnseenConfigChange;

impl Check for UnseenConfigChange {
    fn configuration(&self, change: &ConfigurationView<'_>, findings: &mut Findings) {
        report(RULE.name, change, &unseen(change), WORDS, findings);
    }
}

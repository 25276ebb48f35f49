//! A resize that takes memory from a running process, without an approval.
//!
//! **Why it matters.** Since Kubernetes 1.35 anyone who may patch `pods/resize` can lower a memory
//! limit in place. The kernel then reclaims or kills; the API server checks neither usage nor a
//! floor (a limit of 1 byte is accepted).
//!
//! **What it looks at.** The effective limit of the pod and of every container (regular, sidecar,
//! init) before and after: the container's own limit, else the pod-level one, else unlimited. `0`
//! is unlimited, so a first limit is a decrease. Where a container only follows the pod-level
//! limit, the pod answers for it. Amounts beyond 64 bits, which wrap around on their way to the
//! kernel, count as a decrease.
//!
//! "Before" is what the process has. That is the stored spec, or less where the kubelet says that
//! the resize to it waits (`PodResizePending`) or failed (`PodResizeInProgress`, reason `Error`):
//! then the limit in `status.containerStatuses[].resources` counts. A status of another
//! `metadata.generation`, one that cannot be read, and that of a pod on no node count for nothing.
//! A pod without a limit of its own has what its containers' limits add up to, if each has one.
//!
//! **What it allows.** Increases; the same amount in other words; taking back growth that was never
//! carried out, down to what the process has; a decrease that an approval on the stored pod covers:
//! a stamp that the service sealed for this pod and this state of its spec, that has not expired,
//! and whose floor is not above the new limit; a decrease that an allowance of the policy covers.
//! An annotation that arrives with the resize counts for nothing.
//!
//! **How to fix it.** Have the decrease approved with the command the denial tells, or roll
//! out the new limit.
//!
//! **Automation.** The vertical pod autoscaler answers a denied resize by evicting the pod. For
//! requesters listed as automation the mutating path puts memory request and limit of the container
//! back to what it has, warns, and lets the rest of the resize through; of a pod with pod-level
//! memory it puts all memory back, because its parts must fit together. If the mutating path was
//! not asked, the decrease is denied as for anybody.
//!
//! **Settings.** `fourEyes`: `true` wants an approver who is not the requester of the resize
//! (default `false`).
//!
//! `automation`: `users` and `groups` whose decreases are put back; `*` matches any run of
//! characters (default: users `system:serviceaccount:*:*vpa*updater*` and
//! `system:serviceaccount:*:*vertical-pod-autoscaler*updater*`, the updaters of the VPA of common
//! installations). `unapproved`: `restore` or `deny` for automation (default `restore`).
//!
//! `allowances`: a list of standing rules by which a decrease needs no person. Each has a `name`,
//! which stands in every record of what it let through, and any of: `requesters` (`users` and
//! `groups`; `*` as above, but not in the namespace of a service account), `atLeast` (no shrinking
//! container or pod ends below it), `step` (at most this share of what it has in one resize, as in
//! `25%`), `aboveUsage` (the new limit is this share above the live working set of the metrics API;
//! what cannot be told in time is not allowed), `onlyWithRestart: true` (only containers whose
//! memory policy is `RestartContainer`; never the pod's own limit), `onlyUnscheduled: true` (only
//! pods on no node). All that is there must hold for every part that shrinks, and one allowance
//! must cover the whole resize. One of `atLeast`, `aboveUsage` and `onlyUnscheduled` is required,
//! because steps add up. `heap-above-limit` denies as ever.

mod allowance;
mod restore;

use std::cell::OnceCell;
use std::sync::Arc;

use serde::Deserialize;

use crate::approval::{ApprovalNote, Invalid, LimitChange, Stamp};
use crate::judge::finding::{Finding, Findings, Lift};
use crate::judge::message::Names;
use crate::judge::requesters::{REQUESTER_FIELDS, Requesters};
use crate::judge::rule::{Check, LookUp, RestorePolicy, Rule, Stages};
use crate::judge::settings::{self, Setting, SettingsError};
use crate::judge::view::{MemoryChange, ResizeView};

use crate::rules::heap::heap_above_limit;

use allowance::Allowances;

pub(crate) const RULE: Rule = Rule::staged(
    "memory-limit-decrease",
    include_str!("../../../policies/memory-limit-decrease.yaml"),
    &[
        Setting::with_fields("allowances", allowance::FIELDS),
        Setting::with_fields("automation", REQUESTER_FIELDS),
        Setting::plain("fourEyes"),
        Setting::plain("unapproved"),
    ],
    configure,
)
.not_ignorable();

fn configure(settings: serde_json::Value) -> Result<Stages, SettingsError> {
    let rule: Arc<MemoryLimitDecrease> = Arc::new(settings::read(settings)?);
    Ok(Stages { check: Some(rule.clone()), restore: Some(rule), ..Stages::default() })
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct MemoryLimitDecrease {
    four_eyes: bool,
    allowances: Allowances,
    automation: Requesters,
    unapproved: Unapproved,
}

/// What is done about a decrease by automation that nobody approved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unapproved {
    /// It is put back.
    #[default]
    Restore,
    /// It is denied, as for anybody.
    Deny,
}

/// What public charts and operators call the updater of the VPA, in whatever namespace. To be listed
/// gives nothing, so the names may be wide.
const UPDATERS: [&str; 2] = [
    "system:serviceaccount:*:*vpa*updater*",
    "system:serviceaccount:*:*vertical-pod-autoscaler*updater*",
];

impl Default for MemoryLimitDecrease {
    fn default() -> Self {
        Self {
            four_eyes: false,
            allowances: Allowances::default(),
            automation: Requesters::of_users(&UPDATERS),
            unapproved: Unapproved::default(),
        }
    }
}

impl Check for MemoryLimitDecrease {
    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        let (allowance, way_out) = (OnceCell::new(), OnceCell::new());
        let (mut used, mut allowed) = (None::<(Vec<LimitChange>, &Stamp)>, Vec::new());
        for change in resize.memory_changes().filter(MemoryChange::limit_falls) {
            let invalid = match self.approval(resize, &change) {
                Ok(stamp) => {
                    used.get_or_insert_with(|| (Vec::new(), stamp)).0.push(limits(&change));
                    continue;
                }
                Err(invalid) => invalid,
            };
            if allowance.get_or_init(|| self.allowances.covering(resize)).is_some() {
                allowed.push(limits(&change));
                continue;
            }
            if invalid != Invalid::Absent {
                let (change, reason) = (limits(&change), invalid.as_str());
                findings.approval(ApprovalNote::Invalid { reason, change });
            }
            let way_out = way_out.get_or_init(|| WayOut::of(resize));
            findings.report(denial(&change, &invalid, way_out));
        }
        if let Some((changes, stamp)) = used {
            findings.approval(ApprovalNote::Used { changes, stamp: Box::new(stamp.clone()) });
        }
        if let Some(Some(name)) = allowance.get().filter(|_| !allowed.is_empty()) {
            let allowance = (*name).to_owned();
            findings.approval(ApprovalNote::Allowed { changes: allowed, allowance });
        }
    }

    fn asks_for(&self, resize: &ResizeView<'_>) -> Option<LookUp> {
        let falls = || resize.memory_changes().any(|change| change.limit_falls());
        // mostly there are none
        (self.allowances.ask_for_usage(resize) && falls()).then_some(LookUp::Usage)
    }
}

impl RestorePolicy for MemoryLimitDecrease {
    fn automation(&self) -> &Requesters {
        &self.automation
    }

    fn restores(&self) -> bool {
        self.unapproved == Unapproved::Restore
    }

    fn restore(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        if self.puts_back(resize) && self.allowances.covering(resize).is_none() {
            let is_approved = |change: &MemoryChange<'_>| self.approval(resize, change).is_ok();
            restore::put_back(RULE.name, resize, is_approved, findings);
        }
    }

    fn asks_for(&self, resize: &ResizeView<'_>) -> Option<LookUp> {
        self.puts_back(resize).then(|| Check::asks_for(self, resize)).flatten()
    }
}

impl MemoryLimitDecrease {
    /// Whether what is not approved of `resize` is put back.
    fn puts_back(&self, resize: &ResizeView<'_>) -> bool {
        self.restores() && self.automation.include(resize.requester())
    }

    /// The approval that covers `change`, or why none does.
    fn approval<'s>(
        &self,
        resize: &'s ResizeView<'_>,
        change: &MemoryChange<'_>,
    ) -> Result<&'s Stamp, Invalid> {
        let stamp = resize.approval().covers(change.part, change.limit.1)?;
        let alone = self.four_eyes && stamp.approver == *resize.requester().username;
        if alone { Err(Invalid::SamePerson) } else { Ok(stamp) }
    }
}

fn limits(change: &MemoryChange<'_>) -> LimitChange {
    LimitChange {
        container: change.part.container().map(str::to_owned),
        from: change.limit.0.to_string(),
        to: change.limit.1.to_string(),
    }
}

/// How a denied resize gets there all the same.
struct WayOut {
    /// In words; the same for every part of the pod, and worked out once.
    words: String,
    lift: Lift,
}

impl WayOut {
    fn of(resize: &ResizeView<'_>) -> Self {
        let heap = heap_above_limit::first_in_the_way(resize);
        let why_forced = match &heap {
            Some(heap) => [" (force: heap ", &heap.setting, " does not fit)"].concat(),
            None => String::new(),
        };
        let rollout = rollout(resize);
        let words = match resize.granting_command(heap.is_some()) {
            Some(command) => {
                ["an approver grants it with `", &command, "`", &why_forced, ", or ", rollout]
                    .concat()
            }
            None => rollout.to_owned(),
        };
        let lift = if heap.is_some() { Lift::ForcedGrant } else { Lift::Grant };
        Self { words, lift }
    }
}

/// How to get there without an approval.
fn rollout(resize: &ResizeView<'_>) -> &'static str {
    match (resize.is_scheduled(), resize.old.metadata.controller()) {
        (true, _) => "roll out the new limit",
        (false, Some(_)) => "change its template: the pod does not run yet",
        (false, None) => "create it anew with the new limit: the pod does not run yet",
    }
}

fn denial(change: &MemoryChange<'_>, invalid: &Invalid, way_out: &WayOut) -> Finding {
    let (old, new) = (change.limit.0, change.limit.1);
    let message = |names: Names| {
        format!("{}: memory limit {old} -> {new} {invalid}", names.part(change.part))
    };
    let origin = if change.may_come_from_limit_range() {
        "nobody asked for it? A LimitRange of the namespace adds it to any resize; "
    } else {
        ""
    };
    let remedy = [origin, &way_out.words].concat();
    Finding::new(RULE.name, change.pointer("limits"), message, remedy)
        .about_part(change.part)
        .lifted_by(way_out.lift)
}

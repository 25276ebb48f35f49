//! Whether a pod took the place of another, and why.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::certainty::Certainty;
use super::context::HistoryContext;
use super::event::{Event, Events};
use super::record::{Owner, Record};

/// Pods that were made this much later than their owner were not made with it.
const LATER: SignedDuration = SignedDuration::from_mins(5);

/// A controller acts within this time.
const SOON: SignedDuration = SignedDuration::from_secs(10);

/// The annotation of `kubectl rollout restart`.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// That a pod took the place of another, as far as that can be told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recreation {
    /// How sure it is that it did.
    pub certainty: Certainty,
    /// Why the other is gone.
    pub cause: Replaced,
    /// How sure the cause is.
    pub cause_certainty: Certainty,
    /// The UID of the pod before, where events tell it.
    pub earlier_uid: Option<String>,
    /// What speaks for it.
    pub why: String,
}

/// Why a pod was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replaced {
    /// Its template changed.
    Rollout,
    /// `kubectl rollout restart`.
    RolloutRestart,
    /// It was evicted.
    Eviction,
    /// It made room for another.
    Preemption,
    /// Its node did not answer.
    NodeLoss,
    /// It was deleted, or is gone for another reason than a rollout.
    Deletion,
    /// Nothing tells.
    Unknown,
}

impl Replaced {
    /// What it is called in the text form.
    pub fn words(self) -> &'static str {
        match self {
            Self::Rollout => "a rollout",
            Self::RolloutRestart => "kubectl rollout restart",
            Self::Eviction => "an eviction",
            Self::Preemption => "a preemption",
            Self::NodeLoss => "the loss of a node",
            Self::Deletion => "a deletion, and no rollout",
            Self::Unknown => "a cause that is not known",
        }
    }
}

/// Whether the pod took the place of another. Nobody makes a pod without a controller anew but
/// whoever made it.
pub(super) fn of(record: &Record, events: &Events, context: &HistoryContext) -> Option<Recreation> {
    let owner = record.controller()?;
    let created = record.metadata.creation_timestamp;
    if !events.others.is_empty() {
        return Some(same_name(record, owner, events, context));
    }
    let created = created?;
    if let Some(since) = restarted_at(record) {
        let after = created.duration_since(since);
        if !after.is_negative() && after <= SOON {
            let why = format!(
                "it was made {} s after `kubectl rollout restart` (annotation restartedAt: {since}), by its {} {:?}: in place of a pod of \
                 the template before",
                after.as_secs(),
                owner.kind,
                owner.name
            );
            return Some(Recreation::of(Certainty::Likely, Replaced::RolloutRestart, why));
        }
    }
    by_age(record, owner, created, context)
}

fn restarted_at(record: &Record) -> Option<Timestamp> {
    record.metadata.annotations.get(RESTARTED_AT)?.parse().ok()
}

/// Events tell of a pod of the same name.
fn same_name(
    record: &Record,
    owner: &Owner,
    events: &Events,
    context: &HistoryContext,
) -> Recreation {
    let earlier_uid = events.others.first().cloned();
    let uid = earlier_uid.as_deref().unwrap_or_default();
    let told: Vec<&Event> =
        events.of_others.iter().filter(|event| event.uid.is_empty() || event.uid == uid).collect();
    let (cause, cause_certainty, how) = ended_by(&told)
        .or_else(|| by_template(record, &told, context))
        .unwrap_or_else(|| {
            let how = match owner.kind.as_str() {
                "StatefulSet" | "DaemonSet" => {
                    "a change of its template or a deletion by somebody: the events do not tell these apart, the age of the controller \
                     revision would"
                }
                _ => "the events do not tell why",
            };
            (Replaced::Unknown, Certainty::Unknown, how.to_owned())
        });
    let why = format!(
        "events tell of a pod of the same name with another UID ({uid}): the {} {:?} made this one in its place; {how}",
        owner.kind, owner.name
    );
    Recreation { certainty: Certainty::Certain, cause, cause_certainty, earlier_uid, why }
}

/// What the events of the pod before say of its end.
fn ended_by(told: &[&Event]) -> Option<(Replaced, Certainty, String)> {
    let find = |reason: &str, words: &str| {
        told.iter().rfind(|event| event.reason == reason && event.message.contains(words))
    };
    let (cause, event) = find("Evicted", "")
        .map(|event| (Replaced::Eviction, event))
        .or_else(|| find("Preempted", "").map(|event| (Replaced::Preemption, event)))
        .or_else(|| find("Preempting", "").map(|event| (Replaced::Preemption, event)))
        .or_else(|| {
            find("TaintManagerEviction", "Marking for deletion")
                .map(|event| (Replaced::NodeLoss, event))
        })?;
    Some((cause, Certainty::Certain, format!("its event says {:?}", event.message.trim_end())))
}

/// A template that changed just before the pod before was stopped.
fn by_template(
    record: &Record,
    told: &[&Event],
    context: &HistoryContext,
) -> Option<(Replaced, Certainty, String)> {
    let since = context.template_since?;
    let created = record.metadata.creation_timestamp?;
    let stopped =
        told.iter().rfind(|event| event.reason == "Killing").and_then(|event| event.first);
    let began = told.iter().filter_map(|event| event.first).min();
    // the template is newer than the pod before
    if began.is_some_and(|began| since > began) && stopped.is_none_or(|stopped| since <= stopped) {
        let how =
            format!("the template it is made of is of {since}, and newer than that pod: a rollout");
        return Some((Replaced::Rollout, Certainty::Likely, how));
    }
    (created.duration_since(since) > LATER).then(|| {
        let how = format!("the template it is made of is older ({since}): somebody deleted or evicted it, and no rollout did");
        (Replaced::Deletion, Certainty::Likely, how)
    })
}

/// Only the ages of the pod and of its owner tell.
fn by_age(
    record: &Record,
    owner: &Owner,
    created: Timestamp,
    context: &HistoryContext,
) -> Option<Recreation> {
    let restarted = restarted_at(record)
        .map(|since| format!(" (the last `kubectl rollout restart` was at {since})"))
        .unwrap_or_default();
    let Some(owned_since) = context.owner_created else {
        if restarted.is_empty() && !is_of_rollouts(owner) {
            return None;
        }
        let why = format!(
            "its {} {:?} made it at {created}{restarted}; whether in a rollout, in place of a pod that was deleted or evicted, or as one \
             more, the pod itself does not tell: the age of that {} would",
            owner.kind, owner.name, owner.kind
        );
        return Some(unknown(why));
    };
    let template_since = context.template_since.unwrap_or(owned_since);
    if owner.kind == "ReplicaSet" && created.duration_since(owned_since) <= SOON {
        let why = format!(
            "the pod and its ReplicaSet {:?} were made at the same time ({owned_since}){restarted}: by a rollout, in place of a pod of \
             another ReplicaSet, or the workload itself is new",
            owner.name
        );
        return Some(Recreation::of(Certainty::Likely, Replaced::Rollout, why));
    }
    if created.duration_since(template_since) < LATER && owner.kind != "ReplicaSet" {
        return None;
    }
    if created.duration_since(owned_since) < LATER && restarted.is_empty() {
        return None;
    }
    let why = format!(
        "the pod was made at {created}, its {} {:?} at {owned_since}{restarted}: it replaced another (deletion, eviction, drain, lost \
         node, a later step of a rollout) or was added by scaling, which cannot be told apart",
        owner.kind, owner.name
    );
    Some(unknown(why))
}

/// Whether the owner is one that rollouts make.
fn is_of_rollouts(owner: &Owner) -> bool {
    owner.kind == "ReplicaSet"
}

fn unknown(why: String) -> Recreation {
    Recreation::of(Certainty::Unknown, Replaced::Unknown, why)
}

impl Recreation {
    /// One that no event tells of: that it was, and why, are equally sure.
    fn of(certainty: Certainty, cause: Replaced, why: String) -> Self {
        Self { certainty, cause, cause_certainty: certainty, earlier_uid: None, why }
    }
}

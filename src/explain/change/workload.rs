//! Fields of workloads outside their templates.

use serde_json::Value;

use crate::explain::difference::Difference;
use crate::explain::effect::{Consequence, Effect};
use crate::judge::subject::Resource;
use crate::manifest::unstructured::Unstructured;

use super::{Pair, template};

/// What comes of a difference outside the template.
pub(super) fn consequence(pair: Pair<'_>, difference: &Difference<'_>) -> Consequence {
    let words = difference.path.words();
    let later = |why: &str| Consequence::nothing("its controller", why);
    match (pair.new.resource(), words.as_slice()) {
        (Resource::ReplicationController, ["spec", "selector", ..]) => {
            if let Some(fault) = template::labels_missing(pair.new) {
                return Consequence::refused(fault, "change the labels of the template with it");
            }
            Consequence::unknown(
                "pods that the selector leaves out go on without an owner, and others are made in their place",
            )
        }
        (
            Resource::CronJob,
            ["spec", "schedule" | "timeZone" | "concurrencyPolicy" | "startingDeadlineSeconds", ..],
        ) => later("jobs that run go on; it counts for the next run"),
        (Resource::CronJob, ["spec", "suspend"]) => {
            later("jobs that run go on; only new runs are held or let go")
        }
        (Resource::CronJob, ["spec", "jobTemplate", ..]) => Consequence::new(
            Effect::NewPodsOnly,
            "the CronJob controller",
            "jobs that run go on as they are; the next run has it",
            "",
        ),
        (Resource::CronJob, ["spec", ..]) => {
            later("how many finished jobs are kept: nothing that runs is touched")
        }
        (Resource::Job, _) => job(pair, difference, &words),
        (_, ["spec", "selector", ..]) => immutable("the selector", pair),
        (_, ["spec", "replicas"]) => replicas(difference),
        (Resource::Deployment, ["spec", "paused"]) if difference.to == Some(&Value::Bool(true)) => {
            later(
                "later changes of the template wait until it is resumed; pods stay as they are, scaling goes on",
            )
        }
        (Resource::Deployment, ["spec", "paused"]) => Consequence::new(
            Effect::PodRecreation,
            "the Deployment controller",
            "changes of the template that waited roll out now; if none waited nothing happens: that cannot be seen from here",
            "compare with `kubectl rollout history` before",
        ),
        (Resource::StatefulSet, ["spec", "updateStrategy", ..]) if is_left_over(pair.new) => {
            Consequence::refused(
                "rollingUpdate is only allowed for updateStrategy RollingUpdate, and what was filled in stays where a file \
                 says nothing of it (422)",
                "write `rollingUpdate: null` beside `type: OnDelete`",
            )
        }
        (Resource::StatefulSet, ["spec", field, ..]) if is_of_sets(field, &words) => {
            stateful_set(pair, field)
        }
        (Resource::StatefulSet | Resource::DaemonSet, ["spec", "updateStrategy", ..]) => later(
            "it counts for the next rollout; leaving OnDelete begins one at once, if pods are of an older template",
        ),
        (_, ["spec", "strategy", ..]) => later("it counts for the next rollout"),
        (_, ["spec", "minReadySeconds" | "revisionHistoryLimit" | "progressDeadlineSeconds"]) => {
            later("it counts for rollouts and for what is kept of them; pods are not touched")
        }
        _ => Consequence::unknown(format!("no such field of a {} is known", pair.new.kind)),
    }
}

/// Whether a StatefulSet that no longer rolls out still says how.
fn is_left_over(set: &Unstructured) -> bool {
    set.text("/spec/updateStrategy/type") == Some("OnDelete")
        && set.value().pointer("/spec/updateStrategy/rollingUpdate").is_some()
}

/// Whether a field of a StatefulSet is like none of a Deployment.
fn is_of_sets(field: &str, words: &[&str]) -> bool {
    field == "updateStrategy" && words.ends_with(&["partition"])
        || !STATEFUL.contains(&field)
        || matches!(field, "persistentVolumeClaimRetentionPolicy" | "ordinals")
}

fn stateful_set(pair: Pair<'_>, field: &str) -> Consequence {
    match field {
        "updateStrategy" => partition(pair),
        "persistentVolumeClaimRetentionPolicy" => Consequence::nothing(
            "its controller",
            "it counts when the set is scaled down or deleted",
        ),
        "ordinals" => Consequence::new(
            Effect::PodRecreation,
            "the StatefulSet controller",
            "pods whose ordinals are no longer in the range are deleted, and others are made for those that are new",
            "",
        ),
        field => immutable(&format!("{field} of a StatefulSet"), pair),
    }
}

/// What of a StatefulSet can change.
const STATEFUL: [&str; 8] = [
    "minReadySeconds",
    "ordinals",
    "persistentVolumeClaimRetentionPolicy",
    "replicas",
    "revisionHistoryLimit",
    "selector",
    "template",
    "updateStrategy",
];

fn immutable(what: &str, pair: Pair<'_>) -> Consequence {
    let (name, namespace) = (pair.new.target(), &pair.new.namespace);
    let remedy = if pair.new.resource() == Resource::StatefulSet {
        format!(
            "`kubectl delete {name} -n {namespace} --cascade=orphan` keeps the pods; then create it with the new value"
        )
    } else {
        format!(
            "delete {name} and create it with the new value, which replaces its pods; or use another name"
        )
    };
    Consequence::refused(format!("{what} cannot change (422)"), remedy)
}

fn replicas(difference: &Difference<'_>) -> Consequence {
    let number = |value: Option<&Value>| value.and_then(Value::as_i64).unwrap_or(1);
    let (old, new) = (number(difference.from), number(difference.to));
    if new < 0 {
        return Consequence::refused(
            "a number of replicas is not negative (422)",
            "0 is the least",
        );
    }
    let why = if new < old {
        format!(
            "{} pods end, with preStop and grace period; the others are not touched",
            old.saturating_sub(new)
        )
    } else {
        format!("{} pods are made; the others are not touched", new.saturating_sub(old))
    };
    Consequence::new(
        Effect::Scale,
        "its controller",
        why,
        "where a HorizontalPodAutoscaler scales it, leave replicas out of the manifest",
    )
}

/// A lower partition lets a rollout go on.
fn partition(pair: Pair<'_>) -> Consequence {
    let number = |side: &Unstructured| {
        side.number("/spec/updateStrategy/rollingUpdate/partition").unwrap_or_default()
    };
    let (old, new) = (number(pair.old), number(pair.new));
    if new > old {
        return Consequence::nothing(
            "the StatefulSet controller",
            "pods that were replaced already stay; those below the partition are held",
        );
    }
    let rollout = template::rollout(pair);
    let why = format!(
        "pods of an older template with ordinals {new} to {} are replaced; if there are none nothing happens",
        old.saturating_sub(1)
    );
    Consequence { why, ..rollout }
}

/// Of a Job that is there hardly anything can change.
fn job(pair: Pair<'_>, difference: &Difference<'_>, words: &[&str]) -> Consequence {
    match words {
        ["spec", "suspend"] if difference.to == Some(&Value::Bool(true)) => Consequence::new(
            Effect::PodDeletion,
            "the Job controller",
            "its running pods are deleted, with grace period; when it is resumed others begin from the start",
            "",
        ),
        ["spec", "suspend"] => {
            Consequence::new(Effect::Scale, "the Job controller", "its pods are made", "")
        }
        ["spec", "parallelism"] => Consequence::new(
            Effect::Scale,
            "the Job controller",
            "pods are added, or running ones end, to fit it",
            "",
        ),
        ["spec", "completions"] if is_elastic(pair) => Consequence::new(
            Effect::Scale,
            "the Job controller",
            "an indexed Job whose completions equal its parallelism may be scaled",
            "",
        ),
        [
            "spec",
            "backoffLimit"
            | "ttlSecondsAfterFinished"
            | "activeDeadlineSeconds"
            | "manualSelector"
            | "maxFailedIndexes"
            | "podReplacementPolicy",
        ] => Consequence::nothing(
            "the Job controller",
            "pods are not touched until the new bound is reached",
        ),
        _ => immutable(&format!("{} of a Job", words.get(1).unwrap_or(&"it")), pair),
    }
}

fn is_elastic(pair: Pair<'_>) -> bool {
    let number = |field: &str| pair.new.number(&format!("/spec/{field}"));
    pair.new.text("/spec/completionMode") == Some("Indexed")
        && number("completions") == number("parallelism")
}

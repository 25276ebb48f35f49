//! Pod templates: what a change of one does to the pods made from it.

use serde_json::Value;

use crate::explain::difference::{Difference, Path};
use crate::explain::effect::{Consequence, Effect};
use crate::judge::subject::Resource;
use crate::manifest::unstructured::Unstructured;

use super::{Pair, valid};

/// The words of the path within the template; `None` where it leads elsewhere.
pub(super) fn within<'p>(object: &Unstructured, path: &'p Path) -> Option<Vec<&'p str>> {
    let mut words = path.words().into_iter();
    let is_within = object.template()?.fields().all(|field| words.next() == Some(field));
    is_within.then(|| words.collect())
}

/// What comes of a difference in a template. `words` is where in the template.
pub(super) fn consequence(
    pair: Pair<'_>,
    words: &[&str],
    difference: &Difference<'_>,
) -> Consequence {
    let container = difference.path.container().map(|(_, name)| name);
    let fault = pair.new.pod_spec().and_then(|spec| {
        valid::fault(spec, container).or_else(|| restart_policy(pair.new, spec, words))
    });
    if let Some(fault) = fault.or_else(|| {
        labels_missing(pair.new).filter(|_| matches!(words, ["metadata", "labels", ..]))
    }) {
        return Consequence::refused(fault, "correct it in the template");
    }
    if pair.new.resource() == Resource::Job && !is_mutable_of_job(pair.old, words) {
        return Consequence::refused(
            "the template of a Job cannot change (422)",
            "delete the Job and make another",
        );
    }
    let mut consequence = rollout(pair);
    let what = field(pair, words, difference);
    if !what.is_empty() {
        consequence.why = format!("{}; {what}", consequence.why);
    }
    consequence
}

/// What the controller does with a template that changed.
pub(super) fn rollout(pair: Pair<'_>) -> Consequence {
    let new = pair.new;
    let scaled = matches!(
        new.resource(),
        Resource::Deployment
            | Resource::StatefulSet
            | Resource::ReplicaSet
            | Resource::ReplicationController
    );
    let is_paused = new.resource() == Resource::Deployment && new.is_true("/spec/paused");
    match new.resource() {
        _ if scaled && !is_paused && new.number("/spec/replicas") == Some(0) => {
            later("nobody", "there are 0 replicas: the next ones have it", "")
        }
        Resource::Deployment => deployment(new, is_paused),
        Resource::StatefulSet => stateful_set(new),
        Resource::DaemonSet => daemon_set(new),
        Resource::ReplicaSet | Resource::ReplicationController => later(
            "nobody",
            format!(
                "a {} leaves the pods it has as they are; only those it makes later are made from this template",
                new.kind
            ),
            "delete the pods one by one, or use a Deployment",
        ),
        Resource::CronJob => later(
            "the CronJob controller",
            "jobs that run go on as they are; the next run has it",
            "",
        ),
        Resource::Job => {
            later("the Job controller", "the Job is suspended: the pods of its start have it", "")
        }
        _ => Consequence::unknown("no controller is known for it"),
    }
}

fn recreated(actor: &str, why: &str) -> Consequence {
    Consequence::new(Effect::PodRecreation, actor, why, "")
}

fn later(actor: &str, why: impl Into<String>, remedy: impl Into<String>) -> Consequence {
    Consequence::new(Effect::NewPodsOnly, actor, why, remedy)
}

fn deployment(new: &Unstructured, is_paused: bool) -> Consequence {
    if is_paused {
        return later(
            "nobody",
            "the Deployment is paused: its pods stay as they are until it is resumed",
            format!("kubectl rollout resume {} -n {}", new.target(), new.namespace),
        );
    }
    let why = if new.text("/spec/strategy/type") == Some("Recreate") {
        "strategy Recreate: every pod ends before the first new one starts, so nothing serves in between; new UIDs and IPs"
    } else {
        "a rollout at once: pods are replaced step by step, new UIDs and IPs"
    };
    recreated("the Deployment controller", why)
}

const ON_DELETE: &str = "updateStrategy OnDelete: each pod takes it when somebody deletes the pod";

fn stateful_set(new: &Unstructured) -> Consequence {
    if new.text("/spec/updateStrategy/type") != Some("OnDelete") {
        return partition(new);
    }
    let (name, namespace) = (&new.name, &new.namespace);
    let remedy = format!("kubectl delete pod {name}-0 -n {namespace} and so on, when it suits");
    later("nobody", ON_DELETE, remedy)
}

fn daemon_set(new: &Unstructured) -> Consequence {
    if new.text("/spec/updateStrategy/type") == Some("OnDelete") {
        return later("nobody", ON_DELETE, "delete the pods one by one, when it suits");
    }
    recreated("the DaemonSet controller", "a rollout at once: node by node the pod is replaced")
}

/// Only ordinals at and above the partition are replaced.
fn partition(set: &Unstructured) -> Consequence {
    let keeps = "new UIDs and IPs, the same names and volumes";
    let actor = "the StatefulSet controller";
    let replicas = set.number("/spec/replicas").unwrap_or(1);
    let start = set.number("/spec/ordinals/start").unwrap_or_default();
    let last = start.saturating_add(replicas).saturating_sub(1);
    match set.number("/spec/updateStrategy/rollingUpdate/partition").unwrap_or_default() {
        partition if partition > last => {
            let why = format!(
                "partition {partition} is beyond the last ordinal {last}: no pod is replaced"
            );
            Consequence::new(
                Effect::NewPodsOnly,
                "nobody",
                why,
                "lower the partition when the rollout is to begin",
            )
        }
        partition if partition > start => {
            let why = format!(
                "partition {partition}: only pods with ordinals {partition} to {last} are replaced, last first; {keeps}"
            );
            Consequence::new(Effect::PodRecreation, actor, why, "lower the partition for the rest")
        }
        _ => Consequence::new(
            Effect::PodRecreation,
            actor,
            format!("a rollout at once, last ordinal first; {keeps}"),
            "",
        ),
    }
}

/// What is worth saying about the field.
fn field(pair: Pair<'_>, words: &[&str], difference: &Difference<'_>) -> &'static str {
    let broken = difference.to.and_then(Value::as_str).is_some_and(is_no_image);
    match words {
        [.., "image"] if broken => {
            "this is no image's name: new pods stay in InvalidImageName, old ones as far as the strategy keeps them"
        }
        [.., "image"] if pair.new.resource() == Resource::StatefulSet => {
            "should the image not be pullable, the first replaced pod waits in ImagePullBackOff, and the rollout with it: \
             a corrected template does not replace a broken pod, delete it"
        }
        [.., "image"] => {
            "should the image not be pullable, new pods wait in ImagePullBackOff, and old ones go on as far as the strategy keeps them"
        }
        [.., "resizePolicy"] => {
            "only new pods have the new resize policy: it cannot change on a pod"
        }
        [.., "resources", _, _] => {
            "to change live pods without replacing them: resize each, and the template all the same, which replaces them then"
        }
        ["metadata", ..] => {
            "annotations and labels of a template are part of it: a change of one is how a restart is asked for"
        }
        _ => "",
    }
}

/// Whether no registry can have it: white space, or capital letters before the tag.
pub(super) fn is_no_image(name: &str) -> bool {
    let repository = name.rsplit_once('/').map_or(name, |(_, last)| last);
    let repository = repository.split([':', '@']).next().unwrap_or_default();
    name.is_empty()
        || name.contains(char::is_whitespace)
        || repository.contains(|letter: char| letter.is_ascii_uppercase())
}

/// What may still change in a template of a Job that never ran.
fn is_mutable_of_job(old: &Unstructured, words: &[&str]) -> bool {
    let waits = old.is_true("/spec/suspend")
        && old.value().pointer("/status/startTime").is_none_or(Value::is_null);
    let node = matches!(
        words,
        ["metadata", "annotations" | "labels", ..]
            | ["spec", "nodeSelector" | "tolerations" | "schedulingGates", ..]
    ) || matches!(words, ["spec", "affinity", ..]);
    let resources =
        matches!(words, ["spec", "containers" | "initContainers", "*", "resources", ..]);
    waits && (node || resources)
}

fn restart_policy(object: &Unstructured, spec: &Value, words: &[&str]) -> Option<String> {
    let policy = spec.get("restartPolicy").and_then(Value::as_str).unwrap_or("Always");
    let finishes = matches!(object.resource(), Resource::Job | Resource::CronJob);
    let fits = if finishes { policy != "Always" } else { policy == "Always" };
    (words == ["spec", "restartPolicy"] && !fits)
        .then(|| format!("a {} cannot have restartPolicy {policy} (422)", object.kind))
}

/// The labels of the template must fit the selector.
pub(super) fn labels_missing(object: &Unstructured) -> Option<String> {
    let selector = object.value().pointer("/spec/selector")?;
    let wanted = if object.resource() == Resource::ReplicationController {
        selector
    } else {
        selector.get("matchLabels")?
    };
    let labels = object.value().pointer("/spec/template/metadata/labels");
    let missing = wanted
        .as_object()?
        .iter()
        .find(|(key, value)| labels.and_then(|labels| labels.get(*key)) != Some(value))?;
    Some(format!("the selector wants label {:?} (422)", missing.0))
}

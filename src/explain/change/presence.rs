//! Objects that come and go as a whole.

use serde_json::Value;

use crate::explain::effect::{Effect, Explanation, Outcome};
use crate::judge::subject::Resource;
use crate::manifest::object::Document;

use super::configuration;

/// What comes of an object that is there afterwards only.
pub(super) fn created(document: &Document) -> Explanation {
    let outcome = match document.resource() {
        Resource::Pod => Outcome::new(
            Effect::Scale,
            "scheduler and kubelet",
            "a pod is made; others are not touched",
            "",
        ),
        Resource::CronJob => Outcome::new(
            Effect::NewPodsOnly,
            "the CronJob controller",
            "pods are made when the schedule says so",
            "",
        ),
        Resource::VerticalPodAutoscaler | Resource::Other => Outcome::nothing(
            "nobody",
            "running pods do not notice that it is there; a pod that waits for it may start",
        ),
        _ => Outcome::new(
            Effect::Scale,
            "its controller",
            "its pods are made; others are not touched",
            "",
        ),
    };
    whole(document, Value::Null, "present".into(), outcome)
}

/// What comes of an object that is there before only.
pub(super) fn deleted(document: &Document, users: &[&Document]) -> Explanation {
    let prune =
        "leaving an object out of a file deletes nothing with `kubectl apply`, unless it prunes";
    let outcome = match (document.resource(), document.kind.as_str()) {
        (Resource::Pod, _) => Outcome::new(
            Effect::PodDeletion,
            "kubelet",
            format!(
                "the pod ends, with preStop and grace period; only a controller would make another ({prune})"
            ),
            "keep it, or have a Deployment or StatefulSet keep it",
        ),
        (Resource::VerticalPodAutoscaler, _) => Outcome::nothing(
            "nobody",
            format!("running pods keep the resources they have ({prune})"),
        ),
        (Resource::Other, "ConfigMap" | "Secret") => configuration::deleted(document, users, prune),
        (Resource::Other, _) => Outcome::unknown(format!(
            "what depends on a {} is not known here ({prune})",
            document.kind
        )),
        _ => Outcome::new(
            Effect::PodDeletion,
            "garbage collector",
            format!("its pods are deleted with it ({prune})"),
            "to keep the pods: `kubectl delete --cascade=orphan`",
        ),
    };
    whole(document, "present".into(), Value::Null, outcome)
}

fn whole(document: &Document, from: Value, to: Value, outcome: Outcome) -> Explanation {
    let Outcome { effect, actor, why, remedy } = outcome;
    let (object, field) = (document.to_string(), "the whole object".to_owned());
    Explanation {
        object,
        pointer: String::new(),
        container: None,
        from,
        to,
        effect,
        actor,
        why,
        remedy,
        field,
    }
}

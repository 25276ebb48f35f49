//! Objects that come and go as a whole.

use serde_json::Value;

use crate::explain::effect::{Consequence, Effect, Explanation};
use crate::judge::subject::Resource;
use crate::manifest::unstructured::Unstructured;

use super::configuration;

/// What comes of an object that is there afterwards only.
pub(super) fn created(object: &Unstructured) -> Explanation {
    let consequence = match object.resource() {
        Resource::Pod => Consequence::new(
            Effect::Scale,
            "scheduler and kubelet",
            "a pod is made; others are not touched",
            "",
        ),
        Resource::CronJob => Consequence::new(
            Effect::NewPodsOnly,
            "the CronJob controller",
            "pods are made when the schedule says so",
            "",
        ),
        Resource::VerticalPodAutoscaler
        | Resource::ConfigMap
        | Resource::Secret
        | Resource::Other => Consequence::nothing(
            "nobody",
            "running pods do not notice that it is there; a pod that waits for it may start",
        ),
        _ => Consequence::new(
            Effect::Scale,
            "its controller",
            "its pods are made; others are not touched",
            "",
        ),
    };
    whole(object, Value::Null, "present".into(), consequence)
}

/// What comes of an object that is there before only.
pub(super) fn deleted(object: &Unstructured, users: &[&Unstructured]) -> Explanation {
    let prune =
        "leaving an object out of a file deletes nothing with `kubectl apply`, unless it prunes";
    let consequence = match (object.resource(), object.kind.as_str()) {
        (Resource::Pod, _) => Consequence::new(
            Effect::PodDeletion,
            "kubelet",
            format!(
                "the pod ends, with preStop and grace period; only a controller would make another ({prune})"
            ),
            "keep it, or have a Deployment or StatefulSet keep it",
        ),
        (Resource::VerticalPodAutoscaler, _) => Consequence::nothing(
            "nobody",
            format!("running pods keep the resources they have ({prune})"),
        ),
        (Resource::ConfigMap | Resource::Secret, _) => configuration::deleted(object, users, prune),
        (Resource::Other, _) => Consequence::unknown(format!(
            "what depends on a {} is not known here ({prune})",
            object.kind
        )),
        _ => Consequence::new(
            Effect::PodDeletion,
            "garbage collector",
            format!("its pods are deleted with it ({prune})"),
            "to keep the pods: `kubectl delete --cascade=orphan`",
        ),
    };
    whole(object, "present".into(), Value::Null, consequence)
}

fn whole(object: &Unstructured, from: Value, to: Value, consequence: Consequence) -> Explanation {
    let Consequence { container, effect, actor, why, remedy } = consequence;
    let (object, field) = (object.to_string(), "the whole object".to_owned());
    Explanation {
        object,
        pointer: String::new(),
        container,
        from,
        to,
        effect,
        actor,
        why,
        remedy,
        field,
    }
}

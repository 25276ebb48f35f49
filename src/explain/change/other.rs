//! Kinds that make no pods and carry no configuration.

use serde_json::Value;

use crate::explain::difference::Difference;
use crate::explain::effect::{Consequence, Effect};
use crate::manifest::unstructured::Unstructured;

use super::Pair;

/// What comes of a difference in metadata.
pub(super) fn metadata(pair: Pair<'_>) -> Consequence {
    Consequence::nothing(
        "whoever reads it",
        format!(
            "metadata of a {} reaches no running process; tools and selectors may go by it",
            pair.new.kind
        ),
    )
}

/// What comes of a difference; `None` for kinds that nothing is known of.
pub(super) fn consequence(pair: Pair<'_>, difference: &Difference<'_>) -> Option<Consequence> {
    let words = difference.path.words();
    let none = |actor: &str, why: &str| Some(Consequence::nothing(actor, why));
    let new_pods =
        |why: &str| Some(Consequence::new(Effect::NewPodsOnly, "the API server", why, ""));
    match (pair.new.group.as_str(), pair.new.kind.as_str()) {
        ("", "Service") => Some(service(pair, &words)),
        ("", "Node") => Some(node(difference, &words)),
        ("networking.k8s.io", "NetworkPolicy") => none(
            "the CNI agent on each node",
            "rules are changed under the running pods; whether open connections are cut is up to the network plugin",
        ),
        ("networking.k8s.io", "Ingress" | "IngressClass") => {
            none("the ingress controller", "it routes anew; the pods behind it do not notice")
        }
        (
            "networking.istio.io",
            "VirtualService" | "DestinationRule" | "Gateway" | "ServiceEntry",
        ) => none(
            "istiod, then each Envoy",
            "routes are swapped in memory, no pod restarts; a push that Envoy rejects is silent (watch pilot_total_xds_rejects)",
        ),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding")
            if words.first() == Some(&"roleRef") =>
        {
            Some(Consequence::refused(
                "the role of a binding cannot change (422)",
                "delete the binding and create another",
            ))
        }
        ("rbac.authorization.k8s.io", _) => none(
            "the API server",
            "it counts from the next request on; no pod and no token changes",
        ),
        ("", "ServiceAccount") => new_pods("pods take it at their creation"),
        ("", "LimitRange") => new_pods(
            "defaults and bounds count for new pods, and for every later resize of a pod that is there: they may add a limit to it",
        ),
        ("", "ResourceQuota") => none(
            "the API server",
            "running pods stay; new pods and resizes that exceed it are refused",
        ),
        ("", "Namespace") => none("whoever reads it", "no process in it notices"),
        ("policy", "PodDisruptionBudget") => {
            none("the eviction API", "it counts for the next eviction; nothing restarts")
        }
        ("autoscaling", "HorizontalPodAutoscaler") => Some(Consequence::new(
            Effect::Scale,
            "the HorizontalPodAutoscaler controller",
            "it may change the number of replicas; pods that stay are not touched, their resources never",
            "",
        )),
        ("autoscaling.k8s.io", "VerticalPodAutoscaler") => Some(autoscaler(pair)),
        _ => None,
    }
}

fn service(pair: Pair<'_>, words: &[&str]) -> Consequence {
    let external = |side: &Unstructured| side.text("/spec/type") == Some("ExternalName");
    match words {
        ["spec", "clusterIP" | "clusterIPs", ..] if !external(pair.old) && !external(pair.new) => {
            Consequence::refused(
                "the cluster address of a Service cannot change (422)",
                "delete the Service and create another",
            )
        }
        ["spec", "ports", ..] => Consequence::nothing(
            "kube-proxy on each node",
            "connections are led elsewhere, no pod restarts; variables such as NAME_SERVICE_PORT in running containers keep the old \
             port until they start again",
        ),
        ["spec", "selector", ..] => Consequence::nothing(
            "the endpoints controller, then kube-proxy",
            "other pods get the traffic; no pod restarts",
        ),
        _ => Consequence::nothing(
            "kube-proxy on each node",
            "how traffic is led changes; no pod restarts",
        ),
    }
}

fn node(difference: &Difference<'_>, words: &[&str]) -> Consequence {
    let cordon = difference.to == Some(&Value::Bool(true));
    match words {
        ["spec", "unschedulable"] if cordon => Consequence::new(
            Effect::NewPodsOnly,
            "the scheduler",
            "a cordon: running pods stay, no new ones come; a drain is more: it evicts them one by one, as far as disruption budgets \
             allow, controllers make others elsewhere, and bare pods are gone",
            "to empty the node: `kubectl drain`; to see what it would evict: `kubectl drain --dry-run=server`",
        ),
        ["spec", "unschedulable"] => Consequence::new(
            Effect::NewPodsOnly,
            "the scheduler",
            "new pods may come again; running ones stay",
            "",
        ),
        ["spec", "taints", ..] => {
            let evicts = difference
                .to
                .map(Value::to_string)
                .is_some_and(|taints| taints.contains("\"NoExecute\""));
            if evicts {
                Consequence::new(
                    Effect::PodRecreation,
                    "the taint eviction controller",
                    "pods that do not tolerate a NoExecute taint are deleted, disruption budgets aside; controllers make others elsewhere",
                    "",
                )
            } else {
                Consequence::new(
                    Effect::NewPodsOnly,
                    "the scheduler",
                    "pods that do not tolerate it are not placed here; running ones stay",
                    "",
                )
            }
        }
        _ => Consequence::unknown("no such field of a Node is known"),
    }
}

fn autoscaler(pair: Pair<'_>) -> Consequence {
    let mode = pair.new.text("/spec/updatePolicy/updateMode").unwrap_or("Recreate");
    let told = |effect, why: &str| {
        Consequence::new(
            effect,
            "the VPA's updater and admission webhook",
            format!("updateMode {mode}: {why}"),
            "",
        )
    };
    match mode {
        "Off" => told(Effect::Nothing, "recommendations are made and nobody follows them"),
        "Initial" => told(Effect::NewPodsOnly, "new pods get the recommendation"),
        "Recreate" | "Auto" => told(
            Effect::PodRecreation,
            "pods that are far from the recommendation are evicted, and made anew with it",
        ),
        "InPlaceOrRecreate" => told(
            Effect::PodRecreation,
            "pods are resized in place where that works; on any error, a denial included, they are evicted and made anew",
        ),
        "InPlace" => told(Effect::Resize, "pods are resized in place, and never evicted for it"),
        _ => Consequence::unknown(format!("updateMode {mode:?} is not known here")),
    }
}

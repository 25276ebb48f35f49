//! Pods that cannot be resized in place, whatever is asked for.

use crate::explain::history::record::Record;
use crate::kube::version::Version;

/// Why the pod cannot be resized at all.
pub(super) fn impossible(record: &Record, version: Option<&Version>) -> Option<String> {
    let spec = &record.spec;
    if spec.os.name == "windows" {
        return Some(
            "a Windows pod (spec.os.name): the API server refuses any resize of it (422)"
                .to_owned(),
        );
    }
    if spec.node_selector.get("kubernetes.io/os").is_some_and(|system| system == "windows") {
        let who = match version.and_then(|version| version.minor) {
            Some(36..) => "the API server refuses any resize of it (403)",
            Some(_) => "the kubelet answers any resize of it with Infeasible",
            None => {
                "the API server refuses any resize of it (403), before 1.36 the kubelet answers with Infeasible"
            }
        };
        return Some(format!("a Windows pod (node selector kubernetes.io/os): {who}"));
    }
    if record.metadata.annotations.contains_key("kubernetes.io/config.mirror") {
        return Some(
            "a static pod: the API has only a copy of it, and refuses any resize (422)".to_owned(),
        );
    }
    (record.status.qos_class == "BestEffort").then(|| {
        "its QoS class is BestEffort, and a resize must keep the class: any is refused (422)"
            .to_owned()
    })
}

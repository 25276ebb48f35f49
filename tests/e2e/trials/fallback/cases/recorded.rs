//! The recorded resizes.

use serde_json::{Value, json};

use super::super::super::shapes;
use super::Case;

/// Every recorded resize, with what is denied of it.
const RECORDED: &[(&str, &[&str])] = &[
    (
        "resize-adds-first-limit",
        &["container \"app\": memory limit unlimited -> 300Mi is not approved;"],
    ),
    (
        "resize-approval-in-same-patch",
        &["container \"app\": memory limit 384Mi -> 300Mi is not approved;"],
    ),
    ("resize-by-vpa-updater", &[]),
    (
        "resize-bytes-notation",
        &["container \"app\": memory limit 300Mi -> 268435456 is not approved;"],
    ),
    ("resize-cpu-only", &[]),
    ("resize-dry-run", &[]),
    ("resize-jvm-below-heap", &["container \"app\": memory limit 4Gi -> 2Gi is not approved;"]),
    ("resize-limit-down-approved", &[]),
    (
        "resize-limit-down-unapproved",
        &["container \"app\": memory limit 512Mi -> 384Mi is not approved;"],
    ),
    ("resize-limit-to-zero", &[]),
    ("resize-memory-up", &[]),
    (
        "resize-mixed-up-and-down",
        &["container \"b\": memory limit 1536Mi -> 400Mi is not approved;"],
    ),
    ("resize-noop", &[]),
    ("resize-pod-level-down", &["pod level: memory limit 2Gi -> 1536Mi is not approved;"]),
    ("resize-request-down", &[]),
    ("resize-sidecar-down", &["container \"proxy\": memory limit 512Mi -> 300Mi is not approved;"]),
];

/// The recorded resizes. The annotation that approved where they were recorded is granted here.
pub(in super::super) fn recorded() -> Vec<Case> {
    let reviews = shapes::recorded("pods-resize.validate", "UPDATE");
    let names: Vec<_> = reviews.iter().map(|(name, _)| name.as_str()).collect();
    let known: Vec<_> = RECORDED.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "every recorded resize is tried");
    RECORDED
        .iter()
        .zip(&reviews)
        .map(|((name, denied), (_, request))| replay(name, request, denied))
        .collect()
}

fn replay(name: &'static str, request: &Value, denied: &'static [&'static str]) -> Case {
    let mut pod = shapes::as_sent(name, &request["oldObject"]);
    let approved =
        pod["metadata"]["annotations"].as_object_mut().unwrap().remove("approved-by-sre").is_some();
    let mut patch = json!({"spec": {}});
    let spec = request["object"]["spec"].as_object().unwrap();
    for (list, containers) in
        spec.iter().filter(|(field, _)| ["initContainers", "containers"].contains(&field.as_str()))
    {
        let resources = |container: &Value| json!({"name": container["name"], "resources": container["resources"]});
        patch["spec"][list] = containers.as_array().unwrap().iter().map(resources).collect();
    }
    if let Some(resources) = spec.get("resources") {
        patch["spec"]["resources"] = resources.clone();
    }
    let grant = if approved { "approved-by-sre=true" } else { "" };
    Case {
        name,
        pod,
        grant,
        before: None,
        resize: patch,
        dry_run: request["dryRun"] == true,
        denied,
    }
}

//! Resizes that the fallback policies and the service must answer alike.

use serde_json::{Value, json};

use crate::pods::{memory_limit, pod, pod_with, resources};

use super::super::shapes;

/// A pod, what is granted on it, what is done to it, and what is denied of that.
pub(super) struct Case {
    /// Also the name of the pod.
    pub(super) name: &'static str,
    pub(super) pod: Value,
    /// What the SRE writes; empty for nothing.
    pub(super) grant: &'static str,
    /// What is resized first, and is not denied.
    pub(super) before: Option<Value>,
    pub(super) resize: Value,
    pub(super) dry_run: bool,
    /// Each part that is denied, and why; none where all is allowed.
    pub(super) denied: &'static [&'static str],
}

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
pub(super) fn recorded() -> Vec<Case> {
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

/// Resizes with every trap that is known.
pub(super) fn traps() -> Vec<Case> {
    let mut cases = nothing_granted();
    cases.extend(granted());
    cases
}

fn case(name: &'static str, pod: Value, resize: Value, denied: &'static [&'static str]) -> Case {
    Case { name, pod, grant: "", before: None, resize, dry_run: false, denied }
}

fn nothing_granted() -> Vec<Case> {
    let one = || pod("");
    let container = |name: &str, requests: Value, limits: Value| json!({"name": name, "image": "registry.k8s.io/pause:3.10", "resources": {"requests": requests, "limits": limits}});
    let memory = |name: &str, amount: &str| {
        container(name, json!({"cpu": "100m", "memory": "16Mi"}), json!({"memory": amount}))
    };
    let bare = |name: &str| json!({"name": name, "image": "registry.k8s.io/pause:3.10"});
    let zero = || {
        pod_with(
            "",
            json!({"containers": [container("app", json!({"cpu": "100m", "memory": "0"}), json!({"memory": "0"}))]}),
        )
    };
    let limited = |amount: &str| pod_with("", json!({"containers": [memory("app", amount)]}));
    let whole = |containers: Value| {
        let resources = json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}});
        pod_with("", json!({"resources": resources, "containers": containers}))
    };
    let pod_limit = |amount: &str| json!({"spec": {"resources": {"limits": {"memory": amount}}}});
    let init = |restart: Option<&str>| {
        let mut pod = one();
        pod["spec"]["initContainers"] = json!([memory("first", "128Mi")]);
        if let Some(policy) = restart {
            pod["spec"]["initContainers"][0]["restartPolicy"] = json!(policy);
        }
        pod
    };
    let init_limit = |amount: &str| json!({"spec": {"initContainers": [{"name": "first", "resources": {"limits": {"memory": amount}}}]}});
    let both = |app: &str, side: &str| {
        let limits = |name: &str, amount: &str| json!({"name": name, "resources": {"limits": {"memory": amount}}});
        json!({"spec": {"containers": [limits("app", app), limits("side", side)]}})
    };
    let two =
        || pod_with("", json!({"containers": [memory("app", "512Mi"), memory("side", "128Mi")]}));
    let cpu_and_memory = json!({"limits": {"cpu": "400m", "memory": "300Mi"}});
    let mut with_approval = memory_limit("300Mi");
    with_approval["metadata"] =
        json!({"annotations": {"restraint.dev/approval": "true", "approved-by-sre": "true"}});
    vec![
        case(
            "less",
            one(),
            memory_limit("300Mi"),
            &["container \"app\": memory limit 512Mi -> 300Mi is not approved;"],
        ),
        case("more", one(), memory_limit("1Gi"), &[]),
        case("same", one(), memory_limit("536870912"), &[]),
        case(
            "one-byte-less",
            one(),
            memory_limit("536870911"),
            &["container \"app\": memory limit 512Mi -> 536870911 is not approved;"],
        ),
        case(
            "half-a-byte-less",
            one(),
            memory_limit("536870911.5"),
            &["memory limit 512Mi -> 536870911500m is not approved;"],
        ),
        case("half-a-byte-more", one(), memory_limit("536870912.5"), &[]),
        case(
            "decimal",
            one(),
            memory_limit("536M"),
            &["memory limit 512Mi -> 536M is not approved;"],
        ),
        case("exponent", one(), memory_limit("1e9"), &[]),
        case("cpu-alone", one(), resources(json!({"limits": {"cpu": "400m"}})), &[]),
        case(
            "cpu-and-memory",
            one(),
            resources(cpu_and_memory),
            &["memory limit 512Mi -> 300Mi is not approved;"],
        ),
        case("request-alone", one(), resources(json!({"requests": {"memory": "16Mi"}})), &[]),
        case(
            "to-zero",
            limited("512Mi"),
            resources(json!({"requests": {"memory": "0"}, "limits": {"memory": "0"}})),
            &[],
        ),
        case(
            "after-zero",
            zero(),
            memory_limit("8Gi"),
            &["memory limit unlimited -> 8Gi is not approved;"],
        ),
        case(
            "first-limit",
            pod_with(
                "",
                json!({"containers": [container("app", json!({"cpu": "100m", "memory": "16Mi"}), json!({}))]}),
            ),
            memory_limit("8Gi"),
            &["memory limit unlimited -> 8Gi is not approved;"],
        ),
        case("largest", one(), memory_limit("9223372036854775807"), &[]),
        case(
            "beyond-64-bits",
            one(),
            memory_limit("18446744073709551617"),
            &["memory limit 512Mi -> 18446744073709551617 is not approved;"],
        ),
        case(
            "more-beyond-64-bits",
            limited("18446744073709551617"),
            memory_limit("18446744073709551618"),
            &["memory limit 18446744073709551617 -> 18446744073709551618 is not approved;"],
        ),
        case(
            "back-from-64-bits",
            limited("18446744073709551617"),
            memory_limit("1Gi"),
            &["memory limit 18446744073709551617 -> 1Gi is not approved;"],
        ),
        case(
            "sidecar",
            init(Some("Always")),
            init_limit("64Mi"),
            &["container \"first\": memory limit 128Mi -> 64Mi is not approved;"],
        ),
        case(
            "init",
            init(None),
            init_limit("64Mi"),
            &["container \"first\": memory limit 128Mi -> 64Mi is not approved;"],
        ),
        case("init-more", init(None), init_limit("256Mi"), &[]),
        case(
            "one-of-two",
            two(),
            both("600Mi", "64Mi"),
            &["container \"side\": memory limit 128Mi -> 64Mi is not approved;"],
        ),
        case(
            "both",
            two(),
            both("300Mi", "64Mi"),
            &[
                "container \"app\": memory limit 512Mi -> 300Mi is not approved",
                "container \"side\": memory limit 128Mi -> 64Mi is not approved",
            ],
        ),
        case(
            "exchanged",
            two(),
            both("128Mi", "512Mi"),
            &["container \"app\": memory limit 512Mi -> 128Mi is not approved;"],
        ),
        case(
            "pod-less",
            whole(json!([bare("app")])),
            pod_limit("1500Mi"),
            &["pod level: memory limit 2Gi -> 1500Mi is not approved;"],
        ),
        case("pod-more", whole(json!([bare("app")])), pod_limit("3Gi"), &[]),
        case(
            "pod-less-and-own",
            whole(json!([bare("app"), memory("side", "1Gi")])),
            pod_limit("1500Mi"),
            &["pod level: memory limit 2Gi -> 1500Mi is not approved;"],
        ),
        case(
            "pod-first",
            one(),
            pod_limit("2Gi"),
            &["pod level: memory limit unlimited -> 2Gi is not approved;"],
        ),
        case(
            "own-beside-pod",
            whole(json!([bare("app")])),
            memory_limit("1Gi"),
            &["container \"app\": memory limit 2Gi -> 1Gi is not approved;"],
        ),
        case(
            "own-as-the-pod",
            whole(json!([bare("app")])),
            resources(json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}})),
            &[],
        ),
        case(
            "own-goes-to-the-pod",
            whole(json!([memory("app", "512Mi")])),
            resources(json!({"requests": {"memory": "0"}, "limits": {"memory": "0"}})),
            &[],
        ),
        case(
            "approval-brought-along",
            one(),
            with_approval,
            &["memory limit 512Mi -> 300Mi is not approved;"],
        ),
    ]
}

fn granted() -> Vec<Case> {
    let with = |grant: &'static str, mut case: Case| {
        case.grant = grant;
        case
    };
    let one = || pod("");
    let whole = || {
        let side = json!({"name": "side", "image": "registry.k8s.io/pause:3.10", "restartPolicy": "Always", "resources": {"requests": {"memory": "16Mi"}, "limits": {"memory": "128Mi"}}});
        let mut pod = pod("");
        pod["spec"]["resources"] = json!({"requests": {"cpu": "1", "memory": "512Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}});
        pod["spec"]["initContainers"] = json!([side]);
        pod
    };
    let decrease = || {
        let limits = |name: &str, amount: &str| json!({"name": name, "resources": {"limits": {"memory": amount}}});
        json!({"spec": {
            "resources": {"limits": {"memory": "768Mi"}},
            "initContainers": [limits("side", "64Mi")],
            "containers": [limits("app", "300Mi")],
        }})
    };
    let less = || memory_limit("300Mi");
    let changed = Case {
        before: Some(resources(json!({"limits": {"cpu": "400m"}}))),
        ..case(
            "changed-since",
            one(),
            less(),
            &["memory limit 512Mi -> 300Mi is not approved any more: the pod changed;"],
        )
    };
    let used = Case {
        before: Some(memory_limit("400Mi")),
        ..case(
            "used-up",
            one(),
            less(),
            &["memory limit 400Mi -> 300Mi is not approved any more: the pod changed;"],
        )
    };
    vec![
        with("approved-by-sre=true", case("any", one(), less(), &[])),
        with("approved-by-sre=true", case("any-of-all", whole(), decrease(), &[])),
        with("restraint.dev/approve=app=300Mi", case("to-the-fallback", one(), less(), &[])),
        with("restraint.dev/approve=app=0.25Gi", case("above-the-fallback", one(), less(), &[])),
        with("restraint.dev/approve=app=1e6", case("exponent-fallback", one(), less(), &[])),
        with(
            "restraint.dev/approve=app=314572801",
            case(
                "below-the-fallback",
                one(),
                less(),
                &["memory limit 512Mi -> 300Mi is approved down to 314572801 only;"],
            ),
        ),
        with(
            "restraint.dev/approve=side=1Mi",
            case(
                "another-part",
                one(),
                less(),
                &["memory limit 512Mi -> 300Mi is not in the approval;"],
            ),
        ),
        with(
            "restraint.dev/approve=ap=1Mi,a-app=1Mi",
            case(
                "part-of-a-name",
                one(),
                less(),
                &["memory limit 512Mi -> 300Mi is not in the approval;"],
            ),
        ),
        with(
            "restraint.dev/approve=app=300Mi,side=64Mi,@pod=768Mi",
            case("each-part", whole(), decrease(), &[]),
        ),
        with(
            "restraint.dev/approve=app=300Mi,side=64Mi",
            case(
                "all-but-the-pod",
                whole(),
                decrease(),
                &["pod level: memory limit 1Gi -> 768Mi is not in the approval;"],
            ),
        ),
        with(
            "approved-by-sre=true",
            case("any-beyond-64-bits", one(), memory_limit("18446744073709551617"), &[]),
        ),
        with(
            "restraint.dev/approve=app=1",
            case(
                "fallback-beyond-64-bits",
                one(),
                memory_limit("18446744073709551617"),
                &["is approved down to 1 only;"],
            ),
        ),
        with(
            "restraint.dev/approve=side=1Mi; force; reason=\\ \",\"memory\":\"true\",\" ünd ,\"uid\":\"x\"",
            case(
                "deceitful-reason",
                one(),
                less(),
                &["memory limit 512Mi -> 300Mi is not in the approval;"],
            ),
        ),
        with(
            "restraint.dev/approve=app=1Mi; for=1h; force; reason=INC-4711 \"now\", please \\ €",
            case("all-options", one(), less(), &[]),
        ),
        with("approved-by-sre=true", changed),
        with("approved-by-sre=true", used),
    ]
}

/// Creations of pods besides the recorded ones, with what resizePolicy each container of each list
/// has in the end.
pub(super) fn creations() -> Vec<(&'static str, Value)> {
    let policies = |policies: Value| {
        let mut pod = pod("");
        pod["spec"]["containers"][0]["resizePolicy"] = policies;
        pod
    };
    let entry =
        |resource: &str, policy: &str| json!({"resourceName": resource, "restartPolicy": policy});
    let mut mixed = pod("");
    let app = mixed["spec"]["containers"][0].clone();
    let named = |name: &str, restart: Value| {
        let mut container = app.clone();
        container["name"] = json!(name);
        if !restart.is_null() {
            container["restartPolicy"] = restart;
        }
        container
    };
    mixed["spec"]["initContainers"] = json!([
        named("init", Value::Null),
        named("sidecar", json!("Always")),
        named("last", Value::Null)
    ]);
    mixed["spec"]["containers"] =
        json!([{"name": "bare", "image": "registry.k8s.io/pause:3.10"}, named("app", Value::Null)]);
    let mut never = mixed.clone();
    never["spec"]["restartPolicy"] = json!("Never");
    let mut whole = mixed.clone();
    whole["spec"]["resources"] =
        json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}});
    let annotated = |key: &str, value: &str| {
        let mut pod = pod("");
        pod["metadata"]["annotations"] = json!({key: value});
        pod["spec"]["nodeName"] = json!("node");
        pod
    };
    vec![
        ("plain", pod("")),
        ("cpu-only", policies(json!([entry("cpu", "RestartContainer")]))),
        ("memory-only", policies(json!([entry("memory", "NotRequired")]))),
        (
            "complete",
            policies(json!([
                entry("memory", "RestartContainer"),
                entry("cpu", "RestartContainer")
            ])),
        ),
        ("empty", policies(json!([]))),
        ("mixed", mixed),
        ("never", never),
        ("whole", whole),
        ("mirror", annotated("kubernetes.io/config.mirror", "hash")),
        ("ignored", annotated("restraint.dev/ignore", "other, memory-resize-policy")),
        ("not-ignored", annotated("restraint.dev/ignore", "memory-resize-policies")),
    ]
}

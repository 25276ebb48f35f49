//! What a review costs in memory. The counts are exact and the same on every machine, so no noise
//! hides a change.
//!
//! They are upper bounds: whoever makes a review cheaper lowers them, whoever makes it dearer says
//! why. Decoding pays for the lists that a pod has (containers, variables, mounts, annotations) and
//! for nothing else, because texts are borrowed from the body; judging pays for what it finds; the
//! answer for its bytes.

#[path = "../../benches/src/bodies.rs"]
mod bodies;
mod configuration;
mod growth;

use allocation_counter::{AllocationInfo, measure};
use serde_json::{Map, Value, json};

use restraint::judge::policies::Policies;
use restraint::policies::embedded_files;
use restraint::review::Path::{self, Mutate, Validate};
use restraint::review::{answer, decide, decode_for};

use crate::subjects::{creation, recorded, resize};
use bodies::Asked::{AmendedCreation, Creation, Decrease, FaultyWorkload, Increase};
use bodies::Weight::{Huge, Large, Medium, Small};
use bodies::{Asked, Weight, body};

/// The policies that the bounds hold for. A new rule is not among them, so it moves no bound; what
/// it costs is measured where it is added.
const POLICIES: [&str; 36] = [
    "approval-authority",
    "approval-in-template",
    "blocking-post-start",
    "config-polling",
    "cpu-resize-restarts",
    "cross-container-signal",
    "file-watch",
    "fixed-heap-growth",
    "frozen-env-config",
    "heap-above-limit",
    "heap-without-limit",
    "live-memory-shrink",
    "liveness-config-hash",
    "memory-above-usage",
    "memory-limit-decrease",
    "memory-policy-not-required",
    "memory-request-decrease",
    "memory-resize-policy",
    "missing-watch-tool",
    "reloader-annotation",
    "reloader-takes-all-down",
    "reloader-without-config",
    "removed-jvm-flag",
    "resize-beyond-node",
    "restart-all-broad-exit-codes",
    "restart-all-init-state",
    "restart-all-not-allowed",
    "restart-all-skips-pre-stop",
    "split-config-source",
    "stale-file-follow",
    "stale-resource-env",
    "static-config-image",
    "subpath-config-mount",
    "unmounted-reload-path",
    "vpa-memory-floor",
    "watched-subpath",
];

fn policies() -> Policies {
    let measured =
        |name: &str| POLICIES.iter().any(|stem| name.strip_suffix(".yaml") == Some(*stem));
    Policies::read(embedded_files().filter(|(name, _)| measured(name))).unwrap()
}

/// The most that judging one review may hold at once, and its answer, in bytes: many reviews are in
/// flight.
const MOST: (u64, usize) = (16 << 20, 2 << 20);

#[test]
fn objects_as_large_as_they_may_be_cost_no_more_than_a_few_times_their_size() {
    let list =
        |count: usize, entry: &dyn Fn(usize) -> Value| (0..count).map(entry).collect::<Value>();
    let pod = |spec: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "uid": "u"}, "spec": spec});
    let long = "n".repeat(900);
    let limited = |memory: &str| {
        pod(
            json!({"containers": list(4_096, &|index| json!({"name": format!("{long}{index}"), "resources": {"limits": {"memory": memory}}}))}),
        )
    };
    let sidecars = pod(json!({
        "containers": list(4_096, &|index| json!({"name": format!("{long}{index}"), "resources": {"limits": {"memory": 1}}})),
        "initContainers": list(4_096, &|index| json!({"name": format!("i{index}"), "restartPolicy": "Always", "resources": {"limits": {"memory": 1}}})),
    }));
    let few = |memory: &str| {
        pod(
            json!({"containers": list(64, &|index| json!({"name": format!("c{index}"), "resources": {"limits": {"memory": memory}}}))}),
        )
    };
    let watch = format!(
        "while inotifywait -e modify {}; do nginx -s reload; done",
        "/etc/app/a /etc/app/b ".repeat(40)
    );
    let mounted = pod(json!({
        "volumes": list(2_000, &|index| json!({"name": format!("v{index}"), "configMap": {"name": format!("{long}{index}")}})),
        "containers": list(8, &|index| json!({
            "name": format!("c{index}"),
            "args": ["sh", "-c", watch],
            "volumeMounts": list(2_000, &|mount| json!({"name": format!("v{mount}"), "mountPath": format!("/etc/app/{mount}"), "subPath": "a"})),
        })),
    }));
    let environment = pod(json!({"containers": list(4, &|index| json!({
        "name": format!("c{index}"),
        "env": list(4_000, &|variable| json!({"name": format!("A{variable}_OPTS"), "value": format!("-Xmx{variable}m {}", "$(A1_OPTS)".repeat(20))})),
    }))}));
    let referring = pod(json!({"containers": list(8, &|index| json!({
        "name": format!("c{index}"),
        "env": list(3_000, &|variable| json!({"name": format!("A{variable}"), "valueFrom": {"configMapKeyRef": {"name": format!("{}{variable}", "m".repeat(150)), "key": "k"}}})),
    }))}));
    let cases: [(&str, Path, Vec<u8>); 7] = [
        ("a resize of every container", Validate, resize(&limited("2Gi"), &limited("1Gi"))),
        ("a resize that can be granted", Validate, resize(&few("2Gi"), &few("1Gi"))),
        ("containers to be amended", Mutate, creation(&sidecars)),
        ("containers to be warned of", Validate, creation(&sidecars)),
        ("mounts", Validate, creation(&mounted)),
        ("variables", Validate, creation(&environment)),
        ("references", Validate, creation(&referring)),
    ];
    for (name, path, body) in cases {
        assert!(body.len() <= 8 << 20, "{name}: {}", body.len());
        let policies = policies();
        let review = decode_for(path, &body).unwrap();
        let mut reply = Vec::new();
        let cost = measure(|| {
            reply = answer(&review.uid, &decide(&policies, path, &review.subject, || false))
        });
        assert!(cost.bytes_max <= MOST.0, "{name}: {} bytes at once", cost.bytes_max);
        assert!(reply.len() <= MOST.1, "{name}: {} bytes of answer", reply.len());
    }
}

/// Each step on the way from bytes to bytes.
#[derive(Debug)]
struct Cost {
    decode: AllocationInfo,
    judge: AllocationInfo,
    answer: AllocationInfo,
}

/// How to get there all the same is worked out once, not for each part of the pod: the grant alone
/// that names 64 of them would be more than this.
#[test]
fn a_part_of_a_denial_costs_its_sentence_however_many_there_are() {
    let pod = |memory: &str| {
        let container = |index| json!({"name": format!("c{index}"), "resources": {"limits": {"memory": memory}}});
        let spec = json!({"containers": (0..PARTS).map(container).collect::<Value>()});
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "uid": "u"}, "spec": spec})
    };
    let judge = cost(Validate, &resize(&pod("2Gi"), &pod("1Gi"))).judge;
    within(&judge, PARTS * 8, PARTS * 1_600);
}

/// More than a grant can name.
const PARTS: u64 = 1_000;

#[test]
fn a_resize_of_cpu_alone_costs_nothing_to_judge() {
    let cost = cost(Validate, &find("resize-cpu-only.pods-resize.validate"));
    // two pods with an annotation, a container and its resize policy each; lists grow by doubling
    // from four
    within(&cost.decode, 13, 8_500);
    within(&cost.judge, 0, 0);
    within(&cost.answer, 1, 200);
}

#[test]
fn a_pod_without_a_fault_costs_one_look_at_its_containers() {
    let cost = cost(Validate, &find("create-explicit-policy.pods.validate"));
    within(&cost.decode, 6, 4_200);
    // what each container's texts may hold, for all rules
    within(&cost.judge, 1, 300);
    within(&cost.answer, 1, 200);
}

#[test]
fn an_amended_pod_costs_its_patch() {
    let cost = cost(Mutate, &find("create-bare.pods.mutate"));
    within(&cost.decode, 5, 4_000);
    // the finding: message, remedy, pointers, the patch's two entries
    within(&cost.judge, 11, 2_000);
    // the patch as JSON, as base64 and within the answer; the audit annotation
    within(&cost.answer, 8, 1_900);
}

#[test]
fn a_denial_costs_its_sentence() {
    let cost = cost(Validate, &find("resize-limit-down-unapproved.pods-resize.validate"));
    within(&cost.decode, 15, 14_100);
    within(&cost.judge, 12, 2_100);
    within(&cost.answer, 12, 3_100);
}

#[test]
fn a_large_pod_costs_its_lists_and_no_text() {
    let body = creation(&large());
    assert!((140_000..160_000).contains(&body.len()), "{}", body.len());
    let cost = cost(Validate, &body);
    // 14 containers: three lists each that fit their first four entries, and variables, which grow
    // to 28 in four steps; a box for each of the 98 that come from elsewhere, which keeps the
    // others small, and holds whether its source is optional
    within(&cost.decode, 205, 94_200);
    within(&cost.judge, 1, 3_800);
    within(&cost.answer, 1, 200);
}

/// The reviews of the benchmarks: what they cost in time is measured there, and shows here in
/// counts.
#[test]
fn the_benchmarks_cost_what_they_did() {
    const ALL: [(Asked, Weight, [u64; 3]); 20] = [
        (Creation, Small, [9, 11, 8]),
        (Creation, Medium, [12, 19, 11]),
        (Creation, Large, [61, 105, 16]),
        (Creation, Huge, [207, 391, 20]),
        (AmendedCreation, Small, [13, 20, 1]),
        (AmendedCreation, Medium, [58, 43, 1]),
        (AmendedCreation, Large, [353, 1419, 1]),
        (AmendedCreation, Huge, [2396, 5528, 1]),
        (Increase, Small, [17, 0, 1]),
        (Increase, Medium, [30, 0, 1]),
        (Increase, Large, [99, 0, 1]),
        (Increase, Huge, [323, 0, 1]),
        (Decrease, Small, [17, 13, 12]),
        (Decrease, Medium, [30, 13, 12]),
        (Decrease, Large, [99, 13, 12]),
        (Decrease, Huge, [323, 13, 12]),
        (FaultyWorkload, Small, [16, 225, 23]),
        (FaultyWorkload, Medium, [49, 279, 23]),
        (FaultyWorkload, Large, [343, 552, 23]),
        (FaultyWorkload, Huge, [2019, 1568, 23]),
    ];
    let mut faults = Vec::new();
    for (asked, weight, bounds) in ALL {
        let path = if asked == Creation { Mutate } else { Validate };
        let Cost { decode, judge, answer } = cost(path, body(asked, weight).unwrap().as_bytes());
        let counts = [decode, judge, answer].map(|info| info.count_total);
        if counts.iter().zip(bounds).any(|(count, bound)| *count > bound) {
            faults.push(format!("({asked:?}, {weight:?}, {counts:?}) is above {bounds:?}"));
        }
    }
    assert!(faults.is_empty(), "decoding, judging, answering:\n{}", faults.join("\n"));
}

#[test]
fn a_script_costs_its_commands() {
    let cost = cost(Validate, &find("create-file-watch.pods.validate"));
    // the shell's words and states: the dearest thing that is looked at
    within(&cost.judge, 130, 12_000);
}

#[test]
fn what_no_rule_reads_costs_nothing() {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db"}, "spec": {"containers": [{"name": "app"}]}});
    let before = cost(Validate, &creation(&pod)).decode;
    let fields: Map<_, _> = (0..1_000)
        .map(|index| {
            (format!("f:field-{index}"), json!({"f:x": [index, "text \"escaped\"", null]}))
        })
        .collect();
    pod["metadata"]["managedFields"] = json!([{"manager": "kubectl", "fieldsV1": fields}]);
    pod["status"] = json!({"containerStatuses": vec![json!({"state": {"running": {}}}); 100]});
    let after = cost(Validate, &creation(&pod)).decode;
    // but for the parser's scratch paper
    assert!(
        after.count_total <= before.count_total + 1 && after.bytes_total <= before.bytes_total + 64,
        "{before:?} {after:?}"
    );
}

#[test]
fn nothing_is_left_behind() {
    let policies = policies();
    for (name, body) in recorded() {
        let info = measure(|| {
            for path in Path::ALL {
                let review = decode_for(path, &body).unwrap();
                let verdict = decide(&policies, path, &review.subject, || false);
                drop(answer(&review.uid, &verdict));
            }
        });
        assert_eq!((info.count_current, info.bytes_current), (0, 0), "{name}");
    }
}

/// What the body costs, the policies aside: they are read once.
fn cost(path: Path, body: &[u8]) -> Cost {
    let policies = policies();
    let (mut review, mut verdict) = (None, None);
    let decode = measure(|| review = Some(decode_for(path, body).unwrap()));
    let review = review.unwrap();
    drop(decide(&policies, path, &review.subject, || false)); // whatever is worked out once in a process is there
    let judge = measure(|| verdict = Some(decide(&policies, path, &review.subject, || false)));
    let verdict = verdict.unwrap();
    let answer = measure(|| drop(answer(&review.uid, &verdict)));
    Cost { decode, judge, answer }
}

fn within(cost: &AllocationInfo, allocations: u64, bytes: u64) {
    assert!(
        cost.count_total <= allocations && cost.bytes_total <= bytes,
        "above {allocations} allocations, {bytes} bytes: {cost:?}"
    );
}

fn find(name: &str) -> Vec<u8> {
    recorded().into_iter().find(|(known, _)| known == name).unwrap().1
}

/// A pod of 12 containers and 2 init containers with 28 variables each, and a last applied
/// configuration of 30 KB: 150 KB in all, the largest that is met with.
fn large() -> Value {
    let variable = |index: usize| match index % 4 {
        0 => {
            json!({"name": format!("SOURCE_{index}"), "valueFrom": {"configMapKeyRef": {"name": "app-config", "key": format!("key-{index}")}}})
        }
        _ => {
            json!({"name": format!("VARIABLE_{index}"), "value": format!("https://service-{index}.example.com:8443/path?query={}", "x".repeat(270))})
        }
    };
    let container = |prefix: &str, index: usize| {
        json!({
            "name": format!("{prefix}-{index}"),
            "image": format!("registry.example/{prefix}-{index}:1.2.3"),
            "args": ["--listen=:8080", "--log-level=info"],
            "env": (0..28).map(variable).collect::<Vec<_>>(),
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
            "resizePolicy": [
                {"resourceName": "cpu", "restartPolicy": "NotRequired"},
                {"resourceName": "memory", "restartPolicy": "RestartContainer"},
            ],
            "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}, {"name": "data", "mountPath": "/data", "subPath": "app"}],
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
        })
    };
    let containers = |prefix: &str, count: usize| {
        (0..count).map(|index| container(prefix, index)).collect::<Vec<_>>()
    };
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "large", "namespace": "shop",
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "large-5f7d8b9c", "uid": "6f1c", "controller": true}],
            "labels": {"app": "large", "tier": "web"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"kind\":\"Pod\"}".repeat(1_700)},
        },
        "spec": {
            "initContainers": containers("init", 2),
            "containers": containers("app", 12),
            "volumes": [{"name": "config", "configMap": {"name": "app-config"}}, {"name": "data", "emptyDir": {}}],
        },
    })
}

/// Three bytes of JSON are an entry of a list, and hundreds of bytes once decoded: megabytes of
/// them must not be.
#[test]
fn a_hostile_body_costs_no_more_than_a_large_one() {
    let entries = |entry: &str| vec![entry; 1_000_000].join(",");
    let bodies = [
        format!(r#"{{"spec":{{"containers":[{}]}}}}"#, entries("{}")),
        format!(r#"{{"spec":{{"volumes":[{}]}}}}"#, entries("{}")),
        format!(r#"{{"spec":{{"containers":[{}]}}}}"#, entries(r#"{"env":[{}]}"#)),
        format!(r#"{{"metadata":{{"labels":{{{}}}}}}}"#, entries(r#""":"""#)),
    ];
    for pod in bodies {
        let body = creation(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}}));
        let body = String::from_utf8(body).unwrap().replace(
            r#""object":{"apiVersion":"v1","kind":"Pod","metadata":{}}"#,
            &format!(r#""object":{pod}"#),
        );
        assert!(body.len() > pod.len(), "the object is in place");
        let info = measure(|| assert!(decode_for(Validate, body.as_bytes()).is_err()));
        assert!(
            info.bytes_max < 8 * 1024 * 1024,
            "{} bytes at once for {:.60}",
            info.bytes_max,
            pod
        );
    }
}

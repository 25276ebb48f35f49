//! What holds for every input.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use restraint::judge::mode::{Cap, Mode};
use restraint::judge::policies::Policies;
use restraint::judge::{amend, judge};
use restraint::review::{Path, answer, decode, decode_for};

use crate::subjects::{creation, recorded, resize};

proptest! {
    #[test]
    fn amending_twice_equals_amending_once(pod in pods()) {
        let amended = amended(&pod);
        prop_assert_eq!(&self::amended(&amended), &amended);
    }

    #[test]
    fn an_amended_pod_has_no_fixable_finding(pod in pods()) {
        let body = creation(&amended(&pod));
        let review = decode(&body).unwrap();
        let verdict = judge(&Policies::embedded(), &review.subject);
        let fixable: Vec<_> = verdict.rulings.iter().filter(|ruling| ruling.wanted == Mode::Fix).collect();
        prop_assert!(fixable.is_empty(), "{fixable:#?}");
    }

    #[test]
    fn an_amended_pod_keeps_what_it_had(pod in pods()) {
        let mut amended = amended(&pod);
        for list in ["containers", "initContainers"] {
            for (index, container) in pod["spec"][list].as_array().into_iter().flatten().enumerate() {
                let kept = container["resizePolicy"].as_array().map_or(0, Vec::len);
                let policies = amended["spec"][list][index].get_mut("resizePolicy");
                match (policies, container.get("resizePolicy")) {
                    (Some(policies), Some(Value::Array(_))) => policies.as_array_mut().unwrap().truncate(kept),
                    (Some(_), None) => { amended["spec"][list][index].as_object_mut().unwrap().remove("resizePolicy"); }
                    (Some(policies), Some(Value::Null)) => *policies = Value::Null,
                    _ => {}
                }
            }
        }
        let mut pod = pod;
        if let Some(annotations) = pod.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.retain(|key, _| key == "team");
        }
        prop_assert_eq!(amended, pod);
    }

    #[test]
    fn no_decrease_passes_unapproved(old in quantities(), new in quantities(), pod_level in of(quantities())) {
        let body = resize(&limited(&old, pod_level.as_deref()), &limited(&new, pod_level.as_deref()));
        let review = decode(&body).unwrap();
        let verdict = judge(&Policies::embedded(), &review.subject);
        let effective = |own: &str| match (bytes(own), pod_level.as_deref().map_or(0, bytes)) {
            (0, 0) => u128::MAX,
            (0, pod) => pod,
            (own, _) => own,
        };
        prop_assert_eq!(verdict.allowed(), effective(&new) >= effective(&old), "{} -> {}", old, new);
    }

    #[test]
    fn no_status_lets_a_limit_below_spec_and_actual_pass(
        old in quantities(), new in quantities(), status in statuses(), on_node in any::<bool>(),
    ) {
        let (mut before, after) = (limited(&old, None), limited(&new, None));
        before["metadata"]["generation"] = json!(3);
        before["status"] = status.clone();
        if on_node {
            before["spec"]["nodeName"] = json!("n1");
        }
        let body = resize(&before, &after);
        let review = decode(&body).unwrap();
        let verdict = judge(&Policies::embedded(), &review.subject);
        let effective = |amount: u128| if amount == 0 { u128::MAX } else { amount };
        let actual = status.pointer("/containerStatuses/0/resources/limits/memory");
        let actual = actual.and_then(Value::as_str).map_or(u128::MAX, |text| effective(bytes(text)));
        let (old, new) = (effective(bytes(&old)), effective(bytes(&new)));
        prop_assert!(new >= old.min(actual) || !verdict.allowed(), "{old} or {actual} -> {new}");
        prop_assert!(new < old || verdict.allowed(), "{old} -> {new}");
        prop_assert!(on_node || verdict.allowed() == (new >= old), "a pod on no node");
    }

    #[test]
    fn damaged_reviews_never_panic(which in 0usize..100, cuts in vec((0usize..20_000, any::<u8>()), 1..4)) {
        let (_, mut body) = recorded().swap_remove(which);
        for (place, byte) in cuts {
            let place = place % body.len();
            body[place] = byte;
        }
        if let Ok(review) = decode(&body) {
            for verdict in [judge(&Policies::embedded(), &review.subject), amend(&Policies::embedded(), &review.subject)] {
                let reply: Value = serde_json::from_slice(&answer(&review.uid, &verdict)).unwrap();
                prop_assert_eq!(reply["response"]["allowed"].as_bool(), Some(verdict.allowed()));
            }
        }
    }

    #[test]
    fn caps_only_ever_weaken(pod in pods(), cap in select(Cap::ALL.to_vec())) {
        let body = creation(&pod);
        let review = decode(&body).unwrap();
        let policies = Policies::embedded().under(cap);
        let (judged, amended) = (judge(&policies, &review.subject), amend(&policies, &review.subject));
        let free = judge(&Policies::embedded(), &review.subject);
        prop_assert_eq!(judged.rulings.len(), free.rulings.len(), "everything is recorded all the same");
        if cap != Cap::Enforce {
            prop_assert!(judged.allowed() && amended.amendment.is_empty());
        }
    }
}

#[test]
fn a_dry_run_gets_the_same_answer() {
    for (name, body) in recorded() {
        let mut review: Value = serde_json::from_slice(&body).unwrap();
        let answers: Vec<Vec<u8>> = [true, false]
            .into_iter()
            .flat_map(|dry_run| {
                review["request"]["dryRun"] = dry_run.into();
                let body = serde_json::to_vec(&review).unwrap();
                let review = decode(&body).unwrap();
                let policies = Policies::embedded();
                let verdicts =
                    [judge(&policies, &review.subject), amend(&policies, &review.subject)];
                verdicts.map(|verdict| answer(&review.uid, &verdict))
            })
            .collect();
        assert_eq!(answers[..2], answers[2..], "{name}");
    }
}

/// `pod` as the mutating path would have it stored.
fn amended(pod: &Value) -> Value {
    let body = creation(pod);
    let review = decode_for(Path::Mutate, &body).unwrap();
    let reply: Value = serde_json::from_slice(&answer(
        &review.uid,
        &amend(&Policies::embedded(), &review.subject),
    ))
    .unwrap();
    let mut pod = pod.clone();
    if let Some(patch) = reply["response"].get("patch") {
        let operations: json_patch::Patch =
            serde_json::from_slice(&STANDARD.decode(patch.as_str().unwrap()).unwrap()).unwrap();
        json_patch::patch(&mut pod, &operations).unwrap();
    }
    pod
}

fn pods() -> impl Strategy<Value = Value> {
    let annotations = of(vec(
        select(vec!["approved-by-sre", "restraint.dev/approve", "restraint.dev/approval", "team"]),
        0..4,
    ));
    let restart = select(vec!["Always", "OnFailure", "Never"]);
    (annotations, restart, vec(containers(), 1..4), of(vec(containers(), 0..3)), of(resources()))
        .prop_map(|(annotations, restart, containers, init, resources)| {
            let mut pod = json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "namespace": "shop"},
                "spec": {"restartPolicy": restart, "containers": named(containers, "app")},
            });
            if let Some(keys) = annotations {
                pod["metadata"]["annotations"] = keys
                    .into_iter()
                    .map(|key| (key.to_owned(), json!("true")))
                    .collect::<Map<_, _>>()
                    .into();
            }
            if let Some(init) = init {
                pod["spec"]["initContainers"] = named(init, "init").into();
            }
            if let Some(resources) = resources {
                pod["spec"]["resources"] = resources;
            }
            pod
        })
}

fn named(containers: Vec<Value>, prefix: &str) -> Vec<Value> {
    let name = |(index, mut container): (usize, Value)| {
        container["name"] = format!("{prefix}-{index}").into();
        container
    };
    containers.into_iter().enumerate().map(name).collect()
}

fn containers() -> impl Strategy<Value = Value> {
    let entry = |resource: &'static str| {
        of(select(vec!["NotRequired", "RestartContainer"])).prop_map(move |policy| {
            policy.map(|policy| json!({"resourceName": resource, "restartPolicy": policy}))
        })
    };
    let policies = of(of((entry("cpu"), entry("memory"))
        .prop_map(|(cpu, memory)| cpu.into_iter().chain(memory).collect::<Vec<_>>())));
    (policies, of(resources()), of(select(vec!["Always", "Never"]))).prop_map(
        |(policies, resources, restart)| {
            let mut container = json!({"image": "registry.example/app:1"});
            if let Some(policies) = policies {
                container["resizePolicy"] = json!(policies);
            }
            if let Some(resources) = resources {
                container["resources"] = resources;
            }
            if let Some(restart) = restart {
                container["restartPolicy"] = restart.into();
            }
            container
        },
    )
}

/// What a kubelet, or somebody else, may say of a resize.
fn statuses() -> impl Strategy<Value = Value> {
    let condition = (
        select(vec!["PodResizePending", "PodResizeInProgress", "Ready"]),
        select(vec!["True", "False", ""]),
        select(vec!["Deferred", "Infeasible", "Error", ""]),
        select(vec![json!(3), json!(2), Value::Null]),
    )
        .prop_map(|(kind, status, reason, generation)| {
            json!({"type": kind, "status": status, "reason": reason, "observedGeneration": generation})
        });
    (vec(condition, 0..3), quantities(), quantities()).prop_map(|(conditions, limit, request)| {
        let resources = json!({"limits": {"memory": limit}, "requests": {"memory": request}});
        json!({"conditions": conditions, "containerStatuses": [{"name": "app", "resources": resources}]})
    })
}

fn resources() -> impl Strategy<Value = Value> {
    (of(quantities()), of(quantities())).prop_map(|(limit, request)| {
        let list = |memory: Option<String>| {
            memory.map_or(json!({"cpu": "1"}), |memory| json!({"cpu": "1", "memory": memory}))
        };
        json!({"limits": list(limit), "requests": list(request)})
    })
}

/// Amounts that `bytes` can read.
fn quantities() -> impl Strategy<Value = String> {
    (0u64..4096, select(vec!["", "k", "Ki", "M", "Mi", "G", "Gi"]))
        .prop_map(|(number, suffix)| format!("{number}{suffix}"))
}

fn bytes(quantity: &str) -> u128 {
    let digits = quantity.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &quantity[digits.len()..] {
        "k" => 1000,
        "Ki" => 1 << 10,
        "M" => 1000 * 1000,
        "Mi" => 1 << 20,
        "G" => 1000 * 1000 * 1000,
        "Gi" => 1 << 30,
        _ => 1,
    };
    digits.parse::<u128>().unwrap() * factor
}

fn limited(memory: &str, pod_level: Option<&str>) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": memory}}}]},
    });
    if let Some(pod_level) = pod_level {
        pod["spec"]["resources"] = json!({"limits": {"memory": pod_level}});
    }
    pod
}

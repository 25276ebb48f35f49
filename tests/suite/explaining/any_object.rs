//! Objects of any shape are explained.

use proptest::prelude::*;
use restraint::explain::change::{ChangeContext, explain};
use restraint::explain::history::{History, HistoryContext};
use restraint::manifest::unstructured::Unstructured;
use serde_json::{Value, json};

/// Values of any shape, with the words that the code looks for.
const WORDS: [&str; 16] = [
    "app",
    "1Gi",
    "0",
    "-1",
    "Always",
    "RestartContainer",
    "",
    "a/b",
    "True",
    "2026-11-21T12:00:00Z",
    "-009999-01-02T00:00:00Z",
    "Killing",
    "PodResizeInProgress",
    "OOMKilled",
    "Container app resize requires restart",
    "Pod resize error: {\"containers\":[{\"name\":\"app\"}],\"generation\":-9223372036854775808,\"error\":\"x\"}",
];

const FIELDS: [&str; 43] = [
    "spec",
    "template",
    "metadata",
    "containers",
    "initContainers",
    "name",
    "resources",
    "limits",
    "requests",
    "memory",
    "cpu",
    "env",
    "resizePolicy",
    "image",
    "status",
    "containerStatuses",
    "lastState",
    "terminated",
    "exitCode",
    "conditions",
    "selector",
    "data",
    "replicas",
    "updateStrategy",
    "tolerations",
    "annotations",
    "volumes",
    "volumeMounts",
    "type",
    "reason",
    "restartCount",
    "state",
    "running",
    "waiting",
    "startedAt",
    "finishedAt",
    "message",
    "allocatedResources",
    "deletionTimestamp",
    "initContainerStatuses",
    "restartPolicyRules",
    "exitCodes",
    "lastTransitionTime",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(WORDS.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(FIELDS.to_vec()), inner, 0..6)
                .prop_map(|fields| fields
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect::<serde_json::Map<_, _>>()
                    .into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_object_breaks_it(kind in 0_usize..9, old in any_value(), new in any_value()) {
        let kinds = [
            ("v1", "Pod"), ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("batch/v1", "CronJob"), ("batch/v1", "Job"),
            ("v1", "ConfigMap"), ("v1", "Node"), ("v1", "Service"), ("example.com/v1", "Widget"),
        ];
        let (version, kind) = kinds[kind];
        let object = |spec: &Value| {
            let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": spec, "data": spec});
            if let Some(status) = spec.get("status") {
                object["status"] = status.clone();
            }
            object
        };
        let document = |spec: &Value| Unstructured::of(object(spec), "shop").unwrap();
        let told = explain(&[document(&old)], &[document(&new)], &ChangeContext::default());
        prop_assert!(told.is_sorted_by_key(|one| one.effect));
        prop_assert_eq!(explain(&[document(&old)], &[document(&old)], &ChangeContext::default()), Vec::new());
        let events = HistoryContext { events: Some(vec![old.clone(), old]), ..HistoryContext::default() };
        let _ = History::of(&document(&new), &events);
    }
}

//! `restraint explain` as people run it, and as no input may break it.

use std::fs;

use assert_cmd::Command;
use proptest::prelude::*;
use restraint::explain::Effect;
use restraint::explain::change::{ChangeContext, explain};
use restraint::explain::history::{History, HistoryContext};
use restraint::manifest::unstructured::Unstructured;
use serde_json::{Value, json};

use crate::subjects::recorded;

const OLD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'web:1', env: [{name: TOKEN, value: geheim-1}], envFrom: [{secretRef: {name: keys}}]}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: shop}
stringData: {key: geheim-1}
";

pub(crate) fn run(arguments: &[&str], input: &str) -> (i32, String, String) {
    let output = Command::cargo_bin("restraint")
        .unwrap()
        .args(arguments)
        .write_stdin(input)
        .env_remove("KUBECONFIG")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The exit code and the output of a change from a file to standard input.
fn change(old: &str, new: &str, flags: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.yaml");
    fs::write(&path, old).unwrap();
    let (code, text, error) = run(
        &[&["explain", "change", "--from", path.to_str().unwrap(), "--to", "-"], flags].concat(),
        new,
    );
    assert_eq!(error, "");
    (code, text)
}

#[test]
fn changes_are_told_and_nothing_secret_is() {
    let new = OLD.replace("web:1", "web:2").replace("geheim-1", "geheim-2");
    let (code, text) = change(OLD, &new, &[]);
    assert_eq!(code, 0);
    assert!(
        text.starts_with(
            "[pods are replaced] Deployment shop/web: spec.template.spec.containers[web]"
        ),
        "{text}"
    );
    assert!(
        text.contains("\n  web:1 -> web:2\n")
            && text.contains("\n  do: apply this object first, the workload after it\n"),
        "{text}"
    );
    assert!(!text.contains("geheim"), "{text}");
    assert!(
        text.lines()
            .last()
            .unwrap()
            .starts_with("3 explanations: pods are replaced (2), nothing until the next start (1)"),
        "{text}"
    );
    assert_eq!(change(OLD, OLD, &[]), (0, "no differences\n".to_owned()));
}

#[test]
fn programs_read_stable_names() {
    let (code, text) = change(
        OLD,
        &OLD.replace("matchLabels: {app: web}", "matchLabels: {app: other}"),
        &["--output", "json"],
    );
    assert_eq!(code, 1, "something would be refused");
    let told: Value = serde_json::from_str(&text).unwrap();
    let expected = json!([{
        "object": "Deployment shop/web",
        "pointer": "/spec/selector/matchLabels/app",
        "container": null,
        "from": "web",
        "to": "other",
        "effect": "refused",
        "actor": "the API server",
        "why": "the selector cannot change (422)",
        "remedy": "delete deployment/web and create it with the new value, which replaces its pods; or use another name",
    }]);
    assert_eq!(told, expected);
    let (_, same) = change(OLD, OLD, &["--format", "json"]);
    assert_eq!(same, "[]\n");
}

/// A file compared with itself: kubectl reads all of these.
#[test]
fn manifests_are_read_as_kubectl_reads_them() {
    let one = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#;
    let template = |spec: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  template:\n    spec:\n{spec}"
        )
    };
    let containers = "      containers:\n      - name: a\n        image: a:1\n";
    for text in [
        format!("{one}{}\n", one.replace("\"a\"", "\"b\"")),
        template(&format!("{containers}        env: [{{name: A}}]\n        env: [{{name: B}}]\n")),
        format!(
            "{}---\nkind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nresources: [a.yaml]\n",
            template(containers)
        ),
        format!("{}---\n{}", template(containers), template(&containers.replace("a:1", "a:2"))),
        "apiVersion: v1\nkind: ConfigMapList\nitems: [{metadata: {name: a}}]\n".to_owned(),
        template("      containers: [{name: a, image: 'a\n1'}]\n"),
    ] {
        assert_eq!(change(&text, &text, &[]), (0, "no differences\n".to_owned()), "{text}");
    }
    let mode = |mode: &str| {
        template(&format!(
            "{containers}      volumes: [{{name: c, configMap: {{name: c{mode}}}}}]\n"
        ))
    };
    for (old, new) in [(", defaultMode: 0444", ", defaultMode: 292"), ("", ", defaultMode: 0644")] {
        assert_eq!(change(&mode(old), &mode(new), &[]).1, "no differences\n", "{old} {new}");
    }
}

#[test]
fn the_last_of_an_object_given_twice_counts() {
    let pods = |last: &str| {
        let pod = |image: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: '{image}'}}]}}\n"
            )
        };
        format!("{}---\n{}", pod("a:1"), pod(last))
    };
    let (_, text) = change(&pods("a:2"), &pods("a:3"), &[]);
    assert!(text.contains("\n  a:2 -> a:3\n") && text.contains("\n1 explanation"), "{text}");
}

/// A pod that the API server would not take is not "allowed" either.
#[test]
fn what_the_api_server_would_not_take_is_said() {
    let pod = |memory: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: shop}}\nspec:\n  containers:\n  - {{name: a, image: 'a:1', args: java, resources: {{limits: {{memory: {memory}}}}}}}\n"
        )
    };
    let (code, text) = change(&pod("1Gi"), &pod("512Mi"), &[]);
    assert_eq!(code, 1);
    assert!(
        text.starts_with("[refused by the API server] Pod shop/a: spec.containers[a].args\n")
            && text.contains("a list is wanted here, and this is text (400)"),
        "{text}"
    );

    let settings = |value: &str| {
        format!(
            "{}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, namespace: shop}}\ndata: {{a: {value}}}\n",
            pod("1Gi")
        )
    };
    let (_, text) = change(&settings("one"), &settings("two"), &[]);
    assert!(
        text.contains("whether Pod shop/a uses it is not known: spec.containers[0].args"),
        "{text}"
    );
}

#[test]
fn what_cannot_run_ends_with_two() {
    for (arguments, expected) in [
        (&["explain", "change", "--from", "-", "--to", "-"][..], "standard input can be read once"),
        (
            &["explain", "change", "--from", "/nonexistent.yaml", "--to", "-"],
            "\"/nonexistent.yaml\" cannot be read",
        ),
        (&["explain", "rule", "memory-limit-decreas"], "did you mean \"memory-limit-decrease\"?"),
        (&["explain", "pod"], "required"),
        (&["explain", "pod", "--file", "-"], "holds no such pod"),
        (&["explain", "pod", "db-0", "--kubernetes-version", "latest"], "no version of Kubernetes"),
        (&["explain", "pod", "db-0", "--now", "noon"], "--now"),
    ] {
        let (code, _, error) = run(arguments, OLD);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn rules_are_listed_and_shown() {
    let (code, list, _) = run(&["explain", "rule"], "");
    assert_eq!((code, list.lines().count()), (0, restraint::rules::RULES.len()));
    let (code, page, _) = run(&["explain", "rule", "memory-limit-decrease"], "");
    assert_eq!(code, 0);
    assert!(page.starts_with("memory-limit-decrease\n\nBy default: enforce; the owner of a workload cannot silence it."), "{page}");
    let (_, entry, _) = run(&["explain", "rule", "memory-limit-decrease", "--output", "json"], "");
    let entry: Value = serde_json::from_str(&entry).unwrap();
    assert_eq!(
        (&entry["mode"], &entry["ignorable"], &entry["settings"]),
        (
            &json!("enforce"),
            &json!("never"),
            &json!(["allowances", "automation", "fourEyes", "unapproved"])
        )
    );
}

#[test]
fn the_history_of_a_pod_in_a_file_is_told() {
    let pod = "
apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: shop, uid: u1, generation: 2}
spec: {containers: [{name: app, resources: {limits: {memory: 1Gi}}}]}
status:
  phase: Running
  conditions: [{type: PodResizeInProgress, status: 'True', reason: Error, observedGeneration: 2, message: usage}]
  containerStatuses:
  - name: app
    restartCount: 1
    lastState: {terminated: {reason: OOMKilled, exitCode: 137, finishedAt: '2026-11-21T12:00:00Z'}}
    state: {running: {startedAt: '2026-11-21T11:00:00Z'}}
    resources: {limits: {memory: 2Gi}}
";
    let (code, text, _) = run(&["explain", "pod", "--file", "-"], pod);
    assert_eq!(code, 0);
    let first = "container \"app\": 1 restart; last end: killed for memory, exit code 137, at 2026-11-21T12:00:00Z (0 s ago)";
    assert!(text.starts_with("Pod shop/db-0: Running\n") && text.contains(first), "{text}");
    assert!(
        text.contains("resize: failed, tried again")
            && text.contains("limits.memory: desired 1Gi, actual 2Gi"),
        "{text}"
    );
    assert!(text.contains("events cannot be read or were not given"), "{text}");
}

/// Both objects of every recorded review, and the differences they make.
#[test]
fn recorded_reviews_are_explained() {
    let mut explained = 0;
    for (name, bytes) in recorded() {
        let Ok(review) = serde_json::from_slice::<Value>(&bytes) else { continue };
        let document = |side: &str| Unstructured::of(review["request"][side].clone(), "shop");
        let (Some(old), Some(new)) = (document("oldObject"), document("object")) else { continue };
        let told = explain(&[old], &[new], &ChangeContext::default());
        assert!(told.iter().all(|one| one.effect != Effect::Unknown), "{name}: {told:#?}");
        explained += told.len();
    }
    assert!(explained > 10, "{explained}");
}

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

/// A resize needs no manifest.
#[test]
fn a_resize_is_asked_about_by_its_amounts() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\nspec:\n  containers:\n  - {name: app, image: 'a:1', resources: {requests: {memory: 256Mi}, limits: {memory: 512Mi}}}\n";
    let ask = |flags: &[&str]| run(&[&["explain", "change", "--from", "-"], flags].concat(), pod);
    for flags in [
        &["--memory", "app=1Gi"][..],
        &["--memory", "1Gi"],
        &[
            "--patch",
            r#"{"spec":{"containers":[{"name":"app","resources":{"limits":{"memory":"1Gi"}}}]}}"#,
        ],
    ] {
        let (code, text, _) = ask(flags);
        assert_eq!(code, 0, "{text}");
        assert!(text.starts_with("[resize in place, no restart] Pod shop/a: spec.containers[app].resources.limits.memory\n  512Mi -> 1Gi\n"), "{text}");
    }
    assert_eq!(ask(&["--memory", "app=256Mi"]).0, 1, "it is denied");
    for (flags, said) in [
        (&["--memory", "web=1Gi"][..], "has no container \"web\""),
        (&["--memory", "much"], "\"much\" is no amount"),
        (&["--patch", "{"], "--patch is no JSON"),
        (&[], "required"),
        (&["--to", "x.yaml", "--memory", "1Gi"], "cannot be used with"),
    ] {
        let (code, _, error) = ask(flags);
        assert!(code == 2 && error.contains(said), "{flags:?}: {error}");
    }
}

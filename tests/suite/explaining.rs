//! `restraint explain` as people run it, and as no input may break it.

mod any_object;

use std::fs;

use assert_cmd::Command;
use restraint::explain::Effect;
use restraint::explain::change::{ChangeContext, explain};
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

//! `restraint audit` against an API server whose lists break off, and what it judges by and knows of.

mod lists;
mod world;

use restraint::judge::mode::Cap;
use serde_json::{Value, json};

use world::{Asked, World, forbidden, named};

/// The rule, the mode and the object of each finding.
fn found(report: &Value) -> Vec<(&str, &str, &str)> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| {
            let word = |field: &str| finding[field].as_str().unwrap();
            (word("rule"), word("mode"), word("name"))
        })
        .collect()
}

/// A Deployment that reads the ConfigMap `settings` at its start, and has files of `trino`.
fn reader() -> Value {
    let container = json!({
        "name": "app", "image": "trinodb/trino:477",
        "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "password"}}],
        "volumeMounts": [{"name": "files", "mountPath": "/etc/trino"}],
        "resources": {"limits": {"memory": "24Gi"}},
    });
    let volumes = json!([{"name": "files", "configMap": {"name": "trino"}}]);
    let labels = json!({"app": "web"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}});
    let mut deployment = named("shop", "web");
    deployment["spec"] = json!({"selector": {"matchLabels": labels}, "template": template});
    deployment
}

fn config_map(name: &str, immutable: bool, data: Value) -> Value {
    let mut map = named("shop", name);
    map["immutable"] = json!(immutable);
    map["data"] = data;
    map
}

fn with_config_maps(immutable: bool) -> World {
    World::new().with("/apis/apps/v1/deployments", [reader()]).with(
        "/api/v1/configmaps",
        [
            config_map("settings", immutable, json!({"COLOUR": "blue"})),
            config_map("trino", false, json!({"jvm.config": "-server\n-Xmx28G\n"})),
            config_map("unused", false, json!({})),
        ],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn config_maps_are_evidence_as_they_are_for_the_linter() {
    let heap = ("heap-above-limit", "warn", "web");
    let frozen = ("frozen-env-config", "audit", "web");
    let (report, asked) = with_config_maps(false).audit().await;
    assert!(found(&report).contains(&heap) && found(&report).contains(&frozen), "{report:#}");
    assert_eq!(report["missing"], json!([]));
    let of = |part: &str| asked.iter().filter(|path| path.contains(part)).count();
    assert_eq!((of("/configmaps/settings"), of("/configmaps/trino")), (1, 1), "{asked:?}");
    assert_eq!((of("/configmaps/unused"), of("secrets")), (0, 0), "{asked:?}");

    let mut needing = reader();
    needing["spec"]["template"]["spec"]["containers"][0]["env"] = json!([
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "SHAPE"}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "nowhere", "key": "a"}}},
    ]);
    let world = with_config_maps(false).with("/apis/apps/v1/deployments", [needing]);
    let (report, _) = world.audit().await;
    let messages = report["findings"].to_string();
    for missed in ["has no key \\\"SHAPE\\\" (env)", "there is no ConfigMap \\\"nowhere\\\" (env)"]
    {
        assert!(messages.contains(missed), "{report:#}");
    }

    let (report, _) = with_config_maps(true).audit().await;
    let messages = report["findings"].to_string();
    assert!(!messages.contains("settings") && messages.contains("password"), "{report:#}");

    let forbid = |asked: &Asked| asked.path.contains("/configmaps/").then(forbidden);
    let (report, asked) = with_config_maps(true).faulty(forbid).audit().await;
    assert!(!found(&report).contains(&heap), "{report:#}");
    let why = "not for you";
    let what = "what ConfigMaps hold, in 1 namespace";
    assert_eq!(report["missing"], json!([{"what": what, "why": why}]), "{asked:?}");
}

/// Restraint, as its chart installs it.
fn installed(cap: &str, policies: Value) -> World {
    let place = |name: &str| {
        let mut object = named("restraint", name);
        object["metadata"]["labels"] = json!({"app.kubernetes.io/name": "restraint"});
        object
    };
    let labels = json!({"app": "restraint"});
    let mut service = place("restraint");
    service["spec"] = json!({"selector": labels});
    let mut deployment = place("restraint");
    let arguments = json!([
        "serve",
        format!("--cap={cap}"),
        "--policies=/etc/restraint",
        "--policies-config-map=restraint/restraint-policies"
    ]);
    deployment["metadata"]["ownerReferences"] = json!([{"apiVersion": "v1", "kind": "Release",
        "name": "restraint", "uid": "u", "controller": true}]);
    deployment["spec"] = json!({"selector": {"matchLabels": labels}, "template": {
        "metadata": {"labels": labels}, "spec": {"containers": [{"name": "restraint", "args": arguments}]}}});
    let mut map = place("restraint-policies");
    map["data"] = policies;
    let service_of_hook = json!({"namespace": "restraint", "name": "restraint"});
    let hook = json!({"name": "resize.restraint.dev", "clientConfig": {"service": service_of_hook},
        "sideEffects": "None", "admissionReviewVersions": ["v1"]});
    let hooks = json!({"metadata": {"name": "restraint"}, "webhooks": [hook]});
    World::new()
        .with("/apis/apps/v1/deployments", [reader(), deployment])
        .with("/api/v1/services", [service])
        .with("/api/v1/configmaps", [map])
        .with("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", [hooks])
}

const POLICY: &str = "{name: frozen, rule: frozen-env-config, mode: enforce}";

#[tokio::test(flavor = "multi_thread")]
async fn the_installation_says_by_what_is_judged() {
    let world = || installed("warn", json!({"frozen.yaml": POLICY}));
    let (report, _) = world().audit().await;
    assert_eq!(
        (&report["policies"], &report["cap"], &report["installation"]),
        (
            &json!("ConfigMap restraint/restraint-policies"),
            &json!("warn"),
            &json!("restraint/restraint")
        )
    );
    let frozen = ("frozen-env-config", "warn", "web");
    assert!(found(&report).iter().all(|one| *one == frozen) && !found(&report).is_empty());
    assert_eq!((&report["missing"], &report["next"]), (&json!([]), &Value::Null));

    let (text, _) = world().run(&["audit", "-A"]).await;
    let head = "policies: ConfigMap restraint/restraint-policies, cap warn (Service restraint/restraint)\n";
    assert!(text.contains(head), "{text}");
    assert!(text.contains("\nnext: what enforce would have denied needs a recording"), "{text}");
    let (page, _) = world().run(&["audit", "-A", "-o", "html"]).await;
    assert!(page.contains(r#""installation":"restraint/restraint""#), "{page}");
    assert!(page.contains("Next: what enforce would have denied needs a recording"), "{page}");
    let (log, _) = world().run(&["audit", "-A", "-o", "sarif"]).await;
    let log: Value = serde_json::from_str(&log).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["properties"]["policies"], "ConfigMap restraint/restraint-policies");
    let first = &run["results"][0];
    assert_eq!(
        (&first["ruleId"], &first["level"]),
        (&json!("frozen-env-config"), &json!("warning"))
    );
    let place = json!([{"logicalLocations": [{"fullyQualifiedName": "Deployment shop/web", "kind": "resource"}]}]);
    assert_eq!(first["locations"], place);
    assert_eq!(first["partialFingerprints"]["restraint/v1"].as_str().unwrap().len(), 64);

    // what is named counts, and nobody is asked
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("frozen.yaml"), POLICY).unwrap();
    let policies = folder.path().to_str().unwrap();
    let (report, asked) = world().audit_with(&["--policies", policies, "--cap", "audit"]).await;
    assert_eq!((&report["policies"], &report["cap"]), (&json!(policies), &json!("audit")));
    assert_eq!(report["installation"], Value::Null);
    assert!(!asked.iter().any(|path| path.contains("webhookconfigurations")), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_of_the_installation_is_missing() {
    let what = |report: &Value| {
        let missing = &report["missing"][0];
        let text = |field: &str| missing[field].as_str().unwrap_or_default().to_owned();
        (text("what"), text("why"))
    };
    let policies = json!({"frozen.yaml": POLICY});
    let hidden = |asked: &Asked| {
        let parts = ["webhookconfigurations", "/services"];
        parts.iter().any(|part| asked.path.contains(part)).then(forbidden)
    };
    let (report, _) = installed("warn", policies.clone()).faulty(hidden).audit().await;
    assert_eq!(
        what(&report),
        (
            "the policies and the cap of the installation".to_owned(),
            format!("not for you; used instead: those built in, cap {}", Cap::Enforce)
        )
    );
    assert_eq!((&report["policies"], &report["cap"]), (&json!("built in"), &json!("enforce")));

    let hidden = |asked: &Asked| asked.path.contains("/configmaps/").then(forbidden);
    let (report, _) = installed("warn", policies).faulty(hidden).audit().await;
    let why = "not for you; used instead: built in".to_owned();
    assert_eq!(what(&report), ("the policies of the installation".to_owned(), why));
    assert_eq!((&report["policies"], &report["cap"]), (&json!("built in"), &json!("warn")));

    let faulty = json!({"frozen.yaml": "{name: frozen, rule: frozen, mode: loud}"});
    let (report, _) = installed("warn", faulty).audit().await;
    let (what, why) = what(&report);
    assert_eq!(what, "the policies of the installation");
    assert!(why.contains("frozen.yaml:1:22: unknown rule"), "{why}");

    let (report, asked) = World::new().audit().await;
    assert_eq!((&report["missing"], &report["policies"]), (&json!([]), &json!("built in")));
    assert!(asked.iter().any(|path| path.contains("webhookconfigurations")), "{asked:?}");
}

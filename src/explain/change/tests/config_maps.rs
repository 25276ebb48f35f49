//! What rules say of a ConfigMap beside those who use it.

use super::*;

/// A Deployment that uses keys of the ConfigMap "app".
fn config_user(kind: &str, replicas: u8) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: web}}, spec: {{replicas: {replicas}, template: {{spec: {{
            volumes: [{{name: files, configMap: {{name: app}}}}],
            containers: [{{name: app, image: i, env: [{{name: L, valueFrom: {{configMapKeyRef: {{name: app, key: LEVEL}}}}}}],
            volumeMounts: [{{name: files, mountPath: /etc/one, subPath: one.conf}}, {{name: files, mountPath: /etc/all}}]}}]}}}}}}}}"
    )
}

fn config_map(data: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: app}}, data: {{{data}}}}}")
}

fn said(old: &[String], new: &[String]) -> Vec<serde_json::Value> {
    let read = |texts: &[String]| Unstructured::read(&texts.join("\n---\n"), "shop").unwrap();
    let findings = config_findings(&read(old), &read(new), &ChangeContext::default());
    findings.iter().map(|one| serde_json::to_value(one).unwrap()).collect()
}

#[test]
fn rules_say_of_a_config_map_what_they_say_where_it_is_written() {
    let web = config_user("Deployment", 1);
    let before = config_map("LEVEL: info, one.conf: a, live: a, app.json: '{}'");
    let after = config_map("one.conf: b, live: b, app.json: '{'");
    let found = said(&[before.clone(), web.clone()], &[after, web.clone()]);
    let words = |one: &serde_json::Value| {
        ["rule", "object", "workload", "key", "container", "how"]
            .map(|name| one[name].as_str().unwrap_or_default().to_owned())
            .join(" ")
    };
    assert_eq!(
        found.iter().map(words).collect::<Vec<_>>(),
        [
            "broken-config-file ConfigMap/app  app.json  ",
            "missing-config-key ConfigMap/app Deployment/web LEVEL app env",
            "unseen-config-change ConfigMap/app Deployment/web one.conf app subPath",
        ]
    );
    assert_eq!(found[2]["remedy"], "kubectl rollout restart deploy/web -n shop");
    // the whole object goes
    let found = said(&[before.clone(), web.clone()], std::slice::from_ref(&web));
    assert!(found.iter().all(|one| one.get("key").is_none()), "{found:?}");
    assert_eq!(found[0]["rule"], "missing-config-key");
    // nothing of it runs; it goes as well; it rolls out in the same change
    let quiet = config_user("Deployment", 0);
    let level = config_map("LEVEL: debug, one.conf: a, live: a, app.json: '{}'");
    assert_eq!(
        said(&[before.clone(), quiet.clone()], &[level.clone(), quiet]),
        [] as [serde_json::Value; 0]
    );
    assert_eq!(said(&[before.clone(), web.clone()], &[]), [] as [serde_json::Value; 0]);
    let next = web.replace("image: i", "image: j");
    assert_eq!(
        said(&[before.clone(), web.clone()], &[level.clone(), next]),
        [] as [serde_json::Value; 0]
    );
    // the API server refuses it
    let immutable = before.replace("data:", "immutable: true, data:");
    let changed = level.replace("data:", "immutable: true, data:");
    assert_eq!(said(&[immutable, web.clone()], &[changed, web]), [] as [serde_json::Value; 0]);
}

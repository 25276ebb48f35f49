//! ConfigMaps among the files, and the workloads that use them.

use super::*;

const MAP: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: app, namespace: shop}
data:
  app.json: |
    {
      \"port\": 80
      \"level\": \"info\"
    }
  one.json: \"{\\n\"
  LEVEL: info
";

#[test]
fn a_broken_file_is_told_with_its_line_in_the_manifest() {
    let found = findings(&[("map.yaml", MAP)]);
    assert_eq!(
        told(&found),
        ["map.yaml:8 warn broken-config-file", "map.yaml:10 warn broken-config-file"]
    );
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("\"app.json\" is no JSON: line 3, column "), "{message}");
    assert_eq!(found[0]["pointer"], "/data/app.json");
    // of a Secret nothing is read
    let secret = MAP.replace("ConfigMap", "Secret").replace("data:", "stringData:");
    assert_eq!(told(&findings(&[("secret.yaml", &secret)])), [] as [&str; 0]);
}

#[test]
fn a_key_that_no_config_map_of_the_run_has_is_missed() {
    let pod = |name: &str| {
        format!(
            "apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop}}
spec:
  containers:
  - name: app
    env:
    - {{name: A, valueFrom: {{configMapKeyRef: {{name: {name}, key: LEVEL}}}}}}
    - {{name: B, valueFrom: {{configMapKeyRef: {{name: {name}, key: OTHER}}}}}}
    - {{name: C, valueFrom: {{configMapKeyRef: {{name: {name}, key: THIRD, optional: true}}}}}}
"
        )
    };
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app, namespace: shop}\ndata: {LEVEL: info}\n";
    let missed = |name: &str| {
        let found = findings(&[("map.yaml", map), ("pod.yaml", &pod(name))]);
        let missed = found.iter().filter(|one| one["rule"] == "missing-config-key");
        missed.map(|one| one["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(missed("app"), ["container \"app\": ConfigMap \"app\" has no key \"OTHER\" (env)"]);
    // it may be elsewhere
    assert_eq!(missed("other"), [] as [&str; 0]);
}

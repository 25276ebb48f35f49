//! Sources of kustomize are not what is applied.

use super::*;

/// A workload that reads a file of a ConfigMap once.
const PROXY: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: proxy}
spec:
  template:
    spec:
      containers:
      - name: nginx
        image: nginx
        volumeMounts:
        - {name: proxy, mountPath: /etc/nginx/nginx.conf, subPath: nginx.conf}
      volumes:
      - {name: proxy, configMap: {name: proxy}}
";

const GENERATES: &str =
    "resources: [proxy.yaml]\nconfigMapGenerator:\n- {name: proxy, files: [nginx.conf]}\n";

fn rules(files: &[(&str, &str)]) -> Vec<String> {
    findings(files).iter().map(|one| one["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_generated_gets_another_name_with_another_content() {
    let frozen = ["subpath-config-mount"];
    let with = |kustomization: &str| {
        rules(&[("proxy.yaml", PROXY), ("kustomization.yaml", kustomization)])
    };
    assert_eq!(with(GENERATES), [""; 0]);
    assert_eq!(with("resources: [proxy.yaml]\n"), frozen);
    assert_eq!(with(&GENERATES.replace("{name: proxy", "{name: other")), frozen);
    assert_eq!(with(&GENERATES.replace("configMap", "secret")), frozen);
    assert_eq!(with(&GENERATES.replace("proxy.yaml", "other.yaml")), frozen);
    let plain = format!("{GENERATES}generatorOptions: {{disableNameSuffixHash: true}}\n");
    assert_eq!(with(&plain), frozen);
    let one =
        GENERATES.replace("nginx.conf]", "nginx.conf], options: {disableNameSuffixHash: true}");
    assert_eq!(with(&one), frozen);
}

#[test]
fn an_overlay_names_what_its_base_uses_and_the_other_way_round() {
    let overlay = "resources: [../base]\nconfigMapGenerator: [{name: proxy}]\n";
    let base = "resources: [proxy.yaml]\n";
    let files = [
        ("base/proxy.yaml", PROXY),
        ("base/kustomization.yaml", base),
        ("prod/kustomization.yml", overlay),
    ];
    assert_eq!(rules(&files), [""; 0]);
    let files = [
        ("base/kustomization.yaml", "configMapGenerator: [{name: proxy}]\n"),
        ("prod/proxy.yaml", PROXY),
        ("prod/kustomization.yaml", "resources: [../base, proxy.yaml]\n"),
    ];
    assert_eq!(rules(&files), [""; 0]);
    let circle = [
        ("a/kustomization.yaml", "resources: [../b, proxy.yaml]\n"),
        ("a/proxy.yaml", PROXY),
        ("b/kustomization.yaml", "resources: [../a]\n"),
    ];
    assert_eq!(rules(&circle), ["subpath-config-mount"]);
}

#[test]
fn a_patch_is_not_judged_and_says_so() {
    let patches = [
        "patches: [{path: patch.yaml}]",
        "patches:\n- target: {kind: Deployment}\n  path: ./patch.yaml",
        "patchesStrategicMerge: [patch.yaml]",
        "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\npatches: [{path: ../o/patch.yaml}]",
    ];
    for kustomization in patches {
        let folder = tree(&[("o/patch.yaml", PROXY), ("o/kustomization.yaml", kustomization)]);
        // also where nobody names the kustomization
        for path in ["o", "o/patch.yaml"] {
            let ran = lint(folder.path(), &[path]);
            let said = "o/patch.yaml: not judged: a patch of kustomize; lint what `kustomize build` prints";
            assert!(ran.remarks.contains(said), "{kustomization}: {ran:?}");
            let summary = "0 workloads judged; besides 1 in patches";
            assert!(ran.output.contains(summary), "{kustomization}: {ran:?}");
        }
        let said = "o/kustomization.yaml: its sources are not what is applied: lint what `kustomize build` prints\n";
        assert!(lint(folder.path(), &["o"]).remarks.contains(said), "{kustomization}");
    }
    let inline = "patches:\n- patch: |-\n    kind: Deployment\npatchesStrategicMerge:\n- |-\n  kind: Deployment\n";
    assert_eq!(
        rules(&[("patch.yaml", PROXY), ("kustomization.yaml", inline)]),
        ["subpath-config-mount"]
    );
}

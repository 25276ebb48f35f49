//! What is read: files, folders, documents, lists, evidence, and what is broken.

use super::*;

#[test]
fn folders_are_searched_in_order_and_once() {
    let folder = tree(&[
        ("b.yml", POD),
        ("a/c.yaml", WEB),
        ("a/.hidden/x.yaml", POD),
        ("node_modules/x.yaml", POD),
        ("a/notes.txt", POD),
    ]);
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
    let ran = lint(folder.path(), &["--format", "json", "--fail-on", "never", ".", "b.yml", "a"]);
    let found: Vec<Value> = serde_json::from_str(&ran.output).unwrap();
    assert_eq!(
        told(&found),
        [
            "a/c.yaml:10 warn approval-in-template",
            "a/c.yaml:14 audit memory-resize-policy",
            "b.yml:8 warn heap-above-limit"
        ]
    );
}

#[test]
fn every_field_of_a_finding_is_told() {
    let folder = tree(&[("web.yaml", &format!("---\n---\n{WEB}"))]);
    let ran = lint(folder.path(), &["--format", "json", "web.yaml"]);
    let found: Value = serde_json::from_str(&ran.output).unwrap();
    let expected = serde_json::json!({
        "rule": "memory-resize-policy",
        "mode": "audit",
        "file": "web.yaml",
        "line": 16,
        "document": 1,
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "container": "app",
        "pointer": "/spec/template/spec/containers/0/resizePolicy",
        "message": "container \"app\": no resizePolicy for memory, so a resize does not restart it",
        "remedy": "add {resourceName: memory, restartPolicy: RestartContainer} to resizePolicy",
        "fixable": true,
        "fingerprint": "f000082cabf4c9ed6fa63f2af0301f417a669d4fe6029a4f471a46d533e56388",
    });
    assert_eq!(found[1], expected);
    assert_eq!(found[0]["container"], Value::Null);
}

#[test]
fn a_fault_that_is_put_right_at_creation_denies_nothing() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {generateName: db-}\nspec:\n  containers:\n  - name: a\n    resources: {limits: {memory: 1Gi}}\n";
    let found = findings(&[("pod.yaml", pod)]);
    assert_eq!(told(&found), ["pod.yaml:6 audit memory-resize-policy"]);
    assert_eq!(
        (&found[0]["name"], &found[0]["namespace"], &found[0]["fixable"]),
        (&"db-".into(), &"".into(), &true.into())
    );
}

#[test]
fn objects_of_lists_are_judged_where_they_stand() {
    let deployment = "{metadata: {name: web}, spec: {template: {spec: {containers: [{name: app, resources: {limits: {memory: 1Gi}}}]}}}}";
    let typed = format!(
        "apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- {deployment}\n- {deployment}\n"
    );
    let plain = format!(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n-\n{}",
        POD.lines().map(|line| format!("  {line}\n")).collect::<String>()
    );
    let found = findings(&[("a.yaml", &typed), ("b.yaml", &plain)]);
    assert_eq!(
        told(&found),
        [
            "a.yaml:4 audit memory-resize-policy",
            "a.yaml:5 audit memory-resize-policy",
            "b.yaml:14 warn heap-above-limit"
        ]
    );
    assert_eq!(found[1]["pointer"], "/items/1/spec/template/spec/containers/0/resizePolicy");
    assert_eq!(found[1]["kind"], "Deployment");
    assert!(
        found[2]["pointer"].as_str().unwrap().starts_with("/items/1/spec/containers/0/"),
        "{}",
        found[2]
    );
}

#[test]
fn json_is_read_tabs_and_all() {
    let json = serde_json::to_string_pretty(&serde_saphyr::from_str::<Value>(POD).unwrap())
        .unwrap()
        .replace("  ", "\t");
    let compact = serde_json::to_string(&serde_saphyr::from_str::<Value>(WEB).unwrap()).unwrap();
    let found = findings(&[("a.json", &format!("{json}\n{json}\n")), ("b.json", &compact)]);
    let told = told(&found);
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!((&found[0]["document"], &found[1]["document"]), (&0.into(), &1.into()));
    assert_eq!(
        json.lines().count() as u64,
        found[1]["line"].as_u64().unwrap() - found[0]["line"].as_u64().unwrap()
    );
    assert!(told[3].starts_with("b.json:1 "), "{told:?}");
}

#[test]
fn what_helm_and_kustomize_print_is_read() {
    let text = format!(
        "---\n# Source: shop/templates/empty.yaml\n---\n# Source: shop/templates/web.yaml\n{WEB}---\n\n---\n# Source: x\n{POD}...\n"
    );
    let found = findings(&[("all.yaml", &text)]);
    let documents: Vec<_> =
        found.iter().map(|finding| finding["document"].as_u64().unwrap()).collect();
    assert_eq!(documents, [1, 1, 3]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[found[1]["line"].as_u64().unwrap() as usize - 1], "      - name: app");
}

#[test]
fn namespaces_and_configuration_in_the_run_are_evidence() {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {restraint.dev/cap: audit}}\n";
    let found = findings(&[("web.yaml", WEB), ("z/namespace.yaml", namespace)]);
    assert_eq!(
        told(&found),
        ["web.yaml:10 audit approval-in-template", "web.yaml:14 audit memory-resize-policy"]
    );

    let user = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - name: app\n        envFrom: [{configMapRef: {name: settings}}]\n";
    let settings = |immutable: bool| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\nimmutable: {immutable}\n"
        )
    };
    let count = |files: &[(&str, &str)]| findings(files).len();
    assert_eq!(count(&[("web.yaml", user)]), 1);
    assert_eq!(count(&[("web.yaml", user), ("settings.yaml", &settings(true))]), 0);
    // of another namespace; not agreed upon; but the same file comes first
    let elsewhere = settings(true).replace("name: settings", "name: settings, namespace: other");
    assert_eq!(count(&[("web.yaml", user), ("settings.yaml", &elsewhere)]), 1);
    assert_eq!(
        count(&[("web.yaml", user), ("a.yaml", &settings(true)), ("b.yaml", &settings(false))]),
        1
    );
    assert_eq!(
        count(&[
            ("web.yaml", &format!("{user}---\n{}", settings(true))),
            ("b.yaml", &settings(false))
        ]),
        0
    );
}

#[test]
fn policies_of_a_folder_are_used() {
    let (name, text) = policy("heap-above-limit", "enforce");
    let folder = tree(&[("pod.yaml", POD), (&name, &text)]);
    let ran = lint(folder.path(), &["--policies", "policies", "pod.yaml"]);
    assert!(ran.output.starts_with("pod.yaml:8: "), "{}", ran.output);
    let scoped = format!("{text}scope: {{namespaces: {{names: [shop]}}}}\n");
    fs::write(folder.path().join(&name), scoped).unwrap();
    let ran = lint(folder.path(), &["--policies", "policies", "pod.yaml"]);
    assert!(
        ran.output.starts_with("0 findings "),
        "what names no namespace is in \"default\": {}",
        ran.output
    );
}

#[test]
fn what_is_not_judged_is_told_with_its_reason() {
    let old = "apiVersion: apps/v1alpha1\nkind: Deployment\nmetadata: {name: old}\n";
    let unknown = "apiVersion: autoscaling.k8s.io/v1alpha1\nkind: VerticalPodAutoscaler\nmetadata: {name: t}\n";
    let folder = tree(&[
        ("a.yaml", &format!("{old}---\n{unknown}")),
        ("b.yaml", "foo: bar\n"),
        ("c.yaml", "# nothing\n"),
        ("d.yaml", "apiVersion: v1\nkind: Service\n"),
    ]);
    let ran = lint(folder.path(), &["."]);
    let expected = [
        "a.yaml:1: Deployment \"old\" is not judged: unknown apiVersion",
        "a.yaml:5: VerticalPodAutoscaler \"t\" is not judged: only autoscaling.k8s.io/v1 and v1beta2 are known",
        "c.yaml: nothing in it",
    ];
    assert_eq!(ran.remarks.lines().collect::<Vec<_>>(), expected);
    assert_eq!(
        ran.output,
        "0 findings (0 enforce, 0 warn, 0 audit) in 4 files, 0 workloads judged; besides 2 of an apiVersion or kind that is not judged, 1 of other kinds, 1 not of Kubernetes\n"
    );
    let ran = lint(folder.path(), &["--verbose", "b.yaml"]);
    assert_eq!(ran.remarks, "b.yaml:1: not an object of Kubernetes\n");
}

#[test]
fn versions_that_are_no_longer_served_are_judged_as_todays() {
    let workload = |version: &str, kind: &str| {
        let pod = "containers: [{name: a, resources: {limits: {memory: 1Gi}}}]";
        format!(
            "{{apiVersion: {version}, kind: {kind}, metadata: {{name: old}}, spec: {{template: {{spec: {{{pod}}}}}}}}}\n"
        )
    };
    let known = [
        ("extensions/v1beta1", "DaemonSet", 1),
        ("apps/v1beta1", "StatefulSet", 1),
        ("apps/v1beta2", "Deployment", 1),
        ("apps/v2", "Deployment", 0),
        ("extensions/v1beta1", "Ingress", 0),
    ];
    for (version, kind, expected) in known {
        let folder = tree(&[("a.yaml", &workload(version, kind))]);
        let ran = lint(folder.path(), &["--format", "json", "."]);
        let found: Vec<Value> = serde_json::from_str(&ran.output).unwrap();
        assert_eq!(found.len(), expected, "{version} {kind}");
        let told = ran.remarks.contains(
            "is judged as if its apiVersion, which no cluster serves any more, were today's",
        );
        assert_eq!(told, expected == 1, "{version} {kind}: {}", ran.remarks);
    }
}

#[test]
fn replicas_that_are_yet_to_be_filled_in_hide_no_finding() {
    let text = |replicas: &str| {
        let template =
            "{spec: {containers: [{name: a, args: [-Xmx2g], resources: {limits: {memory: 1Gi}}}]}}";
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\nspec:\n  replicas: {replicas}\n  template: {template}\n"
        )
    };
    for replicas in ["${{REPLICAS}}", "${REPLICAS}"] {
        let ran = lint(tree(&[("a.yaml", &text(replicas))]).path(), &["a.yaml"]);
        assert!(
            ran.output.contains("heap -Xmx2g at or above memory limit 1Gi"),
            "{replicas}: {}",
            ran.output
        );
        assert_eq!(ran.remarks, "", "{replicas}");
    }
    let ran = lint(tree(&[("a.yaml", &text("many"))]).path(), &["a.yaml"]);
    assert!(
        ran.remarks.contains("spec.replicas: must be a whole number, not \"many\""),
        "{}",
        ran.remarks
    );
}

#[test]
fn one_broken_document_hides_no_other() {
    let text = format!("kind: {{{{ .Values.kind }}\nmetadata: [\n---\n{POD}---\na: b: c\n");
    let folder = tree(&[("a.yaml", &text), ("b.yaml", POD)]);
    let large = fs::File::create(folder.path().join("c.yaml")).unwrap();
    large.set_len((64 << 20) + 1).unwrap();
    let ran = lint(folder.path(), &["--format", "json", "."]);
    let found: Vec<Value> = serde_json::from_str(&ran.output).unwrap();
    assert_eq!(told(&found), ["a.yaml:11 warn heap-above-limit", "b.yaml:8 warn heap-above-limit"]);
    let remarks: Vec<_> = ran.remarks.lines().collect();
    assert!(
        remarks[0].starts_with("a.yaml:")
            && remarks[0].ends_with("(a template? lint what it renders to)"),
        "{remarks:?}"
    );
    assert!(remarks[1].starts_with("a.yaml:15: not judged: invalid YAML: "), "{remarks:?}");
    assert_eq!(remarks[2], "c.yaml: cannot be read: larger than 64 MiB");
    assert_eq!(ran.code, 2);
}

#[test]
fn malformed_workloads_are_told_with_the_field_and_skipped() {
    let pod = |spec: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations: {{a: b}}\nspec:\n{spec}"
        )
    };
    let cases = [
        (
            pod("  containers: {}\n"),
            "7: Pod \"p\" is not judged: spec.containers: must be a list, not a mapping",
        ),
        (
            pod("  containers:\n  - name: a\n    resources:\n      limits: [256Mi]\n"),
            "10: Pod \"p\" is not judged: spec.containers[0].resources.limits: must be a mapping, not a list",
        ),
        (
            pod("  replicas: x\n"),
            "7: Pod \"p\" is not judged: spec.replicas: must be a whole number, not string \"x\"",
        ),
        (
            pod("").replace("{a: b}", "{a: yes}"),
            "5: Pod \"p\" is not judged: metadata.annotations[\"a\"]: must be a string, not true: put it in quotes",
        ),
        (
            pod("  nodeName: x\n").replace("annotations", "labels").replace("{a: b}", "{a: 1}"),
            "5: Pod \"p\" is not judged: metadata.labels.a: must be a string, not 1: put it in quotes",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: [p]\n".to_owned(),
            "3: Pod \"\" is not judged: metadata: must be a mapping, not a list",
        ),
    ];
    for (text, expected) in cases {
        let folder = tree(&[("p.yaml", &text)]);
        let ran = lint(folder.path(), &["p.yaml"]);
        assert_eq!(
            (ran.code, ran.remarks.trim_end()),
            (0, &*format!("p.yaml:{}", expected.replace("string \"x\"", "\"x\""))),
            "{text}"
        );
        assert!(ran.output.contains("1 malformed"), "{}", ran.output);
    }
    let folder = tree(&[(
        "p.yaml",
        &pod("  containers:\n  - name: a\n    resources:\n      limits:\n        memory: banana\n"),
    )]);
    let ran = lint(folder.path(), &["p.yaml"]);
    assert!(
        ran.remarks
            .starts_with("p.yaml:11: Pod \"p\" is not judged: spec.containers[0].resources.limits.memory: \"banana\" is not a quantity"),
        "{}",
        ran.remarks
    );
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - &a\n    name: a\n    resources: {limits: {memory: 1Gi}}\n  - <<: *a\n    name: b\n";
    let found = findings(&[("p.yaml", text)]);
    assert_eq!(
        told(&found),
        ["p.yaml:7 audit memory-resize-policy", "p.yaml:9 audit memory-resize-policy"]
    );
    assert_eq!(found[1]["container"], "b");
}

#[test]
fn hostile_texts_end_quickly_and_command_no_terminal() {
    let bomb = (b'b'..=b'j').fold("a: &a [x, x, x, x, x, x, x, x]\n".to_owned(), |text, letter| {
        let (name, before) = (char::from(letter), char::from(letter - 1));
        format!("{text}{name}: &{name} [{}]\n", vec![format!("*{before}"); 8].join(", "))
    });
    let deep = "[".repeat(100_000);
    let escape = WEB
        .replace("name: app", "name: \"app\\e[2J\"")
        .replace("name: web", "name: \"w\\e]0;x\\a\"");
    let folder = tree(&[("a.yaml", &bomb), ("b.yaml", &deep), ("c\u{1b}[2J.yaml", &escape)]);
    for format in ["text", "github"] {
        let ran = lint(folder.path(), &["--format", format, "."]);
        assert!(!ran.output.contains('\u{1b}') && !ran.remarks.contains('\u{1b}'), "{ran:?}");
        assert!(
            ran.remarks.contains("a.yaml:") && ran.remarks.contains("b.yaml:"),
            "{}",
            ran.remarks
        );
    }
}

#[test]
fn standard_input_is_a_file_too() {
    let folder = tree(&[("pod.yaml", POD)]);
    let ran = run(folder.path(), &["--format", "json", "-", "pod.yaml"], WEB);
    let found: Vec<Value> = serde_json::from_str(&ran.output).unwrap();
    let expected = [
        "<stdin>:10 warn approval-in-template",
        "<stdin>:14 audit memory-resize-policy",
        "pod.yaml:8 warn heap-above-limit",
    ];
    assert_eq!(told(&found), expected);
}

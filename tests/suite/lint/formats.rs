//! How findings are told, and the exit codes.

use std::collections::BTreeSet;

use super::*;

#[test]
fn text_is_for_people() {
    let folder = tree(&[("web.yaml", WEB)]);
    let ran = lint(folder.path(), &["web.yaml"]);
    let expected = "\
web.yaml:10: warn: annotation \"approved-by-sre\" sits in a template: it approves nothing [approval-in-template]
    in Deployment shop/web
    fix: remove it, and approve the running pod when it is to be resized (--fix does it)
web.yaml:14: audit: container \"app\": no resizePolicy for memory, so a resize does not restart it [memory-resize-policy]
    in Deployment shop/web, container app
    fix: add {resourceName: memory, restartPolicy: RestartContainer} to resizePolicy (--fix does it)

2 findings (0 enforce, 1 warn, 1 audit) in 1 file, 1 workload judged; 2 fixable with --fix
";
    assert_eq!((&*ran.output, &*ran.remarks), (expected, ""));

    let coloured = lint(folder.path(), &["--color", "always", "web.yaml"]).output;
    assert!(coloured.contains("\u{1b}[1m\u{1b}[33mwarn\u{1b}[0m"), "{coloured:?}");
    let explained = lint(folder.path(), &["--explain", "web.yaml"]).output;
    assert_eq!(explained.matches("**Why it matters.**").count(), 2, "{explained}");
}

#[test]
fn workflow_commands_are_escaped() {
    let folder = tree(&[("a,b:c%.yaml", WEB), ("pod.yaml", POD)]);
    let (name, text) = policy("heap-above-limit", "enforce");
    let policies = tree(&[
        (&name, &text),
        (
            "policies/approval-in-template.yaml",
            "name: approval-in-template\nrule: approval-in-template\nmode: fix\n",
        ),
    ]);
    let policies = policies.path().join("policies");
    let ran =
        lint(folder.path(), &["--format", "github", "--policies", policies.to_str().unwrap(), "."]);
    let lines: Vec<_> = ran.output.lines().collect();
    assert_eq!(
        lines[0],
        "::warning file=a%2Cb%3Ac%25.yaml,line=10,title=approval-in-template in Deployment shop/web::annotation \"approved-by-sre\" sits in a \
         template: it approves nothing%0Aremove it, and approve the running pod when it is to be resized"
    );
    assert!(
        lines[1].starts_with(
            "::warning file=pod.yaml,line=8,title=heap-above-limit in Pod db::container \"jvm\""
        ),
        "{}",
        lines[1]
    );
    assert!(ran.remarks.starts_with("2 findings "), "{}", ran.remarks);
}

#[test]
fn sarif_has_what_code_scanning_needs() {
    let folder = tree(&[("a b/web.yaml", WEB), ("pod.yaml", POD), ("broken.yaml", "a: [\n")]);
    let log = |folder: &TempDir| -> Value {
        serde_json::from_str(&lint(folder.path(), &["--format", "sarif", "."]).output).unwrap()
    };
    let first = log(&folder);
    assert_eq!(first["version"], "2.1.0");
    let run = &first["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        for text in [
            &rule["shortDescription"]["text"],
            &rule["fullDescription"]["text"],
            &rule["help"]["markdown"],
            &result["message"]["text"],
        ] {
            assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{rule}");
        }
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
    }
    // the strongest first, because only so many are shown
    assert_eq!(
        results.iter().map(|result| result["level"].as_str().unwrap()).collect::<Vec<_>>(),
        ["warning", "warning", "note"]
    );
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"a%20b/web.yaml".into(), &10.into())
    );
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len(), 1);

    let fingerprints = |log: &Value| -> Vec<Value> {
        log["runs"][0]["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["partialFingerprints"]["restraint/v1"].clone())
            .collect()
    };
    fs::write(folder.path().join("a b/web.yaml"), format!("# moved\n\n{WEB}")).unwrap();
    assert_eq!(fingerprints(&log(&folder)), fingerprints(&first));
}

/// Two files of one Secret in one container, and names of every length that Kubernetes takes.
fn long_names() -> (String, [String; 2]) {
    let (container, secret) = ("c".repeat(63), "s".repeat(253));
    let paths = ["transport", "admin"].map(|file| format!("/{}/{file}.pem", "p".repeat(120)));
    let mounts: String = paths
        .iter()
        .map(|path| format!("    - {{name: tls, mountPath: {path}, subPath: a}}\n"))
        .collect();
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers:\n  - name: {container}\n    \
         image: x\n    volumeMounts:\n{mounts}  volumes:\n  - name: tls\n    secret: {{secretName: {secret}}}\n"
    );
    let messages = paths.map(|path| {
        format!(
            "container \"{container}\": Secret \"{secret}\" at \"{path}\" by subPath never updates"
        )
    });
    (pod, messages)
}

#[test]
fn names_and_paths_are_whole_in_every_format() {
    let (pod, messages) = long_names();
    let folder = tree(&[("pod.yaml", &pod)]);
    for format in ["text", "json", "sarif", "github"] {
        let output = lint(folder.path(), &["--format", format, "."]).output;
        for message in &messages {
            let written = match format {
                "json" | "sarif" => message.replace('"', "\\\""),
                _ => message.clone(),
            };
            assert!(output.contains(&written), "{format}: {output}");
        }
        assert!(!output.contains('…'), "{format}");
    }
}

#[test]
fn each_finding_has_a_fingerprint_of_its_own() {
    let (pod, _) = long_names();
    let folder = tree(&[("pod.yaml", &[&*pod, "---\n", &pod].concat()), ("web.yaml", WEB)]);
    let fingerprints = || -> Vec<String> {
        let output = lint(folder.path(), &["--format", "json", "."]).output;
        let findings: Vec<Value> = serde_json::from_str(&output).unwrap();
        findings.iter().map(|one| one["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let first = fingerprints();
    assert_eq!(first.len(), 6);
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 6, "{first:?}");
    fs::write(folder.path().join("web.yaml"), format!("# moved\n\n{WEB}")).unwrap();
    assert_eq!(fingerprints(), first);
}

#[test]
fn the_exit_code_tells_what_was_found() {
    let folder = tree(&[
        ("web.yaml", WEB),
        ("clean.yaml", "apiVersion: v1\nkind: Service\n"),
        ("policies/p.yaml", "name: p\nrule: nonsense\nmode: warn\n"),
    ]);
    let deny = tree(&[(
        "approval-in-template.yaml",
        "name: approval-in-template\nrule: approval-in-template\nmode: enforce\n",
    )]);
    let deny = deny.path().to_str().unwrap();
    let cases: &[(&[&str], i32)] = &[
        (&["web.yaml"], 0),
        (&["--fail-on", "warn", "web.yaml"], 1),
        (&["--fail-on", "audit", "web.yaml"], 1),
        (&["--fail-on", "never", "--policies", deny, "web.yaml"], 0),
        (&["--policies", deny, "web.yaml"], 1),
        (&["--fail-on", "audit", "clean.yaml"], 0),
        (&["nowhere.yaml"], 2),
        (&["--policies", "policies", "web.yaml"], 2),
        (&["--policies", "nowhere", "web.yaml"], 2),
        (&[], 2),
        (&["--format", "xml", "web.yaml"], 2),
        (&["--dry-run", "web.yaml"], 2),
        (&["--fix", "-", "web.yaml"], 2),
        (&["--fix", "--dry-run", "--format", "json", "web.yaml"], 2),
        (&["--explain", "--format", "json", "web.yaml"], 2),
    ];
    for (arguments, code) in cases {
        let ran = lint(folder.path(), arguments);
        assert_eq!(ran.code, *code, "{arguments:?}: {ran:?}");
    }
    let ran = lint(folder.path(), &["nowhere.yaml"]);
    assert!(
        ran.remarks.starts_with("restraint: \"nowhere.yaml\" cannot be read: "),
        "{}",
        ran.remarks
    );
}

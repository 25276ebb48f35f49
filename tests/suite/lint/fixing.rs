//! `--fix`: what it changes, what it leaves alone, and what it refuses.

use restraint::judge::policies::Policies;
use restraint::judge::{amend, judge};
use restraint::review::{Path, decode, decode_for};

use crate::subjects::{creation, update};

use super::*;

/// The text of `text` after `--fix`, and what was said.
fn fixed(text: &str) -> (String, Ran) {
    let folder = tree(&[("a.yaml", text)]);
    let ran = lint(folder.path(), &["--fix", "a.yaml"]);
    let new = fs::read_to_string(folder.path().join("a.yaml")).unwrap();
    let again = lint(folder.path(), &["--fix", "a.yaml"]);
    assert_eq!(fs::read_to_string(folder.path().join("a.yaml")).unwrap(), new, "{}", again.remarks);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
    (new, ran)
}

const POLICY: &str = concat!(
    "        resizePolicy:\n",
    "        - resourceName: cpu\n",
    "          restartPolicy: NotRequired\n",
    "        - resourceName: memory\n",
    "          restartPolicy: RestartContainer\n",
);

#[test]
fn comments_order_and_the_rest_stay() {
    let text = format!(
        "# head\n{}        env: [] # none\n\n# tail\n---\nfoo: bar # not ours\n",
        WEB.replace("memory: 1Gi\n", "memory: 1Gi # much\n            # cpu: 1\n\n")
    );
    let (new, ran) = fixed(&text);
    let expected = text
        .replace("        approved-by-sre: \"true\"\n", "")
        .replace("# cpu: 1\n", &format!("# cpu: 1\n{POLICY}"));
    assert_eq!(new, expected);
    assert!(
        ran.remarks.ends_with("fixed 2 findings in 1 file\n")
            && ran.output.starts_with("0 findings "),
        "{ran:?}"
    );
    assert_eq!(ran.code, 0);
}

#[test]
fn the_style_of_the_file_is_kept() {
    let indented = WEB
        .replace("      - name: app", "        - name: app")
        .replace("\n        image", "\n          image")
        .replace(
            "\n        resources:\n          limits:\n            memory",
            "\n          resources:\n            limits:\n              memory",
        );
    let (new, _) = fixed(&indented);
    assert!(new.ends_with("          resizePolicy:\n            - resourceName: cpu\n              restartPolicy: NotRequired\n            - resourceName: memory\n              restartPolicy: RestartContainer\n"), "{new}");

    let (new, _) = fixed(&WEB.replace('\n', "\r\n"));
    assert!(
        new.ends_with(&POLICY.replace('\n', "\r\n")) && !new.replace("\r\n", "").contains('\n'),
        "{new:?}"
    );

    let (new, _) = fixed(WEB.trim_end());
    assert!(new.ends_with(POLICY.trim_end()), "{new}");

    let (new, _) = fixed(&WEB.replace("        other: x\n", ""));
    assert!(new.contains("      annotations: {}\n    spec:\n"), "{new}");

    let only_cpu = format!(
        "{WEB}        resizePolicy:\n        - resourceName: cpu\n          restartPolicy: RestartContainer # why\n        # after\n"
    );
    let (new, _) = fixed(&only_cpu);
    let memory = "# why\n        - resourceName: memory\n          restartPolicy: RestartContainer\n        # after\n";
    assert!(new.ends_with(memory), "{new}");
}

#[test]
fn braces_and_json_are_put_right_too() {
    let flow = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, resources: {limits: {memory: 1Gi}}, resizePolicy: []}]}\n";
    let (new, _) = fixed(flow);
    let policy = "[{resourceName: cpu, restartPolicy: NotRequired}, {resourceName: memory, restartPolicy: RestartContainer}]";
    assert_eq!(new, flow.replace("[]", policy));
    let (new, _) = fixed(&flow.replace(", resizePolicy: []", ""));
    assert_eq!(
        new,
        flow.replace(", resizePolicy: []", "")
            .replace("{name: a,", &format!("{{resizePolicy: {policy}, name: a,"))
    );

    let json =
        serde_json::to_string_pretty(&serde_saphyr::from_str::<Value>(WEB).unwrap()).unwrap();
    let (new, _) = fixed(&json);
    let new: Value = serde_json::from_str(&new).unwrap();
    assert_eq!(
        new["spec"]["template"]["metadata"]["annotations"],
        serde_json::json!({"other": "x"})
    );
    assert_eq!(
        new["spec"]["template"]["spec"]["containers"][0]["resizePolicy"][1]["restartPolicy"],
        "RestartContainer"
    );
}

#[test]
fn lists_and_several_documents_are_put_right_apart() {
    let item: String = WEB
        .lines()
        .enumerate()
        .map(|(index, line)| format!("{}{line}\n", if index == 0 { "- " } else { "  " }))
        .collect();
    let text = format!("apiVersion: v1\nkind: List\nitems:\n{item}{item}---\na: [\n---\n{WEB}");
    let (new, ran) = fixed(&text);
    assert_eq!(new.matches("resizePolicy:").count(), 3, "{new}");
    assert!(!new.contains("approved-by-sre") && new.contains("\n---\na: [\n---\n"), "{new}");
    assert!(ran.remarks.contains("fixed 6 findings in 1 file"), "{}", ran.remarks);
}

#[test]
fn what_is_used_elsewhere_is_left_alone() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - &a\n    name: a\n    resources: {limits: {memory: 1Gi}}\n  - <<: *a\n    name: b\n";
    let (new, ran) = fixed(text);
    assert_eq!(new, text);
    assert_eq!(
        ran.remarks.matches("--fix cannot change what is written like this").count(),
        2,
        "{}",
        ran.remarks
    );
    assert!(ran.output.starts_with("a.yaml:7: audit"), "{}", ran.output);
}

#[test]
fn a_dry_run_prints_and_changes_nothing() {
    let folder = tree(&[("web.yaml", WEB)]);
    let ran = lint(folder.path(), &["--fix", "--dry-run", "--fail-on", "warn", "web.yaml"]);
    assert_eq!(fs::read_to_string(folder.path().join("web.yaml")).unwrap(), WEB);
    assert!(ran.output.starts_with("--- a/web.yaml\n+++ b/web.yaml\n@@ "), "{}", ran.output);
    assert!(
        ran.output.contains("\n-        approved-by-sre: \"true\"\n")
            && ran.output.contains("\n+        resizePolicy:\n"),
        "{}",
        ran.output
    );
    assert!(
        ran.remarks.contains("would fix 2 findings in 1 file")
            && ran.remarks.contains("0 findings"),
        "{}",
        ran.remarks
    );
    assert_eq!(ran.code, 0, "the exit code is about what remains");
}

#[test]
fn standard_input_comes_out_put_right() {
    let folder = tree(&[]);
    let ran = run(folder.path(), &["--fix", "-"], WEB);
    assert!(
        ran.output.ends_with(POLICY) && !ran.output.contains("approved-by-sre"),
        "{}",
        ran.output
    );
    let clean = "foo: bar # nothing to do\n";
    assert_eq!(run(folder.path(), &["--fix", "-"], clean).output, clean);
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tree(&[("real/web.yaml", WEB)]);
    let real = folder.path().join("real/web.yaml");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&real, folder.path().join("link.yaml")).unwrap();
    lint(folder.path(), &["--fix", "link.yaml"]);
    assert!(folder.path().join("link.yaml").is_symlink());
    assert!(fs::read_to_string(&real).unwrap().ends_with(POLICY));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn the_webhook_still_mends_nothing_but_new_pods() {
    let template: Value = serde_saphyr::from_str(WEB).unwrap();
    let pod: Value = serde_saphyr::from_str(&POD.replace(
        "    resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]\n",
        "",
    ))
    .unwrap();
    let mut changed = pod.clone();
    changed["metadata"]["labels"] = serde_json::json!({"a": "b"});
    let policies = Policies::embedded();
    for (body, fixed) in [
        (creation(&template), false),
        (update(&template, &template), false),
        (update(&pod, &changed), false),
        (creation(&pod), true),
    ] {
        let amended = amend(&policies, &decode_for(Path::Mutate, &body).unwrap().subject);
        assert_eq!(!amended.amendment.is_empty(), fixed);
        assert!(judge(&policies, &decode(&body).unwrap().subject).amendment.is_empty());
    }
}

/// Two containers that share an anchor, and one that stands alone.
const SHARED: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
  - &c
    name: a
    resources: {limits: {memory: 1Gi}}
  - <<: *c
    name: b
---
apiVersion: v1
kind: Pod
metadata: {name: b}
spec:
  containers:
  - name: alone
    resources: {limits: {memory: 1Gi}}
";

#[test]
fn what_cannot_be_fixed_as_it_is_written_is_not_promised() {
    let folder = tree(&[("pod.yaml", SHARED), ("latin1.yaml", "")]);
    let latin1 = [&b"# Gr\xfc\xdfe\n"[..], WEB.as_bytes()].concat();
    fs::write(folder.path().join("latin1.yaml"), latin1).unwrap();
    let fixable = || -> Vec<bool> {
        let output = lint(folder.path(), &["--format", "json", "."]).output;
        let findings: Vec<Value> = serde_json::from_str(&output).unwrap();
        findings.iter().map(|one| one["fixable"].as_bool().unwrap()).collect()
    };
    assert_eq!(fixable(), [false, false, false, false, true]);
    let ran = lint(folder.path(), &["."]);
    assert!(ran.output.ends_with("; 1 fixable with --fix\n"), "{}", ran.output);
    assert_eq!(ran.output.matches("(--fix does it)").count(), 1, "{}", ran.output);

    let ran = lint(folder.path(), &["--fix", "--format", "json", "."]);
    assert!(ran.remarks.contains("fixed 1 finding in 1 file\n"), "{}", ran.remarks);
    assert_eq!(ran.remarks.matches("--fix cannot change").count(), 4, "{}", ran.remarks);
    assert!(!ran.remarks.contains("fixable"), "{}", ran.remarks);
    let left: Vec<Value> = serde_json::from_str(&ran.output).unwrap();
    assert!(left.iter().all(|one| one["fixable"] == false), "{left:?}");
}

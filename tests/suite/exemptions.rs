//! Exemptions silence a rule until they end, and then say that they did.

use serde_json::{Value, json};

use restraint::judge::judge;
use restraint::judge::policies::Policies;
use restraint::review::decode;

use crate::explaining::run;
use crate::subjects::{creation, examine, resize};

#[test]
fn what_an_owner_exempts_is_back_after_its_end_and_says_so() {
    // it is noon of 2026-11-21
    let found = |ignore: &str| {
        let mut pod = pod("512Mi");
        pod["metadata"]["annotations"] = json!({"restraint.dev/ignore": ignore});
        messages(&Policies::embedded(), &creation(&pod))
    };
    let plain = "container \"app\": no resizePolicy for memory, so a resize does not restart it";
    assert_eq!(found("memory-resize-policy until 2026-11-21: replaced, other"), [""; 0]);
    assert_eq!(found("memory-resize-policy"), [""; 0]);
    assert_eq!(found("other"), [plain]);
    let [told] = &*found("memory-resize-policy until 2026-11-20: replaced") else { panic!() };
    assert!(told.ends_with("; exemption ended 2026-11-20"), "{told}");
    assert!("memory-resize-policy: ".len() + told.chars().count() <= 120, "{told}");
    let [told] = &*found("memory-resize-policy until christmas") else { panic!() };
    assert!(told.ends_with("; exemption until \"christmas\", which is no date"), "{told}");
}

#[test]
fn policies_exempt_what_an_owner_may_not() {
    let exempted = |until: &str| {
        let exemptions = format!(
            "exemptions:\n- {{name: legacy, rules: [memory-limit-decrease], until: {until}, reason: moves out, \
             scope: {{namespaces: {{names: [shop]}}}}}}\n"
        );
        let policy = "name: p\nrule: memory-limit-decrease\nmode: enforce\n".to_owned();
        Policies::read([("exemptions.yaml", exemptions), ("p.yaml", policy)]).unwrap()
    };
    let body = resize(&pod("512Mi"), &pod("256Mi"));
    assert_eq!(messages(&exempted("2026-11-21"), &body), [""; 0]);
    let ended = "container \"app\": memory limit 512Mi -> 256Mi is not approved; exemption \"legacy\" ended 2026-11-20";
    let [told] = &*messages(&exempted("2026-11-20"), &body) else { panic!() };
    assert!(
        ended.starts_with(&told[..40]) && told.ends_with("; exemption \"legacy\" ended 2026-11-20"),
        "{told}"
    );
    let mut elsewhere = pod("512Mi");
    elsewhere["metadata"]["namespace"] = json!("other");
    assert_eq!(
        messages(&exempted("2026-11-21"), &resize(&elsewhere, &pod_in("other", "256Mi"))).len(),
        1
    );
}

#[test]
fn the_linter_lists_them_with_their_ends() {
    let folder = tempfile::tempdir().unwrap();
    let text = "exemptions:\n- {name: legacy, rules: [file-watch], until: 2999-12-31, reason: moves out}\n";
    std::fs::write(folder.path().join("exemptions.yaml"), text).unwrap();
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: db\n  annotations:\n    restraint.dev/ignore: \"file-watch until 2020-01-01: old, tail until soon, stale-file-follow\"\nspec: {containers: []}\n";
    let policies = folder.path().to_str().unwrap();
    let arguments = ["lint", "-", "--exemptions", "--policies", policies];
    let (code, table, _) = run(&arguments, manifest);
    let expected = "\
WHERE              WHAT                    RULE                UNTIL        STATE                  REASON
exemption legacy   scope of the policies   file-watch          2999-12-31   in force               moves out
<stdin>:6          Pod db                  file-watch          2020-01-01   ended                  old
<stdin>:6          Pod db                  tail                soon         no rule of this name
<stdin>:6          Pod db                  stale-file-follow   -            in force
";
    assert_eq!((code, &*table), (0, expected));
    let (code, list, _) = run(&[&arguments[..], &["--format", "json"]].concat(), manifest);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!((code, &list[1]["state"], &list[0]["line"]), (0, &json!("ended"), &Value::Null));
}

fn messages(policies: &Policies, body: &[u8]) -> Vec<String> {
    let mut review = decode(body).unwrap();
    examine(&mut review.subject);
    let verdict = judge(policies, &review.subject);
    verdict.rulings.into_iter().map(|ruling| ruling.finding.message).collect()
}

fn pod(memory: &str) -> Value {
    pod_in("shop", memory)
}

fn pod_in(namespace: &str, memory: &str) -> Value {
    let container = json!({"name": "app", "resources": {"limits": {"memory": memory}}});
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "namespace": namespace, "uid": "u"},
        "spec": {"nodeName": "n1", "containers": [container]},
    })
}

//! What is read as cases, and what is said of what cannot be.

use super::*;

/// The lines that are printed of a file with these cases, without its name.
fn errors(cases: &str) -> Vec<String> {
    let folder = with_cases(cases);
    let ran = test(folder.path(), &["p/tests/cases.yaml"]);
    assert_eq!(ran.code, 2, "{cases}: {ran:?}");
    let lines = ran.output.lines().filter_map(|line| line.strip_prefix("error "));
    lines.map(|line| line.strip_prefix("p/tests/cases.yaml:").unwrap().to_owned()).collect()
}

/// What is said of one case with these fields.
fn errors_of(fields: &str) -> Vec<String> {
    errors(&format!("cases:\n  - {fields}\n"))
}

const RESIZE: &str = "resize: {app: {limits: {memory: 1Gi}}}";

#[test]
fn every_fault_is_told_with_its_place_and_the_way_out() {
    let cases = [
        ("name: a\n    expect: {decision: allowed}".to_owned(), vec![
            r#"11:5: a case needs one of "object", "manifest", "resize", "annotate", or "review""#,
        ]),
        (RESIZE.to_owned(), vec![r#"11:5: a case needs a "name": a sentence about what it shows"#]),
        (format!("name: a\n    {RESIZE}\n    annotate: {{a: b}}"), vec![
            r#"11:5: "resize", "annotate" say the same thing: one of them is enough"#,
        ]),
        (format!("name: a\n    {RESIZE}\n    expected: {{}}"), vec![
            r#"13:5: unknown field "expected" in "cases[0]", did you mean "expect"?"#,
        ]),
        (format!("name: a\n    {RESIZE}\n    expect: {{findings: []}}"), vec![
            r#"13:13: "expect" needs "decision": allowed, warned, amended, restored, denied"#,
        ]),
        (format!("name: a\n    {RESIZE}\n    expect: {{decision: deny}}"), vec![
            r#"13:24: unknown decision "deny", known are "allowed", "warned", "amended", "restored", "denied""#,
        ]),
        (format!("name: a\n    {RESIZE}\n    expect: {{decision: denied, findings: [{{rule: memory-decrease, mode: loud}}, {{mode: warn}}]}}"), vec![
            r#"13:50: unknown rule "memory-decrease", known are "#,
            r#"13:73: unknown mode "loud", known are "off", "audit", "warn", "enforce", "fix""#,
            r#"13:80: a finding needs "rule""#,
        ]),
        ("name: a\n    resize: {ap: {limits: {memory: 1Gi}}}".to_owned(), vec![
            r#"12:14: no container is called "ap", did you mean "app"?"#,
        ]),
        ("name: a\n    resize: {app: {limit: {memory: 1Gi}}}".to_owned(), vec![
            r#"12:20: unknown field "limit" in "resize.app", did you mean "limits"?"#,
        ]),
        (format!("name: a\n    {RESIZE}\n    operation: CREATE"), vec![
            r#"12:13: "resize" needs "oldObject", which it changes"#,
        ]),
        (format!("name: a\n    {RESIZE}\n    operation: PATCH"), vec![
            r#"13:16: unknown operation "PATCH", known are "CREATE", "UPDATE", "DELETE""#,
        ]),
        (format!("name: a\n    {RESIZE}\n    operation: DELETE"), vec![
            r#"12:13: a DELETE has no "resize": say "oldObject""#,
        ]),
        (format!("name: a\n    {RESIZE}\n    now: noon"), vec![
            r#"13:10: "now": "noon" is no time: write it like 2026-01-01T12:00:00Z"#,
        ]),
        (format!("name: a\n    {RESIZE}\n    cap: strict"), vec![
            r#"13:10: "cap": a cap is "enforce", "warn" or "audit""#,
        ]),
        (format!("name: a\n    {RESIZE}\n    resource: pods/resizes"), vec![
            r#"13:15: unknown resource "pods/resizes" of Pod, did you mean "pods/resize"?"#,
        ]),
        (format!("name: a\n    {RESIZE}\n    evidence: {{mayApprove: perhaps, usage: {{app: much}}, seal: broken}}"), vec![
            r#"13:28: "cases[0].evidence.mayApprove" must be true, false or "unknown", not "perhaps""#,
            r#"13:44: "cases[0].evidence.usage": "#,
            r#"13:63: unknown seal "broken", known are "genuine", "forged""#,
        ]),
        (format!("name: a\n    {RESIZE}\n    approved: {{memory: app, for: soon, at: noon}}"), vec![
            r#"13:24: "cases[0].approved.memory": "#,
            r#"13:34: "cases[0].approved.for": "#,
            r#"13:44: "cases[0].approved.at": no time: write it like 2026-01-01T12:00:00Z"#,
        ]),
        ("name: a\n    object: {kind: Pod}".to_owned(), vec![
            r#"12:13: "object": no object of Kubernetes: it has no apiVersion and kind"#,
        ]),
        ("name: a\n    object: pod.yaml".to_owned(), vec![
            r#"12:13: "object" must be an object, not "pod.yaml"; a file goes in "manifest""#,
        ]),
        ("name: a\n    operation: CREATE\n    object: {apiVersion: v1, kind: Service, metadata: {name: a}}".to_owned(), vec![
            r#"11:5: no rule looks at kind "Service" of "v1""#,
        ]),
        ("name: a\n    object: {apiVersion: v1, kind: Pod, metadata: {name: b}}".to_owned(), vec![
            r#"11:5: "oldObject" is another object: kind and name must be the same"#,
        ]),
        ("name: a\n    object:\n      apiVersion: v1\n      kind: Pod\n      metadata: {name: db-0}\n      spec:\n        containers:\n          - name: 5".to_owned(), vec![
            r#"18:1: "object": spec.containers[0].name: must be a string, not 5: put it in quotes"#,
        ]),
        ("name: a\n    manifest: missing.yaml".to_owned(), vec![
            r#"12:15: "missing.yaml" cannot be read: "#,
        ]),
        ("name: a\n    review: missing.json".to_owned(), vec![
            r#"12:13: "missing.json": it cannot be read: "#,
            r#"12:13: a recorded review needs "path", the way it came in: mutate or validate"#,
        ]),
        (format!("name: a\n    review: missing.json\n    path: validate\n    {RESIZE}"), vec![
            r#"12:13: "missing.json": it cannot be read: "#,
            r#"14:13: "resize" does not go with "review", which says it itself"#,
        ]),
    ];
    for (fields, expected) in cases {
        let told = errors_of(&fields);
        assert_eq!(told.len(), expected.len(), "{fields}: {told:#?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.starts_with(expected), "{fields}\n{told}\n{expected}");
        }
    }
}

#[test]
fn faults_of_a_whole_file_are_told() {
    let one = format!("  - name: a\n    {RESIZE}\n    expect: {{decision: allowed}}\n");
    let cases = [
        ("cases: []\n".to_owned(), r#"10:8: "cases" is empty"#),
        ("cases: {}\n".to_owned(), r#"10:8: "cases" must be a list of cases, not a mapping"#),
        (format!("cases:\n{one}{one}"), r#"14:1: a second case is called "a""#),
        (
            format!("cases:\n{one}polices: .\n"),
            r#"14:1: unknown field "polices", did you mean "policies"?"#,
        ),
        (
            format!("cases:\n{one}---\na: b\n"),
            "14:1: a second document: a file of cases is one document",
        ),
        (
            format!("cases:\n{one}policies: nowhere\n"),
            r#"14:11: policies folder "p/tests/nowhere" cannot be read: "#,
        ),
        (
            format!("cases:\n{one}modes: {{decreas: warn}}\n"),
            r#"14:9: unknown policy "decreas", did you mean "decrease"?"#,
        ),
        (
            format!("cases:\n{one}modes: {{decrease: fix}}\n"),
            r#"14:9: rule "memory-limit-decrease" has no fix: "#,
        ),
        ("cases: [\n".to_owned(), "10:1: invalid YAML: "),
    ];
    for (text, expected) in cases {
        let told = errors(&text);
        assert!(
            matches!(&*told, [line] if line.starts_with(expected)),
            "{text}\n{told:#?}\n{expected}"
        );
    }
}

#[test]
fn files_of_cases_are_found_among_others() {
    let case =
        format!("{DEFAULTS}cases:\n  - name: a\n    {RESIZE}\n    expect: {{decision: allowed}}\n");
    let folder = tree(&[
        ("p/decrease.yaml", POLICY),
        ("p/tests/one.yaml", &case),
        ("p/tests/deep/two.yml", &case),
        ("p/tests/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"),
        ("p/tests/template.yaml", "{{ broken }}: [\n"),
    ]);
    // the second is not beside the policies, and means those that are built in
    let ran = test(folder.path(), &["."]);
    assert_eq!((ran.code, &*ran.output), (0, "2 passed, 0 failed in 2 files\n"), "{ran:?}");
    let policies = |report: &Value| -> Vec<String> {
        let cases = report["cases"].as_array().unwrap();
        cases.iter().map(|case| case["policies"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(policies(&json(folder.path(), &["."])), ["built in", "p"]);
    assert_eq!(policies(&json(folder.path(), &[".", "--policies", "p"])), ["p", "p"]);

    let ran = test(folder.path(), &["p/tests/pod.yaml"]);
    let told = "error p/tests/pod.yaml:1:1: no cases: a file of cases is a mapping with the list \"cases\" at its top\n";
    assert!(ran.code == 2 && ran.output.starts_with(told), "{ran:?}");
    let ran = test(folder.path(), &["missing"]);
    assert!(ran.code == 2 && ran.remarks.contains("\"missing\" cannot be read"), "{ran:?}");
    fs::remove_dir_all(folder.path().join("p/tests")).unwrap();
    let ran = test(folder.path(), &["p"]);
    let told = "no cases in \"p\": a file of cases has \"cases\" at its top";
    assert!(ran.code == 2 && ran.remarks.contains(told), "{ran:?}");
}

#[test]
fn cases_do_not_stand_among_the_policies() {
    let case =
        format!("{DEFAULTS}cases:\n  - name: a\n    {RESIZE}\n    expect: {{decision: allowed}}\n");
    let folder = tree(&[("p/decrease.yaml", POLICY), ("p/cases.yaml", &case)]);
    let ran = test(folder.path(), &["p"]);
    let told = "error p/cases.yaml:1:1: the file stands among policies, and a server would take it for one: move it into a folder there, such as tests/\n";
    assert!(ran.code == 2 && ran.output.starts_with(told), "{ran:?}");
}

#[test]
fn faulty_policies_are_told_as_a_server_tells_them() {
    let case =
        format!("{DEFAULTS}cases:\n  - name: a\n    {RESIZE}\n    expect: {{decision: allowed}}\n");
    let policy = "name: p\nrule: file-wach\nmode: warn\n";
    let folder = tree(&[("p/p.yaml", policy), ("p/tests/cases.yaml", &case)]);
    let ran = test(folder.path(), &["."]);
    let told = "error p/tests/cases.yaml:1:1: p/p.yaml:2:7: unknown rule \"file-wach\", did you mean \"file-watch\"?\n";
    assert!(ran.code == 2 && ran.output.starts_with(told), "{ran:?}");
}

#[test]
fn objects_and_reviews_may_stand_in_files() {
    let manifests = "\
apiVersion: v1
kind: Pod
metadata: {name: db-0}
spec: {containers: [{name: app, resources: {limits: {memory: 1Gi}}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db-1}
spec: {containers: [{name: app}]}
";
    let cases = "\
cases:
  - name: one of two
    manifest: pods.yaml#pod/db-1
    expect: {decision: allowed}
  - name: a review that a server got
    review: review.json
    path: validate
    expect:
      decision: denied
      findings: [{rule: memory-limit-decrease, mode: enforce}]
";
    let review = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/reviews/resize-limit-down-unapproved.pods-resize.validate.json"
    ));
    let folder =
        tree(&[("cases.yaml", cases), ("pods.yaml", manifests), ("review.json", &review.unwrap())]);
    let ran = test(folder.path(), &["cases.yaml"]);
    assert_eq!((ran.code, &*ran.output), (0, "2 passed, 0 failed in 1 file\n"), "{ran:?}");
    let any = cases.replace("pods.yaml#pod/db-1", "pods.yaml");
    fs::write(folder.path().join("cases.yaml"), any).unwrap();
    let ran = test(folder.path(), &["cases.yaml"]);
    let told = "error cases.yaml:3:15: \"pods.yaml\" holds 2 objects: choose one, as in \"pods.yaml#pod/db-0\"; there are \"pod/db-0\", \"pod/db-1\"\n";
    assert!(ran.output.contains(told), "{ran:?}");
}

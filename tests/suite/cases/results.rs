//! What is printed of cases that pass, fail or are faulty.

use serde_json::json;

use super::*;

const CASES: &str = "\
cases:
  - name: growth passes
    resize: {app: {limits: {memory: 1Gi}}}
    expect: {decision: allowed}
  - name: a decrease passes
    resize: {app: {limits: {memory: 256Mi}}}
    expect:
      decision: allowed
      findings:
        - {rule: memory-limit-decrease, mode: warn, container: app}
        - {rule: heap-above-limit}
  - name: a \"decrease\" <of> nobody & nothing
    resize: {app: {limits: {memory: 256Mi}}}
    expect: {decision: denied}
  - name: nothing is expected
    resize: {app: {limits: {memory: 256Mi}}}
";

#[test]
fn failures_say_what_was_expected_and_what_came() {
    let folder = with_cases(CASES);
    let ran = test(folder.path(), &["p/tests"]);
    let expected = "\
FAILED p/tests/cases.yaml:14: a decrease passes
  expected allowed, got denied
  - memory-limit-decrease (warn) in container \"app\"
  - heap-above-limit
  + memory-limit-decrease (enforce) denied: container \"app\": memory limit 512Mi -> 256Mi is not approved
FAILED p/tests/cases.yaml:21: a \"decrease\" <of> nobody & nothing
  + memory-limit-decrease (enforce) denied: container \"app\": memory limit 512Mi -> 256Mi is not approved
FAILED p/tests/cases.yaml:24: nothing is expected
  nothing is expected, got denied
  say what is expected, or let --update write what comes of it
  + memory-limit-decrease (enforce) denied: container \"app\": memory limit 512Mi -> 256Mi is not approved

1 passed, 3 failed in 1 file
";
    assert_eq!((ran.code, &*ran.output, &*ran.remarks), (1, expected, ""));
    let verbose = test(folder.path(), &["p/tests", "--verbose"]).output;
    assert!(verbose.starts_with("passed p/tests/cases.yaml:11: growth passes\n"), "{verbose}");
}

#[test]
fn what_a_policy_asks_for_and_a_case_does_not_tell_is_said() {
    let policy = format!(
        "{POLICY}settings: {{allowances: [{{name: a, aboveUsage: 30%, atLeast: 64Mi}}]}}\n"
    );
    let cases = format!(
        "{DEFAULTS}cases:\n  - name: it may\n    resize: {{app: {{limits: {{memory: 256Mi}}}}}}\n    expect: {{decision: allowed, allowance: a}}\n"
    );
    let folder = tree(&[("p/decrease.yaml", &policy), ("p/tests/cases.yaml", &cases)]);
    let ran = test(folder.path(), &["."]);
    assert_eq!(ran.code, 1);
    for line in [
        "  expected allowed, got denied\n",
        "  expected allowance \"a\", got none\n",
        "  a policy asks for the live memory of the pod: say \"evidence.usage\"\n",
    ] {
        assert!(ran.output.contains(line), "{}", ran.output);
    }
    let told = cases.replace("    expect:", "    evidence: {usage: {app: 100Mi}}\n    expect:");
    fs::write(folder.path().join("p/tests/cases.yaml"), told).unwrap();
    let ran = test(folder.path(), &["."]);
    assert_eq!((ran.code, &*ran.output), (0, "1 passed, 0 failed in 1 file\n"));
}

#[test]
fn programs_read_the_same() {
    let folder = with_cases(CASES);
    let report = json(folder.path(), &["p"]);
    assert_eq!(report["schema"], "restraint.dev/test/v1");
    let totals = json!({"files": 1, "passed": 1, "failed": 3, "updated": 0, "errors": 0});
    assert_eq!(report["totals"], totals);
    let case = &report["cases"][1];
    assert_eq!((&case["file"], &case["line"]), (&json!("p/tests/cases.yaml"), &json!(14)));
    assert_eq!((&case["result"], &case["policies"]), (&json!("failed"), &json!("p")));
    assert_eq!(case["found"]["decision"], "denied");
    let expected = json!({"rule": "memory-limit-decrease", "mode": "warn", "outcome": null, "container": "app", "message": null});
    assert_eq!(case["missing"][0], expected);
    assert_eq!(case["unexpected"][0]["outcome"], "denied");
}

#[test]
fn junit_is_well_formed_whatever_names_say() {
    let folder = with_cases(CASES);
    fs::write(folder.path().join("p/tests/faulty.yaml"), "cases: []\n").unwrap();
    let faulty = "cases:\n  - name: \"\\e[2J\"\n    expect: {decision: maybe}\n";
    fs::write(folder.path().join("p/tests/other.yaml"), faulty).unwrap();
    let ran = test(folder.path(), &["p", "--format", "junit"]);
    assert_eq!(ran.code, 2);
    let elements = elements(&ran.output);
    let count = |name: &str| elements.iter().filter(|element| *element == name).count();
    assert_eq!(
        ["testsuites", "testsuite", "testcase", "failure", "error"].map(count),
        [1, 3, 6, 3, 2],
        "{}",
        ran.output
    );
    let head = "<testsuites name=\"restraint\" tests=\"6\" failures=\"3\" errors=\"2\">";
    assert!(ran.output.contains(head), "{}", ran.output);
    let name = "name=\"a &quot;decrease&quot; &lt;of&gt; nobody &amp; nothing\"";
    assert!(ran.output.contains(name), "{}", ran.output);
}

#[test]
fn a_pod_is_amended_before_it_is_judged() {
    let folder = tree(&[(
        "cases.yaml",
        "\
cases:
  - name: both hooks
    object: &pod
      {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: app, resources: {limits: {memory: 1Gi}}}]}}
    expect:
      decision: amended
      findings: [{rule: memory-resize-policy, mode: fix, outcome: amended, container: app}]
  - name: one alone
    path: validate
    object: *pod
    expect:
      decision: warned
      findings: [{rule: memory-resize-policy, mode: fix, outcome: warned, container: app}]
",
    )]);
    let ran = test(folder.path(), &["cases.yaml"]);
    assert_eq!((ran.code, &*ran.output), (0, "2 passed, 0 failed in 1 file\n"), "{}", ran.remarks);
}

/// The elements of an XML text, each closed by its own end.
fn elements(xml: &str) -> Vec<String> {
    let (mut open, mut all) = (Vec::new(), Vec::new());
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap();
    for tag in body.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap();
        assert!(!text.contains('>') && entities_are_known(text), "{text}");
        assert!(tag.chars().all(|letter| !letter.is_control()), "{tag:?}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let name = tag.split(' ').next().unwrap().to_owned();
        let attributes = &tag[name.len()..];
        assert_eq!(attributes.matches('"').count() % 2, 0, "{tag}");
        assert!(entities_are_known(attributes), "{tag}");
        all.push(name.clone());
        open.push(name);
    }
    assert_eq!(open, [""; 0]);
    all
}

fn entities_are_known(text: &str) -> bool {
    let known = ["amp;", "lt;", "gt;", "quot;", "#10;", "#9;"];
    text.split('&').skip(1).all(|rest| known.iter().any(|entity| rest.starts_with(entity)))
}

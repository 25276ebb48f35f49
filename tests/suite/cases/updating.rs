//! `--update`: what it writes, and what it leaves alone.

use super::*;

const STALE: &str = "\
# head
cases:
  - name: nothing is expected # yet
    resize: {app: {limits: {memory: 256Mi}}}
    # after the first
  - name: another decision
    resize: {app: {limits: {memory: 256Mi}}}
    expect: # why
      # because
      decision: allowed # for now
      findings:
        # this one goes
        - {rule: heap-above-limit}
        - rule: memory-limit-decrease # this one stays
          container: app
    # after the second
  - name: in braces
    resize: {app: {limits: {memory: 256Mi}}}
    expect: {decision: warned} # a remark
  - {name: all in braces, resize: {app: {limits: {memory: 1Gi}}}, expect: {decision: denied, findings: [{rule: heap-above-limit}]}}
  - name: as it should be
    resize: {app: {limits: {memory: 1Gi}}}
    expect: {decision:   allowed}
# tail
";

const FRESH: &str = "\
# head
cases:
  - name: nothing is expected # yet
    resize: {app: {limits: {memory: 256Mi}}}
    expect:
      decision: denied
      findings:
        - {rule: memory-limit-decrease, mode: enforce, container: app}
    # after the first
  - name: another decision
    resize: {app: {limits: {memory: 256Mi}}}
    expect: # why
      # because
      decision: denied # for now
      findings:
        # this one goes
        - rule: memory-limit-decrease # this one stays
          container: app
    # after the second
  - name: in braces
    resize: {app: {limits: {memory: 256Mi}}}
    expect: # a remark
      decision: denied
      findings:
        - {rule: memory-limit-decrease, mode: enforce, container: app}
  - {name: all in braces, resize: {app: {limits: {memory: 1Gi}}}, expect: {decision: allowed}}
  - name: as it should be
    resize: {app: {limits: {memory: 1Gi}}}
    expect: {decision:   allowed}
# tail
";

#[test]
fn comments_order_and_the_rest_stay() {
    let folder = with_cases(STALE);
    let ran = test(folder.path(), &["p", "--update"]);
    let expected = "\
updated p/tests/cases.yaml:12: nothing is expected
updated p/tests/cases.yaml:15: another decision
updated p/tests/cases.yaml:26: in braces
updated p/tests/cases.yaml:29: all in braces

1 passed, 4 updated, 0 failed in 1 file
";
    assert_eq!((ran.code, &*ran.output), (0, expected), "{}", ran.remarks);
    let path = folder.path().join("p/tests/cases.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{DEFAULTS}{FRESH}"));
    let ran = test(folder.path(), &["p", "--update"]);
    assert_eq!((ran.code, &*ran.output), (0, "5 passed, 0 failed in 1 file\n"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "nothing is left to write");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left over");
}

#[test]
fn json_and_foreign_line_ends_stay_what_they_are() {
    let cases = format!("{DEFAULTS}{STALE}").replace('\n', "\r\n");
    let folder = tree(&[("p/decrease.yaml", POLICY), ("p/tests/cases.yaml", &cases)]);
    assert_eq!(test(folder.path(), &["p", "--update"]).code, 0);
    let text = fs::read_to_string(folder.path().join("p/tests/cases.yaml")).unwrap();
    assert_eq!(text, format!("{DEFAULTS}{FRESH}").replace('\n', "\r\n"));

    let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"app","resources":{"limits":{"memory":"1Gi"}}}]}}"#;
    let one =
        |rest: &str| format!("{{\"cases\": [{{{rest}\"name\": \"a\", \"object\": {pod}}}]}}\n");
    let folder = tree(&[("cases.json", &one(""))]);
    assert_eq!(test(folder.path(), &["cases.json", "--update"]).code, 0);
    let text = fs::read_to_string(folder.path().join("cases.json")).unwrap();
    let expect = r#""expect": {"decision":"amended","findings":[{"container":"app","mode":"fix","rule":"memory-resize-policy"}]}, "#;
    assert_eq!(text, one(expect));
    assert_eq!(test(folder.path(), &["cases.json"]).code, 0);
}

#[test]
fn nothing_is_written_where_it_cannot_be_done_as_it_is_written() {
    // one expectation for two cases, which come to different ends
    let shared = "\
cases:
  - name: one
    resize: {app: {limits: {memory: 256Mi}}}
    expect: &same {decision: warned}
  - name: other
    resize: {app: {limits: {memory: 1Gi}}}
    expect: *same
";
    let folder = with_cases(shared);
    let ran = test(folder.path(), &["p", "--update"]);
    assert_eq!(ran.code, 2, "{}", ran.output);
    let refusal = "--update cannot change what is written like this";
    assert!(ran.output.contains(refusal), "{}", ran.output);
    let text = fs::read_to_string(folder.path().join("p/tests/cases.yaml")).unwrap();
    assert_eq!(text, format!("{DEFAULTS}{shared}"));
}

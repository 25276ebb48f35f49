//! The page that the browser test looks at, and what must be true of every page.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::audit::report::{
    Approval, Autoscaler, DifferingLimit, Finding, LingeringResize, Missing, Report, SCHEMA, Totals,
};
use crate::rules::strength::Strength;

/// What somebody would write who wants to leave their place.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'`{{script}}<!--<script>\u{2028}\u{2029}\u{202e}&lt;\n]]>";

#[test]
fn nothing_leaves_its_place() {
    let page = render(&report(30)).unwrap();
    let plain = render(&Value::Null).unwrap();
    let marks = |page: &str| {
        ["<", ">", "&", "{{", "\u{2028}", "\u{2029}"].map(|mark| page.matches(mark).count())
    };
    let [tags, ends, ampersands, ..] = marks(&plain);
    // `{{script}}` in a name is a name; it stays and is not filled in
    assert_eq!(marks(&page)[..3], [tags, ends, ampersands]);
    assert_eq!(marks(&page)[4..], [0, 0]);
    assert_eq!(page.matches(SCRIPT).count(), 1);
}

#[test]
fn the_page_holds_the_report_as_it_is() {
    let report = report(30);
    let page = render(&report).unwrap();
    let (_, rest) = page.split_once("<script id=\"report\" type=\"application/json\">").unwrap();
    let (json, _) = rest.split_once("</script>").unwrap();
    let read: Value = serde_json::from_str(json).unwrap();
    assert_eq!(read, serde_json::to_value(&report).unwrap());
    assert_eq!(read["findings"][0]["name"], HOSTILE);
}

#[test]
fn the_page_loads_nothing_and_is_small() {
    let page = render(&Value::Null).unwrap();
    assert!(page.len() < 32 * 1024, "{}", page.len());
    assert!(!page.contains("{{"), "something is not filled in");
    let without_namespace = page.replace("http://www.w3.org/2000/svg", "");
    for way in ["http:", "https:", "url(", "@import", "src=", "innerHTML", "fetch("] {
        assert!(!without_namespace.contains(way), "{way}");
    }
    assert!(page.contains(&security_policy(STYLE, Some(SCRIPT))));
    assert!(page.contains("content=\"default-src 'none';") && !page.contains("unsafe-"));
}

/// Where `RESTRAINT_AUDIT_PAGE` names a file, it becomes the page that tests/browser looks at.
#[test]
fn the_page_of_the_browser_test() {
    let page = render(&report(10_000)).unwrap();
    if let Some(path) = std::env::var_os("RESTRAINT_AUDIT_PAGE") {
        std::fs::write(path, page).unwrap();
    }
}

/// A report with `count` findings, the first with hostile names and messages, and something in
/// every section.
fn report(count: usize) -> Report {
    let hostile = || HOSTILE.to_owned();
    let findings: Vec<_> = (0..count).map(finding).collect();
    let mut totals =
        Totals { objects: BTreeMap::from([("Deployment".to_owned(), count)]), ..Totals::default() };
    totals.count(&findings);
    Report {
        schema: SCHEMA,
        time: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        version: "0.1.0",
        cluster: hostile(),
        namespace: None,
        selector: Some(hostile()),
        policies: hostile(),
        cap: "enforce",
        installation: Some(hostile()),
        totals,
        findings,
        resizes: vec![LingeringResize {
            namespace: hostile(),
            pod: hostile(),
            node: hostile(),
            reason: hostile(),
            message: hostile(),
            since: None,
            age_seconds: Some(7_300),
        }],
        differing: vec![DifferingLimit {
            namespace: hostile(),
            pod: hostile(),
            container: hostile(),
            desired: hostile(),
            actual: hostile(),
        }],
        approvals: vec![Approval {
            namespace: hostile(),
            pod: hostile(),
            state: "usable",
            approver: Some(hostile()),
            memory: Some(hostile()),
            expires: None,
        }],
        autoscalers: vec![Autoscaler {
            namespace: hostile(),
            name: hostile(),
            target: hostile(),
            mode: hostile(),
            outcome: "denied",
            allowance: Some(hostile()),
            restarts: vec![hostile()],
            changes: vec![hostile()],
            why: hostile(),
        }],
        missing: vec![Missing::gap(hostile(), hostile())],
        next: (),
    }
}

fn finding(number: usize) -> Finding {
    let is_hostile = number == 0;
    let text = |text: String| if is_hostile { HOSTILE.to_owned() } else { text };
    let pick = |of: &[&'static str]| of.get(number % of.len()).copied().unwrap();
    Finding {
        rule: pick(&["heap-above-limit", "stale-file-follow", "frozen-env-config"]),
        mode: *Strength::ALL.get(number % 3).unwrap(),
        namespace: text(format!("team-{}", number % 40)),
        kind: pick(&["Deployment", "StatefulSet", "Pod", "CronJob"]),
        name: text(format!("web-{number}")),
        pods: number % 7,
        container: Some(text("app".to_owned())),
        pointer: "/spec/template/spec/containers/0".to_owned(),
        message: text(format!(
            "container \"app\": number {number} keeps what it read at its start"
        )),
        remedy: text("raise it: `kubectl set resources deploy/web --limits=memory=1Gi`".to_owned())
            .into(),
    }
}

//! Reports for tests.

use jiff::Timestamp;

use crate::rules::strength::Strength;

use super::report::{Finding, LingeringResize, Report, SCHEMA, Totals};

/// A finding in mode `warn`.
pub(super) fn finding(
    namespace: &str,
    kind: &'static str,
    name: &str,
    rule: &'static str,
) -> Finding {
    Finding {
        rule,
        mode: Strength::ALL[1],
        namespace: namespace.to_owned(),
        kind,
        name: name.to_owned(),
        pods: 1,
        container: Some("app".to_owned()),
        pointer: "/spec/containers/0".to_owned(),
        message: format!("container \"app\" of {name:?}: something is wrong"),
        remedy: "put it right".into(),
    }
}

/// A resize of a pod in namespace `shop`.
pub(super) fn resize(pod: &str, reason: &str, age: Option<i64>) -> LingeringResize {
    LingeringResize {
        namespace: "shop".to_owned(),
        pod: pod.to_owned(),
        node: "node-1".to_owned(),
        reason: reason.to_owned(),
        message: String::new(),
        since: None,
        age_seconds: age,
    }
}

/// A report of all namespaces.
pub(super) fn report(findings: Vec<Finding>, resizes: Vec<LingeringResize>) -> Report {
    let mut totals = Totals::default();
    totals.count(&findings);
    Report {
        schema: SCHEMA,
        time: Timestamp::UNIX_EPOCH,
        version: "0.1.0",
        cluster: "v1.36.3".to_owned(),
        namespace: None,
        selector: None,
        policies: "built in".to_owned(),
        cap: "enforce",
        installation: None,
        totals,
        findings,
        resizes,
        differing: Vec::new(),
        approvals: Vec::new(),
        autoscalers: Vec::new(),
        missing: Vec::new(),
        next: (),
    }
}

//! Findings in a cluster, as SARIF has them: in no file, each with the object that it is about.

use serde_json::{Value, json};

use crate::judge::policies::Policies;
use crate::report::Fingerprints;
use crate::report::sarif::{self, Notification, SarifResult};

use super::report::{Finding, Missing, Report};

/// The log of a run.
pub(super) fn render(report: &Report, policies: &Policies) -> Value {
    let mut fingerprints = Fingerprints::default();
    let results = report.findings.iter().map(|finding| result(finding, &mut fingerprints));
    let notification = |Missing { what, why, .. }: &Missing| Notification {
        message: format!("not in this report: {what}: {why}"),
        place: None,
    };
    let notifications = report.missing.iter().map(notification).collect();
    let mut log = sarif::render(results.collect(), notifications, policies);
    if let Some(run) = log.pointer_mut("/runs/0").and_then(Value::as_object_mut) {
        run.insert(
            "properties".to_owned(),
            json!({
                "time": report.time, "cluster": report.cluster, "namespace": report.namespace,
                "selector": report.selector, "policies": report.policies, "cap": report.cap,
                "installation": report.installation,
            }),
        );
    }
    log
}

fn result<'f>(finding: &'f Finding, fingerprints: &mut Fingerprints) -> SarifResult<'f> {
    let Finding { rule, mode, namespace, kind, name, container, message, .. } = finding;
    let container = container.as_deref().unwrap_or_default();
    SarifResult {
        rule,
        mode: *mode,
        message,
        remedy: &finding.remedy,
        subject: format!("{kind} {namespace}/{name}"),
        place: None,
        fingerprint: fingerprints.next(&[rule, kind, namespace, name, container, message]),
    }
}

//! Whether a grant was stamped, for people and for programs.

use std::fmt;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde::Serialize;

use crate::command::approval_details::ApprovalDetails;

/// Whether the grant on one pod was stamped, or why not. The names of its fields stay as they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GrantResult {
    namespace: String,
    pod: String,
    /// Whether the service stamped it.
    pub(super) approved: bool,
    dry_run: bool,
    #[serde(flatten)]
    answer: Answer,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Approved(ApprovalDetails),
    Failed { error: String },
}

impl GrantResult {
    pub(super) fn of(pod: &Pod, result: Result<ApprovalDetails, String>, dry_run: bool) -> Self {
        let (namespace, approved) = (pod.namespace().unwrap_or_default(), result.is_ok());
        let answer = result.map_or_else(|error| Answer::Failed { error }, Answer::Approved);
        Self { namespace, pod: pod.name_any(), approved, dry_run, answer }
    }
}

impl fmt::Display for GrantResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = if self.dry_run { " (server dry run, nothing is stored)" } else { "" };
        match &self.answer {
            Answer::Approved(details) => {
                let ends = if details.unscheduled { " or it gets a node" } else { "" };
                write!(
                    formatter,
                    "pod/{} approved{run}: {details}; used by its next resize, invalid if its spec changes{ends}",
                    self.pod
                )
            }
            Answer::Failed { error } => write!(formatter, "pod/{} not approved: {error}", self.pod),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::approval::Floors;

    use super::*;

    #[test]
    fn people_and_programs_read_the_result() {
        let pod: Pod =
            serde_json::from_value(json!({"metadata": {"name": "db-0", "namespace": "shop"}}))
                .unwrap();
        let details = ApprovalDetails {
            memory: Floors::parse("app=256Mi").unwrap(),
            approver: "alice".to_owned(),
            granted: "2026-11-21T13:04:56Z".parse().unwrap(),
            expires: "2026-11-21T13:34:56Z".parse().unwrap(),
            force: false,
            unscheduled: false,
            reason: Some("INC-4711".to_owned()),
        };
        let result = GrantResult::of(&pod, Ok(details), true);
        let expected = "pod/db-0 approved (server dry run, nothing is stored): app down to 256Mi, by alice, until 2026-11-21T13:34:56Z (30 min); used by its next resize, invalid if its spec changes";
        assert_eq!(result.to_string(), expected);
        let expected = json!({
            "namespace": "shop", "pod": "db-0", "approved": true, "dryRun": true, "memory": "app=256Mi", "approver": "alice",
            "granted": "2026-11-21T13:04:56Z", "expires": "2026-11-21T13:34:56Z", "force": false, "reason": "INC-4711",
        });
        assert_eq!(json!(result), expected);

        let result = GrantResult::of(&pod, Err("no".to_owned()), false);
        assert_eq!(result.to_string(), "pod/db-0 not approved: no");
        assert_eq!(
            json!(result),
            json!({"namespace": "shop", "pod": "db-0", "approved": false, "dryRun": false, "error": "no"})
        );
    }
}

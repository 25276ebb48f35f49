//! `restraint revoke`: removes approvals.

use std::fmt;
use std::process::ExitCode;

use clap::Args;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::approval::{DEFAULT_ANNOTATION, GRANT_ANNOTATION, STAMP_ANNOTATION, Stamp};
use crate::cluster::error::error_message;
use crate::cluster::target::Target;
use crate::cluster::{self, Cluster};
use crate::terminal::{self, OutputFormat};

use super::approval_details::ApprovalDetails;
use super::target_options::TargetOptions;

/// Every annotation that grants or records, unless a policy names another.
const ANNOTATIONS: [&str; 3] = [STAMP_ANNOTATION, GRANT_ANNOTATION, DEFAULT_ANNOTATION];

/// What to revoke.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Which pods to change, and how.
    #[command(flatten)]
    pods: TargetOptions,
}

/// What was removed from one pod. The names of its fields stay as they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Revocation {
    namespace: String,
    pod: String,
    dry_run: bool,
    /// The annotations that were there.
    removed: Vec<&'static str>,
    /// What was approved.
    approval: Option<ApprovalDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Revokes. The exit code is 1 if anything is left.
///
/// # Errors
///
/// Where nothing could be tried: no cluster, no such pod.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let target = Target::parse(&options.pods.target)?;
    cluster::block_on(async {
        let cluster = options.pods.cluster.connect(options.pods.namespace.as_deref()).await?;
        let mut revocations = Vec::new();
        for pod in cluster.pods_of(&target).await? {
            let revocation = revoke(&cluster, &pod, options.pods.dry_run.is_some()).await;
            match (&revocation.error, options.pods.output.format) {
                (Some(_), _) => terminal::remark(&revocation.to_string()),
                (None, OutputFormat::Text) => terminal::print(&format!("{revocation}\n"))?,
                (None, OutputFormat::Json) => {}
            }
            revocations.push(revocation);
        }
        if options.pods.output.format == OutputFormat::Json {
            terminal::print_json(&revocations)?;
        }
        Ok(if revocations.iter().all(|revocation| revocation.error.is_none()) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}

async fn revoke(cluster: &Cluster, pod: &Pod, dry_run: bool) -> Revocation {
    let mut revocation = Revocation::begin(pod, dry_run);
    if revocation.removed.is_empty() {
        return revocation;
    }
    // all of them: another may have come since
    let nothing: Map<String, Value> =
        ANNOTATIONS.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    let patch = Patch::Merge(json!({"metadata": {"annotations": nothing}}));
    let parameters = PatchParams { dry_run, ..PatchParams::default() };
    revocation.error = match cluster.pods().patch(&revocation.pod, &parameters, &patch).await {
        Ok(answer) => ANNOTATIONS
            .into_iter()
            .find(|key| answer.annotations().contains_key(*key))
            .map(|key| format!("{key} is still there")),
        Err(error) => Some(error_message(&error)),
    };
    revocation
}

impl Revocation {
    fn begin(pod: &Pod, dry_run: bool) -> Self {
        let annotations = pod.annotations();
        Self {
            namespace: pod.namespace().unwrap_or_default(),
            pod: pod.name_any(),
            dry_run,
            removed: ANNOTATIONS.into_iter().filter(|key| annotations.contains_key(*key)).collect(),
            approval: annotations
                .get(STAMP_ANNOTATION)
                .and_then(|text| Stamp::parse(text).ok())
                .map(ApprovalDetails::from),
            error: None,
        }
    }
}

impl fmt::Display for Revocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pod, removed, .. } = self;
        let run = if self.dry_run { " (server dry run, nothing is stored)" } else { "" };
        match (&self.error, &self.approval) {
            (Some(error), _) => write!(formatter, "pod/{pod} not revoked: {error}"),
            (None, _) if removed.is_empty() => write!(formatter, "pod/{pod}: nothing to revoke"),
            (None, Some(details)) => write!(formatter, "pod/{pod} revoked{run}: {details}"),
            (None, None) if removed.contains(&STAMP_ANNOTATION) => {
                write!(formatter, "pod/{pod} revoked{run}: a malformed stamp")
            }
            (None, None) => write!(
                formatter,
                "pod/{pod} revoked{run}: a grant without a stamp, which had no effect"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_is_said() {
        let revocation = |annotations: Value| {
            let pod = json!({"metadata": {"name": "db-0", "namespace": "shop", "annotations": annotations}});
            Revocation::begin(&serde_json::from_value(pod).unwrap(), false)
        };
        assert_eq!(revocation(json!({"team": "db"})).to_string(), "pod/db-0: nothing to revoke");
        assert_eq!(
            revocation(json!({STAMP_ANNOTATION: "x"})).to_string(),
            "pod/db-0 revoked: a malformed stamp"
        );
        let bare = revocation(json!({DEFAULT_ANNOTATION: "true"}));
        assert_eq!(
            bare.to_string(),
            "pod/db-0 revoked: a grant without a stamp, which had no effect"
        );
        let expected = json!({"namespace": "shop", "pod": "db-0", "dryRun": false, "removed": [DEFAULT_ANNOTATION], "approval": null});
        assert_eq!(json!(bare), expected);
    }
}

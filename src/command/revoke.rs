//! `restraint revoke`: takes approvals back.

use std::fmt;
use std::process::ExitCode;

use clap::Args;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::approval::{DEFAULT_ANNOTATION, GRANT_ANNOTATION, STAMP_ANNOTATION, Stamp};
use crate::cluster::{self, Cluster, Target, complaint};
use crate::terminal::{self, Form};

use super::approvals::Terms;
use super::approve::On;

/// Every annotation that grants or records, as far as no policy names another.
const ANNOTATIONS: [&str; 3] = [STAMP_ANNOTATION, GRANT_ANNOTATION, DEFAULT_ANNOTATION];

/// What to revoke.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Which pods, and how.
    #[command(flatten)]
    pub on: On,
}

/// What came of it on one pod. The names of its fields stay as they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    namespace: String,
    pod: String,
    dry_run: bool,
    /// The annotations that were there.
    removed: Vec<&'static str>,
    /// What was approved.
    approval: Option<Terms>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Revokes. The exit code is 1 where anything is left.
///
/// # Errors
///
/// Where nothing could be tried: no cluster, no such pod.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let target = Target::parse(&options.on.target)?;
    cluster::converse(async {
        let cluster = options.on.access.connect(options.on.namespace.as_deref()).await?;
        let mut outcomes = Vec::new();
        for pod in cluster.pods_of(&target).await? {
            let outcome = revoke(&cluster, &pod, options.on.dry_run.is_some()).await;
            match (&outcome.error, options.on.output) {
                (Some(_), _) => terminal::remark(&outcome.to_string()),
                (None, Form::Text) => terminal::print(&format!("{outcome}\n"))?,
                (None, Form::Json) => {}
            }
            outcomes.push(outcome);
        }
        if options.on.output == Form::Json {
            terminal::print_json(&outcomes)?;
        }
        Ok(if outcomes.iter().all(|outcome| outcome.error.is_none()) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}

async fn revoke(cluster: &Cluster, pod: &Pod, dry_run: bool) -> Outcome {
    let mut outcome = Outcome::begin(pod, dry_run);
    if outcome.removed.is_empty() {
        return outcome;
    }
    // all of them: another may have come since
    let nothing: Map<String, Value> =
        ANNOTATIONS.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    let patch = Patch::Merge(json!({"metadata": {"annotations": nothing}}));
    let parameters = PatchParams { dry_run, ..PatchParams::default() };
    outcome.error = match cluster.pods().patch(&outcome.pod, &parameters, &patch).await {
        Ok(answer) => ANNOTATIONS
            .into_iter()
            .find(|key| answer.annotations().contains_key(*key))
            .map(|key| format!("{key} is still there")),
        Err(error) => Some(complaint(&error)),
    };
    outcome
}

impl Outcome {
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
                .map(Terms::from),
            error: None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pod, removed, .. } = self;
        let run = if self.dry_run { " (server dry run, nothing is stored)" } else { "" };
        match (&self.error, &self.approval) {
            (Some(error), _) => write!(formatter, "pod/{pod} not revoked: {error}"),
            (None, _) if removed.is_empty() => write!(formatter, "pod/{pod}: nothing to revoke"),
            (None, Some(terms)) => write!(formatter, "pod/{pod} revoked{run}: {terms}"),
            (None, None) if removed.contains(&STAMP_ANNOTATION) => {
                write!(formatter, "pod/{pod} revoked{run}: a malformed stamp")
            }
            (None, None) => write!(
                formatter,
                "pod/{pod} revoked{run}: a grant without stamp, which counted for nothing"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_is_said() {
        let outcome = |annotations: Value| {
            let pod = json!({"metadata": {"name": "db-0", "namespace": "shop", "annotations": annotations}});
            Outcome::begin(&serde_json::from_value(pod).unwrap(), false)
        };
        assert_eq!(outcome(json!({"team": "db"})).to_string(), "pod/db-0: nothing to revoke");
        assert_eq!(
            outcome(json!({STAMP_ANNOTATION: "x"})).to_string(),
            "pod/db-0 revoked: a malformed stamp"
        );
        let bare = outcome(json!({DEFAULT_ANNOTATION: "true"}));
        assert_eq!(
            bare.to_string(),
            "pod/db-0 revoked: a grant without stamp, which counted for nothing"
        );
        let expected = json!({"namespace": "shop", "pod": "db-0", "dryRun": false, "removed": [DEFAULT_ANNOTATION], "approval": null});
        assert_eq!(json!(bare), expected);
    }
}

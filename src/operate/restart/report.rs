//! What a run comes to, for programs.

use serde::Serialize;

use crate::operate::ending::Ending;
use crate::operate::probe::ProbeReport;

use super::plan::Plan;
use super::result::PodResult;

/// The form of the JSON.
const SCHEMA: &str = "restraint.dev/restart/v1";

/// What a run comes to. The names of its fields stay as they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    schema: &'static str,
    pub(super) namespace: String,
    pub(super) target: String,
    /// What it comes to.
    pub(super) result: Ending,
    pub(super) plan: Plan,
    /// The pods that had their turn; of a rollout the workload.
    pub(super) pods: Vec<PodResult>,
    /// The pods that were not touched.
    pub(super) not_touched: Vec<String>,
    /// What the probes measured, where there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) probes: Option<ProbeReport>,
    /// What ended it early.
    pub(super) why: String,
}

impl Report {
    pub(super) fn new(namespace: &str, target: String, plan: Plan) -> Self {
        let not_touched = plan.to_do().map(|pod| pod.pod.clone()).collect();
        Self {
            schema: SCHEMA,
            namespace: namespace.to_owned(),
            target,
            result: Ending::Planned,
            plan,
            pods: Vec::new(),
            not_touched,
            probes: None,
            why: String::new(),
        }
    }

    /// It ends here.
    pub(super) fn end(mut self, result: Ending, why: impl Into<String>) -> Self {
        (self.result, self.why) = (result, why.into());
        self
    }

    /// One more pod had its turn.
    pub(super) fn add(&mut self, result: PodResult) {
        if result.was_touched() {
            self.not_touched.retain(|pod| *pod != result.pod);
        }
        self.pods.push(result);
    }
}

//! What a run comes to, for programs.

use serde::Serialize;

use crate::manifest::unstructured::Unstructured;
use crate::operate::answer::Verdict;
use crate::operate::ending::Ending;
use crate::operate::probe::ProbeReport;

use super::back::PutBack;
use super::plan::Plan;
use super::step::PodResult;

/// The form of the JSON.
const SCHEMA: &str = "restraint.dev/resize/v1";

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
    /// The pods that had their turn.
    pub(super) pods: Vec<PodResult>,
    /// The pods that were not touched.
    pub(super) not_touched: Vec<String>,
    /// Those that were put back after their time, with `--revert-after`.
    pub(super) reverted: Vec<Reverted>,
    /// Whether the template was written.
    pub(super) persisted: bool,
    /// What the probes measured, where there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) probes: Option<ProbeReport>,
    /// What ended it early.
    pub(super) why: String,
}

/// A pod that was put back after its time.
#[derive(Debug, Serialize)]
pub(super) struct Reverted {
    /// The pod.
    pub(super) pod: String,
    /// What came of it.
    #[serde(flatten)]
    pub(super) put_back: PutBack,
}

impl Report {
    pub(super) fn new(namespace: &str, target: String, plan: Plan) -> Self {
        let refused = plan.refused().next().is_some();
        let result = if refused { Ending::Denied } else { Ending::Planned };
        let not_touched = plan.to_do().map(|pod| pod.pod.clone()).collect();
        Self {
            schema: SCHEMA,
            namespace: namespace.to_owned(),
            target,
            result,
            plan,
            pods: Vec::new(),
            not_touched,
            reverted: Vec::new(),
            persisted: false,
            probes: None,
            why: String::new(),
        }
    }

    /// Whether Restraint is who said no, which an approver can change.
    pub(super) fn is_denied_by_restraint(&self) -> bool {
        self.plan
            .refused()
            .any(|pod| pod.answer.as_ref().is_some_and(|answer| answer.verdict == Verdict::Denied))
    }

    /// One more pod has its turn. Whatever becomes of it, it was not left alone.
    pub(super) fn begin(&mut self, pod: &str) {
        self.not_touched.retain(|other| other != pod);
    }

    /// Whether this pod has to be put back still, once it has had its turn: `None` where nothing
    /// was stored, or it has what it had.
    pub(super) fn kept(&self, pod: &str) -> Option<&Unstructured> {
        let result = self.pods.iter().find(|result| result.pod == pod)?;
        let is_back = result.put_back.as_ref().is_some_and(|back| back.done);
        result.stored.as_ref().filter(|_| !is_back)
    }
}

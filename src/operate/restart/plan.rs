//! What a restart comes to, told before anything is changed.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde::Serialize;

use crate::cluster::Cluster;
use crate::cluster::pod::{is_ready, why_ended};
use crate::manifest::unstructured::Unstructured;
use crate::operate::act::as_stored;
use crate::operate::answer::{Answer, Verdict};
use crate::operate::ask;
use crate::operate::change::{Change, changes, patch};
use crate::operate::probe::PodAtHand;

use super::configuration::ReadAnew;
use super::nudge::{Nudge, app_containers, name_of};
use super::runbook::Line;
use super::way::Way;

/// What a restart comes to. The names of its fields stay as they are.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plan {
    /// The pods, in the order of their turns.
    pub(super) pods: Vec<PodPlan>,
    /// Why there is no way to restart it; empty where there is one.
    pub(super) no_way: Vec<String>,
    /// What else it changes.
    pub(super) touches: Vec<String>,
    /// What it takes.
    pub(super) rights: Vec<String>,
    /// What could not be looked at.
    pub(super) unknown: Vec<String>,
}

/// What it comes to for one pod.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodPlan {
    /// The pod.
    pub(super) pod: String,
    /// Whether it is ready.
    pub(super) ready: bool,
    /// Whether it is skipped: it has ended, or is being deleted.
    pub(super) over: bool,
    /// How it is restarted.
    pub(super) way: Way,
    /// Why so.
    pub(super) why: String,
    /// The containers that start again.
    pub(super) containers: Vec<String>,
    /// Those that do not, and why.
    pub(super) left: Vec<String>,
    /// What changes in the pod, in place.
    pub(super) changes: Vec<Change>,
    /// What would be answered, by a dry run.
    pub(super) answer: Option<Answer>,
    /// What has to hold before.
    pub(super) runbook: Vec<Line>,
    /// What is read anew.
    pub(super) configuration: Vec<ReadAnew>,
    /// The pod before.
    #[serde(skip)]
    pub(super) before: Unstructured,
    #[serde(skip)]
    pub(super) object: Pod,
    /// The pod as it is to be, in place.
    #[serde(skip)]
    pub(super) wanted: Option<Unstructured>,
    /// Why it cannot be restarted in place.
    #[serde(skip)]
    pub(super) not_in_place: Option<String>,
}

impl Plan {
    /// The pods that are to be restarted.
    pub(super) fn to_do(&self) -> impl Iterator<Item = &PodPlan> {
        self.pods.iter().filter(|pod| !pod.over)
    }

    /// The way of the first, which is a rollout for all or none.
    pub(super) fn is_rollout(&self) -> bool {
        self.to_do().next().is_some_and(|pod| pod.way == Way::Rollout)
    }
}

impl PodPlan {
    /// What is known of `pod` before a way is chosen. With `is_whole` a restart in place that leaves
    /// a container as it is does not count.
    ///
    /// # Errors
    ///
    /// Where the API server answered with something else.
    pub(super) fn of(
        cluster: &Cluster,
        pod: &Pod,
        named: &[String],
        is_whole: bool,
    ) -> anyhow::Result<Self> {
        let before = as_stored(cluster, pod)?;
        let all = app_containers(&before).map(|one| name_of(one).to_owned()).collect();
        let mut plan = Self {
            pod: pod.name_any(),
            ready: is_ready(pod),
            over: why_ended(pod).is_some(),
            way: Way::InPlace,
            why: String::new(),
            containers: all,
            left: Vec::new(),
            changes: Vec::new(),
            answer: None,
            runbook: Vec::new(),
            configuration: Vec::new(),
            before,
            object: pod.clone(),
            wanted: None,
            not_in_place: None,
        };
        match Nudge::of(&plan.before, named) {
            Ok(nudge) => plan.nudge(nudge, named, is_whole),
            Err(why) => plan.not_in_place = Some(why),
        }
        Ok(plan)
    }

    fn nudge(&mut self, nudge: Nudge, named: &[String], is_whole: bool) {
        self.changes = changes(&self.before, &nudge.wanted);
        self.not_in_place = nudge.is_whole(named).err().filter(|_| is_whole);
        self.containers = nudge.containers;
        self.left = nudge.left;
        self.wanted = Some(nudge.wanted);
    }

    /// Asks what would be answered to the resize that restarts it, and remembers a no.
    ///
    /// # Errors
    ///
    /// Where the API server does not answer.
    pub(super) async fn ask(&mut self, cluster: &Cluster) -> anyhow::Result<()> {
        let Some(wanted) = &self.wanted else { return Ok(()) };
        let answer = ask::resize(cluster, &self.pod, &patch(&self.before, wanted), true).await?;
        let answer = Answer::of(answer, wanted);
        if answer.verdict != Verdict::Allowed {
            self.not_in_place = Some(format!("the resize would be refused: {}", answer.message));
        }
        self.answer = Some(answer);
        Ok(())
    }

    /// It is replaced: every container of it starts, and nothing of it changes.
    pub(super) fn replace(&mut self, way: Way, why: String) {
        let all = app_containers(&self.before).map(|one| name_of(one).to_owned());
        self.containers = all.collect();
        (self.way, self.why) = (way, why);
        self.left.clear();
        self.changes.clear();
        (self.answer, self.wanted) = (None, None);
    }

    /// Where the probes find the pod.
    pub(super) fn at_hand(&self) -> PodAtHand {
        PodAtHand::of(&self.before)
    }
}

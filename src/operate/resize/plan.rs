//! What a resize comes to, told before anything is changed.

mod way_back;

use std::collections::BTreeSet;

use futures_util::stream;
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde::Serialize;

use crate::cluster::Cluster;
use crate::cluster::pod::{is_ready, why_ended};
use crate::explain::change::{ChangeContext, explain};
use crate::explain::history::{History, HistoryContext, ResizeState};
use crate::explain::wanted::{Wish, resize_wanted};
use crate::explain::{Effect, Explanation};
use crate::judge::policies::Policies;
use crate::manifest::unstructured::Unstructured;
use crate::operate::act::as_stored;
use crate::operate::answer::{Answer, Verdict};
use crate::operate::ask;
use crate::operate::change::{Change, changes, patch};
use crate::operate::probe::PodAtHand;
use crate::terminal::Progress;

pub(super) use self::way_back::WayBack;
use super::managers::Manager;
use super::persist::Persistence;
use super::room::{Nodes, Room};

/// How many dry runs are under way at once.
const AT_ONCE: usize = 4;

/// What a resize comes to. The names of its fields stay as they are.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plan {
    /// Who else manages the numbers.
    pub(super) managers: Vec<Manager>,
    /// The pods, in the order of their turns.
    pub(super) pods: Vec<PodPlan>,
    /// What becomes of the template.
    pub(super) persist: Option<Persistence>,
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
    /// What is left to do.
    pub(super) turn: Turn,
    /// What changes.
    pub(super) changes: Vec<Change>,
    /// What comes of each change.
    pub(super) effects: Vec<Explanation>,
    /// What would be answered, by a dry run.
    pub(super) answer: Option<Answer>,
    /// Whether it fits its node.
    pub(super) room: Option<Room>,
    /// Whether it can be put back.
    pub(super) way_back: Option<WayBack>,
    #[serde(skip)]
    pub(super) before: Unstructured,
    #[serde(skip)]
    pub(super) wanted: Unstructured,
}

/// What is left to do with a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Turn {
    /// It is to be resized.
    Resize,
    /// It is asked for already, and not carried out yet.
    UnderWay,
    /// It has what is wanted.
    Done,
    /// Nothing of it can be resized any more.
    Over,
}

impl Plan {
    /// The pods that are to be resized or watched.
    pub(super) fn to_do(&self) -> impl Iterator<Item = &PodPlan> {
        self.pods.iter().filter(|pod| matches!(pod.turn, Turn::Resize | Turn::UnderWay))
    }

    /// The pods whose resize would not go through.
    pub(super) fn refused(&self) -> impl Iterator<Item = &PodPlan> {
        let is_no = |pod: &&PodPlan| {
            let verdict = pod.answer.as_ref().map(|answer| answer.verdict);
            matches!(verdict, Some(Verdict::Denied | Verdict::Refused))
        };
        self.pods.iter().filter(is_no)
    }
}

impl PodPlan {
    /// Where the probes find the pod.
    pub(super) fn at_hand(&self) -> PodAtHand {
        PodAtHand::of(&self.before)
    }

    /// What `wishes` come to for each of `pods`.
    ///
    /// # Errors
    ///
    /// Where a container is not there, or the API server does not answer.
    pub(super) async fn of_each(
        cluster: &Cluster,
        pods: &[Pod],
        wishes: &[Wish],
    ) -> anyhow::Result<Vec<Self>> {
        let plans = pods.iter().map(|pod| Self::of(cluster, pod, wishes));
        let plans = plans.collect::<anyhow::Result<Vec<Self>>>()?;
        let to_do = plans.iter().filter(|plan| plan.turn == Turn::Resize);
        let nodes = &Nodes::of(cluster, to_do.map(|plan| &plan.before)).await;
        let progress = &Progress::start("pods");
        let looks = plans.into_iter().map(|mut plan| async move {
            if plan.turn == Turn::Resize {
                plan.look(cluster, nodes).await?;
            }
            progress.one_more();
            Ok(plan)
        });
        stream::iter(looks).buffered(AT_ONCE).try_collect().await
    }

    /// What `wishes` are for `pod`, before anything else is looked at.
    fn of(cluster: &Cluster, pod: &Pod, wishes: &[Wish]) -> anyhow::Result<Self> {
        let before = as_stored(cluster, pod)?;
        let wanted = resize_wanted(&before, wishes)?;
        let changes = changes(&before, &wanted);
        Ok(Self {
            pod: pod.name_any(),
            ready: is_ready(pod),
            turn: turn(pod, &before, &changes),
            changes,
            effects: Vec::new(),
            answer: None,
            room: None,
            way_back: None,
            before,
            wanted,
        })
    }

    /// Looks at what is known of a resize that was not asked for yet.
    async fn look(&mut self, cluster: &Cluster, nodes: &Nodes) -> anyhow::Result<()> {
        let others = Vec::from_iter(nodes.node(&self.before).cloned());
        self.effects = effects(&self.before, &self.wanted, &others);
        let patch = patch(&self.before, &self.wanted);
        let answer = ask::resize(cluster, &self.pod, &patch, true).await?;
        self.answer = Some(Answer::of(answer, &self.wanted));
        self.room = nodes.room(&self.wanted);
        self.way_back = Some(WayBack::of(&self.before, &self.wanted, &self.changes));
        Ok(())
    }

    /// The containers that the resize restarts.
    pub(super) fn restarting(&self) -> BTreeSet<String> {
        restarting(&self.effects)
    }
}

/// What the kubelet does with each change; what Restraint answers is told by a dry run.
pub(super) fn effects(
    from: &Unstructured,
    to: &Unstructured,
    others: &[Unstructured],
) -> Vec<Explanation> {
    let context = ChangeContext {
        policies: Policies::default(),
        others: others.to_vec(),
        now: Some(Timestamp::now()),
        is_whole: false,
    };
    explain(std::slice::from_ref(from), std::slice::from_ref(to), &context)
}

/// The containers that these changes restart.
pub(super) fn restarting(effects: &[Explanation]) -> BTreeSet<String> {
    let restarts = |one: &&Explanation| one.effect == Effect::ResizeWithRestart;
    effects.iter().filter(restarts).filter_map(|one| one.container.clone()).collect()
}

fn turn(pod: &Pod, before: &Unstructured, changes: &[Change]) -> Turn {
    if why_ended(pod).is_some() {
        return Turn::Over;
    }
    if !changes.is_empty() {
        return Turn::Resize;
    }
    let history = History::of(before, &HistoryContext::default());
    match history.map(|history| history.resize.state) {
        Ok(ResizeState::Settled | ResizeState::NotRunning) | Err(_) => Turn::Done,
        Ok(_) => Turn::UnderWay,
    }
}

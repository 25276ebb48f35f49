//! How the plan is made: everything is looked up, nothing is changed.

use k8s_openapi::api::core::v1::Pod;

use crate::cluster::Cluster;
use crate::cluster::kind::Kind;
use crate::operate::answer::Verdict;
use crate::operate::keeper::Keeper;
use crate::operate::lease;
use crate::operate::order;
use crate::operate::rights::{self, Right};
use crate::operate::trace;
use crate::terminal::Progress;

use super::around::Around;
use super::configuration::read_anew;
use super::eviction::{Answer, evict};
use super::options::Options;
use super::plan::{Plan, PodPlan};
use super::rollout;
use super::runbook::{Demands, runbook};
use super::touches;
use super::way::{Way, choose, surges};

const RESIZE: Right = Right::new("patch", "", "pods/resize");

/// What a plan is made from.
pub(super) struct Planning<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) options: &'a Options,
    pub(super) keeper: &'a Keeper,
}

/// A plan, and what it asks of each pod.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) demands: Demands,
    /// Whether somebody refuses what was asked for.
    pub(super) is_refused: bool,
}

impl Planning<'_> {
    /// The plan for `pods`, which are the whole of their workload, or not.
    ///
    /// # Errors
    ///
    /// Where a right is missing, or the API server does not answer.
    pub(super) async fn plan(&self, mut pods: Vec<Pod>, is_whole: bool) -> anyhow::Result<Planned> {
        order::put_in_order(&mut pods, self.keeper.kind == "StatefulSet", true);
        let mut plans = self.looked_at(&pods).await?;
        let in_place: Vec<Result<(), String>> = plans
            .iter()
            .filter(|plan| !plan.over)
            .map(|plan| plan.not_in_place.clone().map_or(Ok(()), Err))
            .collect();
        let chosen = choose(self.options.way(), self.keeper, is_whole, &in_place);
        let (chosen, mut no_way) = match chosen {
            Ok(chosen) => (chosen, Vec::new()),
            Err(reasons) => (Vec::new(), reasons),
        };
        let to_do = plans.iter_mut().filter(|plan| !plan.over);
        for (plan, chosen) in to_do.zip(chosen) {
            match chosen.way {
                Way::InPlace => (plan.way, plan.why) = (chosen.way, chosen.why),
                way => plan.replace(way, chosen.why),
            }
        }
        let rights = self.rights(&plans);
        rights::require(self.cluster, &rights).await?;
        let mut is_refused = is_refused(&plans);
        if no_way.is_empty() {
            no_way.extend(self.refused(&plans).await?);
            is_refused = !no_way.is_empty();
        }
        let demands = self.demands(&plans);
        self.judge(&mut plans, &demands).await?;
        let (touches, mut unknown) = touches::of(self.cluster, self.keeper, &plans).await;
        unknown.extend(trace::silence(self.cluster).await?);
        let rights = rights.iter().map(ToString::to_string).collect();
        let plan = Plan { pods: plans, no_way, touches, rights, unknown };
        Ok(Planned { plan, demands, is_refused })
    }

    /// The pods, with what would be answered to a restart in place.
    async fn looked_at(&self, pods: &[Pod]) -> anyhow::Result<Vec<PodPlan>> {
        let asked = self.options.way();
        let may_resize = matches!(asked, None | Some(Way::InPlace))
            && rights::missing(self.cluster, &[RESIZE]).await?.is_empty();
        let (mut plans, progress) = (Vec::new(), Progress::start("pods"));
        for pod in pods {
            let mut plan =
                PodPlan::of(self.cluster, pod, &self.options.containers, asked.is_none())?;
            match asked {
                None | Some(Way::InPlace) if plan.over || plan.not_in_place.is_some() => {}
                None | Some(Way::InPlace) if may_resize => plan.ask(self.cluster).await?,
                None => plan.not_in_place = Some(format!("there is no right to {RESIZE}")),
                Some(_) => {}
            }
            plans.push(plan);
            progress.one_more();
        }
        drop(progress);
        Ok(plans)
    }

    /// What the whole of it takes.
    fn rights(&self, plans: &[PodPlan]) -> Vec<Right> {
        let is_any = |way: Way| plans.iter().any(|plan| !plan.over && plan.way == way);
        let mut rights = vec![
            Right::new("get", "", "pods"),
            Right::new("list", "", "pods"),
            Right::new("watch", "", "pods"),
        ];
        if is_any(Way::InPlace) {
            rights.push(RESIZE);
        }
        if is_any(Way::Evict) {
            rights.push(Right::new("create", "", "pods/eviction"));
        }
        if let Some(kind) = Kind::find(&self.keeper.kind).filter(|_| is_any(Way::Rollout)) {
            rights.extend(
                ["list", "watch", "patch"].map(|verb| Right::new(verb, kind.group, kind.plural())),
            );
        }
        rights.extend(self.options.probes.rights());
        if !self.options.no_lease {
            rights.extend(lease::RIGHTS);
        }
        rights
    }

    /// Who would refuse what is not done in place: by dry runs. A budget is the runbook's to tell,
    /// and may change until the pod's turn.
    async fn refused(&self, plans: &[PodPlan]) -> anyhow::Result<Option<String>> {
        let mut to_do = plans.iter().filter(|plan| !plan.over);
        if to_do.clone().any(|plan| plan.way == Way::Rollout) {
            return Ok(rollout::begin(self.cluster, self.keeper, true).await?.err());
        }
        let Some(plan) = to_do.find(|plan| plan.way == Way::Evict) else { return Ok(None) };
        let client = self.options.cluster.client_asking_once().await?;
        match evict(&client, &self.cluster.namespace, &plan.object, true).await? {
            Answer::Refused(message) => Ok(Some(message)),
            Answer::Evicted | Answer::Budget(_) => Ok(None),
        }
    }

    fn demands(&self, plans: &[PodPlan]) -> Demands {
        let is_rollout = plans.iter().any(|plan| !plan.over && plan.way == Way::Rollout);
        Demands {
            min_ready: self.options.min_ready,
            max_usage: self.options.max_usage,
            drain: self.options.drain.as_secs(),
            skip: self.options.skip.clone(),
            is_replaced_first: is_rollout && surges(self.keeper),
        }
    }

    /// The runbooks, and what is read anew.
    async fn judge(&self, plans: &mut [PodPlan], demands: &Demands) -> anyhow::Result<()> {
        let around = Around::look(self.cluster, self.keeper).await?;
        for plan in plans.iter_mut().filter(|plan| !plan.over) {
            plan.runbook = runbook(&plan.object, &plan.containers, &around, demands);
            plan.configuration = read_anew(self.cluster, &plan.before, &plan.containers).await;
        }
        Ok(())
    }
}

fn is_refused(plans: &[PodPlan]) -> bool {
    let answers = plans.iter().filter_map(|plan| plan.answer.as_ref());
    answers.into_iter().any(|answer| answer.verdict != Verdict::Allowed)
}

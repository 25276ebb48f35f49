//! What became of one pod.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::manifest::unstructured::Unstructured;
use crate::operate::outcome::{Outcome, State, status};
use crate::operate::probe::Breach;

use super::configuration::{ReadAnew, started};
use super::runbook::Line;
use super::way::Way;

/// What became of one pod, or of a workload that was rolled out. The names of its fields stay as
/// they are.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodResult {
    /// The pod, or the workload.
    pub(super) pod: String,
    /// How.
    pub(super) way: Way,
    /// Whether it was restarted, and is well.
    pub(super) done: bool,
    /// What became of it.
    pub(super) fate: Fate,
    /// What it means.
    pub(super) why: String,
    /// What the API server or the kubelet says; empty where it says nothing.
    pub(super) message: String,
    /// The containers that started again, in place.
    pub(super) restarted: Vec<Restarted>,
    /// The pod that took its place, by eviction.
    pub(super) replacement: Option<String>,
    /// From the request until it, or what took its place, was ready.
    pub(super) ready_seconds: Option<u64>,
    /// What was warned of.
    pub(super) warnings: Vec<String>,
    /// The condition of the probes that it broke.
    pub(super) breach: Option<Breach>,
    /// Whether it took longer than it may.
    pub(super) timed_out: bool,
    /// How long it took, in seconds.
    pub(super) seconds: u64,
    /// What the runbook said right before.
    pub(super) runbook: Vec<Line>,
    /// What was read anew.
    pub(super) configuration: Vec<ReadAnew>,
}

/// A container that started again. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Restarted {
    /// The container.
    pub(super) container: String,
    /// How often it had started again before, and now.
    pub(super) restarts: (i64, i64),
    /// From its end until it ran and the pod was ready again.
    pub(super) down_seconds: Option<i64>,
    /// From its start until the pod was ready again.
    pub(super) warm_up_seconds: Option<i64>,
}

/// What became of a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fate {
    /// Its containers started again, in the same pod, which is ready.
    Restarted,
    /// Another pod has its place, and is ready.
    Replaced,
    /// Every pod of the workload is new, and available.
    RolledOut,
    /// A line of the runbook was red: nothing was done.
    Blocked,
    /// Somebody stopped it while it waited for its turn: nothing was done.
    Stopped,
    /// A disruption budget refused it.
    RefusedByBudget,
    /// Restraint, the API server or somebody else refused it.
    Refused,
    /// The kubelet is at it, or has not seen it yet.
    UnderWay,
    /// The kubelet has not restarted it.
    NotRestarted,
    /// It, or what took its place, is not ready.
    NotReady,
    /// Nobody took its place.
    NotReplaced,
    /// A container ended since.
    Crashed,
    /// Somebody else changed it meanwhile.
    Overtaken,
    /// It is gone, or ended.
    Gone,
    /// The rollout did not come to its end.
    Stalled,
}

impl Fate {
    /// What it is called in the text form.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Restarted => "restarted in place",
            Self::Replaced => "replaced",
            Self::RolledOut => "rolled out",
            Self::Blocked => "not restarted: the runbook is red",
            Self::Stopped => "not restarted: it was stopped",
            Self::RefusedByBudget => "refused by the disruption budget",
            Self::Refused => "refused",
            Self::UnderWay => "under way",
            Self::NotRestarted => "not restarted",
            Self::NotReady => "not ready",
            Self::NotReplaced => "evicted, and not replaced",
            Self::Crashed => "crashed after it",
            Self::Overtaken => "overtaken by another change",
            Self::Gone => "the pod is gone",
            Self::Stalled => "the rollout is not complete",
        }
    }

    /// What the state of the resize means for the restart.
    pub(super) fn of(state: State) -> Self {
        match state {
            State::Restarted => Self::Restarted,
            State::NotReady | State::NotStarting => Self::NotReady,
            State::OutOfMemory | State::Crashed => Self::Crashed,
            State::Overtaken => Self::Overtaken,
            State::Ended | State::Gone => Self::Gone,
            State::Unseen | State::InProgress => Self::UnderWay,
            State::Deferred
            | State::Done
            | State::AtStart
            | State::Infeasible
            | State::BelowUsage
            | State::Failed => Self::NotRestarted,
        }
    }
}

impl PodResult {
    /// Nothing is known of it yet.
    pub(super) fn new(pod: &str, way: Way, fate: Fate) -> Self {
        Self {
            pod: pod.to_owned(),
            way,
            done: false,
            fate,
            why: String::new(),
            message: String::new(),
            restarted: Vec::new(),
            replacement: None,
            ready_seconds: None,
            warnings: Vec::new(),
            breach: None,
            timed_out: false,
            seconds: 0,
            runbook: Vec::new(),
            configuration: Vec::new(),
        }
    }

    /// Whether anything was asked of the cluster that was not refused.
    pub(super) fn was_touched(&self) -> bool {
        let untouched = [Fate::Blocked, Fate::Stopped, Fate::RefusedByBudget, Fate::Refused];
        !untouched.contains(&self.fate)
    }
}

/// The containers that started again between two sights of a pod.
pub(super) fn restarted(
    before: &Unstructured,
    now: &Unstructured,
    outcome: &Outcome,
) -> Vec<Restarted> {
    let of = |name: &str| {
        let down = outcome.restarted.iter().find(|one| one.container == name);
        let start = started(now, name);
        let ready = ready_since(now);
        let warm_up = start.zip(ready).map(|(start, ready)| ready.duration_since(start).as_secs());
        Restarted {
            container: name.to_owned(),
            restarts: (count(before, name), count(now, name)),
            down_seconds: down.and_then(|down| down.seconds),
            // where it was never said to be unready, it is ready since before
            warm_up_seconds: warm_up.filter(|seconds| *seconds >= 0),
        }
    };
    outcome.restarted.iter().map(|one| of(&one.container)).collect()
}

fn count(pod: &Unstructured, name: &str) -> i64 {
    let count = status(pod, name).and_then(|(status, _)| status.get("restartCount")?.as_i64());
    count.unwrap_or_default()
}

/// Since when the pod is ready.
pub(super) fn ready_since(pod: &Unstructured) -> Option<Timestamp> {
    let conditions = pod.value().pointer("/status/conditions")?.as_array()?;
    let word = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).map(str::to_owned);
    let ready = conditions.iter().find(|one| word(one, "type").as_deref() == Some("Ready"))?;
    let is_ready = word(ready, "status").as_deref() == Some("True");
    word(ready, "lastTransitionTime")?.parse().ok().filter(|_| is_ready)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::operate::outcome::Downtime;

    use super::*;

    #[test]
    fn a_restart_is_counted_and_timed() {
        let pod = |count: i64, start: &str, ready: &str| {
            let status = json!({
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": ready}],
                "containerStatuses": [{"name": "app", "restartCount": count, "state": {"running": {"startedAt": start}}}],
            });
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": status});
            Unstructured::of(pod, "shop").unwrap()
        };
        let before = pod(2, "2026-11-21T12:00:00Z", "2026-11-21T12:00:05Z");
        let now = pod(3, "2026-11-21T12:10:00Z", "2026-11-21T12:10:07Z");
        let outcome = Outcome {
            state: State::Restarted,
            why: String::new(),
            message: String::new(),
            restarted: vec![Downtime { container: "app".to_owned(), seconds: Some(9) }],
        };
        let expected = Restarted {
            container: "app".to_owned(),
            restarts: (2, 3),
            down_seconds: Some(9),
            warm_up_seconds: Some(7),
        };
        assert_eq!(restarted(&before, &now, &outcome), [expected]);
    }

    #[test]
    fn only_a_restart_is_a_restart() {
        assert_eq!(Fate::of(State::Restarted), Fate::Restarted);
        assert_eq!(Fate::of(State::Done), Fate::NotRestarted);
        assert_eq!(Fate::of(State::OutOfMemory), Fate::Crashed);
        assert_eq!(Fate::of(State::Deferred), Fate::NotRestarted);
    }
}

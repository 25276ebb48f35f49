//! The ways to restart, and which of them is the gentlest that works.

use serde::Serialize;

use crate::manifest::unstructured::Unstructured;
use crate::operate::keeper::Keeper;

/// A way to restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    /// Containers, in the same pod.
    InPlace,
    /// The pod is evicted, and its controller makes another.
    Evict,
    /// The workload's controller replaces all of its pods.
    Rollout,
}

/// A way, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chosen {
    /// The way.
    pub(super) way: Way,
    /// Why it is this one.
    pub(super) why: String,
}

/// Why the asked way, or any, does not work: one reason a way.
pub(super) type Reasons = Vec<String>;

impl Way {
    /// What it is called.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::InPlace => "in place",
            Self::Evict => "by eviction",
            Self::Rollout => "by a rollout",
        }
    }
}

/// The ways for the pods of a target, in the order of the pods: as `asked`, or else the gentlest
/// that works. `in_place` says of each pod why its containers cannot all be restarted in place.
///
/// In place nothing moves. A Deployment that surges has a new pod ready before an old one goes,
/// which an eviction has not.
pub(super) fn choose(
    asked: Option<Way>,
    keeper: &Keeper,
    is_whole: bool,
    in_place: &[Result<(), String>],
) -> Result<Vec<Chosen>, Reasons> {
    let all = |way: Way, why: &str| vec![Chosen { way, why: why.to_owned() }; in_place.len()];
    let (evict, rollout) = (can_evict(keeper), can_roll(keeper, is_whole));
    let first = in_place.iter().find_map(|pod| pod.as_ref().err());
    match asked {
        Some(Way::InPlace) => match first {
            None => Ok(all(Way::InPlace, "it was asked for")),
            Some(why) => Err(vec![why.clone()]),
        },
        Some(Way::Evict) => {
            evict.map(|()| all(Way::Evict, "it was asked for")).map_err(|why| vec![why])
        }
        Some(Way::Rollout) => {
            rollout.map(|()| all(Way::Rollout, "it was asked for")).map_err(|why| vec![why])
        }
        None => {
            let Some(why) = first else {
                return Ok(all(Way::InPlace, "every container can be restarted in its pod"));
            };
            if rollout.is_ok() && surges(keeper) {
                let why = format!("{why}; a rollout has a new pod ready before an old one goes");
                return Ok(all(Way::Rollout, &why));
            }
            match evict {
                Ok(()) => Ok(in_place.iter().map(by_pod).collect()),
                Err(no_eviction) => {
                    let no_rollout = rollout.err();
                    Err([why.clone(), no_eviction].into_iter().chain(no_rollout).collect())
                }
            }
        }
    }
}

fn by_pod(in_place: &Result<(), String>) -> Chosen {
    match in_place {
        Ok(()) => Chosen {
            way: Way::InPlace,
            why: "every container can be restarted in its pod".to_owned(),
        },
        Err(why) => {
            Chosen { way: Way::Evict, why: format!("{why}; its controller makes another pod") }
        }
    }
}

/// Whether somebody makes another pod.
fn can_evict(keeper: &Keeper) -> Result<(), String> {
    if keeper.is_pod() && keeper.operator.is_none() {
        return Err("no controller keeps it: what is evicted is gone for good".to_owned());
    }
    if keeper.kind == "Job" || keeper.kind == "CronJob" {
        return Err(format!("{} would begin its work again", keeper.target()));
    }
    Ok(())
}

/// Whether a change of the template replaces its pods.
fn can_roll(keeper: &Keeper, is_whole: bool) -> Result<(), String> {
    let target = keeper.target();
    let Some(object) = keeper.object.as_ref().filter(|_| is_whole) else {
        return Err("a rollout restarts a whole workload: name it instead of a pod".to_owned());
    };
    match keeper.kind.as_str() {
        "Deployment" if object.is_true("/spec/paused") => Err(format!("{target} is paused")),
        "StatefulSet" | "DaemonSet"
            if object.text("/spec/updateStrategy/type") == Some("OnDelete") =>
        {
            Err(format!("the update strategy of {target} is OnDelete: a rollout replaces no pod"))
        }
        "StatefulSet"
            if object
                .number("/spec/updateStrategy/rollingUpdate/partition")
                .is_some_and(|partition| partition > 0) =>
        {
            Err(format!("the update strategy of {target} has a partition: some pods would stay"))
        }
        "Deployment" | "StatefulSet" | "DaemonSet" => Ok(()),
        _ => Err(format!("{target} is rolled out by nobody that is known here")),
    }
}

/// Whether it makes new pods before it takes old ones away.
pub(super) fn surges(keeper: &Keeper) -> bool {
    let is_zero = |object: &Unstructured| {
        let surge = object.value().pointer("/spec/strategy/rollingUpdate/maxSurge");
        surge.is_some_and(|surge| surge == 0 || surge == "0%" || surge == "0")
    };
    keeper.kind == "Deployment"
        && keeper.object.as_ref().is_some_and(|object| {
            object.text("/spec/strategy/type") != Some("Recreate") && !is_zero(object)
        })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn keeper(kind: &str, spec: Value) -> Keeper {
        let object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec});
        Keeper {
            api_version: "apps/v1".to_owned(),
            kind: kind.to_owned(),
            name: "web".to_owned(),
            uid: "u".to_owned(),
            object: Unstructured::of(object, "shop"),
            operator: None,
        }
    }

    fn no() -> Result<(), String> {
        Err("container \"app\" has no memory request".to_owned())
    }

    fn ways(chosen: Result<Vec<Chosen>, Reasons>) -> Result<Vec<Way>, Reasons> {
        chosen.map(|chosen| chosen.into_iter().map(|one| one.way).collect())
    }

    #[test]
    fn the_gentlest_way_that_works_is_taken() {
        let (surging, recreated) = (
            keeper("Deployment", json!({})),
            keeper("Deployment", json!({"strategy": {"type": "Recreate"}})),
        );
        let set = keeper("StatefulSet", json!({}));
        let auto = |keeper: &Keeper, whole: bool, pods: &[Result<(), String>]| {
            ways(choose(None, keeper, whole, pods))
        };
        assert_eq!(auto(&surging, true, &[Ok(()), Ok(())]), Ok(vec![Way::InPlace; 2]));
        assert_eq!(auto(&surging, true, &[Ok(()), no()]), Ok(vec![Way::Rollout; 2]));
        assert_eq!(auto(&surging, false, &[no()]), Ok(vec![Way::Evict]), "one pod of it");
        assert_eq!(auto(&recreated, true, &[no()]), Ok(vec![Way::Evict]));
        assert_eq!(auto(&set, true, &[Ok(()), no()]), Ok(vec![Way::InPlace, Way::Evict]));
        let paused = keeper("Deployment", json!({"paused": true}));
        assert_eq!(auto(&paused, true, &[no()]), Ok(vec![Way::Evict]));
        let told = choose(None, &surging, true, &[no()]).unwrap();
        assert!(told[0].why.contains("has no memory request; a rollout"), "{}", told[0].why);
    }

    #[test]
    fn what_does_not_work_says_why() {
        let pod = keeper("Pod", json!({}));
        let reasons = choose(None, &pod, false, &[no()]).unwrap_err();
        assert!(reasons.len() == 3 && reasons[1].contains("gone for good"), "{reasons:?}");
        let asked = |way: Way, keeper: &Keeper| {
            choose(Some(way), keeper, true, &[no()]).map_err(|reasons| reasons.join("; "))
        };
        assert!(asked(Way::Evict, &pod).unwrap_err().contains("no controller keeps it"));
        assert!(asked(Way::InPlace, &pod).unwrap_err().contains("has no memory request"));
        let on_delete = keeper("DaemonSet", json!({"updateStrategy": {"type": "OnDelete"}}));
        assert!(asked(Way::Rollout, &on_delete).unwrap_err().contains("OnDelete"));
        let parted =
            keeper("StatefulSet", json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}}));
        assert!(asked(Way::Rollout, &parted).unwrap_err().contains("partition"));
        assert!(asked(Way::Evict, &keeper("Job", json!({}))).unwrap_err().contains("again"));
        let operated = Keeper { operator: Some("Cluster \"db\"".to_owned()), ..pod };
        assert!(asked(Way::Evict, &operated).is_ok());
    }

    #[test]
    fn a_deployment_without_surge_is_not_said_to_have_one() {
        for (strategy, expected) in [
            (json!({}), true),
            (json!({"strategy": {"rollingUpdate": {"maxSurge": 0}}}), false),
            (json!({"strategy": {"rollingUpdate": {"maxSurge": "0%"}}}), false),
            (json!({"strategy": {"rollingUpdate": {"maxSurge": "25%"}}}), true),
            (json!({"strategy": {"type": "Recreate"}}), false),
        ] {
            assert_eq!(surges(&keeper("Deployment", strategy.clone())), expected, "{strategy}");
        }
        assert!(!surges(&keeper("StatefulSet", json!({}))));
    }
}

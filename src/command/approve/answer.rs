//! What the API server's answer to a grant says: whether the service stamped it.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use crate::approval::{GRANT_ANNOTATION, Grant, Invalid, PodState, STAMP_ANNOTATION, Stamp};

/// What was there before the grant.
pub(super) struct Before {
    /// The grant.
    pub(super) grant: Option<String>,
    stamp: Option<String>,
}

/// No stamp for a grant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unstamped {
    /// Why it has no effect.
    pub(super) why: String,
    /// Whether the grant is still there.
    pub(super) grant_left: bool,
}

impl Before {
    pub(super) fn of(pod: &Pod) -> Self {
        Self { grant: annotation(pod, GRANT_ANNOTATION), stamp: annotation(pod, STAMP_ANNOTATION) }
    }
}

/// The stamp that `answer`, the pod as it is stored now, carries for `grant`.
pub(super) fn stamp(before: &Before, grant: &Grant, answer: &Pod) -> Result<Stamp, Unstamped> {
    let unstamped = |why: &str| Unstamped {
        why: why.to_owned(),
        grant_left: annotation(answer, GRANT_ANNOTATION).is_some(),
    };
    if annotation(answer, GRANT_ANNOTATION).is_some() {
        return Err(unstamped(
            "the grant was not stamped: Restraint's webhook does not cover this namespace, or is capped",
        ));
    }
    let text = annotation(answer, STAMP_ANNOTATION)
        .ok_or_else(|| unstamped("the grant was removed, and no stamp was added"))?;
    let stamp = Stamp::parse(&text).map_err(|_| unstamped("the stamp is malformed"))?;
    let same_words =
        stamp.memory == grant.floors && stamp.force == grant.force && stamp.reason == grant.reason;
    if !same_words {
        return Err(unstamped("the pod carries a stamp that says something else"));
    }
    if before.stamp.as_deref() == Some(&text) {
        return Err(unstamped("the pod carries the stamp of an earlier grant"));
    }
    // its times are the service's: this machine's clock is no judge of them
    let pod = PodState {
        uid: answer.metadata.uid.as_deref().unwrap_or_default(),
        generation: answer.metadata.generation,
        scheduled: Some(answer.spec.as_ref().is_some_and(|spec| spec.node_name.is_some())),
    };
    match stamp.holds(pod, stamp.granted) {
        Ok(()) => Ok(stamp),
        Err(Invalid::OtherPod) => Err(unstamped("the stamp is for another pod")),
        Err(_) => Err(unstamped("the pod's spec has changed meanwhile: approve again")),
    }
}

fn annotation(pod: &Pod, key: &str) -> Option<String> {
    pod.annotations().get(key).cloned()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use crate::approval::Agreement;

    use super::*;

    fn pod(generation: i64, annotations: serde_json::Value) -> Pod {
        serde_json::from_value(
            json!({"metadata": {"uid": "u", "generation": generation, "annotations": annotations}}),
        )
        .unwrap()
    }

    fn stamp_text(grant: &Grant, second: i64) -> String {
        let granted = Timestamp::from_second(second).unwrap();
        let (approver, lifetime) = ("alice".to_owned(), SignedDuration::from_mins(30));
        let Grant { floors: memory, force, reason, .. } = grant.clone();
        Stamp::of(Agreement {
            approver,
            memory,
            granted,
            lifetime,
            uid: "u".to_owned(),
            generation: 3,
            unscheduled: false,
            force,
            reason,
        })
        .text()
    }

    #[test]
    fn a_stamp_counts_that_is_new_and_says_the_same() {
        let grant = Grant::parse("app=256Mi; reason=INC-4711").unwrap();
        let (old, new) = (stamp_text(&grant, 1), stamp_text(&grant, 2));
        let other = stamp_text(&Grant::parse("app=128Mi").unwrap(), 2);
        let nothing = Before::of(&pod(3, json!({})));
        let why = |before: &Before, answer: &Pod| {
            stamp(before, &grant, answer)
                .map(|stamp| stamp.approver)
                .map_err(|error| (error.why, error.grant_left))
        };
        let fails = |before: &Before, answer: Pod, words: &str, left: bool| {
            let (why, grant_left) = why(before, &answer).unwrap_err();
            assert!(why.contains(words) && grant_left == left, "{why}");
        };

        assert_eq!(why(&nothing, &pod(3, json!({STAMP_ANNOTATION: new}))), Ok("alice".to_owned()));
        fails(&nothing, pod(3, json!({GRANT_ANNOTATION: "app=256Mi"})), "was not stamped", true);
        let earlier = Before::of(&pod(3, json!({STAMP_ANNOTATION: old})));
        fails(
            &earlier,
            pod(3, json!({GRANT_ANNOTATION: "app=256Mi", STAMP_ANNOTATION: old})),
            "was not stamped",
            true,
        );
        assert_eq!(why(&earlier, &pod(3, json!({STAMP_ANNOTATION: new}))), Ok("alice".to_owned()));
        fails(&earlier, pod(3, json!({STAMP_ANNOTATION: old})), "earlier grant", false);
        fails(&nothing, pod(3, json!({})), "no stamp was added", false);
        fails(&nothing, pod(3, json!({STAMP_ANNOTATION: "{}"})), "malformed", false);
        fails(&nothing, pod(3, json!({STAMP_ANNOTATION: other})), "something else", false);
        fails(&nothing, pod(4, json!({STAMP_ANNOTATION: new})), "has changed meanwhile", false);
    }
}

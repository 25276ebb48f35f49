//! One request that waits for an approver, held against the pod that it is about.

use std::fmt;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde::Serialize;

use crate::approval::{
    Floors, GRANT_ANNOTATION, Grant, Requested, STAMP_ANNOTATION, Stamp, granting_command,
};
use crate::cluster::pod::why_ended;
use crate::command::grant_check::Limits;
use crate::kube::resources::EffectiveLimit;
use crate::terminal::plain;
use crate::yaml::suggest::quoted;

use super::denial::Denial;

/// A denied decrease that nobody granted. The names of its fields stay as they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::command) struct PendingRequest {
    /// Where it was denied.
    pub(in crate::command) namespace: String,
    /// The pod, rid of control characters.
    pub(in crate::command) pod: String,
    /// When it was denied last.
    pub(in crate::command) denied: Timestamp,
    /// How often it was.
    pub(in crate::command) count: i32,
    /// What was asked for.
    #[serde(flatten)]
    pub(in crate::command) ask: Ask,
}

/// What was asked for.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(in crate::command) enum Ask {
    /// What a grant can name.
    #[serde(rename_all = "camelCase")]
    Pending {
        /// Who asked, as the Event claims, rid of control characters.
        claimed_by: String,
        /// From what the pod has to what was asked for.
        parts: Vec<PartChange>,
        /// The grant's floors.
        memory: Floors,
        /// Whether it takes `force`.
        force: bool,
        /// The command that grants exactly this.
        command: String,
    },
    /// What nobody should grant unseen.
    Malformed {
        /// Why.
        error: String,
    },
}

/// One part of a pod.
#[derive(Debug, Serialize)]
pub(in crate::command) struct PartChange {
    part: String,
    from: String,
    to: String,
}

impl PendingRequest {
    /// What is left of `denial`; `None` where it is settled. `pod` is the pod of that name as it is
    /// now: `None` where nobody could look, `Some(None)` where it is gone.
    pub(super) fn of(denial: Denial, pod: Option<Option<&Pod>>) -> Option<Self> {
        let pod = match pod {
            Some(None) => return None,
            Some(Some(pod)) if is_settled(&denial, pod) => return None,
            pod => pod.flatten(),
        };
        let ask = match (denial.requested, pod) {
            (Ok(requested), Some(pod)) => ask(requested, (&denial.namespace, pod))?,
            (Err(error), _) => Ask::Malformed { error: error.to_owned() },
            (Ok(_), None) => Ask::Malformed { error: "the pod cannot be told".to_owned() },
        };
        Some(Self {
            namespace: denial.namespace,
            pod: plain(&denial.pod).into_owned(),
            denied: Timestamp::from_second(denial.at.as_second()).unwrap_or(denial.at),
            count: denial.count,
            ask,
        })
    }

    /// What it is sorted by.
    pub(super) fn place_and_time(&self) -> (&str, &str, Timestamp) {
        (&self.namespace, &self.pod, self.denied)
    }

    /// The command that grants exactly this.
    pub(in crate::command) fn command(&self) -> Option<&str> {
        match &self.ask {
            Ask::Pending { command, .. } => Some(command),
            Ask::Malformed { .. } => None,
        }
    }

    /// The floors that grant exactly this, and whether it takes `force`.
    pub(in crate::command) fn granted(&self) -> Option<(&Floors, bool)> {
        match &self.ask {
            Ask::Pending { memory, force, .. } => Some((memory, *force)),
            Ask::Malformed { .. } => None,
        }
    }

    /// When it was denied, and how often.
    pub(in crate::command) fn times(&self) -> String {
        match self.count {
            ..=1 => self.denied.to_string(),
            count => format!("{} ({count} times)", self.denied),
        }
    }
}

/// Whether another pod is meant, nothing can be resized any more, or somebody granted something
/// after the denial.
fn is_settled(denial: &Denial, pod: &Pod) -> bool {
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    let stamp = pod.annotations().get(STAMP_ANNOTATION).and_then(|text| Stamp::parse(text).ok());
    // a stamp has whole seconds: one of the same second may be older than the denial
    let granted = stamp.is_some_and(|stamp| stamp.uid == uid && stamp.granted > denial.at);
    uid != denial.uid || why_ended(pod).is_some() || granted
}

/// What is asked for; `None` where the pod has no more than that already.
fn ask(requested: Requested, (namespace, pod): (&str, &Pod)) -> Option<Ask> {
    let Floors::Only(floors) = &requested.parts else {
        return Some(Ask::Malformed { error: "it names no amounts".to_owned() });
    };
    let (mut parts, mut falls) = (Vec::new(), false);
    for floor in floors {
        let Some(limits) = Limits::of(floor.container.as_deref(), pod) else {
            return Some(Ask::Malformed { error: "the pod has no such container".to_owned() });
        };
        falls |= limits.effective().falls_to(EffectiveLimit::Limited(&floor.least));
        parts.push(PartChange {
            part: floor.part_name().to_owned(),
            from: limits.effective().to_string(),
            to: floor.least.text().to_owned(),
        });
    }
    let Grant { floors, force, .. } = requested.grant();
    let again = pod.annotations().contains_key(GRANT_ANNOTATION);
    let place = (namespace, &*pod.name_any());
    falls.then(|| Ask::Pending {
        claimed_by: plain(&requested.requester).into_owned(),
        parts,
        command: granting_command(place, &floors.to_string(), force, again),
        memory: floors,
        force,
    })
}

impl Ask {
    /// Who asked, as the Event claims: quoted, so that no name looks like more than a name.
    pub(in crate::command) fn claimed_by(&self) -> String {
        match self {
            Self::Pending { claimed_by, .. } => quoted(claimed_by),
            Self::Malformed { .. } => "-".to_owned(),
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, force) = match self {
            Self::Pending { parts, force, .. } => (parts, *force),
            Self::Malformed { error } => return write!(formatter, "malformed: {error}"),
        };
        for (index, PartChange { part, from, to }) in parts.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(formatter, "{comma}{part} {from} -> {to}")?;
        }
        formatter.write_str(if force { ", forced" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use crate::approval::Agreement;

    use super::*;

    const DENIED: &str = "2026-11-21T12:30:00.5Z";

    fn denial(requester: &str, parts: &str) -> Denial {
        let text = json!({"requester": requester, "parts": parts, "from": {}, "force": true});
        Denial {
            namespace: "shop".to_owned(),
            pod: "db-0".to_owned(),
            uid: "u".to_owned(),
            at: DENIED.parse().unwrap(),
            count: 2,
            requested: Ok(Requested::parse(&text.to_string()).unwrap()),
        }
    }

    fn pod(fields: Value) -> Pod {
        let mut pod = json!({
            "metadata": {"name": "db-0", "namespace": "shop", "uid": "u"},
            "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "512Mi"}}}, {"name": "side"}]},
        });
        json_patch::merge(&mut pod, &fields);
        serde_json::from_value(pod).unwrap()
    }

    fn pending(parts: &str, fields: Value) -> Option<String> {
        let request = PendingRequest::of(denial("dev", parts), Some(Some(&pod(fields))))?;
        Some(request.ask.to_string())
    }

    #[test]
    fn a_request_is_from_what_the_pod_has() {
        let from_512 = Some("app 512Mi -> 256Mi, forced");
        assert_eq!(pending("app=256Mi", json!({})).as_deref(), from_512);
        let both = "app 512Mi -> 256Mi, side unlimited -> 64Mi, @pod unlimited -> 1Gi, forced";
        assert_eq!(pending("app=256Mi,side=64Mi,@pod=1Gi", json!({})).as_deref(), Some(both));
    }

    #[test]
    fn what_is_settled_is_not_pending() {
        assert!(PendingRequest::of(denial("dev", "app=256Mi"), Some(None)).is_none(), "gone");
        let settled = |fields| pending("app=256Mi", fields).is_none();
        assert!(settled(json!({"metadata": {"uid": "v"}})));
        assert!(settled(json!({"metadata": {"deletionTimestamp": "2026-11-21T12:31:00Z"}})));
        assert!(settled(json!({"status": {"phase": "Succeeded"}})));
        let limited = |memory: &str| json!({"spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": memory}}}]}});
        assert!(settled(limited("256Mi")) && settled(limited("0.25Gi")) && settled(limited("1Mi")));
        assert!(!settled(limited("257Mi")) && !settled(limited("0")));
    }

    #[test]
    fn a_stamp_that_was_granted_later_settles_it() {
        let settled = |granted: &str, uid: &str| {
            let stamp = Stamp::of(Agreement {
                approver: "alice".to_owned(),
                memory: Floors::parse("app=300Mi").unwrap(),
                granted: granted.parse().unwrap(),
                lifetime: SignedDuration::from_mins(30),
                uid: uid.to_owned(),
                generation: 3,
                unscheduled: false,
                force: false,
                reason: None,
            });
            let annotations = json!({STAMP_ANNOTATION: stamp.text()});
            pending("app=256Mi", json!({"metadata": {"annotations": annotations}})).is_none()
        };
        assert!(settled("2026-11-21T12:30:01Z", "u"));
        assert!(!settled("2026-11-21T12:30:00Z", "u"), "perhaps the denial came after it");
        assert!(!settled("2026-11-21T12:30:01Z", "v"), "of another pod");
        let forged = json!({"metadata": {"annotations": {STAMP_ANNOTATION: "true"}}});
        assert!(pending("app=256Mi", forged).is_some());
    }

    #[test]
    fn hostile_claims_reach_no_command() {
        let hostile = "dev\u{1b}[2J   app 1Gi -> 1Gi\n`id`";
        let request =
            PendingRequest::of(denial(hostile, "app=256Mi"), Some(Some(&pod(json!({}))))).unwrap();
        let expected = "kubectl annotate pod db-0 -n shop restraint.dev/approve='app=256Mi; force'";
        assert_eq!(request.command(), Some(expected));
        let shown = request.ask.claimed_by();
        assert!(!shown.contains(char::is_control) && shown.starts_with('"'), "{shown}");
        assert!(!json!(request).to_string().contains("\\u001b"));

        let unknown = pending("app=256Mi,spy=1Mi", json!({}));
        assert_eq!(unknown.as_deref(), Some("malformed: the pod has no such container"));
        let nameless = Denial {
            pod: "x\u{9b}2J".to_owned(),
            requested: Err("no"),
            ..denial("dev", "app=1Mi")
        };
        let request = PendingRequest::of(nameless, None).unwrap();
        assert_eq!((&*request.pod, request.command()), ("x\\u{9b}2J", None));
    }

    #[test]
    fn programs_read_stable_names() {
        let request =
            PendingRequest::of(denial("dev", "app=256Mi"), Some(Some(&pod(json!({}))))).unwrap();
        let expected = json!({
            "namespace": "shop", "pod": "db-0", "state": "pending", "denied": "2026-11-21T12:30:00Z", "count": 2,
            "claimedBy": "dev", "parts": [{"part": "app", "from": "512Mi", "to": "256Mi"}], "memory": "app=256Mi", "force": true,
            "command": "kubectl annotate pod db-0 -n shop restraint.dev/approve='app=256Mi; force'",
        });
        assert_eq!(json!(request), expected);
        assert_eq!(request.times(), "2026-11-21T12:30:00Z (2 times)");
    }
}

//! One pod in the list of approvals.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

use crate::approval::{DEFAULT_ANNOTATION, GRANT_ANNOTATION, PodState, STAMP_ANNOTATION, Standing};
use crate::command::approval_details::ApprovalDetails;
use crate::terminal::{plain, table};

/// A pod that carries a stamp, or a grant without one. The names of its fields stay as they are.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    namespace: String,
    pod: String,
    state: Standing,
    /// The annotations that grant: as long as they are there nobody stamped them.
    grants: Vec<&'static str>,
    /// Only the service holds the key.
    seal_checked: bool,
    #[serde(flatten)]
    details: Option<ApprovalDetails>,
}

impl Entry {
    /// The approval on a pod; `None` where it carries none.
    pub(super) fn of(metadata: &ObjectMeta, now: Timestamp) -> Option<Self> {
        let annotations = metadata.annotations.as_ref()?;
        let grants: Vec<_> = [GRANT_ANNOTATION, DEFAULT_ANNOTATION]
            .into_iter()
            .filter(|key| annotations.contains_key(*key))
            .collect();
        let uid = metadata.uid.as_deref().unwrap_or_default();
        let pod = PodState { uid, generation: metadata.generation, scheduled: None };
        let stamp = annotations.get(STAMP_ANNOTATION).map(String::as_str);
        let (state, stamp) = Standing::of(stamp, !grants.is_empty(), pod, now)?;
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        let (namespace, pod) = (name(&metadata.namespace), name(&metadata.name));
        Some(Self {
            namespace,
            pod,
            state,
            grants,
            seal_checked: false,
            details: stamp.map(ApprovalDetails::from),
        })
    }

    fn cells(&self) -> [String; 7] {
        let detail = |text: fn(&ApprovalDetails) -> String| {
            self.details.as_ref().map_or_else(|| "-".to_owned(), text)
        };
        let reason = |details: &ApprovalDetails| {
            details
                .reason
                .as_deref()
                .map_or_else(|| "-".to_owned(), |text| plain(text).into_owned())
        };
        [
            self.namespace.clone(),
            self.pod.clone(),
            detail(ApprovalDetails::memory),
            detail(|details| plain(&details.approver).into_owned()),
            detail(|details| details.expires.to_string()),
            detail(reason),
            self.state(),
        ]
    }

    fn state(&self) -> String {
        let usable = self.state == Standing::Usable;
        let unscheduled = usable && self.details.as_ref().is_some_and(|stamp| stamp.unscheduled);
        let while_so = if unscheduled { " while the pod is on no node" } else { "" };
        let more = self.state != Standing::GrantWithoutStamp && !self.grants.is_empty();
        let more = if more { "; another grant without a stamp" } else { "" };
        [self.state.words(), while_so, more].concat()
    }
}

/// `entries` in columns.
pub(super) fn text(entries: &[Entry]) -> String {
    let header =
        ["NAMESPACE", "POD", "MEMORY", "APPROVER", "UNTIL", "REASON", "STATE"].map(str::to_owned);
    table(&std::iter::once(header).chain(entries.iter().map(Entry::cells)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use crate::approval::{Agreement, Floors, Stamp};

    use super::*;

    const GRANTED: &str = "2026-11-21T12:00:00Z";

    fn stamp(reason: Option<&str>) -> String {
        Stamp::of(Agreement {
            approver: "alice".to_owned(),
            memory: Floors::parse("app=256Mi").unwrap(),
            granted: GRANTED.parse().unwrap(),
            lifetime: SignedDuration::from_mins(30),
            uid: "u".to_owned(),
            generation: 3,
            unscheduled: false,
            force: false,
            reason: reason.map(str::to_owned),
        })
        .text()
    }

    fn entry(generation: i64, annotations: Value, now: &str) -> Option<Entry> {
        let metadata = json!({"namespace": "shop", "name": "db-0", "uid": "u", "generation": generation, "annotations": annotations});
        Entry::of(&serde_json::from_value(metadata).unwrap(), now.parse().unwrap())
    }

    #[test]
    fn states_are_told_apart() {
        let state = |generation, annotations, now| {
            entry(generation, annotations, now).map(|entry| entry.state())
        };
        let stamped = || json!({STAMP_ANNOTATION: stamp(None)});
        assert_eq!(state(3, stamped(), GRANTED).as_deref(), Some("usable"));
        assert_eq!(state(3, stamped(), "2026-11-21T12:30:00Z").as_deref(), Some("expired"));
        assert_eq!(state(4, stamped(), GRANTED).as_deref(), Some("invalid: the pod changed"));
        assert_eq!(
            state(3, stamped(), "2026-11-21T11:00:00Z").as_deref(),
            Some("invalid: from the future")
        );
        let waiting = stamp(None).replace("\"key\"", "\"unscheduled\":true,\"key\"");
        let waiting = json!({STAMP_ANNOTATION: waiting});
        let while_so = "usable while the pod is on no node";
        assert_eq!(state(3, waiting.clone(), GRANTED).as_deref(), Some(while_so));
        assert_eq!(state(4, waiting, GRANTED).as_deref(), Some("invalid: the pod changed"));
        let others = json!({STAMP_ANNOTATION: stamp(None).replace("\"u\"", "\"v\"")});
        assert_eq!(state(3, others, GRANTED).as_deref(), Some("invalid: for another pod"));
        assert_eq!(
            state(3, json!({STAMP_ANNOTATION: "true"}), GRANTED).as_deref(),
            Some("malformed")
        );
        for key in [GRANT_ANNOTATION, DEFAULT_ANNOTATION] {
            assert_eq!(
                state(3, json!({key: "true"}), GRANTED).as_deref(),
                Some("grant without a stamp: no effect")
            );
        }
        let both = json!({STAMP_ANNOTATION: stamp(None), GRANT_ANNOTATION: "true"});
        assert_eq!(
            state(3, both, GRANTED).as_deref(),
            Some("usable; another grant without a stamp")
        );
        assert_eq!(state(3, json!({"team": "db"}), GRANTED), None);
        assert_eq!(state(3, Value::Null, GRANTED), None);
    }

    #[test]
    fn a_table_has_columns() {
        let entries = [
            entry(3, json!({STAMP_ANNOTATION: stamp(Some("INC-4711\u{1b}[2J"))}), GRANTED).unwrap(),
            entry(3, json!({GRANT_ANNOTATION: "true"}), GRANTED).unwrap(),
        ];
        let expected = "\
NAMESPACE   POD    MEMORY              APPROVER   UNTIL                  REASON              STATE
shop        db-0   app down to 256Mi   alice      2026-11-21T12:30:00Z   INC-4711\\u{1b}[2J   usable
shop        db-0   -                   -          -                      -                   grant without a stamp: no effect
";
        assert_eq!(text(&entries), expected);
    }

    #[test]
    fn programs_read_stable_names() {
        let expected = json!({
            "namespace": "shop", "pod": "db-0", "state": "usable", "grants": [], "sealChecked": false, "memory": "app=256Mi",
            "approver": "alice", "granted": "2026-11-21T12:00:00Z", "expires": "2026-11-21T12:30:00Z", "force": false, "reason": "INC-4711",
        });
        assert_eq!(
            json!(entry(3, json!({STAMP_ANNOTATION: stamp(Some("INC-4711"))}), GRANTED)),
            expected
        );
        let bare = json!({"namespace": "shop", "pod": "db-0", "state": "grant-without-stamp", "grants": [GRANT_ANNOTATION], "sealChecked": false});
        assert_eq!(json!(entry(3, json!({GRANT_ANNOTATION: "true"}), GRANTED)), bare);
    }
}

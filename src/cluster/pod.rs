//! What becomes of a pod.

use k8s_openapi::api::core::v1::Pod;

/// Why nothing will ever run or be resized in `pod` any more, if that is so.
pub(crate) fn why_ended(pod: &Pod) -> Option<&'static str> {
    if pod.metadata.deletion_timestamp.is_some() {
        return Some("is terminating");
    }
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed")).then_some("has finished")
}

/// Whether Services send requests to `pod`.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    why_ended(pod).is_none()
        && conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(fields: Value) -> Pod {
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn pods_that_ended_are_told_from_others() {
        assert_eq!(why_ended(&pod(json!({"status": {"phase": "Running"}}))), None);
        assert_eq!(why_ended(&pod(json!({"status": {"phase": "Pending"}}))), None);
        assert_eq!(why_ended(&pod(json!({}))), None);
        assert_eq!(why_ended(&pod(json!({"status": {"phase": "Failed"}}))), Some("has finished"));
        assert_eq!(
            why_ended(&pod(json!({"metadata": {"deletionTimestamp": "2026-11-21T12:00:00Z"}}))),
            Some("is terminating")
        );
    }
}

//! Live memory of a pod, as the metrics API tells it.

use serde::Deserialize;

use crate::cluster::amounts::written_memory;
use crate::cluster::pod_metrics::{ContainerMetrics, containers};
use crate::kube::usage::Usage;

/// A `PodMetrics` of `metrics.k8s.io/v1beta1`; something without containers is none.
#[derive(Deserialize)]
struct PodMetrics {
    #[serde(deserialize_with = "containers")]
    containers: Vec<ContainerMetrics>,
}

/// Reads a `PodMetrics`; `None` where it cannot be told.
pub(super) fn read(json: &[u8]) -> Option<Usage> {
    let metrics: PodMetrics = serde_json::from_slice(json).ok()?;
    let mut measured = Vec::new();
    for ContainerMetrics { name, usage } in metrics.containers {
        // a container without memory is one that was not measured
        if let Some(memory) = written_memory(&usage)? {
            measured.push((name, memory));
        }
    }
    Some(measured.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_known() {
        let usage = read(
            br#"{"kind": "PodMetrics", "timestamp": "2026-11-21T12:00:00Z", "window": "15s", "containers": [
                {"name": "app", "usage": {"cpu": "12345n", "memory": "972800Ki"}},
                {"name": "side", "usage": {"cpu": "much", "memory": "1Mi"}},
                {"name": "starting", "usage": {"cpu": "0"}}]}"#,
        )
        .unwrap();
        assert_eq!((usage.of("app"), usage.of("side")), (Some(950 << 20), Some(1 << 20)));
        assert_eq!((usage.of("starting"), usage.of("other")), (None, None));
        assert_eq!(usage.total(), 951 << 20);
    }

    #[test]
    fn nothing_is_made_of_anything_else() {
        assert_eq!(read(br#"{"containers": null}"#), Some(Usage::default()));
        for garbage in [
            "",
            "[]",
            "{}",
            "null",
            "<html>",
            r#"{"containers": {}}"#,
            r#"{"containers": [{"usage": {"memory": "much"}}]}"#,
            r#"{"containers": [{"name": "app", "usage": {"memory": "much"}}]}"#,
        ] {
            assert_eq!(read(garbage.as_bytes()), None, "{garbage}");
        }
        assert_eq!(
            read(br#"{"containers": [{"name": "app", "usage": {"memory": "1e30"}}]}"#),
            None
        );
    }
}

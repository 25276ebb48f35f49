//! The order in which the pods of a workload have their turn.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use crate::cluster::pod::is_ready;

/// Puts `pods` in order: of a StatefulSet from the highest ordinal, as its controller does it. With
/// `broken_first` those that are not ready come before: more may be what they need.
pub(super) fn put_in_order(pods: &mut [Pod], is_stateful: bool, broken_first: bool) {
    pods.sort_by_cached_key(|pod| {
        let name = pod.name_any();
        let ordinal = ordinal(&name).filter(|_| is_stateful);
        (broken_first && is_ready(pod), Reverse(ordinal), name)
    });
}

/// The number at the end of the name of a StatefulSet's pod.
fn ordinal(name: &str) -> Option<u32> {
    name.rsplit_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(pods: &[(&str, bool)], is_stateful: bool, broken_first: bool) -> Vec<String> {
        let pod = |(name, ready): &(&str, bool)| -> Pod {
            let ready = if *ready { "True" } else { "False" };
            let status = json!({"conditions": [{"type": "Ready", "status": ready}]});
            serde_json::from_value(json!({"metadata": {"name": name}, "status": status})).unwrap()
        };
        let mut pods: Vec<Pod> = pods.iter().map(pod).collect();
        put_in_order(&mut pods, is_stateful, broken_first);
        pods.iter().map(ResourceExt::name_any).collect()
    }

    #[test]
    fn the_highest_ordinal_is_first_and_for_growth_whoever_is_not_ready() {
        let pods = [("db-0", true), ("db-2", true), ("db-10", true), ("db-1", false)];
        assert_eq!(order(&pods, true, false), ["db-10", "db-2", "db-1", "db-0"]);
        assert_eq!(order(&pods, true, true), ["db-1", "db-10", "db-2", "db-0"]);
        let pods = [("web-b", true), ("web-a", true), ("web-c", false)];
        assert_eq!(order(&pods, false, false), ["web-a", "web-b", "web-c"]);
        assert_eq!(order(&pods, false, true), ["web-c", "web-a", "web-b"]);
    }
}

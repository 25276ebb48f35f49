//! The quality of service of a pod, as the API server works it out (`ComputePodQOS`).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::explain::pod_spec::{amount, containers};

/// The resources that count.
const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// The class of a pod with this spec. Amounts of zero count for nothing.
pub(super) fn class(spec: &Value) -> &'static str {
    let is_pod_level = spec
        .get("resources")
        .and_then(Value::as_object)
        .is_some_and(|resources| !resources.is_empty());
    let holders: Vec<&Value> = if is_pod_level {
        vec![spec]
    } else {
        containers(spec).map(|(_, container)| container).collect()
    };
    let sum = |list: &str| {
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for (holder, resource) in
            holders.iter().flat_map(|holder| RESOURCES.map(|resource| (holder, resource)))
        {
            let Some(amount) = amount(holder, list, resource).filter(|amount| !amount.is_zero())
            else {
                continue;
            };
            let sum = sums.entry(resource).or_default();
            *sum = sum.saturating_add(amount.milli_value().unwrap_or(i128::MAX));
        }
        sums
    };
    let (requests, limits) = (sum("requests"), sum("limits"));
    let limited = |holder: &&Value| {
        RESOURCES.iter().all(|resource| {
            amount(holder, "limits", resource).is_some_and(|limit| !limit.is_zero())
        })
    };
    match () {
        () if requests.is_empty() && limits.is_empty() => "BestEffort",
        () if holders.iter().all(limited) && requests == limits => "Guaranteed",
        () => "Burstable",
    }
}

//! What the API server refuses in any pod's spec, as far as resources go (`ValidatePodSpec` of
//! Kubernetes 1.36).

use serde_json::Value;

use crate::explain::pod_spec::{
    amount, amount_text, containers, is_plain_init, name_of, resize_policy,
};
use crate::kube::quantity::Quantity;

/// The kinds of lists in `resources`.
const LISTS: [&str; 2] = ["requests", "limits"];

/// Why the API server refuses the spec, by reason of this container or, without one, of any.
pub(super) fn fault(spec: &Value, only: Option<&str>) -> Option<String> {
    let never = spec.get("restartPolicy").and_then(Value::as_str) == Some("Never");
    let chosen = |container: &Value| only.is_none_or(|name| name_of(container) == name);
    let fault = containers(spec).filter(|(_, container)| chosen(container)).find_map(
        |(list, container)| {
            let name = name_of(container);
            unreadable(container)
                .or_else(|| request_above_limit(container))
                .or_else(|| beyond_pod(spec, container))
                .or_else(|| restarts(list, container, never))
                .map(|fault| format!("container {name:?}: {fault} (422)"))
        },
    );
    fault.or_else(|| pod_level(spec))
}

fn restarts(list: &str, container: &Value, never: bool) -> Option<String> {
    let restarts = ["cpu", "memory"]
        .into_iter()
        .find(|resource| resize_policy(container, resource) == "RestartContainer")?;
    if is_plain_init(list, container) {
        return Some(format!(
            "an init container that runs to its end cannot have {restarts} policy RestartContainer"
        ));
    }
    never
        .then(|| format!("{restarts} policy RestartContainer does not go with restartPolicy Never"))
}

fn unreadable(holder: &Value) -> Option<String> {
    LISTS.into_iter().find_map(|list| {
        let amounts = holder.get("resources")?.get(list)?.as_object()?;
        let (resource, value) = amounts.iter().find(|(_, value)| {
            amount_text(value).is_none_or(|text| Quantity::parse(text).is_err())
        })?;
        Some(format!("{list}.{resource} {value} is no quantity"))
    })
}

fn request_above_limit(holder: &Value) -> Option<String> {
    let requests = holder.get("resources")?.get("requests")?.as_object()?;
    requests.keys().find_map(|resource| {
        let (request, limit) =
            (amount(holder, "requests", resource)?, amount(holder, "limits", resource)?);
        (request > limit).then(|| {
            format!("{resource} request {} is above the limit {}", request.text(), limit.text())
        })
    })
}

fn beyond_pod(spec: &Value, container: &Value) -> Option<String> {
    ["cpu", "memory"].into_iter().find_map(|resource| {
        let (own, pod) =
            (amount(container, "limits", resource)?, amount(spec, "limits", resource)?);
        (own > pod)
            .then(|| format!("{resource} limit {} is above the pod's {}", own.text(), pod.text()))
    })
}

fn pod_level(spec: &Value) -> Option<String> {
    let fault = unreadable(spec).or_else(|| request_above_limit(spec)).or_else(|| {
        ["cpu", "memory"].into_iter().find_map(|resource| {
            let pod = amount(spec, "requests", resource)?.milli_value()?;
            let requests =
                containers(spec).filter(|(list, container)| !is_plain_init(list, container));
            let requests = requests.filter_map(|(_, container)| {
                amount(container, "requests", resource)?.milli_value()
            });
            let sum = requests.fold(0_i128, i128::saturating_add);
            (sum > pod)
                .then(|| format!("{resource} requests of the containers are more than the pod's"))
        })
    });
    fault.map(|fault| format!("pod level: {fault} (422)"))
}

//! Who serves while a pod is down.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use kube::ResourceExt;

use crate::cluster::amounts::written;
use crate::cluster::pod::is_ready;
use crate::kube::requests::WrittenRequests;
use crate::operate::restart::around::Around;

use super::Light;

/// The label by which a slice names its Service.
const SERVICE: &str = "kubernetes.io/service-name";

/// Ready pods beside it, and disruption budgets.
pub(super) fn siblings(pod: &Pod, around: &Around, least: usize) -> (Light, String) {
    let ready = around.siblings_of(pod).filter(|other| is_ready(other)).count();
    let all = around.siblings_of(pod).count();
    let found = format!("{ready} of {all} other pods are ready");
    if ready < least {
        return (Light::Red, format!("{found}, and --min-ready asks for {least}"));
    }
    if !is_ready(pod) {
        return (Light::Green, format!("{found}; it is not ready itself"));
    }
    let Some(budgets) = &around.budgets else {
        return (Light::Unknown, format!("{found}; disruption budgets may not be listed"));
    };
    let own: Vec<_> = budgets.iter().filter(|budget| budget.covers(pod)).collect();
    match own.iter().find(|budget| budget.allowed < 1) {
        Some(budget) => {
            let name = &budget.name;
            (Light::Red, format!("{found}, and disruption budget {name:?} allows none to go"))
        }
        None if own.is_empty() => (Light::Green, format!("{found}; no disruption budget")),
        None => {
            let least = own.iter().map(|budget| budget.allowed).min().unwrap_or_default();
            (Light::Green, format!("{found}; the disruption budget allows {least} to go"))
        }
    }
}

/// What the other pods use of what they have.
pub(super) fn capacity(pod: &Pod, around: &Around, most: u8) -> (Light, String) {
    let Some(usage) = &around.usage else {
        return (Light::Unknown, "there is no metrics API that may be read".to_owned());
    };
    let (mut busiest, mut measured) = (None::<(i128, String)>, 0_usize);
    for other in around.siblings_of(pod).filter(|other| is_ready(other)) {
        let name = other.name_any();
        let Some(used) = usage.get(&name) else { continue };
        measured = measured.saturating_add(1);
        let has = what_it_has(other);
        for (resource, used, has) in
            [("cpu", used.cpu, has.cpu), ("memory", used.memory, has.memory)]
        {
            let share = has.and_then(|has| used.saturating_mul(100).checked_div(has));
            let said = |share| format!("pod {name:?} uses {share} % of its {resource}");
            if let Some(share) = share
                && busiest.as_ref().is_none_or(|(highest, _)| share > *highest)
            {
                busiest = Some((share, said(share)));
            }
        }
    }
    match busiest {
        None if measured == 0 => {
            (Light::Unknown, "no other pod that is ready was measured".to_owned())
        }
        None => (Light::Unknown, "the other pods have no limit and no request".to_owned()),
        Some((share, said)) if share > i128::from(most) => {
            (Light::Red, format!("{said}, more than {most} %"))
        }
        Some((_, said)) => (Light::Green, format!("{said}, and no other more of what it has")),
    }
}

/// The limits of a pod's containers, or else their requests.
fn what_it_has(pod: &Pod) -> WrittenRequests {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let (mut sum, mut is_whole) = (WrittenRequests { cpu: Some(0), memory: Some(0) }, true);
    for container in containers {
        let resources = container.resources.as_ref();
        let read = |list: Option<_>| list.and_then(written);
        let limits = read(resources.and_then(|resources| resources.limits.as_ref()));
        let requests = read(resources.and_then(|resources| resources.requests.as_ref()));
        let one = |of: fn(&WrittenRequests) -> Option<i128>| {
            let own = |amounts: &Option<WrittenRequests>| amounts.as_ref().and_then(of);
            own(&limits).or_else(|| own(&requests)).filter(|amount| *amount > 0)
        };
        let add = |sum: Option<i128>, more: Option<i128>| Some(sum?.saturating_add(more?));
        sum.cpu = add(sum.cpu, one(|amounts| amounts.cpu));
        sum.memory = add(sum.memory, one(|amounts| amounts.memory));
        is_whole = false;
    }
    if is_whole { WrittenRequests { cpu: None, memory: None } } else { sum }
}

/// Who else is behind the Services that send to it.
pub(super) fn endpoints(pod: &Pod, around: &Around) -> (Light, String) {
    let Some(slices) = &around.slices else {
        return (Light::Unknown, "endpoint slices may not be listed".to_owned());
    };
    let (name, mut services) = (pod.name_any(), Vec::new());
    for service in slices.iter().filter_map(service_of) {
        let of_service = || {
            let own = slices.iter().filter(move |slice| service_of(slice) == Some(service));
            own.flat_map(|slice| slice.endpoints.iter().flatten())
        };
        if of_service().any(|one| target_of(one) == Some(&name)) && !services.contains(&service) {
            let is_other = |one: &&Endpoint| target_of(one) != Some(&name) && serves(one);
            if is_ready(pod) && of_service().find(is_other).is_none() {
                let why = format!("service {service:?} has no other endpoint that is ready");
                return (Light::Red, why);
            }
            services.push(service);
        }
    }
    let said = match services.as_slice() {
        [] => "no Service sends to it".to_owned(),
        _ if !is_ready(pod) => "it gets no requests: it is not ready".to_owned(),
        [one] => format!("service {one:?} has other endpoints that are ready"),
        all => format!("{} Services have other endpoints that are ready", all.len()),
    };
    (Light::Green, said)
}

fn service_of(slice: &EndpointSlice) -> Option<&str> {
    slice.metadata.labels.as_ref()?.get(SERVICE).map(String::as_str)
}

fn target_of(endpoint: &Endpoint) -> Option<&str> {
    let target = endpoint.target_ref.as_ref().filter(|one| one.kind.as_deref() == Some("Pod"))?;
    target.name.as_deref()
}

/// What is not said to be unready is ready.
fn serves(endpoint: &Endpoint) -> bool {
    endpoint.conditions.as_ref().is_none_or(|conditions| {
        conditions.ready != Some(false) && conditions.terminating != Some(true)
    })
}

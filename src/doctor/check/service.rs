//! Whether somebody answers where hooks lead to.

use std::collections::BTreeMap;

use k8s_openapi::api::discovery::v1::EndpointSlice;

use crate::doctor::facts::{Facts, Place, Served};
use crate::doctor::hook::{self, Hook};
use crate::doctor::names::object;
use crate::doctor::observation::{Observations, Severity};

/// The port that a hook leads to where it does not say.
const DEFAULT_PORT: i32 = 443;

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    let ours = facts.installations.iter().flat_map(|installation| hook::of(facts, installation));
    let mut by_service: BTreeMap<Place, Vec<Hook<'_>>> = BTreeMap::new();
    for hook in ours.chain(hook::foreign_and_closed(facts)) {
        if let Some(place) = hook.service() {
            by_service.entry(place).or_default().push(hook);
        }
    }
    for (place, hooks) in &by_service {
        examine(facts, place, hooks, observations);
    }
}

fn examine(facts: &Facts, place: &Place, hooks: &[Hook<'_>], observations: &mut Observations<'_>) {
    let name = object("Service", &place.0, &place.1);
    let refused = if hooks.iter().any(|hook| hook.fails_closed) {
        "what its hooks catch is refused"
    } else {
        "what its hooks catch goes through unseen"
    };
    let gravity = if hooks.iter().any(|hook| hook.fails_closed) {
        Severity::Problem
    } else {
        Severity::Warning
    };
    let served = match facts.services.get(place) {
        Some(Ok(Some(served))) => served,
        Some(Ok(None)) => {
            let who = hook::grouped(hooks.iter().map(|hook| (*hook, String::new())));
            let who: Vec<_> = who.into_iter().map(|(object, _)| object).collect();
            let message =
                format!("is not there, but hooks lead to it ({}): {refused}", who.join("; "));
            return observations.say(
                gravity,
                name,
                message,
                Some("make it, or take the configuration away".to_owned()),
            );
        }
        Some(Err(reason)) => {
            return observations.unknown(
                name,
                "the Service",
                reason,
                "run it with the right to get Services",
            );
        }
        None => return,
    };
    let spec = served.service.spec.as_ref();
    if spec.and_then(|spec| spec.type_.as_deref()) == Some("ExternalName") {
        let to = spec.and_then(|spec| spec.external_name.as_deref()).unwrap_or_default();
        return observations.remark(name, format!("leads out of the cluster, to {to:?}: whether somebody answers there was not examined"));
    }
    let ports = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    let portless = hooks.iter().filter_map(|hook| {
        let port =
            hook.client.service.as_ref().and_then(|service| service.port).unwrap_or(DEFAULT_PORT);
        let message = || {
            format!(
                "leads to port {port} of Service {}/{}, which has no such port: {refused}",
                place.0, place.1
            )
        };
        (!ports.iter().any(|known| known.port == port)).then(|| (*hook, message()))
    });
    for (object, message) in hook::grouped(portless) {
        observations.say(
            gravity,
            object,
            message,
            Some("name a port of the Service in clientConfig".to_owned()),
        );
    }
    reach(served, &name, gravity, refused, observations);
}

fn reach(
    served: &Served,
    name: &str,
    gravity: Severity,
    refused: &str,
    observations: &mut Observations<'_>,
) {
    match served.slices.as_ref().map(|slices| ready(slices)) {
        Ok(0) => {
            let message = format!("has no ready endpoint: {refused}");
            observations.say(
                gravity,
                name,
                message,
                Some(
                    "see why its pods are not ready: kubectl describe pod, and their log"
                        .to_owned(),
                ),
            );
        }
        Ok(count) => observations.ok(name, format!("has {count} ready endpoints")),
        Err(reason) => observations.unknown(
            name,
            "its endpoints",
            reason,
            "run it with the right to list EndpointSlices",
        ),
    }
}

/// Endpoints that get requests. One whose readiness is not known does.
fn ready(slices: &[EndpointSlice]) -> usize {
    let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter().flatten());
    endpoints
        .filter(|endpoint| {
            endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) != Some(false)
        })
        .count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::doctor::testing::{foreign, healthy, read, said, worst};

    use super::*;

    fn ours() -> Place {
        ("restraint".to_owned(), "restraint".to_owned())
    }

    #[test]
    fn somebody_has_to_answer() {
        let mut facts = healthy();
        assert_eq!(said(check, &facts), ["ok: Service restraint/restraint: has 2 ready endpoints"]);
        let slice = json!({"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": false}}]});
        facts.services.get_mut(&ours()).unwrap().as_mut().unwrap().as_mut().unwrap().slices =
            Ok(vec![read(slice)]);
        assert_eq!(
            worst(check, &facts),
            "problem: Service restraint/restraint: has no ready endpoint: what its hooks catch is refused"
        );
        facts.services.insert(ours(), Ok(None));
        assert!(
            worst(check, &facts)
                .contains("is not there, but hooks lead to it (MutatingWebhookConfiguration restraint, hook approval.restraint.dev")
        );
        facts.services.insert(ours(), Err("forbidden".to_owned()));
        assert!(worst(check, &facts).starts_with("unknown: "));
    }

    #[test]
    fn the_port_has_to_be_there() {
        let mut facts = healthy();
        let served = facts.services.get_mut(&ours()).unwrap().as_mut().unwrap().as_mut().unwrap();
        served.service.spec.as_mut().unwrap().ports.as_mut().unwrap()[0].port = 8443;
        assert!(worst(check, &facts).contains("leads to port 443 of Service restraint/restraint"));
    }

    #[test]
    fn services_of_others_count_where_their_hooks_fail_closed() {
        let hook = json!({
            "name": "a.example.com", "failurePolicy": "Fail", "clientConfig": {"service": {"namespace": "gone", "name": "gone"}},
            "matchConditions": [{"name": "some", "expression": "true"}],
        });
        let mut facts = foreign(hook);
        facts.services.insert(("gone".to_owned(), "gone".to_owned()), Ok(None));
        assert!(worst(check, &facts).starts_with("problem: Service gone/gone: is not there"));
    }
}

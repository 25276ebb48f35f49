//! Whether the Services that webhooks call can answer.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ServiceSpec;
use k8s_openapi::api::discovery::v1::EndpointSlice;

use crate::cluster::NamespacedName;
use crate::doctor::facts::{Fact, Facts};
use crate::doctor::hook::{self, Hook};
use crate::doctor::observation::{Observations, Severity};
use crate::kube::name::describe;

/// The port that a webhook calls if it names none.
const DEFAULT_PORT: i32 = 443;

/// A Service, the webhooks that call it, and what follows if it does not answer.
struct Called<'h> {
    service: &'h NamespacedName,
    hooks: &'h [Hook<'h>],
    severity: Severity,
    consequence: &'static str,
}

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    let ours = facts.installations.iter().flat_map(|installation| hook::of(facts, installation));
    let mut by_service: BTreeMap<NamespacedName, Vec<Hook<'_>>> = BTreeMap::new();
    for hook in ours.chain(hook::foreign_and_closed(facts)) {
        if let Some(service) = hook.service() {
            by_service.entry(service).or_default().push(hook);
        }
    }
    for (service, hooks) in &by_service {
        Called::of(service, hooks).examine(facts, observations);
    }
}

impl<'h> Called<'h> {
    fn of(service: &'h NamespacedName, hooks: &'h [Hook<'h>]) -> Self {
        let (severity, consequence) = if hooks.iter().any(|hook| hook.fails_closed) {
            (Severity::Problem, "requests that its webhooks match are denied")
        } else {
            (Severity::Warning, "requests that its webhooks match pass unchecked")
        };
        Self { service, hooks, severity, consequence }
    }

    fn object(&self) -> String {
        describe("Service", &self.service.namespace, &self.service.name)
    }

    fn examine(&self, facts: &Facts, observations: &mut Observations<'_>) {
        let found = match facts.services.get(self.service) {
            Some(Ok(Some(found))) => found,
            Some(Ok(None)) => return self.report_missing(observations),
            Some(Err(reason)) => {
                let remedy = "run it with the right to get Services";
                return observations.unknown(self.object(), "the Service was", reason, remedy);
            }
            None => return,
        };
        let spec = found.service.spec.as_ref();
        if spec.and_then(|spec| spec.type_.as_deref()) == Some("ExternalName") {
            let host = spec.and_then(|spec| spec.external_name.as_deref()).unwrap_or_default();
            let message = format!(
                "points outside the cluster, to {host:?}: whether that answers was not examined"
            );
            return observations.remark(self.object(), message);
        }
        self.examine_ports(spec, observations);
        self.examine_endpoints(&found.slices, observations);
    }

    fn report_missing(&self, observations: &mut Observations<'_>) {
        let callers = hook::grouped(self.hooks.iter().map(|hook| (*hook, String::new())));
        let callers: Vec<_> = callers.into_iter().map(|(object, _)| object).collect();
        let (callers, consequence) = (callers.join("; "), self.consequence);
        let message = format!("does not exist, but webhooks call it ({callers}): {consequence}");
        let remedy = "create it, or delete the webhook configuration".to_owned();
        observations.add(self.severity, self.object(), message, Some(remedy));
    }

    fn examine_ports(&self, spec: Option<&ServiceSpec>, observations: &mut Observations<'_>) {
        let ports = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
        let (service, consequence) = (self.service, self.consequence);
        let without_port = self.hooks.iter().filter_map(|hook| {
            let called = hook.client.service.as_ref()?.port.unwrap_or(DEFAULT_PORT);
            let message = format!(
                "calls port {called} of Service {service}, which has no such port: {consequence}"
            );
            (!ports.iter().any(|known| known.port == called)).then_some((*hook, message))
        });
        for (object, message) in hook::grouped(without_port) {
            let remedy = "name a port of the Service in clientConfig".to_owned();
            observations.add(self.severity, object, message, Some(remedy));
        }
    }

    fn examine_endpoints(
        &self,
        slices: &Fact<Vec<EndpointSlice>>,
        observations: &mut Observations<'_>,
    ) {
        match slices.as_ref().map(|slices| ready(slices)) {
            Ok(0) => {
                let message = format!("has no ready endpoint: {}", self.consequence);
                let remedy = "see why its pods are not ready: kubectl describe pod, and their log";
                observations.add(self.severity, self.object(), message, Some(remedy.to_owned()));
            }
            Ok(count) => observations.ok(self.object(), format!("has {count} ready endpoints")),
            Err(reason) => {
                let remedy = "run it with the right to list EndpointSlices";
                observations.unknown(self.object(), "its endpoints were", reason, remedy);
            }
        }
    }
}

/// How many endpoints get requests. One whose readiness is not known does.
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

    use crate::doctor::testing::{foreign, healthy, lines, read, worst};

    use super::*;

    fn ours() -> NamespacedName {
        NamespacedName::new("restraint", "restraint")
    }

    #[test]
    fn a_service_needs_ready_endpoints() {
        let mut facts = healthy();
        assert_eq!(
            lines(check, &facts),
            ["ok: Service restraint/restraint: has 2 ready endpoints"]
        );
        let slice = json!({"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": false}}]});
        facts.services.get_mut(&ours()).unwrap().as_mut().unwrap().as_mut().unwrap().slices =
            Ok(vec![read(slice)]);
        assert_eq!(
            worst(check, &facts),
            "problem: Service restraint/restraint: has no ready endpoint: requests that its webhooks match are denied"
        );
        facts.services.insert(ours(), Ok(None));
        assert!(
            worst(check, &facts)
                .contains("does not exist, but webhooks call it (MutatingWebhookConfiguration restraint, hook approval.restraint.dev")
        );
        facts.services.insert(ours(), Err("forbidden".to_owned()));
        assert!(worst(check, &facts).starts_with("unknown: "));
    }

    #[test]
    fn the_port_has_to_exist() {
        let mut facts = healthy();
        let found = facts.services.get_mut(&ours()).unwrap().as_mut().unwrap().as_mut().unwrap();
        found.service.spec.as_mut().unwrap().ports.as_mut().unwrap()[0].port = 8443;
        assert!(worst(check, &facts).contains("calls port 443 of Service restraint/restraint"));
    }

    #[test]
    fn services_of_others_count_where_their_hooks_fail_closed() {
        let hook = json!({
            "name": "a.example.com", "failurePolicy": "Fail", "clientConfig": {"service": {"namespace": "gone", "name": "gone"}},
            "matchConditions": [{"name": "some", "expression": "true"}],
        });
        let mut facts = foreign(hook);
        facts.services.insert(NamespacedName::new("gone", "gone"), Ok(None));
        assert!(worst(check, &facts).starts_with("problem: Service gone/gone: does not exist"));
    }
}

//! Policies and the serving certificate: what is in force, and what was read while the server runs.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What is in force.
#[derive(Debug)]
pub(super) struct InForce {
    policy_reloads: Family<ResultLabels, Counter>,
    policies: Gauge,
    policies_refused: Gauge,
    certificate_reloads: Family<ResultLabels, Counter>,
    certificate_expiry: Gauge<f64, AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

impl InForce {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let in_force = Self {
            policy_reloads: reloads(),
            policies: Gauge::default(),
            policies_refused: Gauge::default(),
            certificate_reloads: reloads(),
            certificate_expiry: Gauge::default(),
        };
        registry.register(
            "policy_reloads",
            "policy sets read after start, by result",
            in_force.policy_reloads.clone(),
        );
        registry.register("policies", "policies in force", in_force.policies.clone());
        registry.register(
            "policies_refused",
            "1 while the newest policy set is refused: an older one is in force, or none",
            in_force.policies_refused.clone(),
        );
        registry.register(
            "certificate_reloads",
            "certificates read after start, by result",
            in_force.certificate_reloads.clone(),
        );
        registry.register(
            "certificate_expiry_timestamp",
            "when the serving certificate expires, in seconds since 1970",
            in_force.certificate_expiry.clone(),
        );
        in_force
    }

    pub(super) fn policies(&self, count: usize, accepted: bool) {
        self.policies.set(i64::try_from(count).unwrap_or(i64::MAX));
        self.policies_refused.set(i64::from(!accepted));
    }

    pub(super) fn policy_reload(&self, accepted: bool) {
        self.policy_reloads.get_or_create(&result(accepted)).inc();
    }

    pub(super) fn certificate_reload(&self, accepted: bool) {
        self.certificate_reloads.get_or_create(&result(accepted)).inc();
    }

    pub(super) fn certificate_expiry(&self, seconds: i64) {
        self.certificate_expiry.set(seconds as f64);
    }
}

/// Both results are there from the start, so that the first refusal is an increase.
fn reloads() -> Family<ResultLabels, Counter> {
    let reloads = Family::default();
    for accepted in [true, false] {
        drop(reloads.get_or_create(&result(accepted)));
    }
    reloads
}

fn result(accepted: bool) -> ResultLabels {
    ResultLabels { result: if accepted { "accepted" } else { "refused" } }
}

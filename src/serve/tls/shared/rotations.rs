//! What happens to certificates that replicas share.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::serve::request::RequestError;

use super::step::Step;

/// What happens to certificates that replicas share.
#[derive(Clone, Debug, Default)]
pub(in crate::serve) struct Rotations {
    rotations: Family<StepLabels, Counter>,
    writes: Family<WriteLabels, Counter>,
    published: Gauge,
    expiry: Gauge<f64, AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
    result: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    result: &'static str,
}

/// What a write comes to: done, another was faster, or the API server did not do it.
const RESULTS: [&str; 3] = ["done", "lost", "failed"];

impl Rotations {
    pub(in crate::serve) fn register(registry: &mut Registry) -> Self {
        let this = Self::default();
        registry.register(
            "certificate_rotations",
            "changes of the certificates in the shared secret, by step and result; lost is that another replica was faster",
            this.rotations.clone(),
        );
        registry.register(
            "ca_bundle_writes",
            "writes of the ca bundle into webhook configurations, by result",
            this.writes.clone(),
        );
        registry.register(
            "ca_bundle_published",
            "1 while every webhook configuration has the ca bundle",
            this.published.clone(),
        );
        registry.register(
            "certificate_authority_expiry_timestamp",
            "when the authority of shared certificates expires, in seconds since 1970",
            this.expiry.clone(),
        );
        // there from the start
        for result in RESULTS {
            drop(this.writes.get_or_create(&WriteLabels { result }));
            for step in Step::ALL.map(Step::as_str) {
                drop(this.rotations.get_or_create(&StepLabels { step, result }));
            }
        }
        this
    }

    /// Counts a step and what came of its write.
    pub(super) fn count<T>(&self, step: Step, written: &Result<T, RequestError>) {
        let result = match written {
            Ok(_) => "done",
            Err(error) if error.is_race() => "lost",
            Err(_) => "failed",
        };
        self.rotations.get_or_create(&StepLabels { step: step.as_str(), result }).inc();
    }

    /// Counts a write of the bundle. An error of `None` is that another was faster.
    pub(super) fn bundle_written(&self, written: &Result<(), Option<RequestError>>) {
        let result = match written {
            Ok(()) => "done",
            Err(None) => "lost",
            Err(Some(_)) => "failed",
        };
        self.writes.get_or_create(&WriteLabels { result }).inc();
    }

    /// Takes note of whether the bundle is where it should be.
    pub(super) fn published(&self, published: bool) {
        self.published.set(i64::from(published));
    }

    /// Takes note of when the authority expires, in seconds since 1970.
    pub(super) fn authority_expiry(&self, seconds: i64) {
        self.expiry.set(seconds as f64);
    }
}

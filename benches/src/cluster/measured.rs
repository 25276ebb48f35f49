//! What was measured in the cluster, as Markdown and as JSON.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::machine::Machine;
use crate::report::quantile;

use super::{Operation, Policy};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) machine: Machine,
    pub(super) figures: Vec<Figures>,
}

/// What one kind of request showed in one namespace.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) operation: Operation,
    pub(super) policy: Policy,
    /// In microseconds, one request after the other.
    #[serde(serialize_with = "percentiles")]
    pub(super) latencies: Vec<f64>,
    pub(super) throughputs: Vec<Throughput>,
}

/// What one round of as many requests as can be showed.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Throughput {
    per_second: f64,
    /// Microseconds of processor time for each request: the API server's, etcd's, and that of
    /// the server which the API server asks.
    costs: [f64; 3],
}

impl Throughput {
    pub(super) fn new(
        requests: u64,
        elapsed: Duration,
        before: [Duration; 3],
        after: [Duration; 3],
    ) -> Self {
        let requests = requests.max(1) as f64;
        let mut costs = [0.0; 3];
        for ((cost, before), after) in costs.iter_mut().zip(before).zip(after) {
            *cost = after.saturating_sub(before).as_secs_f64() * 1e6 / requests;
        }
        Self { per_second: requests / elapsed.as_secs_f64(), costs }
    }
}

impl Figures {
    pub(super) fn new(operation: Operation, policy: Policy) -> Self {
        Self { operation, policy, latencies: Vec::new(), throughputs: Vec::new() }
    }

    fn latency(&self, share: f64) -> f64 {
        quantile(self.latencies.clone(), share)
    }

    fn median(&self, of: impl Fn(&Throughput) -> f64) -> f64 {
        quantile(self.throughputs.iter().map(of).collect(), 0.5)
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n", self.machine)?;
        writeln!(
            out,
            "| request | policy | p50 µs | added | p99 µs | added | requests/s | CPU µs: API server | etcd | policy's server |"
        )?;
        writeln!(out, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for figure in &self.figures {
            let bare = self
                .figures
                .iter()
                .find(|other| other.operation == figure.operation && other.policy == Policy::None);
            let added = |share| match bare {
                Some(bare) if figure.policy != Policy::None => {
                    format!("{:+.0}", figure.latency(share) - bare.latency(share))
                }
                _ => String::new(),
            };
            let own = match figure.policy {
                Policy::None | Policy::Cel => String::new(),
                Policy::Restraint | Policy::Peer(_) => {
                    format!("{:.0}", figure.median(|round| round.costs[2]))
                }
            };
            writeln!(
                out,
                "| {} | {} | {:.0} | {} | {:.0} | {} | {:.0} | {:.0} | {:.0} | {own} |",
                figure.operation.as_str(),
                figure.policy.as_str(),
                figure.latency(0.5),
                added(0.5),
                figure.latency(0.99),
                added(0.99),
                figure.median(|round| round.per_second),
                figure.median(|round| round.costs[0]),
                figure.median(|round| round.costs[1]),
            )?;
        }
        Ok(())
    }
}

fn percentiles<S: serde::Serializer>(latencies: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(
        [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)]
            .map(|(name, share)| (name, quantile(latencies.to_vec(), share))),
    )
}

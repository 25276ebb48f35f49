//! What a scenario showed.

use std::fmt::{self, Display};

use serde::Serialize;

/// Figures and promises of one scenario.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    scenario: String,
    figures: Vec<(String, String)>,
    broken: Vec<String>,
}

impl Outcome {
    pub(crate) fn new(scenario: String) -> Self {
        Self { scenario, figures: Vec::new(), broken: Vec::new() }
    }

    /// Something to tell.
    pub(crate) fn figure(&mut self, name: impl Display, value: impl Display) {
        self.figures.push((name.to_string(), value.to_string()));
    }

    /// Something that has to be so.
    pub(crate) fn promise(&mut self, kept: bool, promise: impl Display) {
        if !kept {
            self.broken.push(promise.to_string());
        }
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.broken.is_empty()
    }
}

impl Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| {} | |\n|---|---|", self.scenario)?;
        for (name, value) in &self.figures {
            writeln!(formatter, "| {name} | {value} |")?;
        }
        for promise in &self.broken {
            writeln!(formatter, "| **broken** | {promise} |")?;
        }
        writeln!(formatter)
    }
}

/// Milliseconds of the longest of these shares of sorted latencies in microseconds.
pub(crate) fn percentiles(latencies: &mut [u32]) -> String {
    latencies.sort_unstable();
    let at = |share: f64| f64::from(percentile(latencies, share)) / 1000.0;
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, longest {:.1} ms",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    )
}

/// One share of sorted latencies.
pub(crate) fn percentile(sorted: &[u32], share: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let place = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Mebibytes.
#[expect(clippy::cast_precision_loss)]
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
}

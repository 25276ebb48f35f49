//! The runbook in front of each pod: what has to hold before it is restarted. Pure functions of the
//! pod and what surrounds it.

mod drain;
mod serving;

use clap::ValueEnum;
use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;

use super::around::Around;

/// A line of the runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Check {
    /// Enough other pods are ready, and the disruption budgets allow one less.
    ReadySiblings,
    /// The other pods have cpu and memory to spare.
    SpareCapacity,
    /// Something tells when it is ready.
    ReadinessProbe,
    /// Its Services have other endpoints that are ready.
    Endpoints,
    /// Its processes have time to end by themselves.
    TimeToDrain,
}

/// Whether a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Light {
    /// It holds.
    Green,
    /// It does not.
    Red,
    /// It cannot be told, which stops nobody.
    Unknown,
}

/// A line, and what was found. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    /// Which.
    pub(super) check: Check,
    /// Whether it holds.
    pub(super) light: Light,
    /// What was found.
    pub(super) why: String,
    /// Whether it stops nobody although it is red.
    pub(super) skipped: bool,
}

/// What is asked of a pod and its surroundings.
#[derive(Clone, Debug)]
pub(super) struct Demands {
    /// How many others have to be ready.
    pub(super) min_ready: usize,
    /// How much of what it has another may use, in percent.
    pub(super) max_usage: u8,
    /// How many seconds are needed to end.
    pub(super) drain: u64,
    /// What counts for nothing.
    pub(super) skip: Vec<Check>,
    /// Whether another pod is ready before this one goes.
    pub(super) is_replaced_first: bool,
}

impl Check {
    const ALL: [Self; 5] = [
        Self::ReadySiblings,
        Self::SpareCapacity,
        Self::ReadinessProbe,
        Self::Endpoints,
        Self::TimeToDrain,
    ];

    /// What `--skip` calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ReadySiblings => "ready-siblings",
            Self::SpareCapacity => "spare-capacity",
            Self::ReadinessProbe => "readiness-probe",
            Self::Endpoints => "endpoints",
            Self::TimeToDrain => "time-to-drain",
        }
    }

    /// Whether it is about who serves meanwhile.
    fn is_about_others(self) -> bool {
        matches!(self, Self::ReadySiblings | Self::SpareCapacity | Self::Endpoints)
    }
}

impl Line {
    /// Whether it stops the restart.
    pub(super) fn stops(&self) -> bool {
        self.light == Light::Red && !self.skipped
    }
}

/// Every line for `pod`, of which `containers` are restarted.
pub(super) fn runbook(
    pod: &Pod,
    containers: &[String],
    around: &Around,
    demands: &Demands,
) -> Vec<Line> {
    let line = |check: Check| {
        let (light, why) = match check {
            _ if check.is_about_others() && demands.is_replaced_first => {
                (Light::Green, "a new pod is ready before an old one goes".to_owned())
            }
            Check::ReadySiblings => serving::siblings(pod, around, demands.min_ready),
            Check::SpareCapacity => serving::capacity(pod, around, demands.max_usage),
            Check::ReadinessProbe => drain::readiness(pod, containers),
            Check::Endpoints => serving::endpoints(pod, around),
            Check::TimeToDrain => drain::time(pod, containers, demands.drain),
        };
        Line { check, light, why, skipped: demands.skip.contains(&check) }
    };
    Check::ALL.into_iter().map(line).collect()
}

/// What stops the restart, in a sentence.
pub(super) fn obstacle(lines: &[Line]) -> Option<String> {
    let red: Vec<String> = lines
        .iter()
        .filter(|line| line.stops())
        .map(|line| format!("{}: {}", line.check.name(), line.why))
        .collect();
    (!red.is_empty()).then(|| red.join("; "))
}

/// The flags that go on all the same.
pub(super) fn skips(lines: &[Line]) -> String {
    let red = lines.iter().filter(|line| line.stops());
    red.map(|line| format!("--skip {}", line.check.name())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;

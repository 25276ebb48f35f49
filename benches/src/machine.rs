//! Where it was measured, and how quiet it was there.

use std::fmt;
use std::fs::read_to_string;

use serde::Serialize;

/// The machine, at the start.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    processor: String,
    kernel: String,
    /// Threads that ran or wanted to, over the last minute.
    load_average: String,
    /// What kube's types have, where they take part; the floor has the allocator that Restraint
    /// has.
    kube_allocator: Option<&'static str>,
}

impl Machine {
    /// What the kernel says; what it does not say is left empty.
    pub(crate) fn look(kube_allocator: Option<&'static str>) -> Self {
        let read = |file: &str| read_to_string(file).unwrap_or_default();
        let model = |text: String| {
            text.lines().find_map(|line| {
                Some(
                    line.strip_prefix("model name")?
                        .trim_start_matches(['\t', ' ', ':'])
                        .to_owned(),
                )
            })
        };
        Self {
            processor: model(read("/proc/cpuinfo")).unwrap_or_default(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_average: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            kube_allocator,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, kernel, load_average, kube_allocator } = self;
        write!(formatter, "{processor}, Linux {kernel}, load average {load_average} at the start")?;
        kube_allocator.map_or(Ok(()), |allocator| write!(formatter, "; kube on {allocator}"))
    }
}

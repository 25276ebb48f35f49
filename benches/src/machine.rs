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
    /// What the rivals are built on.
    allocator: &'static str,
}

impl Machine {
    /// What the kernel says; what it does not say is left empty.
    pub(crate) fn look() -> Self {
        let read = |file: &str| read_to_string(file).unwrap_or_default();
        let model = |text: String| {
            text.lines().find_map(|line| Some(line.strip_prefix("model name")?.trim_start_matches(['\t', ' ', ':']).to_owned()))
        };
        Self {
            processor: model(read("/proc/cpuinfo")).unwrap_or_default(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_average: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            allocator: if cfg!(feature = "system-allocator") { "the system's allocator" } else { "mimalloc" },
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, kernel, load_average, allocator } = self;
        write!(formatter, "{processor}, Linux {kernel}, load average {load_average} at the start; floor and kube on {allocator}")
    }
}

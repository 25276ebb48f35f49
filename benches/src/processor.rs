//! Which processor a thread may use. Children inherit it from the thread that starts them.

use anyhow::{Context, bail};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// A processor for the servers and another for whoever sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Processors {
    pub(crate) servers: usize,
    pub(crate) sender: usize,
}

impl Processors {
    /// The first two that this process may use.
    pub(crate) fn choose() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(Pid::from_raw(0))
            .context("cannot tell which processors are there")?;
        let mut usable =
            (0..CpuSet::count()).filter(|index| allowed.is_set(*index).unwrap_or(false));
        match (usable.next(), usable.next()) {
            (Some(servers), Some(sender)) => Ok(Self { servers, sender }),
            _ => bail!("two processors are needed: one for the server, one for whoever sends"),
        }
    }
}

/// Keeps this thread, and what it starts from now on, on one processor.
pub(crate) fn pin(processor: usize) -> anyhow::Result<()> {
    let mut only = CpuSet::new();
    only.set(processor)?;
    sched_setaffinity(Pid::from_raw(0), &only)
        .with_context(|| format!("cannot stay on processor {processor}"))
}

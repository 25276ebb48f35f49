//! Which processor a thread may use. Children inherit it from the thread that starts them.

use std::fs;

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

/// Another process, kept on one processor until this is dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    process: u32,
    /// Where it was allowed before.
    before: CpuSet,
}

impl Kept {
    /// Keeps all threads of `process` there; those that it starts follow.
    pub(crate) fn on(processor: usize, process: u32) -> anyhow::Result<Self> {
        let main = Pid::from_raw(i32::try_from(process)?);
        let before = sched_getaffinity(main).context("the process has ended")?;
        let mut only = CpuSet::new();
        only.set(processor)?;
        let kept = Self { process, before };
        kept.allow(&only)?;
        Ok(kept)
    }

    fn allow(&self, processors: &CpuSet) -> anyhow::Result<()> {
        for thread in fs::read_dir(format!("/proc/{}/task", self.process))? {
            let thread = thread?.file_name().to_string_lossy().parse()?;
            sched_setaffinity(Pid::from_raw(thread), processors)?;
        }
        Ok(())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.allow(&self.before); // it may have ended
    }
}

//! The kernel's account of a process: its processor time, its memory, the size of its program.

use std::fs;
use std::time::Duration;

use anyhow::Context;
use nix::time::ClockId;
use nix::unistd::Pid;
use serde::Serialize;

/// How long a process has been on a processor so far, in the kernel and out of it. Threads that
/// have ended count.
pub(crate) fn on_processor(process: u32) -> anyhow::Result<Duration> {
    let process = Pid::from_raw(i32::try_from(process)?);
    let clock = ClockId::pid_cpu_clock_id(process).context("the process has ended")?;
    Ok(clock.now().context("the process has ended")?.into())
}

/// The memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// What of it is the process's own.
    pub(crate) anonymous: u64,
    /// What of it is pages of files, which the kernel can drop: above all the program.
    pub(crate) file: u64,
    /// The most that was ever resident, or since [`forget_peak`].
    pub(crate) peak: u64,
}

impl Memory {
    /// What the process holds now.
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status"))
            .context("the process has ended")?;
        Self::read(&status).context("the kernel does not say how much memory the process holds")
    }

    fn read(status: &str) -> Option<Self> {
        let kilobytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
            line?.trim().trim_end_matches(" kB").parse::<u64>().ok()
        };
        let bytes = |field| kilobytes(field)?.checked_mul(1024);
        Some(Self {
            resident: bytes("VmRSS")?,
            anonymous: bytes("RssAnon")?,
            file: bytes("RssFile")?,
            peak: bytes("VmHWM")?,
        })
    }
}

/// Begins the peak of memory anew, where the kernel lets us: it does for processes of the same
/// user.
pub(crate) fn forget_peak(process: u32) -> anyhow::Result<()> {
    let file = format!("/proc/{process}/clear_refs");
    fs::write(&file, "5").with_context(|| format!("cannot write {file}"))
}

/// The bytes of its program's file.
pub(crate) fn program(process: u32) -> anyhow::Result<u64> {
    let file = format!("/proc/{process}/exe");
    Ok(fs::metadata(&file).with_context(|| format!("cannot look at {file}"))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_process_is_read() {
        let status = "Name:\tx\nVmHWM:\t    300 kB\nVmRSS:\t    200 kB\nRssAnon:\t     80 kB\nRssFile:\t    120 kB\nRssShmem:\t       0 kB\n";
        let memory =
            Memory { resident: 200 << 10, anonymous: 80 << 10, file: 120 << 10, peak: 300 << 10 };
        assert_eq!(Memory::read(status), Some(memory));
        // a process that has ended and was not waited for has no memory
        assert_eq!(Memory::read("Name:\tx\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn processor_time_grows_with_work_and_ended_threads_count() {
        let own = std::process::id();
        let before = on_processor(own).unwrap();
        let busy = move || {
            let begun = on_processor(own).unwrap();
            while on_processor(own).unwrap() - begun < Duration::from_millis(5) {}
        };
        std::thread::spawn(busy).join().unwrap();
        assert!(on_processor(own).unwrap() - before >= Duration::from_millis(5));
        assert!(Memory::of(own).unwrap().resident > 0 && program(own).unwrap() > 0);
    }
}

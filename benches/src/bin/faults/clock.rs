//! The clock of the machine jumps, by libfaketime (Debian's package `faketime`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::outcome::{Outcome, percentiles};
use crate::peer::{Caller, Steady};
use crate::server::{Log, Server};

pub(crate) async fn run(program: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    let Some(library) = library() else {
        outcome.figure("skipped", "libfaketime is not installed: apt-get install faketime");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("offset");
    std::fs::write(&file, "+0\n")?;
    let mut command = Command::new(program);
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", &file)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let mut server = Server::start_as(&mut command, &[], &Log::Read)?;
    server.ready().await?;
    let caller = Caller::of(server.address);
    for jump in ["+400d", "-400d", "+20y", "-30y", "+0"] {
        let steady = Steady::begin(&caller, Duration::from_millis(10));
        tokio::time::sleep(Duration::from_millis(500)).await;
        std::fs::write(&file, format!("{jump}\n"))?;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let mut asked = steady.end().await?;
        outcome.figure(
            format!("{jump}: {} reviews", asked.latencies.len()),
            percentiles(&mut asked.latencies),
        );
        outcome
            .promise(asked.failed + asked.shed.len() == 0, format!("{jump}: {:?}", asked.errors));
    }
    outcome.promise(server.runs(), "the server runs on");
    Ok(())
}

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
        .find(|file| file.is_file())
}

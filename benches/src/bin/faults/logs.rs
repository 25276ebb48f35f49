//! The log cannot be written: a full disk, or a pipe that nobody reads.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::outcome::{Outcome, percentiles};
use crate::peer::{Caller, Steady};
use crate::server::{Log, Server};

pub(crate) async fn run(program: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    for (name, log) in [("a full disk", Log::Full), ("a pipe that nobody reads", Log::Stuck)] {
        let server = Server::start_as(&mut Command::new(program), &[], &log)?;
        server.ready().await?;
        // denials, each of which wants a line; a pipe takes 64 KiB
        let steady = Steady::begin(&Caller::of(server.address), Duration::from_millis(1));
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut asked = steady.end().await?;
        outcome.figure(
            format!("{name}: {} reviews", asked.latencies.len()),
            percentiles(&mut asked.latencies),
        );
        outcome.promise(
            asked.failed == 0 && asked.latencies.len() > 1_000,
            format!(
                "{name}: {} served, {} failed: {:?}",
                asked.latencies.len(),
                asked.failed,
                asked.errors
            ),
        );
    }
    Ok(())
}

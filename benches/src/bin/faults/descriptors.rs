//! File descriptors run out, and come back.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::outcome::{Outcome, percentiles};
use crate::peer::{Caller, Steady};
use crate::server::{Log, Server};

pub(crate) async fn run(program: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    let mut command = Command::new("prlimit");
    command.arg("--nofile=64").arg(program);
    let mut server = Server::start_as(&mut command, &[], &Log::Read)?;
    server.ready().await?;
    let caller = Caller::of(server.address);
    let steady = Steady::begin(&caller, Duration::from_millis(10));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut greedy = Vec::new();
    for _ in 0..200 {
        greedy.push(TcpStream::connect(server.address).await?);
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut asked = steady.end().await?;
    outcome.figure(
        format!(
            "200 connections at 64 descriptors, a caller who was there: {} reviews",
            asked.latencies.len()
        ),
        percentiles(&mut asked.latencies),
    );
    outcome.promise(
        asked.failed + asked.shed.len() == 0,
        format!("who is connected is served: {:?}", asked.errors),
    );
    drop(greedy);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let steady = Steady::begin(&Caller::of(server.address), Duration::from_millis(10));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut asked = steady.end().await?;
    outcome.figure("a new caller, when they are gone", percentiles(&mut asked.latencies));
    outcome.promise(
        asked.failed == 0 && server.runs(),
        format!("the port goes on: {:?}", asked.errors),
    );
    outcome.figure("failures to accept", server.metric("restraint_accept_errors_total").await?);
    Ok(())
}

//! Thousands of connections that want nothing, or want it slowly, while reviews go on.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::outcome::{Outcome, mebibytes, percentiles};
use crate::peer::{Asked, Caller, Steady};
use crate::server::Server;

const EVERY: Duration = Duration::from_millis(10);

pub(crate) async fn run(program: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("cannot open enough files")?;
    if most < 12_000 {
        bail!("12,000 file descriptors are needed, and the hard limit is {most}");
    }
    let server = Server::start(program, &[])?;
    server.ready().await?;
    let caller = Caller::of(server.address);
    outcome.figure("resident at the start", mebibytes(server.resident()?));

    let quiet = Steady::begin(&caller, EVERY);
    tokio::time::sleep(Duration::from_secs(3)).await;
    tell(outcome, "nobody else", quiet.end().await?);

    // as an API server that comes anew each time, which has to get in
    let steady = Steady::begin(&caller, EVERY);
    let (begun, mut idle) = (Instant::now(), Vec::new());
    for _ in 0..10_000 {
        if let Ok(connection) = caller.connect().await {
            idle.push(connection);
        }
    }
    let took = begun.elapsed().as_secs_f64();
    outcome.figure(
        "10,000 connections that shook hands and are idle",
        format!("{} opened in {took:.1} s", idle.len()),
    );
    tell(outcome, "while they were opened", steady.end().await?);
    outcome.figure(
        "open, and resident",
        format!(
            "{:.0}, {}",
            server.metric("restraint_connections_open").await?,
            mebibytes(server.resident()?)
        ),
    );
    let (newcomer, steady) = (Caller::of(server.address), Steady::begin(&caller, EVERY));
    let new = Steady::begin(&newcomer, EVERY);
    tokio::time::sleep(Duration::from_secs(3)).await;
    tell(outcome, "with all of them, a known caller", steady.end().await?);
    tell(outcome, "with all of them, a new caller", new.end().await?);
    drop(idle);

    let steady = Steady::begin(&caller, EVERY);
    let mut half = Vec::new();
    for _ in 0..2_000 {
        let mut tcp = TcpStream::connect(server.address).await?;
        // the first bytes of a ClientHello
        let _ = tcp.write_all(&[22, 3, 1, 2, 0, 1]).await;
        half.push(tcp);
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    tell(outcome, "2,000 half handshakes", steady.end().await?);
    drop(half);

    let steady = Steady::begin(&caller, EVERY);
    let mut slow = Vec::new();
    for number in 0..1_000 {
        let mut connection = caller.connect().await?;
        let beginning: &[u8] = if number % 2 == 0 {
            b"POST /validate HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n"
        } else {
            b"POST /validate HT"
        };
        let _ = connection.write_all(beginning).await;
        slow.push(connection);
    }
    for _ in 0..5 {
        for connection in &mut slow {
            let _ = connection.write_all(b"x").await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    tell(outcome, "1,000 that send a byte a second, half of them headers", steady.end().await?);
    drop(slow);

    let steady = Steady::begin(&caller, EVERY);
    let (header, mut long) =
        (format!("POST /validate HTTP/1.1\r\nx: {}", "x".repeat(15_000)), Vec::new());
    for _ in 0..2_040 {
        let mut connection = caller.connect().await?;
        let _ = connection.write_all(header.as_bytes()).await;
        long.push(connection);
    }
    tell(outcome, "2,040 with 15 KB of headers without an end", steady.end().await?);
    let resident = server.resident()?;
    outcome.figure("resident with them", mebibytes(resident));
    outcome
        .promise(resident < 192 << 20, "unfinished headers stay below the chart's limit of memory");
    drop(long);
    tokio::time::sleep(Duration::from_secs(3)).await;
    outcome.figure("resident after all of it", mebibytes(server.resident()?));
    Ok(())
}

fn tell(outcome: &mut Outcome, what: &str, mut asked: Asked) {
    outcome.figure(
        format!("{what}: {} reviews", asked.latencies.len()),
        percentiles(&mut asked.latencies),
    );
    outcome.promise(
        asked.failed + asked.shed.len() == 0,
        format!(
            "{what}: {} failed, {} refused: {:?}",
            asked.failed,
            asked.shed.len(),
            asked.errors
        ),
    );
}

//! Certificates and policies change, again and again, while reviews go on.

use std::path::Path;
use std::time::Duration;

use crate::certificate::Certificate;
use crate::outcome::{Outcome, percentiles};
use crate::peer::{Caller, Steady};
use crate::server::Server;

const TURNS: u32 = 20;

pub(crate) async fn run(program: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    let policies = tempfile::tempdir()?;
    let policy = |mode: &str| {
        format!("name: memory-limit-decrease\nrule: memory-limit-decrease\nmode: {mode}\n")
    };
    std::fs::write(policies.path().join("memory-limit-decrease.yaml"), policy("enforce"))?;
    let server = Server::start(program, &["--policies", &policies.path().to_string_lossy()])?;
    server.ready().await?;
    let caller = Caller::of(server.address);
    let (kept, steady) = (
        Steady::begin(&caller, Duration::from_millis(2)),
        Steady::begin(&Caller::of(server.address), Duration::from_millis(2)),
    );
    let folder = server.certificate.certificate.parent().unwrap_or(Path::new("."));
    let (mut fresh, next) = (Vec::new(), tempfile::tempdir()?);
    for turn in 0..TURNS {
        std::fs::write(
            policies.path().join("memory-limit-decrease.yaml"),
            policy(if turn % 2 == 0 { "warn" } else { "enforce" }),
        )?;
        let made = Certificate::make(next.path())?;
        // as a careless writer: one file after the other, so that the pair does not match for a
        // moment
        std::fs::copy(&made.certificate, folder.join("tls.crt"))?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        std::fs::copy(&made.key, folder.join("tls.key"))?;
        fresh.push(Caller::of(server.address).connect().await.is_ok());
        // files are read when they have rested for a moment
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
    let mut asked = kept.end().await?;
    asked.merge(steady.end().await?);
    outcome.figure(
        format!("{TURNS} certificates and policies, {} reviews", asked.latencies.len()),
        percentiles(&mut asked.latencies),
    );
    outcome
        .promise(asked.failed + asked.shed.len() == 0, format!("none is lost: {:?}", asked.errors));
    outcome.promise(fresh.iter().all(|opened| *opened), "new connections always open");
    let (policies, pairs) = (
        server.metric("restraint_policy_reloads_total").await?,
        server.metric("restraint_certificate_reloads_total").await?,
    );
    outcome.figure(
        "sets of policies, and certificates, that came into force or were refused",
        format!("{policies}, {pairs}"),
    );
    outcome.promise(
        policies >= f64::from(TURNS) * 0.9 && pairs >= f64::from(TURNS) * 0.9,
        "they come into force",
    );
    Ok(())
}

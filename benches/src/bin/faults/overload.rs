//! Twice the capacity is offered, open loop: what is refused is refused quickly, what is served is
//! served in time, and afterwards all is as before.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use crate::outcome::{Outcome, mebibytes, percentile, percentiles};
use crate::peer::{CREATE, Caller, capacity, offer};
use crate::server::Server;

pub(crate) async fn run(program: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    let server = Server::start(program, &[])?;
    server.ready().await?;
    let caller = Caller::keeping_all(server.address);
    let body = Bytes::from_static(CREATE);
    let most = capacity(&caller, "/mutate", &body, 16, Duration::from_secs(4)).await?;
    outcome
        .figure("capacity, 16 at a time, this machine sending too", format!("{most:.0} reviews/s"));
    let resident = server.resident()?;
    let mut before = offer(&caller, "/mutate", &body, most / 4.0, Duration::from_secs(3)).await;
    outcome.figure("a quarter of it before", percentiles(&mut before.latencies));

    for (name, caller) in [
        ("callers that keep their connections", &caller),
        ("callers that keep 25, as Go does", &Caller::of(server.address)),
    ] {
        let mut during = offer(caller, "/mutate", &body, most * 2.0, Duration::from_secs(10)).await;
        let served = during.latencies.len();
        let due = served + during.shed.len() + during.failed + during.held_back;
        outcome.figure(
            format!("twice of it for 10 s, {name}: due, served, 503, turned away, held back"),
            format!(
                "{due}, {served}, {}, {}, {}",
                during.shed.len(),
                during.failed,
                during.held_back
            ),
        );
        outcome.figure("of those served", percentiles(&mut during.latencies));
        if !during.shed.is_empty() {
            outcome.figure("of those refused", percentiles(&mut during.shed));
        }
        if during.failed > 0 {
            // more at a time than there are places for connections
            outcome.figure("of those turned away", percentiles(&mut during.failed_after));
        }
        outcome.promise(
            percentile(&during.latencies, 1.0) <= 3_000_000,
            format!("{name}: what is served is served within the API server's 3 s"),
        );
        let half = most * 10.0 * 0.5;
        outcome.promise(
            name.ends_with("does") || f64::from(u32::try_from(served)?) >= half,
            format!("{name}: half of the capacity is served"),
        );
    }

    let mut after = offer(&caller, "/mutate", &body, most / 4.0, Duration::from_secs(3)).await;
    outcome.figure("a quarter of it, at once after", percentiles(&mut after.latencies));
    outcome.promise(
        after.failed + after.shed.len() == 0,
        format!("all is served afterwards: {:?}", after.errors),
    );
    let grown = server.resident()?;
    outcome.figure(
        "resident before and after",
        format!("{}, {}", mebibytes(resident), mebibytes(grown)),
    );
    outcome.promise(grown < 192 << 20, "memory stays below the chart's limit");
    Ok(())
}

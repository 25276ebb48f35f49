//! Twice the capacity is offered, open loop: what is refused is refused quickly, what is served is served in time, and
//! afterwards all is as before.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use crate::outcome::{Outcome, mebibytes, percentile, percentiles};
use crate::peer::{CREATE, Caller, capacity, offer};
use crate::server::Server;

pub(crate) async fn run(program: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    let server = Server::start(program, &[])?;
    server.ready().await?;
    let caller = Caller::of(server.address);
    let body = Bytes::from_static(CREATE);
    let most = capacity(&caller, "/mutate", &body, 16, Duration::from_secs(4)).await?;
    outcome.figure("capacity, 16 at a time, this machine sending too", format!("{most:.0} reviews/s"));
    let resident = server.resident()?;
    let mut before = offer(&caller, "/mutate", &body, most / 4.0, Duration::from_secs(3)).await;
    outcome.figure("a quarter of it before", percentiles(&mut before.latencies));

    let mut during = offer(&caller, "/mutate", &body, most * 2.0, Duration::from_secs(10)).await;
    let offered = during.latencies.len() + during.shed.len() + during.failed;
    let served = during.latencies.len();
    outcome.figure("twice of it for 10 s: offered, served, 503, failed", format!("{offered}, {served}, {}, {}", during.shed.len(), during.failed));
    outcome.figure("of those served", percentiles(&mut during.latencies));
    outcome.figure("of those refused", percentiles(&mut during.shed));
    for error in &during.errors {
        outcome.figure("an error of a caller", error);
    }
    outcome.promise(percentile(&during.latencies, 1.0) <= 3_000_000, "what is served is served within the API server's 3 s");
    outcome.promise(f64::from(u32::try_from(served)?) >= most * 10.0 * 0.3, "a third of the capacity is served under overload");

    let mut after = offer(&caller, "/mutate", &body, most / 4.0, Duration::from_secs(3)).await;
    outcome.figure("a quarter of it, at once after", percentiles(&mut after.latencies));
    outcome.promise(after.failed + after.shed.len() == 0, format!("all is served afterwards: {:?}", after.errors));
    let grown = server.resident()?;
    outcome.figure("resident before and after", format!("{}, {}", mebibytes(resident), mebibytes(grown)));
    outcome.promise(grown < 192 << 20, "memory stays below the chart's limit");
    Ok(())
}

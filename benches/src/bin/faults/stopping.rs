//! Two replicas behind one address; one stops, is killed, and comes back.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::net::{TcpListener, TcpStream};

use crate::outcome::{Outcome, percentiles};
use crate::peer::{Caller, Steady};
use crate::server::Server;

/// What a Service does: each connection goes to one of those that are ready.
#[derive(Clone, Default)]
struct Service {
    replicas: Arc<Mutex<Vec<SocketAddr>>>,
    turn: Arc<AtomicUsize>,
}

impl Service {
    async fn start(&self) -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, service) = (listener.local_addr()?, self.clone());
        tokio::spawn(async move {
            while let Ok((mut caller, _)) = listener.accept().await {
                let chosen = {
                    let replicas = service.replicas.lock().unwrap_or_else(PoisonError::into_inner);
                    let turn = service.turn.fetch_add(1, Relaxed);
                    turn.checked_rem(replicas.len()).and_then(|place| replicas.get(place).copied())
                };
                tokio::spawn(async move {
                    if let Some(chosen) = chosen
                        && let Ok(mut replica) = TcpStream::connect(chosen).await
                    {
                        // as the kernel would pass them on
                        let _ = (caller.set_nodelay(true), replica.set_nodelay(true));
                        let _ = tokio::io::copy_bidirectional(&mut caller, &mut replica).await;
                    }
                });
            }
        });
        Ok(address)
    }

    fn set(&self, replicas: &[&Server]) {
        *self.replicas.lock().unwrap_or_else(PoisonError::into_inner) =
            replicas.iter().map(|server| server.address).collect();
    }
}

pub(crate) async fn run(program: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    let flags = ["--drain-delay", "2"];
    let mut replicas = [Server::start(program, &flags)?, Server::start(program, &flags)?];
    for replica in &replicas {
        replica.ready().await?;
    }
    let service = Service::default();
    let caller = Caller::of(service.start().await?);
    service.set(&replicas.each_ref());

    let callers: Vec<_> =
        (0..8).map(|_| Steady::begin(&caller, Duration::from_millis(5))).collect();
    for turn in 0..2 {
        let fresh = Server::start(program, &flags)?;
        fresh.ready().await?;
        let [first, second] = &mut replicas;
        let (leaving, staying) = if turn == 0 { (first, &*second) } else { (second, &*first) };
        service.set(&[&*leaving, staying, &fresh]);
        leaving.signal(Signal::SIGTERM)?;
        // endpoints follow a second later
        tokio::time::sleep(Duration::from_secs(1)).await;
        service.set(&[staying, &fresh]);
        let status = leaving.ended(Duration::from_secs(30)).await;
        outcome.promise(
            status.is_some_and(|status| status.success()),
            "a replica that is asked to stop ends with 0",
        );
        *leaving = fresh;
    }
    let mut asked = crate::peer::Asked::default();
    for caller in callers {
        asked.merge(caller.end().await?);
    }
    outcome.figure(
        format!("both replicas replaced, {} reviews", asked.latencies.len()),
        percentiles(&mut asked.latencies),
    );
    outcome.promise(
        asked.failed + asked.shed.len() == 0,
        format!("none is lost: {} failed: {:?}", asked.failed, asked.errors),
    );

    let callers: Vec<_> =
        (0..8).map(|_| Steady::begin(&caller, Duration::from_millis(5))).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    replicas[0].signal(Signal::SIGKILL)?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    service.set(&[&replicas[1]]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut asked = crate::peer::Asked::default();
    for caller in callers {
        asked.merge(caller.end().await?);
    }
    outcome.figure(
        format!(
            "one killed, noticed after a second: {} served, {} failed",
            asked.latencies.len(),
            asked.failed
        ),
        percentiles(&mut asked.latencies),
    );
    Ok(())
}

//! Taking turns: every case gets its share of every round, so that what disturbs one disturbs all.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustls::pki_types::CertificateDer;

use crate::cases::{Answerer, Case, mixed};
use crate::certificate::Certificate;
use crate::load::{Connections, Post, Sent, Stop};
use crate::processor::{Processors, pin};
use crate::serve::Rival;
use crate::server::Server;

/// Connections to each server, as many as reviews are in flight.
pub(crate) const IN_FLIGHT: usize = 8;

/// Reviews before the first round, for each case.
const WARM_UP: u64 = 500;

/// Reviews before the memory is read; read again after as many again.
pub(crate) const REVIEWS: u64 = 100_000;

/// A server with connections to it.
struct Peer {
    answerer: Answerer,
    server: Server,
    connections: Connections,
}

/// What one case showed in one round.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// Microseconds of processor time for each review.
    pub(crate) cost: f64,
    /// Reviews answered in a second.
    pub(crate) rate: f64,
    /// The share of the time that the server was on its processor.
    pub(crate) busy: f64,
}

/// What one case showed.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) case: Case,
    pub(crate) rounds: Vec<Round>,
    /// In nanoseconds, in order.
    pub(crate) latencies: Vec<u32>,
    /// The memory of the server after the last round, in bytes.
    pub(crate) resident: u64,
}

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'p> {
    pub(crate) restraint: &'p Path,
    pub(crate) certificate: &'p Certificate,
    pub(crate) processors: Processors,
    pub(crate) share: Duration,
    pub(crate) rounds: usize,
}

impl Plan<'_> {
    /// Measures the processor time of every case.
    pub(crate) async fn costs(&self, cases: Vec<Case>) -> anyhow::Result<Vec<Measured>> {
        let mut peers = Vec::new();
        for answerer in Answerer::ALL {
            peers.push(self.start(answerer).await?);
        }
        let new = |case| Measured { case, rounds: Vec::new(), latencies: Vec::new(), resident: 0 };
        let mut measured: Vec<Measured> = cases.into_iter().map(new).collect();
        for Measured { case, .. } in &measured {
            let peer = peer(&mut peers, case.answerer)?;
            case.check(&peer.connections.ask(&case.post).await?)?;
            peer.send(&[case.post.clone()].into(), Stop::Count(WARM_UP)).await?;
        }
        let cases = measured.len();
        for round in 0..self.rounds {
            for turn in 0..cases {
                // another one begins each round, so that none always follows the same
                let Some(row) = measured.get_mut((turn + round) % cases) else { continue };
                show(&format!("round {} of {}: {} {}", round + 1, self.rounds, row.case.size.as_str(), row.case.answerer.as_str()));
                let peer = peer(&mut peers, row.case.answerer)?;
                row.rounds.push(peer.round(&row.case.post, self.share, &mut row.latencies).await?);
                row.resident = peer.server.resident()?;
            }
        }
        for row in &mut measured {
            row.latencies.sort_unstable();
        }
        Ok(measured)
    }

    /// The memory of a new Restraint in bytes: at start, after [`REVIEWS`], and after as many again.
    pub(crate) async fn memory(&self) -> anyhow::Result<[u64; 3]> {
        let mut peer = self.start(Answerer::Restraint).await?;
        let posts: Arc<[Post]> = mixed()?.into();
        let mut resident = [peer.server.resident()?, 0, 0];
        for (times, after) in resident.iter_mut().enumerate().skip(1) {
            show(&format!("memory: {} reviews", REVIEWS * times as u64));
            peer.send(&posts, Stop::Count(REVIEWS)).await?;
            *after = peer.server.resident()?;
        }
        Ok(resident)
    }

    async fn start(&self, answerer: Answerer) -> anyhow::Result<Peer> {
        pin(self.processors.servers)?;
        let server = match answerer {
            Answerer::Floor => Server::rival(Rival::Floor, self.certificate),
            Answerer::Kube => Server::rival(Rival::Kube, self.certificate),
            Answerer::Restraint => Server::restraint(self.restraint, self.certificate),
        };
        pin(self.processors.sender)?;
        let (server, certificate): (Server, CertificateDer<'static>) = (server?, self.certificate.read()?);
        let connections = Connections::open(server.address, &certificate, IN_FLIGHT).await?;
        Ok(Peer { answerer, server, connections })
    }
}

impl Peer {
    async fn send(&mut self, posts: &Arc<[Post]>, stop: Stop) -> anyhow::Result<Sent> {
        self.connections.closed_loop(posts, stop).await.with_context(|| format!("sending to {} failed", self.answerer.as_str()))
    }

    async fn round(&mut self, post: &Post, share: Duration, latencies: &mut Vec<u32>) -> anyhow::Result<Round> {
        let before = self.server.on_processor()?;
        let mut sent = self.send(&[post.clone()].into(), Stop::After(share)).await?;
        let worked = self.server.on_processor()?.saturating_sub(before).as_secs_f64();
        let (reviews, elapsed) = (sent.latencies.len().max(1) as f64, sent.elapsed.as_secs_f64());
        latencies.append(&mut sent.latencies);
        Ok(Round { cost: worked / reviews * 1e6, rate: reviews / elapsed, busy: worked / elapsed })
    }
}

fn peer(peers: &mut [Peer], answerer: Answerer) -> anyhow::Result<&mut Peer> {
    peers.iter_mut().find(|peer| peer.answerer == answerer).context("a server is missing")
}

/// Tells whoever watches how far it is.
pub(crate) fn show(progress: &str) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let _ = write!(terminal, "\r\x1b[K{progress}"); // nobody may be watching any more
    }
}

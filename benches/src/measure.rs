//! Taking turns: every case gets its share of every round, so that what disturbs one disturbs all.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustls::pki_types::CertificateDer;

use crate::cases::{Answerer, Case, Size, What, mixed};
use crate::certificate::Certificate;
use crate::load::{Arrivals, Connections, Post, Sent, Stop};
use crate::processor::{Processors, pin};
use crate::report::quantile;
use crate::serve::Rival;
use crate::server::Server;

/// Connections to each server, as many as reviews are in flight in the closed loop.
pub(crate) const IN_FLIGHT: usize = 8;

/// Connections to each server in the open loop.
const CONNECTIONS: usize = 64;

/// Shares of a server's capacity at which reviews arrive.
pub(crate) const LOADS: [f64; 3] = [0.25, 0.5, 0.75];

/// Times that the memory is read while reviews are sent.
const LOOKS: u64 = 20;

/// A server with connections to it.
struct Peer {
    answerer: Answerer,
    server: Server,
    connections: Connections,
}

/// What one case showed in one round of the closed loop.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// Microseconds of processor time for each review.
    pub(crate) cost: f64,
    /// Reviews answered in a second.
    pub(crate) rate: f64,
    /// The share of the time that the server was on its processor.
    pub(crate) busy: f64,
}

/// What one case showed in the closed loop.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) case: Case,
    pub(crate) rounds: Vec<Round>,
    /// The memory of the server after the last round, in bytes.
    pub(crate) resident: u64,
}

impl Measured {
    /// Microseconds of processor time for each review: the median of the rounds.
    pub(crate) fn cost(&self) -> f64 {
        quantile(self.rounds.iter().map(|round| round.cost).collect(), 0.5)
    }
}

/// How many reviews arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Load {
    /// A share of the server's own capacity.
    Own(f64),
    /// As many as at half of Restraint's capacity.
    AsRestraint,
}

/// What one server showed under one load of the open loop.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) size: Size,
    pub(crate) what: What,
    pub(crate) answerer: Answerer,
    pub(crate) load: Load,
    /// Reviews that arrived in a second.
    pub(crate) per_second: f64,
    /// Latencies of each round, in nanoseconds.
    pub(crate) rounds: Vec<Vec<u32>>,
}

/// The memory of Restraint while reviews are sent: how many there were, and bytes.
pub(crate) type Memory = Vec<(u64, u64)>;

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'p> {
    pub(crate) restraint: &'p Path,
    pub(crate) certificate: &'p Certificate,
    /// Else on the system's allocator.
    pub(crate) kube_on_mimalloc: bool,
    pub(crate) processors: Processors,
    /// What a round gives to each case of the closed loop.
    pub(crate) share: Duration,
    pub(crate) rounds: usize,
    /// What a round gives to each case of the open loop.
    pub(crate) open_share: Duration,
    pub(crate) open_rounds: usize,
    /// Reviews sent while the memory is watched.
    pub(crate) reviews: u64,
}

impl Plan<'_> {
    /// Measures the processor time of every case in a closed loop.
    pub(crate) async fn costs(&self, cases: Vec<Case>) -> anyhow::Result<Vec<Measured>> {
        let mut peers = self.start_all(IN_FLIGHT).await?;
        let new = |case| Measured { case, rounds: Vec::new(), resident: 0 };
        let mut measured: Vec<Measured> = cases.into_iter().map(new).collect();
        for Measured { case, .. } in &measured {
            let peer = peer(&mut peers, case.answerer)?;
            case.check(&peer.connections.ask(&case.post).await?)?;
            peer.send(&[case.post.clone()].into(), Stop::After(self.share / 4)).await?;
        }
        let cases = measured.len();
        for round in 0..self.rounds {
            for turn in 0..cases {
                // another one begins each round, so that none always follows the same
                let Some(row) = measured.get_mut((turn + round) % cases) else { continue };
                let case = &row.case;
                let (size, what, who) =
                    (case.size.as_str(), case.what.as_str(), case.answerer.as_str());
                show(&format!(
                    "closed loop, round {} of {}: {size}, {what}, {who}",
                    round + 1,
                    self.rounds
                ));
                let peer = peer(&mut peers, row.case.answerer)?;
                row.rounds.push(peer.round(&row.case.post, self.share).await?);
                row.resident = peer.server.resident()?;
            }
        }
        Ok(measured)
    }

    /// Measures the latencies of creations in an open loop, at shares of the capacity that
    /// `measured` showed.
    pub(crate) async fn latencies(&self, measured: &[Measured]) -> anyhow::Result<Vec<Queued>> {
        let mut peers = self.start_all(CONNECTIONS).await?;
        let (posts, mut queued): (Vec<Post>, Vec<Queued>) = queues(measured).into_iter().unzip();
        for round in 0..self.open_rounds {
            for (post, row) in posts.iter().zip(&mut queued) {
                let who = row.answerer.as_str();
                show(&format!(
                    "open loop, round {} of {}: {}, {who}",
                    round + 1,
                    self.open_rounds,
                    row.size.as_str()
                ));
                let arrivals = Arrivals::new(row.per_second, round as u64);
                let connections = &mut peer(&mut peers, row.answerer)?.connections;
                let sent = connections.open_loop(post, arrivals, self.open_share).await;
                let mut latencies =
                    sent.with_context(|| format!("sending to {who} failed"))?.latencies;
                latencies.sort_unstable();
                row.rounds.push(latencies);
            }
        }
        Ok(queued)
    }

    /// The memory of a new Restraint while it answers reviews of all kinds.
    pub(crate) async fn memory(&self) -> anyhow::Result<Memory> {
        let mut peer = self.start(Answerer::Restraint, IN_FLIGHT).await?;
        let posts: Arc<[Post]> = mixed()?.into();
        let mut memory = vec![(0, peer.server.resident()?)];
        for look in 1..=LOOKS {
            show(&format!("memory: {} of {} reviews", self.reviews * look / LOOKS, self.reviews));
            peer.send(&posts, Stop::Count(self.reviews / LOOKS)).await?;
            memory.push((self.reviews * look / LOOKS, peer.server.resident()?));
        }
        Ok(memory)
    }

    async fn start_all(&self, connections: usize) -> anyhow::Result<Vec<Peer>> {
        let mut peers = Vec::new();
        for answerer in Answerer::ALL {
            peers.push(self.start(answerer, connections).await?);
        }
        Ok(peers)
    }

    async fn start(&self, answerer: Answerer, connections: usize) -> anyhow::Result<Peer> {
        pin(self.processors.servers)?;
        let server = match answerer {
            Answerer::Floor => Server::rival(Rival::Floor, self.certificate),
            Answerer::Kube if self.kube_on_mimalloc => Server::rival(Rival::Kube, self.certificate),
            Answerer::Kube => Server::kube_on_system_allocator(self.certificate),
            Answerer::Restraint => Server::restraint(self.restraint, self.certificate),
        };
        pin(self.processors.sender)?;
        let (server, certificate): (Server, CertificateDer<'static>) =
            (server?, self.certificate.read()?);
        let connections = Connections::open(server.address, &certificate, connections).await?;
        Ok(Peer { answerer, server, connections })
    }
}

impl Peer {
    async fn send(&mut self, posts: &Arc<[Post]>, stop: Stop) -> anyhow::Result<Sent> {
        self.connections
            .closed_loop(posts, stop)
            .await
            .with_context(|| format!("sending to {} failed", self.answerer.as_str()))
    }

    async fn round(&mut self, post: &Post, share: Duration) -> anyhow::Result<Round> {
        let before = self.server.on_processor()?;
        let sent = self.send(&[post.clone()].into(), Stop::After(share)).await?;
        let worked = self.server.on_processor()?.saturating_sub(before).as_secs_f64();
        let (reviews, elapsed) = (sent.latencies.len().max(1) as f64, sent.elapsed.as_secs_f64());
        Ok(Round { cost: worked / reviews * 1e6, rate: reviews / elapsed, busy: worked / elapsed })
    }
}

/// What is sent in the open loop: of each size the creation, to each server at each load.
fn queues(measured: &[Measured]) -> Vec<(Post, Queued)> {
    let creations =
        || measured.iter().filter(|row| row.case.what == What::Create && !row.case.is_amended());
    let mut queues = Vec::new();
    for Measured { case, .. } in creations().filter(|row| row.case.answerer == Answerer::Restraint)
    {
        for load in LOADS.map(Load::Own).into_iter().chain([Load::AsRestraint]) {
            for row in creations().filter(|row| row.case.size == case.size) {
                let (own, rest) = (
                    row.cost(),
                    creations().find(|other| {
                        same(other, row) && other.case.answerer == Answerer::Restraint
                    }),
                );
                let per_second = match (load, rest) {
                    (Load::Own(share), _) => share * 1e6 / own,
                    (Load::AsRestraint, Some(rest)) if row.case.answerer == Answerer::Floor => {
                        0.5e6 / rest.cost()
                    }
                    _ => continue,
                };
                let Case { size, what, answerer, .. } = row.case;
                queues.push((
                    row.case.post.clone(),
                    Queued { size, what, answerer, load, per_second, rounds: Vec::new() },
                ));
            }
        }
    }
    queues
}

fn same(one: &Measured, other: &Measured) -> bool {
    one.case.size == other.case.size && one.case.what == other.case.what
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

//! Who takes part: the floor and Restraint, which the bench starts, and peers.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::account::{self, Memory};
use crate::cases::{MUTATE, VALIDATE};
use crate::certificate::Certificate;
use crate::load::{Connections, Post, Stop, connector, trusting_connector};
use crate::measure::show;
use crate::processor::{Kept, Processors, pin};
use crate::report::quantile;
use crate::serve::Rival;
use crate::server::Server;

use super::argument::{Peer, Url};
use super::reviews::{Expected, Review};

/// How often the bench's own servers are started, to see how long that takes.
const STARTS: usize = 5;

/// How long an answer may take. An API server waits for 30 seconds at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The names of the bench's own.
pub(super) const FLOOR: &str = "floor";
pub(super) const RESTRAINT: &str = "restraint";

/// A server that takes part.
pub(super) struct Contender {
    pub(super) name: String,
    pub(super) process: u32,
    /// Seconds from its start to its first answer.
    pub(super) ready: Option<f64>,
    validate: Option<Target>,
    mutate: Option<Target>,
    tls: TlsConnector,
    /// The floor allows everything.
    is_floor: bool,
    /// Ended, and put back to where it was allowed, with this.
    _server: Option<Server>,
    _kept: Option<Kept>,
}

/// Where reviews go.
#[derive(Clone, Debug)]
struct Target {
    address: SocketAddr,
    path: String,
}

impl From<Url> for Target {
    fn from(Url { address, path, .. }: Url) -> Self {
        Self { address, path }
    }
}

impl Contender {
    /// A peer, kept on the processor that all servers have.
    pub(super) fn peer(peer: Peer, processors: Processors) -> anyhow::Result<Self> {
        let kept = Kept::on(processors.servers, peer.process);
        if let Err(error) = &kept {
            show("");
            eprintln!("{} runs on every processor: {error:#}", peer.name);
        }
        Ok(Self {
            name: peer.name,
            process: peer.process,
            ready: peer.ready,
            validate: peer.validate.map(Into::into),
            mutate: peer.mutate.map(Into::into),
            tls: trusting_connector()?,
            is_floor: false,
            _server: None,
            _kept: kept.ok(),
        })
    }

    /// Starts the floor.
    pub(super) async fn floor(
        certificate: &Certificate,
        processors: Processors,
        first: &Review,
    ) -> anyhow::Result<Self> {
        let start = || Server::rival(Rival::Floor, certificate);
        Self::start(FLOOR, start, certificate, processors, first).await
    }

    /// Starts Restraint with its default policies.
    pub(super) async fn restraint(
        program: &Path,
        certificate: &Certificate,
        processors: Processors,
        first: &Review,
    ) -> anyhow::Result<Self> {
        let start = || Server::restraint(program, certificate);
        Self::start(RESTRAINT, start, certificate, processors, first).await
    }

    /// Starts it, several times; the last one stays, and answers nothing yet.
    async fn start(
        name: &str,
        start: impl Fn() -> anyhow::Result<Server>,
        certificate: &Certificate,
        processors: Processors,
        first: &Review,
    ) -> anyhow::Result<Self> {
        let started = || {
            pin(processors.servers)?;
            let (begun, server) = (Instant::now(), start());
            pin(processors.sender)?;
            anyhow::Ok((begun, server?))
        };
        let tls = connector(&certificate.read()?)?;
        let mut took = Vec::new();
        for _ in 0..STARTS {
            let (begun, server) = started()?;
            let contender = Self::own(name, server, tls.clone());
            contender.answer(first).await?;
            took.push(begun.elapsed().as_secs_f64());
        }
        let (_, server) = started()?;
        Ok(Self { ready: Some(quantile(took, 0.5)), ..Self::own(name, server, tls) })
    }

    fn own(name: &str, server: Server, tls: TlsConnector) -> Self {
        let target = |path: &str| Some(Target { address: server.address, path: path.to_owned() });
        Self {
            name: name.to_owned(),
            process: server.process(),
            ready: None,
            validate: target(VALIDATE),
            mutate: target(MUTATE),
            tls,
            is_floor: name == FLOOR,
            _server: Some(server),
            _kept: None,
        }
    }

    fn target(&self, review: &Review) -> anyhow::Result<&Target> {
        let target = match review.expected {
            Expected::Amended => self.mutate.as_ref(),
            Expected::Allowed | Expected::Denied => self.validate.as_ref(),
        };
        target.context("no URL was given")
    }

    /// What is sent to it.
    pub(super) fn post(&self, review: &Review) -> anyhow::Result<Post> {
        let path = self.target(review)?.path.clone().into();
        Ok(Post { path, body: review.body.clone() })
    }

    /// Opens connections, and sends a review over each, so that none is new any more.
    pub(super) async fn connect(
        &self,
        review: &Review,
        count: usize,
    ) -> anyhow::Result<Connections> {
        let (target, post) = (self.target(review)?, self.post(review)?);
        let opened = Connections::open_with(target.address, &self.tls, count);
        let mut connections = timeout(PATIENCE, opened).await.context("lets nobody in")??;
        let posts = [post].into();
        let sent = connections.closed_loop(&posts, Stop::Count(count as u64));
        timeout(PATIENCE * 2, sent).await.context("does not answer in time")??;
        Ok(connections)
    }

    async fn answer(&self, review: &Review) -> anyhow::Result<hyper::body::Bytes> {
        let (target, post) = (self.target(review)?, self.post(review)?);
        let asked =
            async { Connections::open_with(target.address, &self.tls, 1).await?.ask(&post).await };
        let late = || format!("does not answer within {} s", PATIENCE.as_secs());
        timeout(PATIENCE, asked).await.with_context(late)?
    }

    /// Why its figures for this review would say nothing: it answers otherwise than it should.
    pub(super) async fn fault(&self, review: &Review) -> Option<String> {
        match self.answer(review).await {
            Err(error) => Some(format!("{error:#}")),
            Ok(_) if self.is_floor => None,
            Ok(answer) => review.fault(&answer),
        }
    }

    pub(super) fn on_processor(&self) -> anyhow::Result<Duration> {
        account::on_processor(self.process).with_context(|| self.name.clone())
    }

    pub(super) fn memory(&self) -> anyhow::Result<Memory> {
        Memory::of(self.process).with_context(|| self.name.clone())
    }
}

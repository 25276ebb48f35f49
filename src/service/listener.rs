//! Accepting connections and serving them, until told to stop; for reviews over TLS, for the admin
//! port in the clear.
//!
//! The accept loop does nothing that a peer can delay: handshakes and requests run in a task for
//! each connection.

mod collector;
mod connection;
mod counters;
mod limits;
mod read_buffer;
mod slots;
mod socket;
mod write_timeout;

use std::error::Error;
use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

pub(crate) use collector::Connections;
pub(crate) use limits::Drain;
pub use limits::Limits;

use connection::{Common, Connection};
use counters::{Counters, increase};
use slots::Slots;

/// How bytes travel.
#[derive(Debug, Clone)]
pub(crate) enum Transport {
    /// In the clear, HTTP/1.1 only.
    Plain,
    /// Over TLS 1.2 or 1.3, with what is in force when a connection arrives; HTTP/2 or HTTP/1.1 as
    /// the peer prefers.
    Tls(Arc<dyn Secured>),
}

/// What connections are secured with.
pub(crate) trait Secured: Debug + Send + Sync {
    /// What one that arrives now is secured with.
    fn config(&self) -> Arc<ServerConfig>;
}

impl Transport {
    /// What a connection that arrives now is secured with, if it is.
    fn config(&self) -> Option<Arc<ServerConfig>> {
        match self {
            Self::Plain => None,
            Self::Tls(secured) => Some(secured.config()),
        }
    }
}

/// A bound port that does not serve yet.
#[derive(Debug)]
pub(crate) struct Listener {
    tcp: TcpListener,
    limits: Limits,
    drain: Drain,
    counters: Arc<Counters>,
    warned: Option<Instant>,
}

impl Listener {
    /// Binds `address`; from here on the kernel queues connections. `[::]` is every address of this
    /// machine, of either family.
    ///
    /// # Errors
    /// Where the address is taken or not ours to take.
    pub(crate) fn bind(address: SocketAddr, limits: Limits, drain: Drain) -> io::Result<Self> {
        Ok(Self {
            tcp: socket::bind(address)?,
            limits,
            drain,
            counters: Arc::default(),
            warned: None,
        })
    }

    /// The address in use: with the port that the system chose, where port 0 was asked for.
    ///
    /// # Errors
    /// As the system's call.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// What it sees, to be read at any time.
    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Serves until `stop` resolves, then leaves without losing a request: for [`Drain::delay`] all
    /// goes on, but each HTTP/1 answer closes its connection, so that callers open their next one
    /// elsewhere; then the port closes, idle connections end, requests in flight finish (HTTP/2:
    /// GOAWAY), for at most [`Drain::limit`]. Returns how many connections that limit cut off.
    ///
    /// An axum router goes in as `hyper_util::service::TowerToHyperService::new(router)`.
    pub(crate) async fn serve<S, B>(
        mut self,
        transport: Transport,
        service: S,
        stop: impl Future<Output = ()>,
    ) -> usize
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let common = Arc::new(Common::new(&self.limits, Arc::clone(&self.counters)));
        let (stopper, stopped) = watch::channel(false);
        let mut slots = Slots::new(&self.limits);
        let mut connections = JoinSet::new();
        let drain = self.drain;
        let mut left = std::pin::pin!(async {
            stop.await;
            common.leaving.store(true, Relaxed);
            sleep(drain.delay).await;
        });
        loop {
            let tcp = tokio::select! {
                biased;
                () = &mut left => break,
                tcp = self.accept() => tcp,
            };
            while connections.try_join_next().is_some() {}
            let Some(slot) = slots.take(&self.counters) else {
                increase(&self.counters.rejected);
                self.warn_rarely("too many connections, the newest is closed");
                continue;
            };
            // Answers are small and somebody waits for each.
            let _ = tcp.set_nodelay(true);
            let connection = Connection {
                common: Arc::clone(&common),
                service: service.clone(),
                stopped: stopped.clone(),
                slot,
            };
            connections.spawn(connection.run(tcp, transport.config()));
        }
        drop(self.tcp);
        slots.evict_handshakes();
        stopper.send_replace(true);
        drain.finish(connections).await
    }

    /// The next connection. Errors do not end it: they pass, sooner than a restart would.
    async fn accept(&mut self) -> TcpStream {
        let mut pause = None;
        loop {
            let error = match self.tcp.accept().await {
                Ok((tcp, _)) => {
                    increase(&self.counters.accepted);
                    return tcp;
                }
                Err(error) => error,
            };
            increase(&self.counters.accept_errors);
            pause = next_pause(&error, pause);
            if let Some(pause) = pause {
                self.warn_rarely(&format!("cannot accept connections: {error}"));
                sleep(pause).await;
            }
        }
    }

    /// Logs, but not more often than anybody reads.
    fn warn_rarely(&mut self, message: &str) {
        let now = Instant::now();
        if self.warned.is_none_or(|then| now.duration_since(then) >= Duration::from_secs(10)) {
            self.warned = Some(now);
            warn!("{message}");
        }
    }
}

impl Drain {
    /// Waits for connections to end, and cuts off those that do not in time. Returns how many.
    async fn finish(self, mut connections: JoinSet<()>) -> usize {
        let finished = async { while connections.join_next().await.is_some() {} };
        if timeout(self.limit, finished).await.is_err() {
            warn!("{} connections cut off after {:?}", connections.len(), self.limit);
        }
        let cut = connections.len();
        connections.shutdown().await;
        info!("listener stopped");
        cut
    }
}

/// How long to wait after a failure to accept. What went wrong with the one connection costs no
/// pause; whatever else (out of file descriptors or memory) would only fail again at once.
fn next_pause(error: &io::Error, last: Option<Duration>) -> Option<Duration> {
    match error.kind() {
        ErrorKind::ConnectionAborted
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionRefused
        | ErrorKind::Interrupted => None,
        _ => Some(last.map_or(Duration::from_millis(5), |last| {
            last.saturating_mul(2).min(Duration::from_secs(1))
        })),
    }
}

#[cfg(test)]
mod tests;

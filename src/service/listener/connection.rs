//! One connection: its handshake, its requests, its end.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::rt::{Read, Write};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::debug;

use super::counters::{Counters, Open, increase};
use super::limits::{HttpBuilders, Limits};
use super::slots::{Slot, Stage};
use super::write_timeout::WriteTimeout;

/// What the connections of a listener have in common.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) builders: HttpBuilders,
    pub(super) counters: Arc<Counters>,
    pub(super) handshake: Duration,
    pub(super) idle: Duration,
    pub(super) write_timeout: Duration,
    /// Each answer from now on is its connection's last.
    pub(super) leaving: AtomicBool,
}

impl Common {
    pub(super) fn new(limits: &Limits, counters: Arc<Counters>) -> Self {
        Self {
            builders: HttpBuilders::new(limits),
            counters,
            handshake: limits.handshake,
            idle: limits.idle,
            write_timeout: limits.write_timeout,
            leaving: AtomicBool::new(false),
        }
    }
}

/// One connection of a listener.
pub(super) struct Connection<S> {
    pub(super) common: Arc<Common>,
    pub(super) service: S,
    /// True once requests in flight are to be the last.
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) slot: Arc<Slot>,
}

impl<S, B> Connection<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    /// Serves requests, over TLS where there is a `config`.
    pub(super) async fn run(self, tcp: TcpStream, config: Option<Arc<ServerConfig>>) {
        let _open = Open::count(&self.common.counters);
        match config {
            None => self.plain(tcp).await,
            Some(config) => self.secure(tcp, config).await,
        }
    }

    /// Serves requests in the clear.
    async fn plain(self, tcp: TcpStream) {
        let common = Arc::clone(&self.common);
        self.slot.reached(Stage::Open);
        self.serve(WriteTimeout::new(tcp, common.write_timeout), &common.builders.http1).await;
    }

    /// Shakes hands, then serves requests.
    async fn secure(self, tcp: TcpStream, config: Arc<ServerConfig>) {
        let common = Arc::clone(&self.common);
        let Some(tls) = common.shake_hands(tcp, config, &self.slot).await else {
            return;
        };
        self.slot.reached(Stage::Open);
        let builder = match tls.get_ref().1.alpn_protocol() {
            Some(b"h2") => &common.builders.http2,
            _ => &common.builders.http1,
        };
        self.serve(tls, builder).await;
    }

    async fn serve<I>(self, io: I, builder: &Builder<TokioExecutor>)
    where
        TokioIo<I>: Read + Write + Unpin + 'static,
    {
        let Self { common, service, mut stopped, slot } = self;
        let busy = Arc::clone(&slot);
        let (idle, write_timeout) = (common.idle, common.write_timeout);
        let service = service_fn(move |request: Request<Incoming>| {
            let last = common.leaving.load(Relaxed) && request.version() <= Version::HTTP_11;
            let work = busy.work();
            let answer = service.call(request);
            async move {
                let mut response = answer.await?;
                work.answered();
                if last {
                    let headers = response.headers_mut();
                    headers.insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, S::Error>(response)
            }
        });
        let stop = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
        let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(io), service));
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = stop => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            () = slot.idle(idle) => {
                connection.as_mut().graceful_shutdown();
                timeout(write_timeout, connection).await.unwrap_or(Ok(()))
            }
            () = slot.evicted() => {
                // says goodbye if the peer listens, and waits for nothing
                connection.as_mut().graceful_shutdown();
                timeout(Duration::ZERO, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            debug!("connection ended: {error}");
        }
    }
}

impl Common {
    async fn shake_hands(
        &self,
        tcp: TcpStream,
        config: Arc<ServerConfig>,
        slot: &Slot,
    ) -> Option<TlsStream<WriteTimeout<TcpStream>>> {
        let handshake = timeout(self.handshake, async {
            let greeting = LazyConfigAcceptor::new(
                Acceptor::default(),
                WriteTimeout::new(tcp, self.write_timeout),
            )
            .await?;
            slot.reached(Stage::Greeted);
            greeting.into_stream(config).await
        });
        let (counter, reason) = tokio::select! {
            biased;
            outcome = handshake => match outcome {
                Ok(Ok(tls)) => return Some(tls),
                Ok(Err(error)) => (&self.counters.handshakes_failed, error.to_string()),
                Err(_) => (&self.counters.handshakes_timed_out, "took too long".to_owned()),
            },
            () = slot.evicted() => {
                debug!("no handshake: it gave way");
                return None;
            }
        };
        increase(counter);
        debug!("no handshake: {reason}");
        None
    }
}

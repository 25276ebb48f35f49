//! Sending reviews as an API server does: HTTP/1.1 over TLS 1.3 on connections that stay open.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::trusting::Trusting;

/// A review and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) path: Cow<'static, str>,
    pub(crate) body: Bytes,
}

/// When to stop sending.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    /// Some time after the first.
    After(Duration),
    /// After so many.
    Count(u64),
}

/// What sending showed.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// In nanoseconds, one for each review: to the last byte of the answer, from sending (closed
    /// loop) or from when it was due (open loop).
    pub(crate) latencies: Vec<u32>,
    /// From the first review to the last answer.
    pub(crate) elapsed: Duration,
}

/// Open connections to one server.
#[derive(Debug)]
pub(crate) struct Connections(Vec<SendRequest<Full<Bytes>>>);

impl Connections {
    /// Opens `count` of them, one handshake each, to a server that shows `certificate`.
    pub(crate) async fn open(
        address: SocketAddr,
        certificate: &CertificateDer<'static>,
        count: usize,
    ) -> anyhow::Result<Self> {
        Self::open_with(address, &connector(certificate)?, count).await
    }

    /// Opens `count` of them by `tls`.
    pub(crate) async fn open_with(
        address: SocketAddr,
        tls: &TlsConnector,
        count: usize,
    ) -> anyhow::Result<Self> {
        let mut senders = Vec::with_capacity(count);
        for _ in 0..count {
            senders.push(connect(address, tls).await?);
        }
        Ok(Self(senders))
    }

    /// Sends one review and returns the answer.
    pub(crate) async fn ask(&mut self, post: &Post) -> anyhow::Result<Bytes> {
        let sender = self.0.first_mut().context("no connection is open")?;
        ask(sender, post).await
    }

    /// Closed loop: every connection sends its next review, of `posts` in turn, when it has the
    /// answer to the last.
    pub(crate) async fn closed_loop(
        &mut self,
        posts: &Arc<[Post]>,
        stop: Stop,
    ) -> anyhow::Result<Sent> {
        let turn = Arc::new(AtomicU64::new(0));
        let mut running = JoinSet::new();
        let begun = Instant::now();
        for mut sender in std::mem::take(&mut self.0) {
            let (turn, posts) = (Arc::clone(&turn), Arc::clone(posts));
            running.spawn(async move {
                let mut latencies = Vec::new();
                let turns = Turns { turn: &turn, posts: &posts, begun, stop };
                for post in turns {
                    let sent = Instant::now();
                    ask(&mut sender, post).await?;
                    latencies.push(u32::try_from(sent.elapsed().as_nanos()).unwrap_or(u32::MAX));
                }
                anyhow::Ok((sender, latencies))
            });
        }
        let mut sent = Sent::default();
        while let Some(ended) = running.join_next().await {
            let (sender, mut latencies) = ended??;
            self.0.push(sender);
            sent.latencies.append(&mut latencies);
        }
        sent.elapsed = begun.elapsed();
        Ok(sent)
    }
}

impl Connections {
    /// Open loop: reviews arrive when they are due, whatever became of those before. Where every
    /// connection is busy, the review waits, as it would in the API server, and its wait counts.
    pub(crate) async fn open_loop(
        &mut self,
        post: &Post,
        arrivals: Arrivals,
        time: Duration,
    ) -> anyhow::Result<Sent> {
        let mut sent = Sent::default();
        let mut running = JoinSet::new();
        let begun = Instant::now();
        let mut due = arrivals.take_while(|due| *due < time).peekable();
        while due.peek().is_some() || !running.is_empty() {
            while let Some(at) = due.next_if(|due| !self.0.is_empty() && *due <= begun.elapsed()) {
                let Some(mut sender) = self.0.pop() else { break };
                let post = post.clone();
                running.spawn(async move {
                    ask(&mut sender, &post).await?;
                    anyhow::Ok((sender, begun.elapsed().saturating_sub(at)))
                });
            }
            while let Some(ended) = running.try_join_next() {
                let (sender, latency) = ended??;
                self.0.push(sender);
                sent.latencies.push(u32::try_from(latency.as_nanos()).unwrap_or(u32::MAX));
            }
            tokio::task::yield_now().await;
        }
        sent.elapsed = begun.elapsed();
        Ok(sent)
    }
}

/// When reviews are due: at random and independently of each other (Poisson), the same times for
/// the same seed; or evenly.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    state: u64,
    mean: f64,
    next: f64,
    even: bool,
}

impl Arrivals {
    pub(crate) fn new(per_second: f64, seed: u64) -> Self {
        Self { state: seed, mean: per_second.recip(), next: 0.0, even: false }
    }

    /// One as far from the next as any.
    pub(crate) fn even(per_second: f64) -> Self {
        Self { even: true, ..Self::new(per_second, 0) }
    }

    /// Between 0 and 1, neither of them: splitmix64.
    fn random(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((mixed ^ (mixed >> 31)) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.next += if self.even { self.mean } else { -self.mean * self.random().ln() };
        Duration::try_from_secs_f64(self.next).ok()
    }
}

/// The reviews that one connection sends; all connections share the turn.
struct Turns<'t> {
    turn: &'t AtomicU64,
    posts: &'t [Post],
    begun: Instant,
    stop: Stop,
}

impl<'t> Iterator for Turns<'t> {
    type Item = &'t Post;

    fn next(&mut self) -> Option<&'t Post> {
        let turn = self.turn.fetch_add(1, Relaxed);
        let over = match self.stop {
            Stop::After(time) => self.begun.elapsed() >= time,
            Stop::Count(count) => turn >= count,
        };
        let place = usize::try_from(turn).ok()?.checked_rem(self.posts.len())?;
        if over { None } else { self.posts.get(place) }
    }
}

async fn ask(sender: &mut SendRequest<Full<Bytes>>, post: &Post) -> anyhow::Result<Bytes> {
    let request = Request::post(&*post.path)
        .header(HOST, "restraint.restraint.svc:443")
        .header(USER_AGENT, "kube-apiserver-admission")
        .header(ACCEPT, "application/json, */*")
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT_ENCODING, "gzip")
        .body(Full::new(post.body.clone()))?;
    sender.ready().await.context("the server closed the connection")?;
    let response = sender.send_request(request).await.context("the server did not answer")?;
    let status = response.status();
    let answer = response.into_body().collect().await?.to_bytes();
    if status != StatusCode::OK {
        bail!("the server answered {status}: {}", String::from_utf8_lossy(&answer));
    }
    Ok(answer)
}

/// Opens a connection to a server on this machine.
pub(crate) async fn connect(
    address: SocketAddr,
    tls: &TlsConnector,
) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let stream =
        tls.connect(ServerName::try_from("localhost")?, tcp).await.context("no TLS connection")?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// The sender never sleeps from now on: waking it would be charged to the server, and more often to
/// a slow one than to a fast one.
pub(crate) fn stay_awake() {
    tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
}

/// What opens connections to a server that shows `certificate`.
pub(crate) fn connector(certificate: &CertificateDer<'static>) -> anyhow::Result<TlsConnector> {
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate.clone())?;
    let builder = client(provider())?;
    Ok(as_go(builder.with_root_certificates(trusted).with_no_client_auth()))
}

/// What opens connections to a server whatever certificate it shows.
pub(crate) fn trusting_connector() -> anyhow::Result<TlsConnector> {
    let provider = provider();
    let builder = client(Arc::clone(&provider))?.dangerous();
    let verifier = Arc::new(Trusting(provider));
    Ok(as_go(builder.with_custom_certificate_verifier(verifier).with_no_client_auth()))
}

/// AES-128 alone, which Go prefers.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![TLS13_AES_128_GCM_SHA256],
        ..aws_lc_rs::default_provider()
    })
}

fn client(
    provider: Arc<CryptoProvider>,
) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13])
}

/// A client as Go's: HTTP/1.1, no resumption.
fn as_go(mut config: ClientConfig) -> TlsConnector {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_come_at_their_rate_and_at_random() {
        let due: Vec<f64> =
            Arrivals::new(1000.0, 7).take(100_000).map(|due| due.as_secs_f64()).collect();
        let end = due.last().copied().unwrap();
        assert!((99.0..101.0).contains(&end), "{end}");
        // of exponential gaps 1 - 1/e are below the mean
        let short = due.windows(2).filter(|pair| pair[1] - pair[0] < 0.001).count();
        assert!((62_000..64_500).contains(&short), "{short}");
    }

    #[test]
    fn even_arrivals_are_as_far_from_each_other() {
        let due: Vec<u128> = Arrivals::even(200.0).take(3).map(|due| due.as_micros()).collect();
        assert_eq!(due, [5_000, 10_000, 15_000]);
    }
}

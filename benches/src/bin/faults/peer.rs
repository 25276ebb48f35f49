//! Callers of the port, honest and otherwise.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::trusting::Trusting;

/// A review that is denied: a resize as the API server sent it.
pub(crate) const RESIZE: &[u8] = include_bytes!(
    "../../../../tests/reviews/resize-limit-down-unapproved.pods-resize.validate.json"
);
/// A creation that is amended.
pub(crate) const CREATE: &[u8] =
    include_bytes!("../../../../tests/reviews/create-bare.pods.mutate.json");

/// How long an API server waits.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);

/// Connections in reserve, as Go's transport keeps them for one host.
const KEPT: usize = 25;

/// Reviews in flight at once: four API servers, each with its 400 requests and 200 that change
/// something.
const IN_FLIGHT: usize = 2_400;

/// An honest caller, as an API server is one: a connection for each review in flight, some of which
/// are kept.
#[derive(Clone)]
pub(crate) struct Caller {
    address: SocketAddr,
    tls: TlsConnector,
    kept: usize,
    idle: Arc<Mutex<Vec<SendRequest<Full<Bytes>>>>>,
}

impl Caller {
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self {
            address,
            tls: TlsConnector::from(Arc::new(trusting())),
            kept: KEPT,
            idle: Arc::default(),
        }
    }

    /// One that keeps every connection, as many API servers together do.
    pub(crate) fn keeping_all(address: SocketAddr) -> Self {
        Self { kept: IN_FLIGHT, ..Self::of(address) }
    }

    /// A new connection.
    pub(crate) async fn connect(&self) -> anyhow::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        Ok(self.tls.connect(ServerName::try_from("localhost")?, tcp).await?)
    }

    /// Asks one review, within an API server's patience. A kept connection that turns out closed is
    /// no failure.
    pub(crate) async fn ask(
        &self,
        path: &'static str,
        body: &Bytes,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        tokio::time::timeout(TIMEOUT, self.ask_patiently(path, body))
            .await
            .context("no answer in time")?
    }

    async fn ask_patiently(
        &self,
        path: &'static str,
        body: &Bytes,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let is_kept = kept.is_some();
            let mut sender = match kept {
                Some(sender) if sender.is_ready() => sender,
                Some(_) => continue,
                None => {
                    let (sender, connection) =
                        handshake(TokioIo::new(self.connect().await?)).await?;
                    tokio::spawn(connection);
                    sender
                }
            };
            let request = Request::post(path)
                .header(HOST, "restraint.restraint.svc")
                .header(CONTENT_TYPE, "application/json");
            match sender.send_request(request.body(Full::new(body.clone()))?).await {
                Ok(response) => {
                    let status = response.status();
                    let answer = response.into_body().collect().await?.to_bytes();
                    let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                    if idle.len() < self.kept {
                        idle.push(sender);
                    }
                    return Ok((status, answer));
                }
                Err(_) if is_kept => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What steady asking showed.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Microseconds, of those that were judged.
    pub(crate) latencies: Vec<u32>,
    /// Refused with 503, and how long that took.
    pub(crate) shed: Vec<u32>,
    /// What went wrong otherwise, the first few.
    pub(crate) errors: Vec<String>,
    pub(crate) failed: usize,
    /// How long it took to learn of it.
    pub(crate) failed_after: Vec<u32>,
    /// Due while as many as callers bear were in flight.
    pub(crate) held_back: usize,
}

impl Asked {
    fn take(&mut self, begun: Instant, answer: anyhow::Result<(StatusCode, Bytes)>) {
        let took = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
        match answer {
            Ok((StatusCode::OK, _)) => self.latencies.push(took),
            Ok((StatusCode::SERVICE_UNAVAILABLE, _)) => self.shed.push(took),
            Ok((status, body)) => {
                self.fail(took, format!("{status}: {}", String::from_utf8_lossy(&body)))
            }
            Err(error) => self.fail(took, format!("{error:#}")),
        }
    }

    fn fail(&mut self, took: u32, error: String) {
        self.failed += 1;
        self.failed_after.push(took);
        if self.errors.len() < 3 && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.shed.extend(other.shed);
        self.failed += other.failed;
        self.failed_after.extend(other.failed_after);
        self.held_back += other.held_back;
        self.errors.extend(other.errors);
        self.errors.truncate(5);
    }
}

/// Open loop: asks at a fixed rate for so long, whatever the answers do. Latency counts from when a
/// review was due.
pub(crate) async fn offer(
    caller: &Caller,
    path: &'static str,
    body: &Bytes,
    rate: f64,
    time: Duration,
) -> Asked {
    let asked = Arc::new(Mutex::new(Asked::default()));
    let (mut running, mut held_back) = (tokio::task::JoinSet::new(), 0);
    let (begun, between) =
        (Instant::now(), Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX));
    let mut due = begun;
    while begun.elapsed() < time {
        let now = Instant::now();
        if now < due {
            tokio::time::sleep((due - now).max(Duration::from_millis(1))).await;
        }
        while due <= Instant::now() {
            while running.try_join_next().is_some() {}
            if running.len() >= IN_FLIGHT {
                held_back += 1;
                due += between;
                continue;
            }
            let (caller, asked, body, due_then) =
                (caller.clone(), Arc::clone(&asked), body.clone(), due);
            running.spawn(async move {
                let answer = caller.ask(path, &body).await;
                asked.lock().unwrap_or_else(PoisonError::into_inner).take(due_then, answer);
            });
            due += between;
        }
    }
    while running.join_next().await.is_some() {}
    let asked = std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner));
    Asked { held_back, ..asked }
}

/// Closed loop: so many at a time. Returns reviews a second.
pub(crate) async fn capacity(
    caller: &Caller,
    path: &'static str,
    body: &Bytes,
    at_a_time: usize,
    time: Duration,
) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..at_a_time {
        let (caller, body) = (caller.clone(), body.clone());
        running.spawn(async move {
            let mut asked = 0_u32;
            while begun.elapsed() < time {
                caller.ask(path, &body).await?;
                asked += 1;
            }
            anyhow::Ok(asked)
        });
    }
    let mut all = 0_u32;
    while let Some(asked) = running.join_next().await {
        all += asked??;
    }
    if all == 0 {
        bail!("nothing was answered");
    }
    Ok(f64::from(all) / begun.elapsed().as_secs_f64())
}

/// Steady asking in the background until told to stop.
pub(crate) struct Steady {
    stop: watch::Sender<bool>,
    task: JoinHandle<Asked>,
}

impl Steady {
    /// One review after the other is due, this often.
    pub(crate) fn begin(caller: &Caller, every: Duration) -> Self {
        let (stop, stopped) = watch::channel(false);
        let caller = caller.clone();
        let task = tokio::spawn(async move {
            let (body, mut asked) = (Bytes::from_static(RESIZE), Asked::default());
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while !*stopped.borrow() {
                ticks.tick().await;
                let begun = Instant::now();
                let answer = caller.ask("/validate", &body).await;
                asked.take(begun, answer);
            }
            asked
        });
        Self { stop, task }
    }

    pub(crate) async fn end(self) -> anyhow::Result<Asked> {
        self.stop.send_replace(true);
        Ok(self.task.await?)
    }
}

/// Whoever answers is believed: certificates change during a run, and what is tried is not the
/// caller.
fn trusting() -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)
        .map(|builder| {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Trusting(provider)))
                .with_no_client_auth()
        })
        .unwrap_or_else(|error| unreachable!("the default versions are there: {error}"));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    config
}

use std::sync::atomic::AtomicUsize;

use arc_swap::ArcSwap;
use axum::Router;
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper::header::CONNECTION;
use hyper::{StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate::testing::{Client, in_time};
use crate::certificate::{Identity, provider, self_made};

use super::counters::Tally;
use super::limits::CALLER_IDLE;
use super::*;

mod bearing;
mod leaving;

/// More than the buffers of two sockets hold.
const MUCH: usize = 32 << 20;

/// A listener at work. Its router answers `/` with what it is sent, `/much` with [`MUCH`] bytes,
/// and `/wait` once `release` is rung.
struct Running {
    address: SocketAddr,
    authority: String,
    held: Arc<Held>,
    counters: Arc<Counters>,
    waiting: Arc<AtomicUsize>,
    release: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<usize>,
}

/// What may be swapped while the listener runs.
#[derive(Debug)]
struct Held(ArcSwap<ServerConfig>);

impl Secured for Held {
    fn config(&self) -> Arc<ServerConfig> {
        self.0.load_full()
    }
}

fn config(identity: Identity) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.pair)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

async fn run(limits: Limits, drain: Drain, plain: bool) -> Running {
    let (identity, authority) = self_made::make(&[]).unwrap();
    let held = Arc::new(Held(ArcSwap::new(config(identity))));
    let transport = match plain {
        true => Transport::Plain,
        false => Transport::Tls(held.clone()),
    };
    let (waiting, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (waited, released) = (Arc::clone(&waiting), Arc::clone(&release));
    let wait = async move || {
        let release = released.notified();
        waited.fetch_add(1, Relaxed);
        release.await;
        "released"
    };
    let router = Router::new()
        .route("/", post(async |body: Bytes| body))
        .route("/wait", get(wait))
        .route("/much", get(async || vec![0_u8; MUCH]));
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, limits, drain).unwrap();
    let (address, counters) = (listener.address().unwrap(), listener.counters());
    let (stop, stopped) = oneshot::channel();
    let stopped = async { drop(stopped.await) };
    let service = TowerToHyperService::new(router);
    Running {
        address,
        authority,
        held,
        counters,
        waiting,
        release,
        stop: Some(stop),
        ended: tokio::spawn(listener.serve(transport, service, stopped)),
    }
}

/// Limits of time so long that no test passes because of them.
fn patient() -> Limits {
    Limits { handshake: Duration::from_secs(3_600), ..Limits::default() }
}

async fn running() -> Running {
    let at_once = Drain { delay: Duration::ZERO, limit: Duration::from_secs(3_600) };
    run(patient(), at_once, false).await
}

type Sender = http1::SendRequest<Full<Bytes>>;

impl Running {
    fn client(&self) -> Client<'_> {
        Client::of(&self.authority)
    }

    async fn tcp(&self) -> TcpStream {
        in_time(TcpStream::connect(self.address)).await.unwrap()
    }

    async fn tls(&self, client: Client<'_>) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(client.config());
        in_time(connector.connect(name, self.tcp().await)).await
    }

    async fn http1(&self, client: Client<'_>) -> Sender {
        let io = TokioIo::new(self.tls(client).await.unwrap());
        let (sender, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    async fn waiting(&self, requests: usize) {
        eventually(|| self.waiting.load(Relaxed) == requests).await;
    }
}

/// Looks until it is so.
async fn eventually(so: impl Fn() -> bool) {
    in_time(async {
        while !so() {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

fn echo() -> Request<Full<Bytes>> {
    Request::post("/").body(Full::from("review")).unwrap()
}

fn wait() -> Request<Full<Bytes>> {
    Request::get("/wait").body(Full::default()).unwrap()
}

async fn text(response: Response<Incoming>) -> Bytes {
    in_time(response.into_body().collect()).await.unwrap().to_bytes()
}

async fn works(sender: &mut Sender) -> bool {
    match in_time(sender.send_request(echo())).await {
        Ok(response) => text(response).await == "review",
        Err(_) => false,
    }
}

#[tokio::test]
async fn both_versions_of_tls_and_http_are_served() {
    let running = running().await;
    for client in [running.client(), running.client().old()] {
        assert!(works(&mut running.http1(client).await).await);
    }
    let io = TokioIo::new(running.tls(running.client().http2()).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let response = in_time(sender.send_request(echo())).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(text(response).await, "review");
    assert_eq!(running.counters.tally().accepted, 3);
}

#[tokio::test]
async fn a_plain_port_is_served_too() {
    let running = run(patient(), Drain::default(), true).await;
    let io = TokioIo::new(running.tcp().await);
    let (mut sender, connection) = http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    assert!(works(&mut sender).await);
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_counted() {
    let running = running().await;
    let mut peer = running.tcp().await;
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    eventually(|| running.counters.tally().handshakes_failed == 1).await;
}

#[tokio::test]
async fn open_connections_outlive_a_new_certificate() {
    let running = running().await;
    let mut before = running.http1(running.client()).await;
    let (identity, authority) = self_made::make(&[]).unwrap();
    running.held.0.store(config(identity));
    assert!(works(&mut before).await);
    assert!(running.tls(running.client()).await.is_err());
    assert!(works(&mut running.http1(Client::of(&authority)).await).await);
}

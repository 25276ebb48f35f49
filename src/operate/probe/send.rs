//! One request of a probe, and what became of it.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Body;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::http::uri::PathAndQuery;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::ConfigExt;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::cluster::error::causes_message;
use crate::manifest::unstructured::Unstructured;

use super::failure::Failure;
use super::target::{Host, Proxied, Route, Target};

/// How requests call their sender.
const NAME: &str = concat!("restraint/", env!("CARGO_PKG_VERSION"));

/// The most that is read of an answer: a download is no measure of a service.
const MOST_READ: usize = 1 << 20;

/// The pod that a change is about at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodAtHand {
    /// Its name.
    pub(crate) name: String,
    /// Its address, once it has one.
    pub(crate) ip: Option<IpAddr>,
}

impl PodAtHand {
    /// The pod as it is stored.
    pub(crate) fn of(pod: &Unstructured) -> Self {
        let ip = pod.text("/status/podIP").and_then(|ip| ip.parse().ok());
        Self { name: pod.name.clone(), ip }
    }
}

/// What requests need besides their target.
#[derive(Clone)]
pub(super) struct Means {
    /// The API server, where a target needs it, and the namespace.
    pub(super) api_server: Option<(Client, String)>,
    /// How to speak TLS, where a target needs it.
    pub(super) tls: Option<TlsConnector>,
    pub(super) pod: watch::Receiver<Option<PodAtHand>>,
    /// How long an answer may take.
    pub(super) timeout: Duration,
}

/// TLS as a client speaks it that trusts what this machine trusts; or anybody, where that is
/// wanted.
///
/// # Errors
///
/// Where the certificates that this machine trusts cannot be read.
pub(super) fn tls(trusts_anybody: bool) -> anyhow::Result<TlsConnector> {
    // the client for the API server has all of this; the address is not used
    let mut config = kube::Config::new(hyper::Uri::from_static("https://localhost"));
    config.accept_invalid_certs = trusts_anybody;
    let config = config.rustls_client_config().map_err(|error| anyhow!(causes_message(&error)))?;
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Sends one request to `target` and reads the answer.
pub(super) async fn send(target: &Target, means: &Means) -> Result<(), Failure> {
    let answer = async {
        match &target.route {
            Route::Host(host) => to_host(host, &target.path, means).await,
            Route::PodIp(port) => {
                let ip = means.pod.borrow().as_ref().and_then(|pod| pod.ip);
                let address = SocketAddr::new(ip.ok_or(Failure::Unreachable)?, *port);
                let stream = connected(TcpStream::connect(address).await)?;
                exchange(stream, &address.to_string(), &target.path).await
            }
            Route::Pod(proxied) => {
                let name = means.pod.borrow().as_ref().map(|pod| pod.name.clone());
                let name = name.ok_or(Failure::Unreachable)?;
                through_api_server("pods", &name, proxied, &target.path, means).await
            }
            Route::Service { name, proxied } => {
                through_api_server("services", name, proxied, &target.path, means).await
            }
        }
    };
    timeout(means.timeout, answer).await.unwrap_or(Err(Failure::TimedOut))
}

/// Each request has a connection of its own: a Service spreads them over its pods, and it is seen
/// whether a new client gets through.
async fn to_host(host: &Host, path: &PathAndQuery, means: &Means) -> Result<(), Failure> {
    let stream = connected(TcpStream::connect((host.name.as_str(), host.port)).await)?;
    if !host.is_tls {
        return exchange(stream, &host.authority, path).await;
    }
    let name = ServerName::try_from(host.name.clone()).map_err(|_| Failure::Tls)?;
    let tls = means.tls.as_ref().ok_or(Failure::Tls)?;
    let stream = tls.connect(name, stream).await.map_err(|error| Failure::of_handshake(&error))?;
    exchange(stream, &host.authority, path).await
}

fn connected(stream: std::io::Result<TcpStream>) -> Result<TcpStream, Failure> {
    let stream = stream.map_err(|error| Failure::of_connection(&error))?;
    // a failure to set it costs some milliseconds at most
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn exchange<S>(stream: S, authority: &str, path: &PathAndQuery) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Failure::of_exchange(&error);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // ends with this request, however that ends
    let mut task = JoinSet::new();
    task.spawn(connection);
    let request = Request::get(path.as_str())
        .header(HOST, authority)
        .header(USER_AGENT, NAME)
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| Failure::NotHttp)?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    read(response.into_body()).await.map_err(broken)?;
    judged(status)
}

/// The path of the API server under which it passes requests on.
fn proxy_path(
    namespace: &str,
    kind: &str,
    name: &str,
    proxied: &Proxied,
    path: &PathAndQuery,
) -> String {
    format!("/api/v1/namespaces/{namespace}/{kind}/{}/proxy{path}", proxied.around(name))
}

async fn through_api_server(
    kind: &str,
    name: &str,
    proxied: &Proxied,
    path: &PathAndQuery,
    means: &Means,
) -> Result<(), Failure> {
    let (client, namespace) = means.api_server.as_ref().ok_or(Failure::Unreachable)?;
    let request = Request::get(proxy_path(namespace, kind, name, proxied, path))
        .header(USER_AGENT, NAME)
        .body(kube::client::Body::empty())
        .map_err(|_| Failure::NotHttp)?;
    let response = client.send(request).await.map_err(|error| Failure::of_exchange(&error))?;
    let status = response.status();
    read(response.into_body()).await.map_err(|error| Failure::of_exchange(&error))?;
    judged(status)
}

/// A redirect is an answer; it is not followed.
fn judged(status: StatusCode) -> Result<(), Failure> {
    let is_fine = status.is_success() || status.is_redirection();
    if is_fine { Ok(()) } else { Err(Failure::Status(status.as_u16())) }
}

/// Reads an answer to its end, or as much of it as is enough.
async fn read<B: Body<Data = Bytes>>(body: B) -> Result<(), B::Error> {
    let mut body = pin!(body);
    let mut left = MOST_READ;
    while let Some(frame) = body.frame().await {
        let read = frame?.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(read) else { return Ok(()) };
        left = rest;
    }
    Ok(())
}

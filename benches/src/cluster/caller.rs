//! Whoever calls the API server: HTTP/1.1 over TLS, one request at a time.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Method;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use rustls::pki_types::CertificateDer;

use crate::control_plane::TOKEN;
use crate::load::{connect, connector};

/// A request, and what it sends.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

/// An open connection to the API server.
#[derive(Debug)]
pub(super) struct Caller(SendRequest<Full<Bytes>>);

impl Caller {
    pub(super) async fn connect(
        address: SocketAddr,
        certificate: &CertificateDer<'static>,
    ) -> anyhow::Result<Self> {
        Ok(Self(connect(address, &connector(certificate)?).await?))
    }

    /// Makes the request; whatever does not succeed is an error.
    pub(super) async fn call(&mut self, request: &Request) -> anyhow::Result<Bytes> {
        let Request { method, path, content_type, body } = request;
        let sent = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "127.0.0.1")
            .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, *content_type)
            .body(Full::new(body.clone()))?;
        self.0.ready().await.context("the API server closed the connection")?;
        let response = self.0.send_request(sent).await.context("the API server did not answer")?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{method} {path}: {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok(answer)
    }
}

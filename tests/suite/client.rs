//! A client as small as a test needs: HTTP/1.1, over TLS that trusts one certificate, or in the clear.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// An open connection.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects over TLS to a server that shows a certificate signed by `authority` (PEM).
    pub(crate) async fn over_tls(address: SocketAddr, authority: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        Self::speak(TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()).await
    }

    /// Connects in the clear.
    pub(crate) async fn plain(address: SocketAddr) -> Self {
        Self::speak(TcpStream::connect(address).await.unwrap()).await
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Self {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    /// POSTs `body`.
    pub(crate) async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> (StatusCode, Bytes) {
        self.send(Request::post(path).header("host", "localhost").body(Full::new(body.into())).unwrap()).await
    }

    /// GETs text.
    pub(crate) async fn get(&mut self, path: &str) -> (StatusCode, String) {
        let (status, body) = self.send(Request::get(path).header("host", "localhost").body(Full::default()).unwrap()).await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> (StatusCode, Bytes) {
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        let status = response.status();
        (status, response.into_body().collect().await.unwrap().to_bytes())
    }
}

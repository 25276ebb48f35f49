//! A client as small as a test needs: HTTP/1.1, over TLS that trusts one certificate, or in the
//! clear.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::server::PATIENCE;

/// An open connection.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects over TLS to a server that shows a certificate signed by `authority` (PEM).
    pub(crate) async fn over_tls(address: SocketAddr, authority: &str) -> Self {
        Self::try_over_tls(address, authority).await.unwrap()
    }

    /// The same to a server that may not be there, or show another certificate.
    pub(crate) async fn try_over_tls(address: SocketAddr, authority: &str) -> io::Result<Self> {
        Ok(Self::speak(secure(address, authority, None).await?).await)
    }

    /// The same, showing a certificate and its key (PEM).
    pub(crate) async fn with_certificate(
        address: SocketAddr,
        authority: &str,
        shown: &(String, String),
    ) -> io::Result<Self> {
        Ok(Self::speak(secure(address, authority, Some(shown)).await?).await)
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
        self.send(
            Request::post(path).header("host", "localhost").body(Full::new(body.into())).unwrap(),
        )
        .await
    }

    /// GETs text.
    pub(crate) async fn get(&mut self, path: &str) -> (StatusCode, String) {
        let (status, body) = self
            .send(Request::get(path).header("host", "localhost").body(Full::default()).unwrap())
            .await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Sends a request without a body, whatever its method.
    pub(crate) async fn ask(&mut self, method: Method, path: &str) -> (StatusCode, Bytes) {
        self.send(
            Request::builder()
                .method(method)
                .uri(path)
                .header("host", "localhost")
                .body(Full::default())
                .unwrap(),
        )
        .await
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> (StatusCode, Bytes) {
        self.try_send(request).await.unwrap()
    }

    /// POSTs `body` over a connection that may not be there any more.
    pub(crate) async fn try_post(
        &mut self,
        path: &str,
        body: impl Into<Bytes>,
    ) -> hyper::Result<(StatusCode, Bytes)> {
        self.try_send(
            Request::post(path).header("host", "localhost").body(Full::new(body.into())).unwrap(),
        )
        .await
    }

    async fn try_send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<(StatusCode, Bytes)> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

/// A connection whose bytes a test writes itself.
pub(crate) struct Raw(TlsStream<TcpStream>);

impl Raw {
    /// Connects over TLS to a server that shows a certificate signed by `authority` (PEM).
    pub(crate) async fn over_tls(address: SocketAddr, authority: &str) -> Self {
        Self(secure(address, authority, None).await.unwrap())
    }

    /// Begins a request to `/validate` with these headers and waits until the server asks for its
    /// body.
    pub(crate) async fn begin(address: SocketAddr, authority: &str, headers: &str) -> Self {
        let mut raw = Self::over_tls(address, authority).await;
        raw.write(format!("POST /validate HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n{headers}\r\n\r\n")).await;
        let asked = raw.read_until("\r\n\r\n").await;
        assert_eq!(asked, "HTTP/1.1 100 Continue\r\n\r\n");
        raw
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// Says that nothing more is coming.
    pub(crate) async fn finish(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Everything up to the end of the connection.
    pub(crate) async fn read_all(&mut self) -> String {
        self.read_until("\0never").await
    }

    /// The next answer, headers and all. Its length must be announced.
    pub(crate) async fn answer(&mut self) -> String {
        let mut answer = self.read_until("\r\n\r\n").await;
        let length = answer
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap_or_else(|| panic!("{answer:?}"));
        let mut body = vec![0; length.parse().unwrap()];
        timeout(PATIENCE, self.0.read_exact(&mut body)).await.unwrap().unwrap();
        answer.push_str(std::str::from_utf8(&body).unwrap());
        answer
    }

    /// Up to and with `end`, or to the end of the connection.
    async fn read_until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        let reading = async {
            // byte by byte, so that nothing of what follows is taken
            while !read.ends_with(end.as_bytes()) {
                match self.0.read_u8().await {
                    Ok(byte) => read.push(byte),
                    Err(_) => break,
                }
            }
        };
        timeout(PATIENCE, reading).await.unwrap();
        String::from_utf8(read).unwrap()
    }
}

/// A TLS connection that trusts `authority` and, where asked to, shows a certificate with its key.
async fn secure(
    address: SocketAddr,
    authority: &str,
    shown: Option<&(String, String)>,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = builder.with_root_certificates(roots);
    let config = match shown {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            builder
                .with_client_auth_cert(
                    chain,
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap()
        }
    };
    let tcp = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").unwrap(), tcp)
        .await
}

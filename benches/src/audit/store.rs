//! etcd, through its gateway for JSON.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::control_plane::PATIENCE;

/// The most objects in a transaction; etcd takes 128, and 1.5 MiB.
const AT_A_TIME: usize = 64;

/// A connection, and what is not written yet.
pub(super) struct Store {
    sender: SendRequest<Full<Bytes>>,
    waiting: Vec<Value>,
    pub(super) bytes: u64,
}

impl Store {
    /// Connects as soon as etcd listens.
    pub(super) async fn connect(port: u16) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let begun = Instant::now();
        let stream = loop {
            match TcpStream::connect(address).await {
                Ok(stream) => break stream,
                Err(_) if begun.elapsed() < PATIENCE => sleep(PATIENCE / 1000).await,
                Err(error) => return Err(error).context("etcd does not listen"),
            }
        };
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, waiting: Vec::new(), bytes: 0 })
    }

    /// Writes an object, sooner or later.
    pub(super) async fn put(&mut self, key: &str, object: &Value) -> anyhow::Result<()> {
        let text = object.to_string();
        self.bytes += text.len() as u64;
        let (key, value) = (STANDARD.encode(key), STANDARD.encode(text));
        self.waiting.push(json!({"requestPut": {"key": key, "value": value}}));
        if self.waiting.len() < AT_A_TIME { Ok(()) } else { self.flush().await }
    }

    /// Writes what is waiting.
    pub(super) async fn flush(&mut self) -> anyhow::Result<()> {
        let body = json!({"success": std::mem::take(&mut self.waiting)}).to_string();
        let request = hyper::Request::post("/v3/kv/txn").header(HOST, "127.0.0.1");
        let request = request.body(Full::new(Bytes::from(body)))?;
        self.sender.ready().await.context("etcd closed the connection")?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let said = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "etcd: {status}: {}", String::from_utf8_lossy(&said));
        Ok(())
    }
}

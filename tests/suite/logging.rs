//! The log is for whoever reads it: where nobody does, or nothing can be written, reviews go on.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use hyper::StatusCode;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::server::eventually;

/// A server that logs to `errors`, killed when dropped.
struct Server {
    child: Child,
    admin: SocketAddr,
}

impl Server {
    fn start(errors: Stdio) -> Self {
        let [reviews, admin] = free();
        let child = Command::new(env!("CARGO_BIN_EXE_restraint"))
            .args([
                "serve",
                "--log-format",
                "json",
                "--listen",
                &reviews.to_string(),
                "--admin",
                &admin.to_string(),
            ])
            .env("RUST_LOG", "trace")
            .env_remove("KUBERNETES_SERVICE_HOST")
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .unwrap();
        Self { child, admin }
    }

    /// What the admin port answers; every connection is a few lines at this level.
    async fn asked(&mut self, path: &str) -> Option<String> {
        assert!(self.child.try_wait().unwrap().is_none(), "the server ended");
        TcpStream::connect(self.admin).await.ok()?;
        let mut client = Client::plain(self.admin).await;
        let (status, text) = client.get(path).await;
        (status == StatusCode::OK).then_some(text)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Addresses that were free a moment ago.
fn free() -> [SocketAddr; 2] {
    let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_full_disk_stops_nobody() {
    let mut server = Server::start(File::options().write(true).open("/dev/full").unwrap().into());
    eventually("ready", async || server.asked("/readyz").await).await;
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_stops_nobody() {
    let mut server = Server::start(Stdio::piped());
    let lost = async || {
        for _ in 0..50 {
            server.asked("/livez").await;
        }
        let metrics = server.asked("/metrics").await?;
        let lost = metrics
            .lines()
            .find_map(|line| line.strip_prefix("restraint_log_lines_lost_total "))?;
        (lost.parse::<u64>().unwrap() > 0).then_some(())
    };
    eventually("lost lines", lost).await;
}

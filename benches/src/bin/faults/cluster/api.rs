//! The cluster, by kubectl, and its API by the proxy of kubectl, which knows every way to log in.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// The namespace in which pods are created and resized.
pub(super) const NAMESPACE: &str = "restraint-faults";

/// A cluster that somebody else runs.
#[derive(Debug)]
pub(super) struct Cluster {
    kubeconfig: PathBuf,
    /// Where Restraint is installed.
    pub(super) installation: String,
    proxy: Child,
    address: String,
}

impl Cluster {
    /// Starts a proxy to it.
    pub(super) fn reach(kubeconfig: &Path, installation: &str) -> anyhow::Result<Self> {
        let mut proxy = command(kubeconfig)
            .args(["proxy", "--port=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start kubectl")?;
        let mut line = String::new();
        let output = proxy.stdout.take().context("kubectl has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        ensure!(address.contains(':'), "kubectl proxy did not start: {line:?}");
        Ok(Self {
            kubeconfig: kubeconfig.to_owned(),
            installation: installation.to_owned(),
            proxy,
            address,
        })
    }

    /// Runs kubectl in the installation's namespace, and returns what it printed.
    pub(super) async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.feed(arguments, "").await
    }

    /// The same, with an input.
    pub(super) async fn feed(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let mut command = command(&self.kubeconfig);
        command.args(["--namespace", &self.installation]).args(arguments);
        finish(command, input.to_owned()).await
    }

    /// Runs a command of the shell.
    pub(super) async fn shell(&self, text: &str) -> anyhow::Result<String> {
        let mut command = Command::new("sh");
        command.args(["-c", text]).env("KUBECONFIG", &self.kubeconfig);
        finish(command, String::new()).await
    }

    /// An object of the installation's namespace.
    pub(super) async fn object(&self, kind: &str, name: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.kubectl(&["get", kind, name, "--output", "json"]).await?)?)
    }

    /// A connection to the API.
    pub(super) fn api(&self) -> Api {
        Api { address: self.address.clone(), sender: None }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

fn command(kubeconfig: &Path) -> Command {
    let assets = std::env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty());
    let program = assets
        .map_or_else(|| PathBuf::from("kubectl"), |folder| PathBuf::from(folder).join("kubectl"));
    let mut command = Command::new(program);
    command.env("KUBECONFIG", kubeconfig).env("NO_PROXY", "*").env("no_proxy", "*");
    command
}

async fn finish(mut command: Command, input: String) -> anyhow::Result<String> {
    let run = move || {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        // it need not read all of it
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{command:?}: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    tokio::task::spawn_blocking(run).await?
}

/// One request after the other.
#[derive(Debug)]
pub(super) struct Api {
    address: String,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Api {
    /// Sends `body` to `path` in [`NAMESPACE`], over the last connection where it is still open.
    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let content_type = if method == Method::PATCH {
            "application/strategic-merge-patch+json"
        } else {
            "application/json"
        };
        let request = hyper::Request::builder()
            .method(method)
            .uri(format!("/api/v1/namespaces/{NAMESPACE}/{path}"))
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, content_type)
            .body(Full::new(Bytes::from(body.to_string())))?;
        let mut sender = match self.sender.take().filter(SendRequest::is_ready) {
            Some(sender) => sender,
            None => {
                let tcp = TcpStream::connect(&self.address).await?;
                let (sender, connection) = handshake(TokioIo::new(tcp)).await?;
                tokio::spawn(connection);
                sender
            }
        };
        let response = sender.send_request(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        self.sender = Some(sender);
        Ok((status, serde_json::from_slice(&answer).unwrap_or(Value::Null)))
    }
}

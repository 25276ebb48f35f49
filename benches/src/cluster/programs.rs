//! The programs of the cluster: etcd, the API server and Restraint, each a process, ended with this
//! one.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::certificate::Certificate;
use crate::control_plane::{ControlPlane, PATIENCE, Process, eventually, free_ports};

use super::caller::Caller;
use super::objects::Objects;
use super::{Operation, Policy};

/// The processes; those that were started last end first.
#[derive(Debug)]
pub(super) struct Programs {
    restraint: Process,
    control_plane: ControlPlane,
}

impl Programs {
    /// Starts them, and returns when every namespace answers as it should.
    pub(super) async fn start(
        assets: &Path,
        restraint: &Path,
        objects: &Objects,
        callers: usize,
    ) -> anyhow::Result<Self> {
        let mut control_plane = ControlPlane::store(assets)?;
        control_plane.serve().await?;
        let [webhook] = free_ports()?;
        let certificate = &control_plane.certificate;
        let kubectl = |input: &str| control_plane.kubectl(&["apply", "--filename", "-"], input);
        let authority = STANDARD.encode(fs::read(&certificate.certificate)?);
        for manifest in objects.manifests(callers, webhook, &authority) {
            eventually("objects are created", || Ok(kubectl(&manifest).is_ok())).await.or_else(
                |error| {
                    kubectl(&manifest)?;
                    Err(error)
                },
            )?;
        }
        let folder = control_plane.folder();
        // any 32 bytes
        fs::write(folder.join("seal"), STANDARD.encode([7; 32]))?;
        let restraint = Process::start(
            &mut serve(restraint, folder, certificate, webhook)?,
            &folder.join("restraint.log"),
        )?;
        let programs = Self { restraint, control_plane };
        programs.wait_for_policies(objects).await?;
        Ok(programs)
    }

    /// A new connection to the API server.
    pub(super) async fn caller(&self) -> anyhow::Result<Caller> {
        let address = SocketAddr::from(([127, 0, 0, 1], self.control_plane.port));
        Caller::connect(address, &self.control_plane.certificate.read()?).await
    }

    /// How long each has been on a processor so far: the API server, etcd, Restraint.
    pub(super) fn on_processor(&self) -> anyhow::Result<[Duration; 3]> {
        let [apiserver, etcd] = self.control_plane.on_processor()?;
        Ok([apiserver, etcd, self.restraint.on_processor()?])
    }

    /// The API server takes note of policies and hooks in its own time: a new pod gets a
    /// `resizePolicy` then, in the namespaces that have any.
    async fn wait_for_policies(&self, objects: &Objects) -> anyhow::Result<()> {
        let mut caller = self.caller().await?;
        for policy in Policy::ALL {
            let begun = Instant::now();
            loop {
                let answer =
                    caller.call(&objects.request(Operation::CreateDryRun, policy, 0)()).await?;
                let pod: Value = serde_json::from_slice(&answer)?;
                let amended = pod
                    .pointer("/spec/containers/0/resizePolicy/1/restartPolicy")
                    .and_then(Value::as_str);
                if (amended == Some("RestartContainer")) == (policy != Policy::None) {
                    break;
                }
                ensure!(
                    begun.elapsed() < PATIENCE,
                    "{} does not act: {amended:?}",
                    policy.as_str()
                );
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }
}

fn serve(
    program: &Path,
    folder: &Path,
    certificate: &Certificate,
    port: u16,
) -> anyhow::Result<Command> {
    ensure!(
        program.is_file(),
        "there is no {}: build it with `cargo build --profile dist --bin restraint`",
        program.display()
    );
    let mut command = Command::new(program);
    command.args([
        "serve",
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--admin",
        "127.0.0.1:0",
        "--log-format",
        "json",
    ]);
    command.arg("--tls-cert").arg(&certificate.certificate).arg("--tls-key").arg(&certificate.key);
    command
        .arg("--seal-key")
        .arg(folder.join("seal"))
        .arg("--kubeconfig")
        .arg(folder.join("kubeconfig"))
        .env_remove("RUST_LOG");
    Ok(command)
}

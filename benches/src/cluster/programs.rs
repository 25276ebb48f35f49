//! The programs of the cluster: etcd, the API server and Restraint, each a process, ended with this
//! one.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::account;
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
        for manifest in objects.manifests(callers, webhook, &authority)? {
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

    /// How long each has been on a processor so far: the API server, etcd, and the server that
    /// `policy` lets the API server ask.
    pub(super) fn on_processor(&self, policy: &Policy) -> anyhow::Result<[Duration; 3]> {
        let [apiserver, etcd] = self.control_plane.on_processor()?;
        let asked = match policy {
            Policy::None | Policy::Cel => Duration::ZERO,
            Policy::Restraint => self.restraint.on_processor()?,
            Policy::Peer(peer) => account::on_processor(peer.process)?,
        };
        Ok([apiserver, etcd, asked])
    }

    /// The API server takes note of policies and hooks in its own time. Then a new pod gets a
    /// `resizePolicy`, and a lower limit is denied, in the namespaces that have any.
    async fn wait_for_policies(&self, objects: &Objects) -> anyhow::Result<()> {
        let mut caller = self.caller().await?;
        for policy in &objects.policies {
            let begun = Instant::now();
            loop {
                let found = acts(&mut caller, objects, policy).await;
                if found.as_ref().is_ok_and(|found| *found == policy.acts()) {
                    break;
                }
                if begun.elapsed() >= PATIENCE {
                    bail!("{} does not act as it should: {found:?}", policy.as_str());
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }
}

/// Whether a new pod is amended, and whether a lower limit is denied.
async fn acts(
    caller: &mut Caller,
    objects: &Objects,
    policy: &Policy,
) -> anyhow::Result<[bool; 2]> {
    let created = objects.request(Operation::CreateDryRun, policy, 0)();
    let pod: Value = serde_json::from_slice(&caller.call(&created).await?)?;
    let entries = pod.pointer("/spec/containers/0/resizePolicy").and_then(Value::as_array);
    let is_written = |entry: &Value| {
        entry.get("resourceName").is_some_and(|resource| resource == "memory")
            && entry.get("restartPolicy").is_some_and(|policy| policy == "RestartContainer")
    };
    let amended = entries.is_some_and(|entries| entries.iter().any(is_written));
    let denied = match caller.call(&objects.lowered(policy)).await {
        Ok(_) => false,
        // so say hooks and policies in CEL alike; a server that cannot be asked is no denial
        Err(error) if error.to_string().contains("denied") => true,
        Err(error) => return Err(error),
    };
    Ok([amended, denied])
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

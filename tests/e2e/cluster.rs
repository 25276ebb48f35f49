//! An API server with its etcd: the part of a cluster that admits. No kubelet and no controller
//! runs, so pods stay pending, which is no obstacle to a resize.

mod commands;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};

use rcgen::KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audit::Event;
use crate::certificate::Certificate;
use crate::deadline::eventually;
use crate::kubectl::{Kubectl, Person};
use crate::process::Process;

const AUDIT_POLICY: &str = include_str!("audit-policy.yaml");
const AUTOSCALERS: &str = include_str!("vertical-pod-autoscalers.yaml");
const PEOPLE: &str = include_str!("people.yaml");

/// The programs that must be there.
pub(crate) const PROGRAMS: [&str; 3] = ["etcd", "kube-apiserver", "kubectl"];

/// A running API server.
pub(crate) struct Cluster {
    servers: Mutex<Option<Servers>>,
    /// Of etcd and of the API server.
    ports: [u16; 2],
    kubectl: Kubectl,
    folder: Mutex<Option<TempDir>>,
}

/// Ends in this order: an API server without its etcd does not.
struct Servers {
    apiserver: Option<Process>,
    _etcd: Process,
}

impl Cluster {
    /// Starts the programs in the folder `assets`, and returns when they answer.
    pub(crate) fn start(assets: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("restraint-e2e-").tempdir().unwrap();
        let [clients, peers, secure] = free_ports();
        write_files(folder.path(), secure);
        let etcd = Process::start(
            "etcd",
            &mut commands::etcd(assets, folder.path(), clients, peers),
            folder.path().join("etcd.log"),
        );
        let mut apiserver = Process::start(
            "kube-apiserver",
            &mut apiserver(assets, folder.path(), clients, secure),
            folder.path().join("kube-apiserver.log"),
        );
        let kubectl = Kubectl {
            assets: assets.to_owned(),
            folder: folder.path().to_owned(),
            person: Person::Admin,
            namespace: "default".to_owned(),
        };
        apiserver.eventually("the API server is ready", |_| {
            kubectl.run(&["get", "--raw", "/readyz"]).succeeded().then_some(())
        });
        kubectl.feed(&["create", "--filename", "-"], PEOPLE).accepted();
        // it is the last of them
        let knows = ["auth", "can-i", "--quiet", "list", "namespaces"];
        eventually("people have their rights", || {
            kubectl.by(Person::Restraint).run(&knows).succeeded().then_some(())
        });
        kubectl.feed(&["create", "--filename", "-"], AUTOSCALERS).accepted();
        // the API server makes it soon after it is ready
        eventually("kube-system is there", || {
            kubectl.run(&["get", "namespace", "kube-system"]).succeeded().then_some(())
        });
        let autoscalers = "/apis/autoscaling.k8s.io/v1/namespaces/default/verticalpodautoscalers";
        eventually("autoscalers can be created", || {
            kubectl.run(&["get", "--raw", autoscalers]).succeeded().then_some(())
        });
        Self {
            servers: Mutex::new(Some(Servers { apiserver: Some(apiserver), _etcd: etcd })),
            ports: [clients, secure],
            kubectl,
            folder: Mutex::new(Some(folder)),
        }
    }

    /// kubectl in the hands of an administrator.
    pub(crate) fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    /// A place for files that go when the cluster goes.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.kubectl.folder.join(name)
    }

    /// What the audit log has so far in the lines that are `wanted`.
    pub(crate) fn audit_log(&self, wanted: impl Fn(&str) -> bool) -> Vec<Event> {
        Event::those(&fs::read_to_string(self.file("audit.log")).unwrap_or_default(), wanted)
    }

    /// Kills the API server and starts another in its place, and returns when that answers.
    pub(crate) fn restart_api_server(&self) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let servers = servers.as_mut().unwrap();
        drop(servers.apiserver.take());
        let Kubectl { assets, folder, .. } = &self.kubectl;
        let [etcd, secure] = self.ports;
        let mut apiserver = Process::start(
            "kube-apiserver",
            &mut apiserver(assets, folder, etcd, secure),
            folder.join("kube-apiserver-again.log"),
        );
        apiserver.eventually("the API server is ready again", |_| {
            self.kubectl.run(&["get", "--raw", "/readyz"]).succeeded().then_some(())
        });
        servers.apiserver = Some(apiserver);
    }

    /// Ends it. With `keep` its files stay, and it says where.
    pub(crate) fn stop(&self, keep: bool) {
        drop(self.servers.lock().unwrap_or_else(PoisonError::into_inner).take());
        let folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (true, Some(folder)) = (keep, folder) {
            eprintln!("the logs are in {}", folder.keep().display());
        }
    }
}

/// Ports that nobody listens on, each given to one caller only. They lie below those that systems
/// give to outgoing connections: kubectl's would take one before its program starts.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    const FIRST: u16 = 10_000;
    const RANGE: u16 = 20_000;
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // runs at the same time begin at different ones
    let start = process::id().wrapping_mul(97) % u32::from(RANGE);
    [(); COUNT].map(|()| {
        (0..RANGE)
            .map(|_| {
                let next = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
                FIRST + ((start + next) % u32::from(RANGE)) as u16
            })
            .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
            .unwrap()
    })
}

fn write_files(folder: &Path, port: u16) {
    let write = |name: &str, content: &str| fs::write(folder.join(name), content).unwrap();
    let serving = Certificate::new(&["127.0.0.1"]);
    write("apiserver.crt", &serving.certificate);
    write("apiserver.key", &serving.key);
    let accounts = KeyPair::generate().unwrap();
    write("accounts.key", &accounts.serialize_pem());
    write("accounts.pub", &accounts.public_key_pem());
    write("audit-policy.yaml", AUDIT_POLICY);
    write("authority.crt", &serving.authority);
    let tokens = Person::ALL.map(|person| {
        format!(
            "{},{},{},\"{}\"\n",
            person.token(),
            person.username(),
            person.username(),
            person.group()
        )
    });
    write("tokens.csv", &tokens.concat());
    for person in Person::ALL {
        write(
            person.kubeconfig(),
            &kubeconfig(&folder.join("authority.crt"), port, person).to_string(),
        );
    }
}

/// JSON, which is YAML too.
fn kubeconfig(authority: &Path, port: u16, person: Person) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "e2e", "cluster": {"server": format!("https://127.0.0.1:{port}"), "certificate-authority": authority}}],
        "users": [{"name": "e2e", "user": {"token": person.token()}}],
        "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e"}}],
        "current-context": "e2e",
    })
}

/// The API server of a cluster, which also writes an audit log.
fn apiserver(assets: &Path, folder: &Path, etcd: u16, port: u16) -> Command {
    let mut command = commands::apiserver(
        assets,
        folder,
        &folder.join("apiserver.crt"),
        &folder.join("apiserver.key"),
        etcd,
        port,
    );
    command.arg("--audit-policy-file").arg(folder.join("audit-policy.yaml"));
    command.arg("--audit-log-path").arg(folder.join("audit.log"));
    command
}

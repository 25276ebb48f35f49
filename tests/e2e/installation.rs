//! Restraint in a cluster: the program, the Service that leads to it, and the webhook configurations.

use std::fs;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::certificate::Certificate;
use crate::cluster::{Cluster, free_ports};
use crate::deadline::eventually;
use crate::process::Process;
use crate::space::Space;

/// As the chart renders them.
const WEBHOOKS: &str = include_str!("webhooks.yaml");

/// The label that makes a namespace the business of the installation it names.
pub(crate) const LABEL: &str = "e2e.example/installation";

/// Restraint, installed for the namespaces that carry its label.
pub(crate) struct Installation<'c> {
    pub(crate) cluster: &'c Cluster,
    name: String,
    port: u16,
    flags: Vec<String>,
    replica: Mutex<Option<Replica>>,
    started: AtomicUsize,
    spaces: AtomicUsize,
}

/// One running process of Restraint.
pub(crate) struct Replica(Process);

impl<'c> Installation<'c> {
    /// Installs Restraint, and returns when the API server asks it.
    pub(crate) fn new(cluster: &'c Cluster, name: &str, flags: &[&str]) -> Self {
        Self::prepared(cluster, name, flags, |_| ())
    }

    /// The same, with something to be done before the first replica starts.
    pub(crate) fn prepared(cluster: &'c Cluster, name: &str, flags: &[&str], prepare: impl FnOnce(&Self)) -> Self {
        let [port] = free_ports();
        let installation = Self {
            cluster,
            name: name.to_owned(),
            port,
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            replica: Mutex::new(None),
            started: AtomicUsize::new(0),
            spaces: AtomicUsize::new(0),
        };
        installation.install();
        prepare(&installation);
        installation.start();
        installation.wait_until_asked();
        installation
    }

    /// The namespace it is installed in.
    pub(crate) fn namespace(&self) -> String {
        format!("restraint-{}", self.name)
    }

    /// The name in the label.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A new namespace that it looks after.
    pub(crate) fn space(&self) -> Space<'_> {
        self.space_labelled(&json!({LABEL: self.name}))
    }

    /// A new namespace with these labels: without [`LABEL`] it does not look after it.
    pub(crate) fn space_labelled(&self, labels: &Value) -> Space<'_> {
        let number = self.spaces.fetch_add(1, Ordering::Relaxed);
        Space::new(self, &format!("{}-{number}", self.name), labels)
    }

    /// Starts a replica where the Service leads at first.
    pub(crate) fn start(&self) {
        *self.replica() = Some(self.start_at("127.0.0.1"));
    }

    /// Starts another replica, at the same port of another address of this machine.
    pub(crate) fn start_at(&self, address: &str) -> Replica {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
        command.args(["serve", "--listen", &format!("{address}:{}", self.port), "--admin", "127.0.0.1:0", "--log-format", "json"]);
        if !self.flags.iter().any(|flag| flag == "--tls") {
            command.arg("--tls-cert").arg(self.file("crt")).arg("--tls-key").arg(self.file("key"));
        }
        if !self.flags.iter().any(|flag| flag == "--seal-secret") {
            command.arg("--seal-key").arg(self.file("seal"));
        }
        command.arg("--kubeconfig").arg(self.cluster.file(crate::kubectl::Person::Restraint.kubeconfig()));
        command.args(&self.flags).env("RUST_LOG", "restraint=debug");
        let log = self.cluster.file(&format!("{}-{number}.log", self.namespace()));
        let mut process = Process::start("restraint", &mut command, log);
        process.eventually("restraint serves", |log| lines(log, |_| true).any(|line| line["message"] == "serving").then_some(()));
        Replica(process)
    }

    /// Puts this replica in the place of the one that runs, which is returned.
    pub(crate) fn replace(&self, replica: Replica) -> Replica {
        self.replica().replace(replica).unwrap()
    }

    /// Leads the Service to another address.
    pub(crate) fn lead_to(&self, address: &str) {
        let patch = json!({"spec": {"externalName": address}}).to_string();
        self.cluster.kubectl().within(&self.namespace()).run(&["patch", "service", "restraint", "--patch", &patch]).accepted();
    }

    /// Takes the replica away; whoever drops it kills it.
    pub(crate) fn take(&self) -> Option<Replica> {
        self.replica().take()
    }

    /// The reviews that the replica has judged, as it logged them in the lines that are `wanted`.
    pub(crate) fn reviews(&self, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        self.replica().as_ref().unwrap().reviews(wanted)
    }

    /// What the chart rendered, with the words of this installation in it.
    pub(crate) fn filled_in(&self, rendered: &str) -> String {
        let authority = STANDARD.encode(fs::read(self.file("authority")).unwrap());
        rendered.replace("${INSTALLATION}", &self.name).replace("${PORT}", &self.port.to_string()).replace("${CA_BUNDLE}", &authority)
    }

    /// Everything that the replica has logged.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.replica().as_ref().unwrap().log()
    }

    fn replica(&self) -> MutexGuard<'_, Option<Replica>> {
        self.replica.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, ending: &str) -> std::path::PathBuf {
        self.cluster.file(&format!("{}.{ending}", self.namespace()))
    }

    fn install(&self) {
        let namespace = self.namespace();
        let certificate = Certificate::new(&[&format!("restraint.{namespace}.svc")]);
        fs::write(self.file("crt"), &certificate.certificate).unwrap();
        fs::write(self.file("key"), &certificate.key).unwrap();
        fs::write(self.file("authority"), &certificate.authority).unwrap();
        // a key for seals is any 32 bytes
        fs::write(self.file("seal"), STANDARD.encode(&rcgen::KeyPair::generate().unwrap().serialize_der()[..64])).unwrap();
        let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {LABEL: self.name}}},
            // an address of this machine passes for a name, so the API server speaks to it as it does to any Service
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "restraint", "namespace": namespace},
             "spec": {"type": "ExternalName", "externalName": "127.0.0.1"}},
        ]});
        let kubectl = self.cluster.kubectl().within(&namespace);
        kubectl.feed(&["create", "--filename", "-"], &objects.to_string()).accepted();
        kubectl.feed(&["create", "--filename", "-"], &self.filled_in(WEBHOOKS)).accepted();
    }

    /// The API server takes note of configurations and Services in its own time.
    fn wait_until_asked(&self) {
        let space = self.space();
        let asked = |path: &str| space.reviews().iter().any(|review| review["path"] == path);
        eventually("the API server asks restraint", || {
            let pod = crate::pods::pod("probe").to_string();
            let _ = space.kubectl().feed(&["create", "--dry-run=server", "--filename", "-"], &pod);
            (asked("mutate") && asked("validate")).then_some(())
        });
    }
}

impl Replica {
    /// The reviews that it has judged, as it logged them in the lines that are `wanted`: there are many.
    pub(crate) fn reviews(&self, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        lines(&self.0.log(), wanted).filter(|line| line["message"] == "review").collect()
    }

    /// Everything that it has logged.
    pub(crate) fn log(&self) -> Vec<Value> {
        lines(&self.0.log(), |_| true).collect()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.0.terminate();
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.0.wait()
    }
}

fn lines(log: &str, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Value> {
    log.lines().filter(move |line| wanted(line)).filter_map(|line| serde_json::from_str(line).ok())
}

//! Restraint in a cluster: the program, the Service that leads to it, and the webhook
//! configurations.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::certificate::Certificate;
use crate::cluster::{Cluster, free_ports};
use crate::deadline::eventually;
use crate::kubectl::Person;
use crate::policies;
use crate::process::Process;
use crate::replica::Replica;
use crate::space::Space;

/// As the chart renders them.
const WEBHOOKS: &str = include_str!("webhooks.yaml");

/// Everything that the chart renders by default, with live look-ups, but policies and what needs a
/// definition of its own.
pub(crate) const CHART: &str = include_str!("chart.yaml");

/// The hook on changes of configuration, as the chart renders it.
const CONFIGURATION: &str = include_str!("configuration.yaml");

/// How long the API server waits for a hook: the longest it takes.
pub(crate) const HOOK_TIMEOUT: &str = "timeoutSeconds: 30";

/// What the service grants the API server in its turn, in milliseconds: less than that, and as much
/// as a busy machine needs.
const DEADLINE: &str = "25000";

/// The address of a second replica.
pub(crate) const SECOND: &str = "127.0.0.2";

/// The label that makes a namespace the business of the installation it names.
pub(crate) const LABEL: &str = "e2e.example/installation";

/// Restraint, installed for the namespaces that carry its label.
pub(crate) struct Installation<'c> {
    pub(crate) cluster: &'c Cluster,
    name: String,
    port: u16,
    kubeconfig: String,
    flags: Vec<String>,
    replica: Mutex<Option<Replica>>,
    started: AtomicUsize,
    spaces: AtomicUsize,
    markers: AtomicUsize,
}

impl<'c> Installation<'c> {
    /// Installs Restraint, and returns when the API server asks it.
    pub(crate) fn new(cluster: &'c Cluster, name: &str, flags: &[&str]) -> Self {
        Self::prepared(cluster, name, flags, |_| ())
    }

    /// The same, with something to be done before the first replica starts.
    pub(crate) fn prepared(
        cluster: &'c Cluster,
        name: &str,
        flags: &[&str],
        prepare: impl FnOnce(&Self),
    ) -> Self {
        let mut installation = Self::named(cluster, name);
        installation.flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        installation.write_certificate("restraint");
        installation.install();
        prepare(&installation);
        installation.start();
        installation.wait_until_asked();
        installation
    }

    /// Installs what the chart renders and nothing else: the program gets the flags of its
    /// Deployment, and a token of its ServiceAccount. The first replica starts when `prepare` is
    /// done.
    pub(crate) fn charted(cluster: &'c Cluster, name: &str, prepare: impl FnOnce(&Self)) -> Self {
        let mut installation = Self::named(cluster, name);
        installation.kubeconfig = format!("{}.kubeconfig", installation.namespace());
        installation.write_certificate(&installation.namespace());
        installation.create_namespace();
        installation.apply_chart();
        installation.lead_to("127.0.0.1");
        installation.write_kubeconfig();
        installation.flags = installation.flags_of_deployment();
        prepare(&installation);
        installation.start();
        installation.wait_until_asked();
        installation
    }

    fn named(cluster: &'c Cluster, name: &str) -> Self {
        let [port] = free_ports();
        Self {
            cluster,
            name: name.to_owned(),
            port,
            kubeconfig: Person::Restraint.kubeconfig().to_owned(),
            flags: Vec::new(),
            replica: Mutex::new(None),
            started: AtomicUsize::new(0),
            spaces: AtomicUsize::new(0),
            markers: AtomicUsize::new(0),
        }
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
        self.start_with(address, &self.flags)
    }

    /// Starts one with the certificate in files, whatever the others have.
    pub(crate) fn start_with_files(&self, address: &str) -> Replica {
        self.start_with(address, &[])
    }

    /// Starts one with flags of its own.
    pub(crate) fn start_with(&self, address: &str, flags: &[String]) -> Replica {
        let has = |name: &str| flags.iter().any(|flag| flag.split('=').next() == Some(name));
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
        command.args([
            "serve",
            "--listen",
            &format!("{address}:{}", self.port),
            "--admin",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ]);
        if !has("--tls") {
            command.arg("--tls-cert").arg(self.file("crt")).arg("--tls-key").arg(self.file("key"));
        }
        if !has("--seal-secret") {
            command.arg("--seal-key").arg(self.file("seal"));
        }
        command.args(["--request-deadline", DEADLINE, "--authority-deadline", DEADLINE]);
        command.arg("--kubeconfig").arg(self.cluster.file(&self.kubeconfig));
        command.args(flags).env("RUST_LOG", "restraint=debug");
        let log = self.cluster.file(&format!("{}-{number}.log", self.namespace()));
        let process = Process::start("restraint", &mut command, log);
        Replica::serving(process)
    }

    /// Puts this replica in the place of the one that runs, which is returned.
    pub(crate) fn replace(&self, replica: Replica) -> Replica {
        self.replica().replace(replica).unwrap()
    }

    /// Leads the Service to another address.
    pub(crate) fn lead_to(&self, address: &str) {
        // an address of this machine passes for a name, so the API server speaks to it as it does
        // to any Service
        let spec = json!({"type": "ExternalName", "externalName": address, "clusterIP": null, "clusterIPs": null});
        let kubectl = self.cluster.kubectl().within(&self.namespace());
        let services = kubectl.run(&["get", "services", "--output", "json"]).accepted().object();
        let service = services["items"][0]["metadata"]["name"].as_str().unwrap();
        kubectl
            .run(&["patch", "service", service, "--patch", &json!({"spec": spec}).to_string()])
            .accepted();
    }

    /// Takes the replica away; whoever drops it kills it.
    pub(crate) fn take(&self) -> Option<Replica> {
        self.replica().take()
    }

    /// The sum of counters of the replica: see [`Replica::counted`].
    pub(crate) fn counted(&self, counter: &str, label: &str) -> u64 {
        self.replica().as_ref().unwrap().counted(counter, label)
    }

    /// What its readiness says, with its status.
    pub(crate) fn readiness(&self) -> (u16, String) {
        self.replica().as_ref().unwrap().readiness()
    }

    /// All that the replica counts.
    pub(crate) fn metrics(&self) -> String {
        self.replica().as_ref().unwrap().metrics()
    }

    /// The address of a replica, where that is not the first, as the API server may call it without
    /// a Service.
    pub(crate) fn url(&self, address: &str, path: &str) -> String {
        format!("https://{address}:{}{path}", self.port)
    }

    /// What the log of the replica has so far of the reviews that it has judged, from the lines
    /// that are `wanted`.
    pub(crate) fn logged_reviews(&self, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        self.replica().as_ref().unwrap().reviews(wanted)
    }

    /// What the replica has logged so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.replica().as_ref().unwrap().log()
    }

    /// Waits until all that the replica was asked before this call is in its log, which it writes
    /// behind its answers: lines keep their order, so they are there once a later review is.
    pub(crate) fn catch_up(&self) {
        let marker = format!("marker-{}", self.markers.fetch_add(1, Ordering::Relaxed));
        self.ask_about(&marker);
        eventually("a later review is in the log", || {
            self.has_judged(&marker, "validate").then_some(())
        });
    }

    /// What the chart rendered, with the words of this installation in it. Its hooks are waited for
    /// as long as an API server can wait: a busy machine must not pass for a service that is away.
    pub(crate) fn filled_in(&self, rendered: &str) -> String {
        rendered
            .replace("${INSTALLATION}", &self.name)
            .replace("${PORT}", &self.port.to_string())
            .replace("${CA_BUNDLE}", &self.bundle())
            .replace("timeoutSeconds: 3\n", &format!("{HOOK_TIMEOUT}\n"))
            .replace("timeoutSeconds: 2\n", &format!("{HOOK_TIMEOUT}\n"))
    }

    fn replica(&self) -> MutexGuard<'_, Option<Replica>> {
        self.replica.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The certificate in files, its key, and the authority behind it: for replicas that do not
    /// make their own.
    pub(crate) fn files(&self) -> [String; 3] {
        [self.file("crt"), self.file("key"), self.file("authority")]
            .map(|file| fs::read_to_string(file).unwrap())
    }

    /// What the authority is to a webhook configuration.
    pub(crate) fn bundle(&self) -> String {
        let [_, _, authority] = self.files();
        STANDARD.encode(authority)
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.cluster.file(&format!("{}.{ending}", self.namespace()))
    }

    fn write_certificate(&self, service: &str) {
        let service = format!("{service}.{}.svc", self.namespace());
        let certificate = Certificate::new(&[&service, SECOND]);
        fs::write(self.file("crt"), &certificate.certificate).unwrap();
        fs::write(self.file("key"), &certificate.key).unwrap();
        fs::write(self.file("authority"), &certificate.authority).unwrap();
        // a key for seals is any 32 bytes
        let seal = STANDARD.encode(&rcgen::KeyPair::generate().unwrap().serialize_der()[..64]);
        fs::write(self.file("seal"), seal).unwrap();
    }

    fn create_namespace(&self) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": self.namespace(), "labels": {LABEL: self.name}}});
        self.cluster
            .kubectl()
            .feed(&["create", "--filename", "-"], &namespace.to_string())
            .accepted();
    }

    fn install(&self) {
        self.create_namespace();
        let kubectl = self.cluster.kubectl().within(&self.namespace());
        kubectl
            .run(&[
                "create",
                "service",
                "externalname",
                "restraint",
                "--external-name",
                "127.0.0.1",
            ])
            .accepted();
        kubectl.feed(&["create", "--filename", "-"], &self.filled_in(WEBHOOKS)).accepted();
    }

    /// Installs the hook on changes of configuration, too.
    pub(crate) fn ask_about_configuration(&self) {
        let kubectl = self.cluster.kubectl().within(&self.namespace());
        kubectl.feed(&["create", "--filename", "-"], &self.filled_in(CONFIGURATION)).accepted();
    }

    /// As Helm 4 does: what it does not say stays as others made it.
    pub(crate) fn apply_chart(&self) {
        let line = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager",
            "helm",
            "--validate=strict",
            "--filename",
            "-",
        ];
        self.cluster
            .kubectl()
            .within(&self.namespace())
            .feed(&line, &self.filled_in(CHART))
            .accepted();
    }

    /// What the pods would be given.
    fn write_kubeconfig(&self) {
        let kubectl = self.cluster.kubectl().within(&self.namespace());
        let token =
            kubectl.run(&["create", "token", &self.namespace(), "--duration", "1h"]).printed();
        let admin = fs::read(self.cluster.file(Person::Admin.kubeconfig())).unwrap();
        let mut kubeconfig: Value = serde_json::from_slice(&admin).unwrap();
        kubeconfig["users"][0]["user"] = json!({"token": token.trim()});
        fs::write(self.cluster.file(&self.kubeconfig), kubeconfig.to_string()).unwrap();
    }

    /// All but those that depend on where it runs, and on how fast that is.
    fn flags_of_deployment(&self) -> Vec<String> {
        let kubectl = self.cluster.kubectl().within(&self.namespace());
        let deployment = kubectl
            .run(&["get", "deployment", &self.namespace(), "--output", "json"])
            .accepted()
            .object();
        let arguments =
            deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array().unwrap();
        let flags = arguments.iter().filter_map(Value::as_str).skip(1).map(str::to_owned);
        let elsewhere = [
            "--listen=",
            "--admin=",
            "--policies=",
            "--log-format=",
            "--request-deadline=",
            "--authority-deadline=",
        ];
        let policies = format!("--policies={}", policies::provide(self).display());
        let flags = flags.filter(|flag| !elsewhere.iter().any(|name| flag.starts_with(name)));
        flags.chain([policies]).collect()
    }

    /// The API server takes note of configurations and Services in its own time.
    fn wait_until_asked(&self) {
        Space::new(self, &self.aside(), &json!({LABEL: self.name}));
        eventually("the API server asks restraint", || {
            self.ask_about("probe");
            (self.has_judged("probe", "mutate") && self.has_judged("probe", "validate"))
                .then_some(())
        });
    }

    /// A namespace beside those of the trials, for what is asked about their sake only.
    fn aside(&self) -> String {
        format!("{}-aside", self.name)
    }

    /// Makes the API server ask about the creation of a pod, whatever the answer.
    fn ask_about(&self, name: &str) {
        let kubectl = self.cluster.kubectl().within(&self.aside());
        let pod = crate::pods::pod(name).to_string();
        let _ = kubectl.feed(&["create", "--dry-run=server", "--filename", "-"], &pod);
    }

    /// Whether the log has the review of such a creation.
    fn has_judged(&self, name: &str, path: &str) -> bool {
        let namespace = self.aside();
        self.logged_reviews(|line| line.contains(name)).iter().any(|review| {
            review["namespace"] == *namespace && review["name"] == name && review["path"] == path
        })
    }
}

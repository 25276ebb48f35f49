//! The flags of `restraint serve`, each with an environment variable.

mod recordings;
mod sharing;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use crate::cluster::NamespacedName;
use crate::judge::mode::Cap;
use crate::service::LogFormat;

use tls::{TlsSource, lifetime};

/// How to serve.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Address for reviews, over TLS; `[::]` is every address of this machine, of IPv6 as of IPv4.
    #[arg(
        long,
        env = "RESTRAINT_LISTEN",
        default_value = "127.0.0.1:8443",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,

    /// Address for /livez, /readyz and /metrics, in the clear; `[::]` as above.
    #[arg(long, env = "RESTRAINT_ADMIN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub admin: SocketAddr,

    /// Folder with one policy in each YAML file; followed while the server runs [default: the
    /// policies built in].
    #[arg(long, env = "RESTRAINT_POLICIES", value_name = "DIR")]
    pub policies: Option<PathBuf>,

    /// ConfigMap that the policies folder shows; read and watched, so that a change is in force at
    /// once and not when the kubelet shows it; needs the API server.
    #[arg(
        long,
        env = "RESTRAINT_POLICIES_CONFIG_MAP",
        value_name = "NAMESPACE/NAME",
        requires = "policies"
    )]
    pub policies_config_map: Option<NamespacedName>,

    /// The strongest mode of any policy; "audit" denies and changes nothing and records what would
    /// have happened.
    #[arg(
        long,
        env = "RESTRAINT_CAP",
        default_value = "enforce",
        value_name = "enforce|warn|audit"
    )]
    pub cap: Cap,

    /// Where the serving certificate comes from: files, or the service itself, which keeps an
    /// authority and a certificate in a Secret and renews them [default: files where they are
    /// named, else a certificate made at start].
    #[arg(long, env = "RESTRAINT_TLS", value_name = "files|self", hide_possible_values = true)]
    pub tls: Option<TlsSource>,

    /// PEM file with the serving certificate and its chain; followed.
    #[arg(long, env = "RESTRAINT_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// PEM file with the key of the serving certificate; followed.
    #[arg(long, env = "RESTRAINT_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// With --tls self: Secret with the authority and the certificate; made, shared by all replicas
    /// and renewed by the service; needs the API server.
    #[arg(long, env = "RESTRAINT_TLS_SECRET", value_name = "NAMESPACE/NAME")]
    pub tls_secret: Option<NamespacedName>,

    /// With --tls self: Service in the Secret's namespace that leads here; the certificate is for
    /// its names.
    #[arg(long, env = "RESTRAINT_TLS_SERVICE", value_name = "NAME")]
    pub tls_service: Option<String>,

    /// With --tls self: name of the webhook configurations, validating and mutating, whose caBundle
    /// is kept up to date; may be repeated.
    #[arg(
        long,
        env = "RESTRAINT_WEBHOOK_CONFIGURATION",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub webhook_configuration: Vec<String>,

    /// With --tls self: how long new certificates are valid, such as 90d or 36h; renewed after two
    /// thirds.
    #[arg(long, env = "RESTRAINT_LEAF_LIFETIME", default_value = "90d", value_name = "DURATION", value_parser = lifetime)]
    pub leaf_lifetime: SignedDuration,

    /// With --tls self: how long new authorities are valid, at least three times as long as
    /// certificates; renewed after two thirds.
    #[arg(long, env = "RESTRAINT_CA_LIFETIME", default_value = "1095d", value_name = "DURATION", value_parser = lifetime)]
    pub ca_lifetime: SignedDuration,

    /// PEM file with authorities: only clients with a certificate of theirs are served; followed.
    #[arg(long, env = "RESTRAINT_CLIENT_CA", value_name = "FILE")]
    pub client_ca: Option<PathBuf>,

    /// A name that client certificates must carry, as common name or DNS name; may be repeated
    /// [default: any].
    #[arg(
        long,
        env = "RESTRAINT_CLIENT_NAME",
        value_name = "NAME",
        requires = "client_ca",
        value_delimiter = ','
    )]
    pub client_name: Vec<String>,

    /// Kubeconfig of the cluster whose namespace labels policies and caps go by [default: the pod's
    /// service account, if this runs in one].
    #[arg(long, env = "RESTRAINT_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Follow which workloads use which ConfigMaps and Secrets, for the rules that say whom a change
    /// of one reaches; needs the API server.
    #[arg(long, env = "RESTRAINT_CONFIGURATION")]
    pub configuration: bool,

    /// Tell each workload by an Event of changes that its containers do not see, or whose lack keeps
    /// them from starting; a few a minute.
    #[arg(long, env = "RESTRAINT_CONFIGURATION_EVENTS", requires = "configuration")]
    pub configuration_events: bool,

    /// File with the keys that approvals are sealed with, base64, one on a line: the first seals,
    /// all are accepted; followed [default: a key made at start].
    #[arg(long, env = "RESTRAINT_SEAL_KEY", value_name = "FILE")]
    pub seal_key: Option<PathBuf>,

    /// Secret with the keys that approvals are sealed with: made, shared by all replicas and
    /// rotated by the service; needs the API server.
    #[arg(
        long,
        env = "RESTRAINT_SEAL_SECRET",
        value_name = "NAMESPACE/NAME",
        conflicts_with = "seal_key"
    )]
    pub seal_secret: Option<NamespacedName>,

    /// Milliseconds the API server has to say who may approve; keep it below the timeoutSeconds of
    /// the webhook configuration.
    #[arg(
        long,
        env = "RESTRAINT_AUTHORITY_DEADLINE",
        default_value_t = 1000,
        value_name = "MILLISECONDS"
    )]
    pub authority_deadline: u64,

    /// Milliseconds the API server has for what runs right now: live memory and the room of a node,
    /// where a policy asks for them; what comes later does not count.
    #[arg(
        long,
        env = "RESTRAINT_EVIDENCE_DEADLINE",
        default_value_t = 100,
        value_name = "MILLISECONDS"
    )]
    pub evidence_deadline: u64,

    /// How log lines look.
    #[arg(long, env = "RESTRAINT_LOG_FORMAT", value_enum, default_value_t, value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// Milliseconds a review may take to arrive; keep it below the timeoutSeconds of the webhook
    /// configuration.
    #[arg(
        long,
        env = "RESTRAINT_REQUEST_DEADLINE",
        default_value_t = 2000,
        value_name = "MILLISECONDS"
    )]
    pub request_deadline: u64,

    /// MiB of reviews in memory at once; what comes on top is answered with 503.
    #[arg(long, env = "RESTRAINT_BODY_MEMORY", default_value_t = 64, value_name = "MIB")]
    pub body_memory: usize,

    /// Folder where reviews are kept with their answers, redacted, the newest last; a server that
    /// finds it in use by another takes DIR.1, DIR.2 and so on [default: nothing is kept].
    #[arg(long, env = "RESTRAINT_RECORD", value_name = "DIR")]
    pub record: Option<PathBuf>,

    /// The most that --record keeps, such as 256MiB; the oldest goes first.
    #[arg(
        long,
        env = "RESTRAINT_RECORD_LIMIT",
        default_value = "256MiB",
        value_name = "SIZE",
        value_parser = recordings::size
    )]
    pub record_limit: u64,

    /// Seconds to go on serving after SIGTERM, until no load balancer sends reviews here any more.
    #[arg(long, env = "RESTRAINT_DRAIN_DELAY", default_value_t = 5, value_name = "SECONDS")]
    pub drain_delay: u64,

    /// Load keys and policies, say so, and exit.
    #[arg(long, env = "RESTRAINT_CHECK")]
    pub check: bool,
}

impl Options {
    pub(super) fn request_deadline(&self) -> Duration {
        Duration::from_millis(self.request_deadline)
    }

    pub(super) fn authority_deadline(&self) -> Duration {
        Duration::from_millis(self.authority_deadline)
    }

    pub(super) fn evidence_deadline(&self) -> Duration {
        Duration::from_millis(self.evidence_deadline)
    }

    /// Nobody balances load to a laptop.
    pub(super) fn drain_delay(&self) -> Duration {
        Duration::from_secs(if self.is_laptop() { 0 } else { self.drain_delay })
    }

    /// In bytes.
    pub(super) fn body_memory(&self) -> usize {
        self.body_memory.saturating_mul(1024 * 1024)
    }

    /// Whether this looks like somebody trying it out: reachable from this machine alone, with a
    /// certificate of its own.
    pub(super) fn is_laptop(&self) -> bool {
        self.listen.ip().is_loopback()
            && self.tls_cert.is_none()
            && self.tls != Some(TlsSource::Own)
    }
}

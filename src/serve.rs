//! The webhook server: everything around judging.

pub mod admin;
pub mod authority;
pub mod events;
pub mod evidence;
mod folder;
pub mod follow;
pub mod listener;
mod log;
pub mod metrics;
pub mod namespaces;
mod options;
mod panics;
mod record;
pub mod reviews;
pub mod seal;
pub mod secret;
mod tasks;
#[cfg(test)]
mod testing;
pub mod tls;

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, bail};
use arc_swap::ArcSwap;
use hyper_util::service::TowerToHyperService;
use tracing::{info, warn};

use crate::certificate::{IdentitySource, SelfMade};
use crate::cluster::ServiceAccess;
use crate::judge::policies::Policies;
use crate::policies::folder::{Contents, Folder};
use crate::signals::{stop_signal, stopped};

use admin::Health;
use authority::Authorities;
use events::Events;
use evidence::{Live, Sources};
use follow::Pace;
use listener::{Drain, Limits, Listener, Transport};
use log::Log;
use metrics::Metrics;
use namespaces::Namespaces;
use reviews::Reviews;
use seal::{SealKeys, file, secret as seal_secret};
use seal::secret::SharedSecret;
use tasks::keep;
use tls::{Certificates, Clients, Reload, SharedPair, Sharing};

pub use options::Options;

/// Serves until SIGTERM or SIGINT, or with `--check` only loads what serving needs.
///
/// # Errors
///
/// Where policies, keys or addresses cannot be used.
pub fn run(options: Options) -> anyhow::Result<()> {
    let log = Log::start(options.log_format);
    let loaded = Loaded::load(&options)?;
    if options.check {
        println!("{}", loaded.summary());
        return Ok(());
    }
    panics::report();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")?;
    runtime.block_on(serve(options, loaded, &log))
}

/// What must be sound before a port opens.
struct Loaded {
    policies: Policies,
    folder: Option<(Folder, Contents)>,
    certificates: Arc<Certificates>,
    sharing: Option<Sharing>,
    seal_keys: SealKeys,
}

impl Loaded {
    fn load(options: &Options) -> anyhow::Result<Self> {
        let (policies, folder) = match &options.policies {
            None => (Policies::embedded().under(options.cap), None),
            Some(path) => {
                let folder = Folder::new(path.clone(), options.cap);
                let contents = folder.read()?;
                (folder.policies(&contents)?, Some((folder, contents)))
            }
        };
        let sharing = options.sharing()?;
        if let Some(sharing) =
            sharing.as_ref().filter(|_| ServiceAccess::find(options.kubeconfig.clone()).is_none())
        {
            bail!(
                "tls secret \"{}\" needs an API server: a kubeconfig, or the service account of a pod",
                sharing.secret
            )
        }
        let source = match (&options.tls_cert, &options.tls_key) {
            (Some(certificate), Some(key)) => {
                IdentitySource::Files { certificate: certificate.clone(), key: key.clone() }
            }
            // what is shared takes its place once the API server was asked
            _ => IdentitySource::Held(
                SelfMade::make(sharing.as_ref().map_or(&[], |sharing| &sharing.names))?.identity,
            ),
        };
        let clients = options
            .client_ca
            .clone()
            .map(|authority| Clients { authority, names: options.client_name.clone() });
        let certificates = Arc::new(Certificates::load(source, clients)?);
        let seal_keys = match (&options.seal_key, &options.seal_secret) {
            (Some(path), _) => {
                SealKeys::read(path).with_context(|| format!("seal key \"{}\"", path.display()))?
            }
            (None, Some(secret)) if ServiceAccess::find(options.kubeconfig.clone()).is_none() => {
                bail!(
                    "seal secret \"{secret}\" needs an API server: a kubeconfig, or the service account of a pod"
                )
            }
            (None, Some(_)) => SealKeys::default(), // known once the API server was asked
            (None, None) => SealKeys::made()?,
        };
        Ok(Self { policies, folder, certificates, sharing, seal_keys })
    }

    fn summary(&self) -> String {
        let from = if self.folder.is_some() { "from the folder" } else { "built in" };
        let names = self.certificates.leaf().names.join(", ");
        format!(
            "ok: {} policies {from}, cap {}, certificate for {names}",
            self.policies.iter().count(),
            self.policies.cap()
        )
    }
}

async fn serve(options: Options, loaded: Loaded, log: &Log) -> anyhow::Result<()> {
    let drain = Drain { delay: options.drain_delay(), ..Drain::default() };
    let bind = |address| async move {
        Listener::bind(address, Limits::default(), drain)
            .await
            .with_context(|| format!("cannot listen on {address}"))
    };
    let (reviews, admin) = (bind(options.listen).await?, bind(options.admin).await?);
    let mut metrics = Metrics::new();
    metrics.follow_connections(reviews.counters());
    metrics.follow_log(log.lost());
    let seal_keys = Arc::new(ArcSwap::from_pointee(loaded.seal_keys));
    metrics.follow_seal_keys(Arc::clone(&seal_keys));
    let sharing = loaded.sharing.map(|sharing| (sharing, metrics.follow_rotations()));
    let metrics = Arc::new(metrics);
    let health = Arc::new(Health::default());
    folder::announce(&loaded.policies, &metrics, &health, None);
    let policies = Arc::new(ArcSwap::from_pointee(loaded.policies));
    let namespaces = Arc::new(Namespaces::default());
    let (client, asking_once) = match ServiceAccess::find(options.kubeconfig.clone()) {
        Some(access) => {
            health.await_namespaces();
            let client = access.client().await.context("the API server cannot be used")?;
            let (known, api, told) = (Arc::clone(&namespaces), client.clone(), Arc::clone(&health));
            keep("namespaces", move || Arc::clone(&known).follow(api.clone(), Arc::clone(&told)));
            (
                Some(client),
                Some(access.client_asking_once().await.context("the API server cannot be used")?),
            )
        }
        None => {
            warn_of_blind_spots(&policies.load());
            (None, None)
        }
    };
    match (&options.seal_key, &options.seal_secret, &client) {
        (Some(path), ..) => {
            let (path, keys) = (path.clone(), Arc::clone(&seal_keys));
            keep("seal keys", move || {
                file::follow(path.clone(), Arc::clone(&keys), Pace::default())
            });
        }
        (None, Some(name), Some(client)) => {
            health.await_seal_keys();
            let (client, name, keys, health) =
                (client.clone(), name.clone(), Arc::clone(&seal_keys), Arc::clone(&health));
            keep("seal keys", move || {
                let secret = SharedSecret::new(client.clone(), name.clone());
                secret.follow(Arc::clone(&keys), Arc::clone(&health), seal_secret::POLL)
            });
        }
        (None, _, Some(_)) => warn!(
            "seal key made at start: approvals end with this process, and other replicas do not know them"
        ),
        (None, ..) => {}
    }
    let announce = announce(&loaded.certificates, &metrics, &health);
    if let (Some((sharing, rotations)), Some(client)) = (sharing, &client) {
        health.await_certificate();
        let (client, certificates, health) =
            (client.clone(), Arc::clone(&loaded.certificates), Arc::clone(&health));
        let announce = announce.clone();
        keep("shared certificate", move || {
            let shared = SharedPair::new(client.clone(), sharing.clone(), rotations.clone());
            shared.follow(Arc::clone(&certificates), Arc::clone(&health), announce.clone())
        });
    }
    announce(&Reload::Unchanged);
    let certificates = Arc::clone(&loaded.certificates);
    keep("certificate files", move || {
        Arc::clone(&certificates).follow(Pace::default(), announce.clone())
    });
    let events = Events::start(client.clone(), Arc::clone(&metrics));
    let authorities = Authorities::new(client, options.authority_deadline());
    let live = Live::new(asking_once, options.evidence_deadline(), Arc::clone(&metrics));
    if let Some((folder, contents)) = loaded.folder {
        let (policies, metrics, health) =
            (Arc::clone(&policies), Arc::clone(&metrics), Arc::clone(&health));
        keep("policies", move || {
            let (policies, metrics, health) =
                (Arc::clone(&policies), Arc::clone(&metrics), Arc::clone(&health));
            folder.clone().follow(contents.clone(), policies, metrics, health, Pace::default())
        });
    }

    let stop = stop_signal()?;
    let admin_routes =
        TowerToHyperService::new(admin::routes(Arc::clone(&health), Arc::clone(&metrics)));
    let review_service = Reviews {
        policies,
        namespaces,
        seal_keys,
        sources: Sources::new(authorities, live),
        events,
        metrics,
        memory_budget: reviews::memory_budget(options.body_memory()),
        deadline: options.request_deadline(),
    }
    .service();
    let (address, admin_address) = (reviews.address()?, admin.address()?);
    info!(%address, admin = %admin_address, "serving");
    if options.is_laptop() {
        print_example(address);
    }
    let unready = {
        let health = Arc::clone(&health);
        let stop = stop.clone();
        async move {
            stopped(stop).await;
            health.stop()
        }
    };
    let served = reviews.serve(Transport::Tls(loaded.certificates), review_service, stopped(stop));
    let admin = tokio::spawn(admin.serve(Transport::Plain, admin_routes, std::future::pending()));
    tokio::join!(served, unready);
    admin.abort(); // probes and the last scrape are answered until the reviews are
    Ok(())
}

/// How to send a review, for whoever just started this on a laptop.
fn print_example(address: std::net::SocketAddr) {
    let example = format!(
        "send it a review:\n  curl --insecure --data-binary @tests/reviews/resize-limit-down-unapproved.pods-resize.validate.json https://{address}/validate\n"
    );
    let _ = std::io::stdout().write_all(example.as_bytes()); // nobody may be reading
}

/// A policy that selects namespaces by label applies to all of them while their labels are unknown.
fn warn_of_blind_spots(policies: &Policies) {
    for policy in policies.unresolvable() {
        warn!(
            policy = policy.name,
            "selects namespaces by label, which are not known here: it applies to every namespace"
        );
    }
}

/// Tells metrics and readiness which certificate is in force.
fn announce(
    certificates: &Arc<Certificates>,
    metrics: &Arc<Metrics>,
    health: &Arc<Health>,
) -> impl Fn(&Reload) + Clone + use<> {
    let (current, metrics, health) =
        (Arc::clone(certificates), Arc::clone(metrics), Arc::clone(health));
    move |outcome: &Reload| {
        let refused = match outcome {
            Reload::Unchanged => None,
            Reload::Swapped => {
                metrics.certificate_reload(true);
                None
            }
            Reload::Refused(error) => {
                metrics.certificate_reload(false);
                Some(error.to_string())
            }
        };
        let leaf = current.leaf();
        let expiry = jiff::Timestamp::from_second(leaf.not_after).unwrap_or(jiff::Timestamp::MAX);
        metrics.certificate_expiry(leaf.not_after);
        health.certificate(format!("for {}, expires {expiry}", leaf.names.join(", ")), refused);
    }
}

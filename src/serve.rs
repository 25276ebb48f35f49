//! The webhook server: everything around judging.

mod authority;
mod configuration;
mod decision_log;
mod events;
mod evidence;
mod followed;
mod following;
mod loaded;
mod metrics;
mod namespaces;
mod options;
mod policies;
mod recorder;
mod request;
mod restorations;
mod reviews;
mod seal;
mod tasks;
#[cfg(test)]
mod testing;
mod tls;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use hyper_util::service::TowerToHyperService;
use kube::Client;
use tracing::info;

use crate::cluster::ServiceAccess;
use crate::service::listener::{Connections, Drain, Listener, Transport};
use crate::service::log::Log;
pub use crate::service::{Limits, LogFormat};
use crate::service::{admin, panics};
use crate::signals::{stop_signal, stopped};

use authority::Authorities;
use events::Events;
use evidence::{Live, Sources};
use following::Following;
use loaded::Loaded;
use metrics::Metrics;
pub use options::Options;
use recorder::{Recorder, RecorderThread};
use restorations::Restorations;
pub use reviews::BODY_LIMIT;
use reviews::Reviews;
pub use seal::{SealKeyError, SealKeys};

/// What the admin port says to whoever asks it for something else.
const HINT: &str = "this port has /livez, /readyz and /metrics\n";

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
    runtime.block_on(serve(&options, loaded, &log))
}

async fn serve(options: &Options, loaded: Loaded, log: &Log) -> anyhow::Result<()> {
    let ports = Ports::bind(options)?;
    let clients = Clients::find(options).await?;
    let mut metrics = Metrics::new();
    let connections = Connections(ports.reviews.counters());
    metrics.registry().register_collector(Box::new(connections));
    metrics.follow_log(log.lost());
    let segments = options.recordings()?;
    let following = Following::start(options, loaded, metrics, clients.retrying.as_ref());
    let recording = segments
        .map(|segments| RecorderThread::start(segments, Arc::clone(&following.metrics)))
        .transpose()?;
    let recorder = recording.as_ref().map(RecorderThread::recorder);
    let reviews = reviews(options, &following, clients, recorder);
    ports.serve(options, reviews, &following).await?;
    if let Some(recording) = recording {
        recording.stop();
    }
    Ok(())
}

/// The ports, which are open and not served yet.
struct Ports {
    reviews: Listener,
    admin: Listener,
}

impl Ports {
    /// Binds both. Needs a runtime.
    fn bind(options: &Options) -> anyhow::Result<Self> {
        let drain = Drain { delay: options.drain_delay(), ..Drain::default() };
        let bind = |address| {
            Listener::bind(address, Limits::default(), drain)
                .with_context(|| format!("cannot listen on {address}"))
        };
        Ok(Self { reviews: bind(options.listen)?, admin: bind(options.admin)? })
    }

    /// Serves until the process is told to stop. Probes and the last scrape are answered until the
    /// reviews are.
    async fn serve(
        self,
        options: &Options,
        reviews: Reviews,
        following: &Following,
    ) -> anyhow::Result<()> {
        let stop = stop_signal()?;
        let Following { key_material, health, metrics, .. } = following;
        let (address, admin) = (self.reviews.address()?, self.admin.address()?);
        info!(%address, %admin, "serving");
        if options.is_laptop() {
            print_example(address);
        }
        let unready = async {
            stopped(stop.clone()).await;
            health.stop();
        };
        let transport = Transport::Tls(key_material.clone());
        let served = self.reviews.serve(transport, reviews.service(), stopped(stop.clone()));
        let metrics = Arc::clone(metrics);
        let routes = admin::routes(Arc::clone(health), move || metrics.render(), HINT);
        let routes = TowerToHyperService::new(routes);
        let admin =
            tokio::spawn(self.admin.serve(Transport::Plain, routes, std::future::pending()));
        tokio::join!(served, unready);
        admin.abort();
        Ok(())
    }
}

/// The ways to the API server, where there is one.
#[derive(Default)]
struct Clients {
    /// Asks again where the API server is busy.
    retrying: Option<Client>,
    /// Asks once.
    asking_once: Option<Client>,
}

impl Clients {
    async fn find(options: &Options) -> anyhow::Result<Self> {
        let Some(access) = ServiceAccess::find(options.kubeconfig.clone()) else {
            return Ok(Self::default());
        };
        let unusable = "the API server cannot be used";
        Ok(Self {
            retrying: Some(access.client().await.context(unusable)?),
            asking_once: Some(access.client_asking_once().await.context(unusable)?),
        })
    }
}

fn reviews(
    options: &Options,
    following: &Following,
    clients: Clients,
    recorder: Option<Recorder>,
) -> Reviews {
    let metrics = Arc::clone(&following.metrics);
    let mut events = Events::start(clients.retrying.clone(), Arc::clone(&metrics));
    if options.configuration_events {
        events = events.with_users(Arc::clone(&following.config_users));
    }
    let authorities = Authorities::new(clients.retrying, options.authority_deadline());
    let live = Live::new(clients.asking_once, options.evidence_deadline(), Arc::clone(&metrics));
    Reviews {
        policies: Arc::clone(&following.policies),
        namespaces: Arc::clone(&following.namespaces),
        config_users: Arc::clone(&following.config_users),
        seal_keys: Arc::clone(&following.seal_keys),
        sources: Sources::new(authorities, live),
        events,
        recorder,
        metrics,
        restorations: Restorations::default(),
        memory_budget: reviews::memory_budget(options.body_memory()),
        deadline: options.request_deadline(),
    }
}

/// How to send a review, for whoever just started this on a laptop.
fn print_example(address: SocketAddr) {
    let example = format!(
        "send it a review:\n  curl --insecure --data-binary @tests/reviews/resize-limit-down-unapproved.pods-resize.validate.json https://{address}/validate\n"
    );
    let _ = std::io::stdout().write_all(example.as_bytes()); // nobody may be reading
}

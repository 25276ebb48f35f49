//! `restraint audit --every`: audits again and again, and serves what the last one found.
//!
//! A report that is whole stays until there is another whole one: while the API server is away or a
//! right is missing, neither page nor metrics nor policy reports lose what was found.

mod metrics;
mod numbers;
pub(super) mod options;
mod policy_reports;
mod rounds;
mod site;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hyper_util::service::TowerToHyperService;
use tracing::info;

use crate::cluster::{Cluster, ClusterOptions, ServiceAccess};
use crate::service::health::{Health, Topic};
use crate::service::listener::{Drain, Limits, Listener, Transport};
use crate::service::log::Log;
use crate::service::{admin, panics};
use crate::signals::{stop_signal, stopped};

use super::report::Report;
use metrics::Metrics;
use options::ServiceOptions;
use rounds::{Audience, Rounds};
use site::Site;

/// What the port says to whoever asks it for something else.
const HINT: &str = "this port has /, /report.json, /livez, /readyz and /metrics\n";

/// Threads that answer while one audits: few ask.
const THREADS: usize = 2;

/// Audits until SIGTERM or SIGINT.
///
/// # Errors
///
/// Where the address or the way to the cluster cannot be used.
pub(super) fn run<A>(
    options: &ServiceOptions,
    every: Duration,
    place: (&ClusterOptions, Option<&str>),
    audit: A,
) -> anyhow::Result<ExitCode>
where
    A: AsyncFn(&Cluster) -> anyhow::Result<Report>,
{
    let log = Log::start(options.log_format);
    panics::report();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .context("the runtime cannot start")?;
    runtime.block_on(serve(options, every, place, audit, &log))?;
    // what is under way is not waited for
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

async fn serve<A>(
    options: &ServiceOptions,
    every: Duration,
    (cluster, namespace): (&ClusterOptions, Option<&str>),
    audit: A,
    log: &Log,
) -> anyhow::Result<()>
where
    A: AsyncFn(&Cluster) -> anyhow::Result<Report>,
{
    let listener = Listener::bind(options.listen, Limits::default(), Drain::default())
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let cluster = connect(cluster, namespace).await?;
    let stop = stop_signal()?;
    info!(address = %listener.address()?, every = ?every, "serving");
    let audience = Audience {
        health: Arc::new(Health::default()),
        metrics: Arc::new(Metrics::new(every, log.lost())),
        site: Arc::new(Site::default()),
    };
    audience.health.wait_for(Topic::Audit);
    let metrics = Arc::clone(&audience.metrics);
    let routes = admin::routes(Arc::clone(&audience.health), move || metrics.render(), HINT)
        .merge(site::routes(Arc::clone(&audience.site)));
    let routes = TowerToHyperService::new(routes);
    let served = tokio::spawn(listener.serve(Transport::Plain, routes, std::future::pending()));
    let mut rounds = Rounds::new(every, audience, options.policy_reports.then_some(&cluster));
    tokio::select! {
        () = stopped(stop) => {}
        () = rounds.go_on(async || audit(&cluster).await) => {}
    }
    served.abort();
    Ok(())
}

/// Who is told nothing else asks with the rights of its pod.
async fn connect(options: &ClusterOptions, namespace: Option<&str>) -> anyhow::Result<Cluster> {
    let is_told = options.kubeconfig.is_some()
        || options.context.is_some()
        || std::env::var_os("KUBECONFIG").is_some();
    match ServiceAccess::find(None).filter(|_| !is_told) {
        Some(access) => {
            access.cluster(namespace).await.context("the service account cannot be used")
        }
        None => options.connect(namespace).await,
    }
}

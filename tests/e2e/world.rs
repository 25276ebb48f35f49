//! What the trials of a run share: one cluster, and an installation for each cap. Started by the
//! first that asks.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::cluster::{Cluster, PROGRAMS};
use crate::installation::Installation;

/// Names the folder with the programs of the cluster, as it does for other tools.
pub(crate) const ASSETS: &str = "KUBEBUILDER_ASSETS";

static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
static ENFORCING: OnceLock<Option<Installation<'static>>> = OnceLock::new();
static FALLBACK: OnceLock<Option<()>> = OnceLock::new();
static ALLOWANCES: OnceLock<Option<()>> = OnceLock::new();
static AUDITING: OnceLock<Option<Installation<'static>>> = OnceLock::new();
static RECIPES: OnceLock<Option<()>> = OnceLock::new();
static KUBE_SYSTEM: Mutex<()> = Mutex::new(());
static METRICS_API: Mutex<()> = Mutex::new(());

/// The folder with the programs of the cluster, if one is named.
///
/// # Errors
///
/// Where a program is missing there.
pub(crate) fn assets() -> Result<Option<PathBuf>, String> {
    let Some(folder) = env::var_os(ASSETS).filter(|folder| !folder.is_empty()).map(PathBuf::from)
    else {
        return Ok(None);
    };
    let missing: Vec<_> =
        PROGRAMS.into_iter().filter(|program| !folder.join(program).is_file()).collect();
    if missing.is_empty() {
        return Ok(Some(folder));
    }
    Err(format!("{ASSETS} names \"{}\", which lacks {}", folder.display(), missing.join(", ")))
}

/// The cluster.
pub(crate) fn cluster() -> &'static Cluster {
    shared(&CLUSTER, "the cluster", || Cluster::start(&assets().unwrap().unwrap()))
}

/// Restraint as it comes.
pub(crate) fn enforcing() -> &'static Installation<'static> {
    shared(&ENFORCING, "restraint", || Installation::new(cluster(), "enforcing", &[]))
}

/// Restraint under a cap of audit.
pub(crate) fn auditing() -> &'static Installation<'static> {
    shared(&AUDITING, "restraint under a cap of audit", || {
        Installation::new(cluster(), "auditing", &["--cap", "audit"])
    })
}

/// The fallback policies, for the namespaces that carry its label.
pub(crate) fn fallback() {
    shared(&FALLBACK, "the fallback policies", || crate::fallback::install(cluster()));
}

/// The fallback policies that know allowances and put back, for the namespaces whose label says so.
pub(crate) fn fallback_with_allowances() {
    shared(&ALLOWANCES, "the fallback policies with allowances", || {
        crate::fallback::install_with_allowances(cluster());
    });
}

/// The fallback policy that knows the recipes of the documentation, for the namespaces whose label
/// says so.
pub(crate) fn fallback_with_recipes() {
    shared(&RECIPES, "the fallback policy with recipes", || {
        crate::fallback::install_with_recipes(cluster());
    });
}

/// Lets one trial at a time see to kube-system, the one namespace that they cannot have for
/// themselves.
pub(crate) fn kube_system() -> MutexGuard<'static, ()> {
    KUBE_SYSTEM.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets one trial at a time decide whether there is a metrics API.
pub(crate) fn metrics_api() -> MutexGuard<'static, ()> {
    METRICS_API.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends everything that was started. With `keep` the logs stay, and it says where.
pub(crate) fn stop(keep: bool) {
    for installation in [&ENFORCING, &AUDITING].into_iter().filter_map(OnceLock::get).flatten() {
        drop(installation.take());
    }
    if let Some(cluster) = CLUSTER.get().and_then(Option::as_ref) {
        cluster.stop(keep);
    }
}

/// Starts it once: what did not start does not start for the next trial either.
fn shared<T>(
    cell: &'static OnceLock<Option<T>>,
    what: &str,
    start: impl FnOnce() -> T,
) -> &'static T {
    let started = cell.get_or_init(|| catch_unwind(AssertUnwindSafe(start)).ok());
    started.as_ref().unwrap_or_else(|| {
        panic!("{what} did not start: the first trial that asked for it says why")
    })
}

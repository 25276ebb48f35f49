//! An installation in a real cluster, with a node or many: replicas are rolled and drained, keys,
//! certificates and policies change, and whatever else the caller names happens, while pods are
//! created and resized. Each request has one right answer.

mod api;
mod disturbances;
mod requests;
mod tally;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::outcome::Outcome;
use api::Cluster;
use disturbances::Disturbance;
use requests::Requests;
use tally::Tally;

/// Which cluster and installation, and what is done to them.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The namespace of the installation, a release of the chart named `restraint`.
    #[arg(long, default_value = "restraint", value_name = "NAME")]
    namespace: String,

    /// Something else to do to the cluster, with a name for it: `--also "power loss=./power-cycle"`. Requests may be
    /// refused meanwhile; none may be wrongly admitted. Repeatable.
    #[arg(long, value_name = "NAME=COMMAND")]
    also: Vec<Disturbance>,

    /// What of the rest to do [default: all].
    #[arg(long, value_name = "DISTURBANCE", value_delimiter = ',')]
    only: Option<Vec<Disturbance>>,
}

/// Requests go on for so long before, between and after what is done.
const BETWEEN: Duration = Duration::from_secs(5);

pub(crate) async fn run(
    options: &Options,
    kubeconfig: Option<&Path>,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let kubeconfig = kubeconfig.context("`cluster` needs --kubeconfig FILE")?;
    let cluster = Cluster::reach(kubeconfig, &options.namespace)?;
    let requests = Requests::begin(&cluster).await?;
    let built_in = options.only.clone().unwrap_or_else(|| Disturbance::BUILT_IN.to_vec());
    for disturbance in built_in.iter().chain(&options.also) {
        eprintln!("{disturbance}");
        requests.take();
        let begun = Instant::now();
        tokio::time::sleep(BETWEEN).await;
        let done = disturbance.happen(&cluster, &requests).await;
        tokio::time::sleep(BETWEEN).await;
        let tally = requests.take();
        done.with_context(|| disturbance.to_string())?;
        report(disturbance, begun.elapsed(), tally, outcome);
    }
    requests.end(&cluster).await
}

fn report(disturbance: &Disturbance, took: Duration, mut tally: Tally, outcome: &mut Outcome) {
    outcome.figure(format!("{disturbance}, {:.0} s", took.as_secs_f64()), &tally);
    outcome.figure("their latency", tally.latency());
    outcome.promise(
        tally.wrongly_admitted == 0,
        format!("{disturbance}: no decrease passes unapproved"),
    );
    if !disturbance.may_refuse() {
        outcome.promise(
            tally.wrongly_refused + tally.not_judged == 0,
            format!("{disturbance}: all are judged, none is refused wrongly: {:?}", tally.errors),
        );
    }
}

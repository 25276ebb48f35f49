//! `restraint approvals`: which pods carry approvals, whether they can still be used, and what waits
//! for one.

mod entry;
mod pending;

use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, PartialObjectMeta};

use crate::cluster::error::error_message;
use crate::cluster::list::list_metadata;
use crate::cluster::{self, Cluster, ClusterOptions, NamespaceOptions};
use crate::terminal::{self, Output, OutputFormat, Progress};

use entry::Entry;

/// Which approvals to list.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where they are.
    #[command(flatten)]
    place: NamespaceOptions,

    /// List decreases that were denied in the last hour and not granted since.
    #[arg(long)]
    pending: bool,

    /// How results are printed.
    #[command(flatten)]
    output: Output,

    /// Which cluster, and as whom.
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// Lists approvals.
///
/// # Errors
///
/// Where the pods, or with `--pending` the Events, cannot be listed.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.pending {
        return cluster::block_on(async {
            let cluster = options.cluster.connect(options.place.namespace.as_deref()).await?;
            pending::print(&cluster, options.place.all_namespaces, options.output.format).await?;
            Ok(ExitCode::SUCCESS)
        });
    }
    let entries = cluster::block_on(async {
        let cluster = options.cluster.connect(options.place.namespace.as_deref()).await?;
        let pods = if options.place.all_namespaces {
            Api::all(cluster.client.clone())
        } else {
            cluster.pods()
        };
        list(&pods, Timestamp::now(), &place(&cluster, options)).await
    })?;
    if entries.is_empty() {
        terminal::remark("no approvals");
    }
    match options.output.format {
        OutputFormat::Json => terminal::print_json(&entries)?,
        OutputFormat::Text if entries.is_empty() => {}
        OutputFormat::Text => terminal::print(&entry::text(&entries))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn place(cluster: &Cluster, options: &Options) -> String {
    if options.place.all_namespaces {
        "all namespaces".to_owned()
    } else {
        format!("namespace {:?}", cluster.namespace)
    }
}

/// The approvals on `pods`. Only metadata travels.
async fn list(pods: &Api<Pod>, now: Timestamp, place: &str) -> anyhow::Result<Vec<Entry>> {
    let progress = Progress::start("pods");
    let entry = |pod: PartialObjectMeta<Pod>| {
        progress.one_more();
        Entry::of(&pod.metadata, now)
    };
    list_metadata(pods, &ListParams::default(), entry)
        .await
        .map_err(|error| anyhow!("pods cannot be listed in {place}: {}", error_message(&error)))
}

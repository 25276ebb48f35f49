//! `restraint approvals`: which pods carry approvals, and whether they can still be used.

mod entry;
mod terms;

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;

use crate::cluster::{self, Access, Cluster, PAGE, complaint};
use crate::terminal::{self, Form, Progress};

use entry::Entry;
pub(crate) use terms::Terms;

/// How often a list that became too old is begun again.
const ATTEMPTS: u8 = 3;

/// Which approvals to list.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Namespace [default: the context's].
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Every namespace.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,

    /// How results are printed.
    #[arg(
        short,
        long,
        default_value = "text",
        value_name = "text|json",
        hide_possible_values = true
    )]
    pub output: Form,

    /// Which cluster, and as whom.
    #[command(flatten)]
    pub access: Access,
}

/// Lists.
///
/// # Errors
///
/// Where the pods cannot be listed.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let entries = cluster::converse(async {
        let cluster = options.access.connect(options.namespace.as_deref()).await?;
        let pods =
            if options.all_namespaces { Api::all(cluster.client.clone()) } else { cluster.pods() };
        list(&pods, Timestamp::now(), &place(&cluster, options)).await
    })?;
    if entries.is_empty() {
        terminal::remark("no approvals");
    }
    match options.output {
        Form::Json => terminal::print_json(&entries)?,
        Form::Text if entries.is_empty() => {}
        Form::Text => terminal::print(&entry::table(&entries))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn place(cluster: &Cluster, options: &Options) -> String {
    if options.all_namespaces {
        "all namespaces".to_owned()
    } else {
        format!("namespace {:?}", cluster.namespace)
    }
}

/// The approvals on `pods`. Only metadata travels, page by page.
async fn list(pods: &Api<Pod>, now: Timestamp, place: &str) -> anyhow::Result<Vec<Entry>> {
    let mut parameters = ListParams::default().limit(PAGE);
    let (mut entries, mut attempts) = (Vec::new(), 1);
    let progress = Progress::start("pods");
    loop {
        let page = match pods.list_metadata(&parameters).await {
            Ok(page) => page,
            // the place where the list goes on was forgotten meanwhile
            Err(kube::Error::Api(status)) if status.code == 410 && attempts < ATTEMPTS => {
                attempts = attempts.saturating_add(1);
                parameters = ListParams::default().limit(PAGE);
                entries.clear();
                continue;
            }
            Err(error) => bail!("pods cannot be listed in {place}: {}", complaint(&error)),
        };
        progress.more(page.items.len());
        entries.extend(page.items.iter().filter_map(|pod| Entry::of(&pod.metadata, now)));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok(entries),
        }
    }
}
